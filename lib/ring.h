/*
 * Single-producer single-consumer ring of 8-byte words over caller's memory.
 *
 * Indices run freely and are masked on use, so full (tail - head == size) and
 * empty (tail == head) differ. Each side keeps a copy of the other's index and
 * reads the shared line only when the copy says full or empty.
 */
#ifndef LIB_RING_H
#define LIB_RING_H

#include <stdalign.h>
#include <stdint.h>

#include "lib/atomic.h"

struct ring {
	alignas(CACHE_LINE) uint32_t tail; /* written by the producer */
	uint32_t head_seen;                /* producer's copy of head */
	alignas(CACHE_LINE) uint32_t head; /* written by the consumer */
	uint32_t tail_seen;                /* consumer's copy of tail */
	alignas(CACHE_LINE) uint32_t mask; /* size - 1; constant after ring_init */
	uint64_t *word;
};

/* word: room for `size` words, a power of two. */
static inline void ring_init(struct ring *r, uint64_t *word, uint32_t size)
{
	r->tail = r->head_seen = r->head = r->tail_seen = 0;
	r->mask = size - 1;
	r->word = word;
}

/* Words queued. Exact for either side's own view, a snapshot for any other core. */
static inline uint32_t ring_depth(const struct ring *r)
{
	uint32_t head = load_acquire(&r->head);

	return load_acquire(&r->tail) - head;
}

/* Producer only: appends up to n words, returns how many had room. */
static inline uint32_t ring_push(struct ring *r, const uint64_t *word, uint32_t n)
{
	uint32_t tail = r->tail, room = r->mask + 1 - (tail - r->head_seen);

	if (room < n) {
		r->head_seen = load_acquire(&r->head);
		room = r->mask + 1 - (tail - r->head_seen);
		if (n > room)
			n = room;
	}
	for (uint32_t i = 0; i < n; i++)
		r->word[(tail + i) & r->mask] = word[i];
	store_release(&r->tail, tail + n); /* words before the index */
	return n;
}

/* Consumer only: takes up to max words, returns how many. */
static inline uint32_t ring_pop(struct ring *r, uint64_t *word, uint32_t max)
{
	uint32_t head = r->head, n = r->tail_seen - head;

	if (n < max) {
		r->tail_seen = load_acquire(&r->tail);
		n = r->tail_seen - head;
	}
	if (n > max)
		n = max;
	for (uint32_t i = 0; i < n; i++)
		word[i] = r->word[(head + i) & r->mask];
	store_release(&r->head, head + n); /* words taken before the room is given */
	return n;
}

#endif
