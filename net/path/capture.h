/*
 * Packet capture: copies of frames as they are received, sent or dropped, for the control core.
 *
 * One capture at a time, of one interface. Its plan says what is looked for and is constant while
 * published. Each actor copies what matches into a ring of its own, single producer and single
 * consumer, of memory reserved at boot. An actor copies at most CAPTURE_BURST frames a turn; what
 * matches beyond that, or finds the ring full, is counted and not copied. So an actor is held up by
 * so much a turn and no more, however fast the control core gets rid of what it takes.
 *
 * While nothing is captured the pointers of lanes and workers are NULL, and it costs one test a
 * burst, a turn and a drop.
 *
 * As received: before anything is looked at. As sent: behind the last stage, when the device has
 * it. As dropped: as it stood then; a VLAN tag that had been taken off is put back.
 */
#ifndef NET_PATH_CAPTURE_H
#define NET_PATH_CAPTURE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/pool.h"
#include "net/path/drop.h"
#include "net/table/ip6.h"

#define CAPTURE_BURST    16u   /* frames an actor copies in a turn, */
#define CAPTURE_SNAP_MAX 9216u /* and bytes of each at most: a jumbo frame with tags */

/* Where; bits of plan.points. */
enum capture_point { CAPTURE_RX = 1, CAPTURE_TX = 2, CAPTURE_DROP = 4 };

/* A prefix of either family; an IPv4 address is the last 32 bits. */
struct capture_prefix {
	struct ip6 address, mask;
};

/* What is looked for. A range of ports that is 0 to 65535 asks for nothing. */
struct capture_plan {
	uint8_t points;
	uint8_t port;   /* of the interface, */
	uint16_t vid;   /* and its VLAN; 0: all that goes over the port, with any tag or none */
	uint32_t snap;  /* bytes of a frame that are kept, at most CAPTURE_SNAP_MAX */
	bool any;       /* nothing else is asked */
	uint8_t family; /* 4 or 6; 0: both */
	bool has_protocol, has_ports;
	uint8_t protocol;
	struct capture_prefix from, to, host; /* of `family`, or all zero; host: either end */
	uint16_t from_port[2], to_port[2], either_port[2];
	/* The datagrams that carry what is captured are not captured, nor ICMP errors about them.
	 */
	uint8_t sink_family;           /* 4 or 6; 0: there are none */
	struct ip6 sink;               /* where they go, */
	uint16_t sink_port, sink_from; /* and their ports */
};

/* A frame in a ring, in front of its bytes. */
struct capture_record {
	uint16_t units;  /* of 8 bytes to the next one */
	uint16_t kept;   /* bytes of the frame that follow */
	uint16_t length; /* of the frame */
	uint8_t point;   /* enum capture_point; 0: nothing, the ring goes on at its beginning */
	uint8_t reason;  /* enum drop_reason */
	uint64_t time;   /* TSC */
};

_Static_assert(sizeof(struct capture_record) == 16, "records and frames are 8-byte aligned");
_Static_assert(DROP_COUNT <= UINT8_MAX, "a reason is a byte");

/* What became of the frames that were looked for. Those in the ring or taken out of it: the rest.
 */
struct capture_counters {
	uint64_t matched;
	uint64_t full;   /* lost: the ring had no room */
	uint64_t beyond; /* lost: more than CAPTURE_BURST in a turn */
};

/* Of one actor. */
struct capture {
	/* the actor's */
	alignas(CACHE_LINE) uint32_t tail; /* bytes ever written; runs freely */
	uint32_t head_seen;                /* copy of head */
	unsigned left;                     /* of this turn's frames */
	uint64_t now;                      /* TSC: of this turn, or the last burst */
	struct capture_counters counters;
	/* the control core's */
	alignas(CACHE_LINE) uint32_t head;
	/* constant while published */
	alignas(CACHE_LINE) const struct capture_plan *plan;
	uint32_t bytes; /* of the ring, a power of two */
	uint8_t *ring;
	const uint8_t *whole; /* where frames with PACKET_FLAG_WHOLE are; NULL: there are none */
};

/* Bytes of a ring: the longest frame fits an empty one, wherever it begins. */
#define CAPTURE_RING_MIN 32768u
#define CAPTURE_RING_MAX 1048576u

/* ring: `bytes` of memory, a power of two from CAPTURE_RING_MIN on, 8-byte aligned. Boot. */
void capture_init(struct capture *c, uint8_t *ring, uint32_t bytes);

/* Empties ring and counters. Control core, while no actor has it. */
void capture_reset(struct capture *c, const struct capture_plan *plan);

/* A turn of the actor begins. now: TSC. */
static inline void capture_turn(struct capture *c, uint64_t now)
{
	c->left = CAPTURE_BURST;
	c->now = now;
}

/* n frames were received by a port, or sent. The actor only. now: TSC. */
void capture_burst(struct capture *c, const struct buffers *b, unsigned port,
	enum capture_point point, const uint64_t *word, unsigned n, uint64_t now);

/* A packet is going to be dropped, and counted at this port. The actor only. */
void capture_dropped(struct capture *c, const struct buffers *b, unsigned port, uint64_t word,
	enum drop_reason reason);

/*
 * The oldest frame of a ring, its bytes behind it; NULL: it is empty. It stays until
 * capture_release. Control core.
 */
const struct capture_record *capture_peek(struct capture *c);
void capture_release(struct capture *c, const struct capture_record *record);

/* A frame whose VLAN tags are in it. */
#define CAPTURE_TAGS_IN UINT32_MAX

/*
 * Whether a frame is what a plan looks for: any bytes, `len` of them. tci: of the tag that was
 * taken off it, or CAPTURE_TAGS_IN. Any core. (capture_match.c)
 */
bool capture_match(
	const struct capture_plan *plan, const uint8_t *frame, uint32_t len, uint32_t tci);

#endif
