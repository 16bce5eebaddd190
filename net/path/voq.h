/*
 * Virtual output queues: one per (lane, TX queue, class), single producer, single consumer.
 *
 * A ring of packet words. The lane's actor writes words and tail; the worker
 * that drives the TX queue writes head and the scheduler's fields. A full VOQ
 * refuses, and its packets are dropped and counted there, so that a congested
 * output never holds up traffic to another (no head-of-line blocking).
 */
#ifndef NET_PATH_VOQ_H
#define NET_PATH_VOQ_H

#include <stdalign.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"

struct voq {
	/* producer: the lane's actor */
	alignas(CACHE_LINE) uint32_t tail;
	uint32_t head_seen; /* producer's copy of head */
	uint64_t drops;     /* packets refused because the queue was full */
	/* consumer: the worker of the TX queue */
	alignas(CACHE_LINE) uint32_t head;
	uint32_t tail_seen; /* consumer's copy of tail */
	uint32_t weight;    /* share of the output; 1 is the default */
	uint64_t vruntime;  /* bytes sent / weight; see sched.h */
	uint64_t packets;   /* sent */
	uint64_t bytes;
	alignas(CACHE_LINE) uint64_t word[VOQ_SLOTS];
};

void voq_init(struct voq *q);

/* Producer: appends up to n words, returns how many had room. The rest counts in drops. */
unsigned voq_push(struct voq *q, const uint64_t *word, unsigned n);

/* Packets queued: exact for producer and consumer, a snapshot for others. */
static inline uint32_t voq_depth(const struct voq *q)
{
	uint32_t head = load_acquire(&q->head);

	return load_acquire(&q->tail) - head;
}

#endif
