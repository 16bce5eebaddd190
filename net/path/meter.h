/*
 * Policing of what comes in by an interface: `set interfaces IF police`.
 *
 * A stage before all others, of RX queues whose port or one of whose VLANs is
 * policed; others pay one test a burst. It sees every frame that the device
 * hands over to a port that is not disabled, before anything else is asked of
 * it: IPv4, IPv6, ARP, neighbour discovery, LLDP, to the router itself or through
 * it, malformed or not. What finds no tokens is dropped as input-policed, in
 * silence; nothing waits. A port's bucket is for all that comes in by it; a
 * frame of a VLAN passes that VLAN's bucket first, and what it refuses takes
 * nothing from the port's.
 *
 * A limit is in bits of Ethernet frames as received (without FCS, preamble and
 * gap; with a VLAN's tag), or in packets. It is shared out evenly among the RX
 * queues of the port: rate and burst are divided by their number, and each queue has
 * buckets that only the worker driving it touches. So the limit is never
 * exceeded, and traffic that does not spread over the queues, as a single flow,
 * gets the part of those it comes in by. Workers that help with a queue
 * (spread.h) come behind this stage: they change nothing about it.
 */
#ifndef NET_PATH_METER_H
#define NET_PATH_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/bucket.h"
#include "net/path/lane.h"

#define METER_PACKETS_MAX       100000000u  /* a second */
#define METER_BURST_MAX         1000000000u /* bytes */
#define METER_BURST_PACKETS_MAX 1000000u
#define METER_BURST_MIN         1500u /* bytes */

/* What an interface may receive, as configured. */
struct meter_limit {
	uint64_t rate;  /* bits or packets a second; 0: no limit */
	uint32_t burst; /* bytes or packets at once; 0: see meter_burst_of */
	bool packets;
};

/* Its part of one RX queue. Constant while published. */
struct meter_rate {
	struct bucket_rate fill;
	uint32_t frame;  /* bytes that a frame counts for; 0: its length */
	uint32_t number; /* another one for each limit that is set, 1 and up */
};

struct meter_bucket {
	const struct meter_rate *rate; /* published by the control core; NULL: no limit */
	uint32_t begun;                /* the number of the rate that it began with, full */
	struct bucket bucket;
};

/* The buckets of one RX queue. */
struct meter {
	struct meter_bucket port;
	struct meter_bucket vlan[VLAN_MAX]; /* by number; of those the port carries */
	bool vlans; /* some of them have a limit; a single word, written by the control core */
};

static inline bool meter_same(const struct meter_limit *a, const struct meter_limit *b)
{
	return a->rate == b->rate && a->burst == b->burst && a->packets == b->packets;
}

/* How much may come at once: as given, or 100 ms at the rate, but ten frames at least. */
uint32_t meter_burst_of(const struct meter_limit *limit);

/* Control core: what each of `queues` RX queues gets of a limit (not none); its number is the
 * caller's. */
void meter_rate_set(
	struct meter_rate *rate, const struct meter_limit *limit, unsigned queues, uint64_t tsc_hz);

/*
 * Takes those that are over their limits out of n received words (n <= BATCH_MAX),
 * and counts them as received and dropped; the rest, in order, is left in word[], its
 * number returned. lane: the queue's own, with `received` set; 0: all pass. The
 * lane's actor only.
 */
unsigned meter_burst(struct lane *lane, uint64_t *word, unsigned n);

#endif
