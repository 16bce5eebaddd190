/*
 * The output scheduler of one TX queue: which VOQ sends next.
 *
 * Strict classes come first, the lowest number first. The others share the
 * output by weight: sending bytes adds bytes / weight to the class's virtual
 * runtime, and the smallest runtime goes next. Within a class its VOQs, one per
 * lane, share equally in the same way, from a heap ordered by runtime. What
 * wakes up starts at the current minimum (as Linux's CFS does with tasks), so
 * idling earns no credit and nobody waits for ever.
 *
 * The choice is made anew after a quantum of packets. A token bucket may limit
 * the whole (shaper.h). One worker, the TX queue's, calls all of this; the
 * control core writes only `policy` and the shaper's rate.
 */
#ifndef NET_PATH_SCHED_H
#define NET_PATH_SCHED_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/histogram.h"
#include "lib/limits.h"
#include "net/path/shaper.h"
#include "net/path/voq.h"

#define SCHED_QUANTUM    64u  /* packets of one VOQ before the choice is made again */
#define SCHED_WEIGHT_MAX 256u /* of a class; 1 is the default */

/* How classes share; single words, written by the control core. */
struct sched_policy {
	alignas(CACHE_LINE) uint32_t strict; /* a bit per class */
	uint32_t inverse[VOQ_CLASSES];       /* 65536 / weight: what a byte adds to the runtime */
};

/* A VOQ with packets. */
struct sched_entry {
	uint64_t runtime; /* bytes; = its VOQ's vruntime */
	uint32_t lane;
};

struct sched_class {
	uint64_t runtime; /* in 1/65536 bytes, wraps */
	uint64_t minimum; /* bytes: where a waking VOQ starts */
	uint32_t waiting; /* VOQs in the heap */
	struct sched_entry *heap;
};

struct sched {
	struct sched_policy policy;
	alignas(CACHE_LINE) struct shaper shaper;
	unsigned lanes;
	uint32_t busy;              /* a bit per class that waits */
	uint32_t waiting;           /* words in all VOQs, as far as it has looked */
	uint64_t taken_bytes;       /* by the last sched_take */
	uint64_t minimum;           /* where a waking class starts, in 1/65536 bytes */
	struct crosspoint **cross;  /* by lane */
	struct histogram **latency; /* by lane: RX to TX, in ticks; NULL: not counted */
	struct sched_class class[VOQ_CLASSES];
};

/* Memory that a scheduler of n lanes needs beside struct sched. */
size_t sched_bytes(unsigned lanes);

/*
 * memory: sched_bytes(lanes), 8-byte aligned. All classes are weighted, 1 each.
 * cross and latency are to be filled in. Boot only.
 */
void sched_init(struct sched *s, void *memory, unsigned lanes);

/* How a class shares from now on. Control core; weight 1 to SCHED_WEIGHT_MAX. */
void sched_set_class(struct sched *s, unsigned class, bool strict, unsigned weight);

/*
 * Takes up to max words from the VOQs, in the order they shall be sent, as far as
 * the shaper allows at `now` (TSC). Returns how many.
 */
unsigned sched_take(struct sched *s, uint64_t *word, unsigned max, uint64_t now);

/* The same without a limit and without counting latency: what waits is not going to be sent. */
unsigned sched_discard(struct sched *s, uint64_t *word, unsigned max);

#endif
