/*
 * A scenario made ready to run: flows, lanes, and what is counted for each stream.
 *
 * Made by the thread that controls, while nothing is sent; then sender and sink,
 * which are one thread, own it until the trial is over. Counters are read by the
 * other thread at any time.
 */
#ifndef PKTGEN_TRAFFIC_H
#define PKTGEN_TRAFFIC_H

#include "lib/histogram.h"
#include "tools/pktgen/frame.h"
#include "tools/pktgen/scenario.h"
#include "tools/pktgen/vhost.h"

#define LANES_MAX 4096u

/* What can be wrong with a packet that came back. */
enum fault {
	FAULT_PORT,     /* at another port than its next hop's */
	FAULT_MAC,      /* source or destination MAC */
	FAULT_TTL,      /* TTL or hop limit */
	FAULT_CHECKSUM, /* IPv4 header checksum */
	FAULT_HEADER,   /* any other byte of the headers */
	FAULT_LENGTH,   /* bytes of the frame */
	FAULT_FILLER,   /* bytes behind the 18 that name the packet */
	FAULT_NUMBER,   /* a number that was never sent */
	FAULTS
};

extern const char *const fault_name[FAULTS];

/* Flows sent to one receive queue of the device, in turn. */
struct part {
	uint32_t begin, end, at;
};

struct stream {
	const struct stream_config *config;
	union {
		struct flow4 *four;
		struct flow6 *six;
	};
	uint32_t flows;
	unsigned parts, part_next; /* of the port's queues in use */
	struct part part[VHOST_PAIRS_MAX];

	/* Sender. */
	uint64_t sent;       /* packets placed */
	uint64_t sent_bytes; /* with FCS */
	uint64_t unplaced;   /* due when the device had no buffer: a NIC would have lost them */
	uint64_t forgiven; /* due while the generator itself was late: never sent, not held against
			      the device */

	/* Sink. */
	uint64_t back;   /* packets that came back, duplicates and faulty ones too */
	uint64_t faulty; /* of them with at least one fault */
	uint64_t fault[FAULTS];
	struct histogram latency; /* time-stamp counter ticks */
};

struct traffic {
	enum device_kind device;
	unsigned lanes, streams;
	struct lane *lane;
	uint64_t *seen; /* the windows of all lanes */
	struct stream stream[STREAMS_MAX];
	uint64_t since; /* time-stamp counter when this trial began: older packets are of another */
};

/* What the builder must know of a port as it is now. */
struct traffic_port {
	uint8_t router[6]; /* MAC */
	unsigned queues;   /* receive queues that take packets */
};

/* Everything of a scenario; port[i] for each of its ports. false: `error` says why. */
MUST_CHECK bool traffic_build(struct traffic *t, const struct scenario *s,
	const struct traffic_port *port, char *error, size_t room);

/* Forgets what was counted; `since`: packets sent before are not of this trial. */
void traffic_reset(struct traffic *t, uint64_t since);

void traffic_free(struct traffic *t);

/* What has become of the packets of a stream. */
struct stream_sum {
	uint64_t received, reordered, duplicate, too_late;
};

/* Of the lanes of one stream. Any thread. */
struct stream_sum traffic_sum(const struct traffic *t, unsigned stream);

#endif
