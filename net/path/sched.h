/*
 * The output scheduler of one TX queue: serves its VOQs by virtual runtime.
 *
 * Sending a packet of len bytes adds len / weight to its VOQ's runtime; the
 * smallest runtime is served next, a quantum of packets at a time; a queue that
 * wakes up starts at the current minimum (as Linux's CFS does with tasks), so
 * idling earns no credit. One writer: the worker that drives the TX queue.
 */
#ifndef NET_PATH_SCHED_H
#define NET_PATH_SCHED_H

#include <stdint.h>

#include "lib/limits.h"
#include "net/path/voq.h"

#define SCHED_QUANTUM 64u /* packets of one VOQ before the choice is made again */

struct sched {
	struct voq *voq[LANE_MAX]; /* by lane; never NULL below `voqs` */
	unsigned voqs;
	uint64_t vtime; /* runtime at which a waking queue starts */
};

/*
 * Takes up to max words from the VOQs, in the order they shall be sent. The
 * scheduler's worker only. Returns how many.
 */
unsigned sched_take(struct sched *s, uint64_t *word, unsigned max);

#endif
