/*
 * Virtual output queues: one per (lane, TX queue, class), single producer, single consumer.
 *
 * A crosspoint holds the VOQs of one lane towards one TX queue, one per class.
 * The lane's actor produces; the worker that drives the TX queue consumes. Of
 * what both touch, each line has one writer: the producer shows its tails once a
 * batch in one line, the consumer writes its heads. A full VOQ refuses, and its
 * packets are dropped and counted there, so that a congested output never holds
 * up traffic to another (no head-of-line blocking).
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

#include "lib/atomic.h"
#include "lib/limits.h"

#define VOQ_STAMPS 16u /* a power of two */

struct voq_stamp {
	uint64_t time; /* TSC */
	uint32_t end;  /* the tail behind the batch */
};

/* The producer's side of one VOQ. */
struct voq_in {
	uint32_t pending;   /* tail with the words not yet published */
	uint32_t head_seen; /* copy of head */
	uint64_t drops;     /* packets refused because the queue was full */
};

/* The consumer's side; the scheduler's fields are in sched.h's terms. */
struct voq_out {
	alignas(CACHE_LINE) uint32_t head;
	uint32_t tail_seen;   /* copy of tail */
	uint32_t stamp_end;   /* words before it have had their latency counted */
	uint8_t stamps_taken; /* free-running */
	uint64_t vruntime;    /* bytes sent, and what was passed over while idle */
	uint64_t packets;     /* sent */
	uint64_t bytes;
};

struct crosspoint {
	/* written by the producer once a batch, polled by the consumer */
	alignas(CACHE_LINE) uint32_t published; /* counts batches: moves when any tail does */
	uint32_t tail[VOQ_CLASSES];
	uint8_t stamps[VOQ_CLASSES];      /* made; free-running */
	uint8_t stamps_seen[VOQ_CLASSES]; /* the producer's copy of stamps_taken */
	/* the producer's own */
	alignas(CACHE_LINE) struct voq_in in[VOQ_CLASSES];
	/* the consumer's; the producer reads heads when a queue looks full */
	struct voq_out out[VOQ_CLASSES];
	/* written by the producer before the tail that shows it */
	alignas(CACHE_LINE) struct voq_stamp stamp[VOQ_CLASSES][VOQ_STAMPS];
	alignas(CACHE_LINE) uint64_t word[VOQ_CLASSES][VOQ_SLOTS];
};

/* Zeroed memory becomes empty queues. Boot only. */
void voq_init(struct crosspoint *x);

/*
 * Producer: writes one word without publishing it; false (and counted in drops)
 * if `limit` packets wait already, limit <= VOQ_SLOTS.
 */
static inline bool voq_put(struct crosspoint *x, unsigned class, uint64_t word, uint32_t limit)
{
	struct voq_in *in = &x->in[class];

	if (in->pending - in->head_seen >= limit) {
		in->head_seen = load_acquire(&x->out[class].head);
		if (in->pending - in->head_seen >= limit) {
			counter_add(&in->drops, 1);
			return false;
		}
	}
	x->word[class][in->pending & (VOQ_SLOTS - 1)] = word;
	in->pending++;
	return true;
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
