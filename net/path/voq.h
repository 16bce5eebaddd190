/*
 * Virtual output queues: one per (lane, TX queue, class), single producer, single consumer.
 *
 * A crosspoint holds the VOQs of one lane towards one TX queue, one per class.
 * The lane's actor produces; the worker that drives the TX queue consumes. Of
 * what both touch, each line has one writer: the producer shows its tails once a
 * batch in one line, which the consumer polls; the consumer writes its heads. A full VOQ refuses,
 * and its packets are dropped and counted there, so that a congested output never holds up traffic
 * to another (no head-of-line blocking).
 *
 * A queue is full as well when it holds as many packets as its input's pool has
 * free buffers (Choudhury and Hahne, "Dynamic queue length thresholds for
 * shared-memory packet switches", ToN 1998, with alpha 1): however many outputs
 * stand still, they leave the input buffers to receive into.
 *
 * Batches carry the time of their arrival: a stamp says when the words up to
 * `end` were received. There are few stamps, because a queue that moves holds
 * few batches; words whose batch found no free stamp go by the next one's.
 */
#ifndef NET_PATH_VOQ_H
#define NET_PATH_VOQ_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/atomic.h"
#include "lib/limits.h"

#define VOQ_STAMPS 16u              /* a power of two */
#define VOQ_SPILL  (BATCH_MAX + 8u) /* see voq_wrap */

struct voq_stamp {
	uint64_t time; /* TSC */
	uint32_t end;  /* the tail behind the batch */
};

/* The producer's side, by class. */
struct voq_in {
	alignas(CACHE_LINE) uint32_t pending[VOQ_CLASSES]; /* tail with the words not yet shown */
	uint32_t head_seen[VOQ_CLASSES];                   /* copy of head */
	uint64_t drops[VOQ_CLASSES]; /* packets refused because the queue was full */
	uint32_t more;               /* a bit per class with words not yet shown */
};

/* The consumer's side of one VOQ; the scheduler's fields are in sched.h's terms. */
struct voq_out {
	alignas(CACHE_LINE) uint32_t head;
	uint32_t stamp_end;   /* words before it have had their latency counted */
	uint8_t stamps_taken; /* free-running */
	uint64_t vruntime;    /* bytes sent, and what was passed over while idle */
	uint64_t packets;     /* sent */
	uint64_t bytes;
};

struct crosspoint {
	/* written by the producer once a batch, polled by the consumer */
	alignas(CACHE_LINE) uint32_t tail[VOQ_CLASSES];
	uint8_t stamps[VOQ_CLASSES];      /* made; free-running */
	uint8_t stamps_seen[VOQ_CLASSES]; /* the producer's copy of stamps_taken */
	/* the producer's own */
	struct voq_in in;
	/* the consumer's; the producer reads heads when a queue looks full */
	alignas(CACHE_LINE) uint32_t tail_seen[VOQ_CLASSES]; /* copy of tail */
	struct voq_out out[VOQ_CLASSES];
	/* written by the producer before the tail that shows it */
	alignas(CACHE_LINE) struct voq_stamp stamp[VOQ_CLASSES][VOQ_STAMPS];
	alignas(CACHE_LINE) uint64_t word[VOQ_CLASSES][VOQ_SLOTS + VOQ_SPILL];
};

/* Zeroed memory becomes empty queues. Boot only. */
void voq_init(struct crosspoint *x);

/*
 * Producer: writes one word without publishing it; false (and counted in drops)
 * if `limit` packets wait already, limit <= VOQ_SLOTS.
 */
static inline bool voq_put(struct crosspoint *x, unsigned class, uint64_t word, uint32_t limit)
{
	uint32_t pending = x->in.pending[class];

	if (pending - x->in.head_seen[class] >= limit) {
		x->in.head_seen[class] = load_acquire(&x->out[class].head);
		if (pending - x->in.head_seen[class] >= limit) {
			counter_add(&x->in.drops[class], 1);
			return false;
		}
	}
	x->word[class][pending & (VOQ_SLOTS - 1)] = word;
	x->in.pending[class] = pending + 1;
	x->in.more |= 1u << class;
	return true;
}

/*
 * Producer: where up to BATCH_MAX words may be written in one go, and whatever in the eight places
 * behind them, whether the ring ends there or not; NULL unless all these places are free.
 */
static inline uint64_t *voq_room(struct crosspoint *x, unsigned class, uint32_t limit)
{
	uint32_t pending = x->in.pending[class];

	if (pending - x->in.head_seen[class] + VOQ_SPILL > limit) {
		x->in.head_seen[class] = load_acquire(&x->out[class].head);
		if (pending - x->in.head_seen[class] + VOQ_SPILL > limit)
			return NULL;
	}
	return &x->word[class][pending & (VOQ_SLOTS - 1)];
}

/* Producer: n words have been written so; those behind the ring's end go to its beginning. */
static inline void voq_wrap(struct crosspoint *x, unsigned class, uint32_t n)
{
	uint32_t pending = x->in.pending[class], end = (pending & (VOQ_SLOTS - 1)) + n;

	if (__builtin_expect(end > VOQ_SLOTS, 0))
		memcpy(x->word[class], x->word[class] + VOQ_SLOTS,
			(end - VOQ_SLOTS) * sizeof x->word[class][0]);
	x->in.pending[class] = pending + n;
	x->in.more |= 1u << class;
}

/* Producer: shows all words written since the last call; they were received at `time` (TSC, or 0:
 * not to be counted). */
void voq_publish(struct crosspoint *x, uint64_t time);

/* Packets queued: exact for producer and consumer, a snapshot for others. */
static inline uint32_t voq_depth(const struct crosspoint *x, unsigned class)
{
	uint32_t head = load_acquire(&x->out[class].head);

	return load_acquire(&x->tail[class]) - head;
}

#endif
