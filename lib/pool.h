/*
 * Packet buffers: one array made at boot, divided into pools, with an owner each.
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
#define OWNER_OUTPUT(t) (0x80u | (t)) /* TX queue t: its VOQs and its ring */

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

struct buffers {
	uint8_t *base;   /* PACKET_STRIDE bytes a buffer, DMA-able, 64-byte aligned */
	uint8_t *owner;  /* one byte a buffer */
	unsigned pools;  /* pools in use */
	unsigned actors; /* actors in use */
	struct pool *pool[POOL_MAX];
	struct ring *ret[ACTOR_MAX][POOL_MAX]; /* NULL where the actor owns the pool */
};

/* The frame of a buffer. */
static inline uint8_t *buffer_data(const struct buffers *b, uint32_t index)
{
	return b->base + (uint64_t)index * PACKET_STRIDE + PACKET_DATA_OFFSET;
}

/* Fills the stack of pool p with its buffers; boot only. */
void pool_init(struct buffers *b, unsigned p, struct pool *pool, unsigned actor);

/*
 * Takes up to n buffers off the pool's stack into index[], after collecting
 * returns if it is short. The pool's actor only. Returns how many.
 */
unsigned pool_take(struct buffers *b, unsigned p, uint32_t *index, unsigned n);

/* Moves buffers returned by other actors onto the stack. The pool's actor only. */
void pool_collect(struct buffers *b, unsigned p);

/*
 * Gives n buffers back to their home pools; `actor` is who calls. Each word
 * may have another home. The owner becomes OWNER_HOME.
 */
void buffers_free(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n);

/* Depth of all return rings towards pool p: a snapshot. */
uint32_t pool_returning(const struct buffers *b, unsigned p);

#endif
