/*
 * Virtual output queues: one per (lane, TX queue, class), single producer, single consumer.
 *
 * A ring of packet words. The lane's actor writes words and tail; the worker
 * that drives the TX queue writes head and the scheduler's fields. A full VOQ
 * refuses, and its packets are dropped and counted there, so that a congested
 * output never holds up traffic to another (no head-of-line blocking).
 *
 * A queue is full as well when it holds as many packets as its input's pool has
 * free buffers (Choudhury and Hahne, "Dynamic queue length thresholds for
 * shared-memory packet switches", ToN 1998, with alpha 1): however many outputs
 * stand still, they leave the input buffers to receive into.
 */
#ifndef NET_PATH_VOQ_H
#define NET_PATH_VOQ_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"

struct voq {
	/* producer: the lane's actor */
	alignas(CACHE_LINE) uint32_t tail; /* published */
	uint32_t pending;                  /* words written, not yet published */
	uint32_t head_seen;                /* producer's copy of head */
	uint64_t drops;                    /* packets refused because the queue was full */
	/* consumer: the worker of the TX queue */
	alignas(CACHE_LINE) uint32_t head;
	uint32_t tail_seen; /* consumer's copy of tail */
	uint32_t inverse;   /* 65536 / weight: what a byte adds to vruntime */
	uint32_t weight;    /* share of the output, 1 to 65536; 1 is the default */
	uint64_t vruntime;  /* in 1/65536 bytes; see sched.h */
	uint64_t packets;   /* sent */
	uint64_t bytes;
	alignas(CACHE_LINE) uint64_t word[VOQ_SLOTS];
};

void voq_init(struct voq *q, uint32_t weight);

/*
 * Producer: writes one word without publishing it; false (and counted in
 * drops) if `limit` packets wait already, limit <= VOQ_SLOTS. voq_publish makes
 * all written words visible at once: one store to a shared line a batch.
 */
static inline bool voq_put(struct voq *q, uint64_t word, uint32_t limit)
{
	if (q->pending - q->head_seen >= limit) {
		q->head_seen = load_acquire(&q->head);
		if (q->pending - q->head_seen >= limit) {
			counter_add(&q->drops, 1);
			return false;
		}
	}
	q->word[q->pending & (VOQ_SLOTS - 1)] = word;
	q->pending++;
	return true;
}

static inline void voq_publish(struct voq *q)
{
	store_release(&q->tail, q->pending); /* words before the index */
}

/* Consumer: words that can be taken now. */
static inline uint32_t voq_ready(struct voq *q)
{
	q->tail_seen = load_acquire(&q->tail);
	return q->tail_seen - q->head;
}

/* Packets queued: exact for producer and consumer, a snapshot for others. */
static inline uint32_t voq_depth(const struct voq *q)
{
	uint32_t head = load_acquire(&q->head);

	return load_acquire(&q->tail) - head;
}

#endif
