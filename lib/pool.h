/*
 * Packet buffers: pools made at boot, each an array in its actor's memory; an owner each.
 *
 * Pool p holds the indices p << POOL_SHIFT and up. A pool belongs to one actor:
 * actor 0 is the control core's side, actor 1 + w is worker w (with one core,
 * both run there in turns and stay separate actors). Only that actor touches
 * the pool's free stack. Any other actor that finishes with a buffer puts it on
 * its own return ring towards the pool, which is as deep as the pool, so a
 * return never fails. An empty pool stalls only its own RX queue.
 *
 * The owner byte is one of the two books of the audit (kernel/audit.c). It is
 * written where a buffer may change cores, not on every move: OWNER_HOME covers
 * the free stack, the return rings, the RX ring and the worker's own hands.
 */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"
#include "lib/packet.h"
#include "lib/ring.h"

#define OWNER_HOME      0u /* the pool's actor: free, in its RX ring, in work, on the way back */
#define OWNER_CONTROL   1u /* the control core: punt ring, held for ARP, being answered */
#define OWNER_HELD      2u /* a fragment that waits for its first (net/path/hold.h) */
#define OWNER_OUTPUT(t) (0x80u | (t)) /* TX queue t: its VOQs and its ring */

_Static_assert(OWNER_OUTPUT(TXQ_MAX - 1) <= UINT8_MAX, "an owner is a byte");

#define ACTOR_CONTROL 0u
#define ACTOR_MAX     (1u + CORE_MAX)

/* LIFO, so the next buffer used is the one most likely in cache. */
struct pool {
	alignas(CACHE_LINE) uint32_t top; /* free buffers on the stack */
	uint32_t actor;                   /* who owns the stack; constant after boot */
	uint64_t starved;                 /* times it ran dry while its RX ring wanted buffers */
	bool dry;                         /* it is so now */
	alignas(CACHE_LINE) uint32_t stack[POOL_BUFS];
};

/* What an actor found wrong when it checked buffers that it was about to move. */
struct buffer_fault {
	alignas(CACHE_LINE) uint64_t count;
	uint32_t index;    /* of the first one: which buffer, */
	uint8_t found;     /* its owner, */
	uint8_t expected;  /* and who should have been */
	const char *where; /* what was being done with it */
};

struct buffers {
	/* By pool: where buffer 0 would have its frame if the pool's array went on down to it. */
	uintptr_t origin[POOL_MAX];
	uint32_t stride; /* from one buffer of a pool to the next, bytes */
	uint32_t room;   /* bytes a device may write at buffer_data */
	uint32_t mtu;    /* the largest IP packet a buffer is made for */
	uint8_t *owner;  /* one byte a buffer */
	unsigned pools;  /* pools in use */
	unsigned actors; /* actors in use */
	struct pool *pool[POOL_MAX];
	struct ring *ret[ACTOR_MAX][POOL_MAX]; /* NULL where the actor owns the pool */
	struct buffer_fault fault[ACTOR_MAX];
};

/* The frame of a buffer, as received. */
static inline uint8_t *buffer_data(const struct buffers *b, uint32_t index)
{
	return (uint8_t *)(b->origin[index >> POOL_SHIFT] + (uint64_t)index * b->stride);
}

/* The frame of a packet word, wherever it begins (packet_shift). */
static inline uint8_t *packet_frame(const struct buffers *b, uint64_t word)
{
	return buffer_data(b, packet_index(word)) + packet_shift(word);
}

/*
 * The owner as a guard. A move writes it; with DEBUG_BUFFERS every move first
 * checks who it was, and free buffers are filled with a pattern that must be
 * there when they are taken again. Without, workers check some buffers of each
 * batch. What is wrong is kept in fault[actor]; the packet goes on.
 */
void buffer_fault(
	struct buffers *b, unsigned actor, uint32_t index, unsigned expected, const char *where);

static inline void buffer_check(
	struct buffers *b, unsigned actor, uint32_t index, unsigned expected, const char *where)
{
	if (__builtin_expect(b->owner[index] != expected, 0))
		buffer_fault(b, actor, index, expected, where);
}

static inline void buffer_move(
	struct buffers *b, unsigned actor, uint32_t index, unsigned from, unsigned to)
{
#ifdef DEBUG_BUFFERS
	buffer_check(b, actor, index, from, "move");
#else
	(void)actor;
	(void)from;
#endif
	b->owner[index] = (uint8_t)to;
}

/* The same for n at once, whose owners are then to be written. */
static inline void buffers_check(struct buffers *b, unsigned actor, const uint64_t *word,
	unsigned n, unsigned expected, const char *where)
{
#ifdef DEBUG_BUFFERS
	for (unsigned i = 0; i < n; i++)
		buffer_check(b, actor, packet_index(word[i]), expected, where);
#else
	(void)b;
	(void)actor;
	(void)word;
	(void)n;
	(void)expected;
	(void)where;
#endif
}

/* Fixes stride, room and mtu: for frames of MTU `mtu` and of any up to 1500. Boot, before all else.
 */
void buffers_shape(struct buffers *b, uint32_t mtu);

/*
 * Gives pool p its array: POOL_BUFS * stride bytes, DMA-able, 64-byte aligned. front: what the
 * device that receives into it writes before a frame. Boot.
 */
static inline void pool_place(struct buffers *b, unsigned p, void *memory, uint32_t front)
{
	b->origin[p] = (uintptr_t)memory + PACKET_HEADROOM + front -
		       ((uint64_t)p << POOL_SHIFT) * b->stride;
}

/* Fills the stack of pool p with its buffers; boot only. */
void pool_init(struct buffers *b, unsigned p, struct pool *pool, unsigned actor);

/*
 * Takes up to n buffers off the pool's stack into index[], after collecting
 * returns if it is short. The pool's actor only. Returns how many.
 */
unsigned pool_take(struct buffers *b, unsigned p, uint32_t *index, unsigned n);

/* The same without a copy: *index is where they stood, until the pool's next buffer comes back. */
unsigned pool_lend(struct buffers *b, unsigned p, const uint32_t **index, unsigned n);

/* Moves buffers returned by other actors onto the stack. The pool's actor only. */
void pool_collect(struct buffers *b, unsigned p);

/*
 * Free buffers on the stack of pool p, after collecting returns if there are
 * fewer than `enough`. For another actor than the pool's: a snapshot, and
 * nothing is collected. At most `enough`.
 */
static inline uint32_t pool_free(struct buffers *b, unsigned p, unsigned actor, uint32_t enough)
{
	const struct pool *pool = b->pool[p];

	if (load_once(&pool->top) < enough && pool->actor == actor)
		pool_collect(b, p);
	uint32_t top = load_once(&pool->top);

	return top < enough ? top : enough;
}

/*
 * Gives n buffers back to their home pools; `actor` is who calls. Each word
 * may have another home. The owner becomes OWNER_HOME.
 */
void buffers_free(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n);

/* The same where all of them, one or more, have one home. */
void buffers_free_run(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n);

/* Depth of all return rings towards pool p: a snapshot. */
uint32_t pool_returning(const struct buffers *b, unsigned p);

#endif
