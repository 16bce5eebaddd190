/* Buffer pools: free stacks and the return rings between actors. */
#include "lib/pool.h"

#include <stdbool.h>
#include <string.h>

#include "lib/words.h"

void buffers_shape(struct buffers *b, uint32_t mtu)
{
	b->mtu = mtu < MTU_DEFAULT ? MTU_DEFAULT : mtu;
	b->stride = packet_stride(b->mtu);
	b->room = packet_room(b->mtu);
}

void buffer_fault(
	struct buffers *b, unsigned actor, uint32_t index, unsigned expected, const char *where)
{
	struct buffer_fault *f = &b->fault[actor];

	if (f->count == 0) {
		f->index = index;
		f->found = b->owner[index];
		f->expected = (uint8_t)expected;
		f->where = where;
	}
	store_release(&f->count, f->count + 1); /* the first one's story before the number */
}

/* ---- the pattern of free buffers, in debug builds only ---- */

#ifdef DEBUG_BUFFERS

#	define FREE_BYTE  0xf5u
#	define TAKEN_BYTE 0x7au

/* Whether the first n bytes of the frame are the pattern. */
static bool is_free(const struct buffers *b, uint32_t index, uint32_t n)
{
	const uint8_t *p = buffer_data(b, index);

	while (n && *p == FREE_BYTE) {
		p++;
		n--;
	}
	return n == 0;
}

static void debug_init(struct buffers *b, uint32_t index)
{
	if (b->origin[index >> POOL_SHIFT])
		memset(buffer_data(b, index), FREE_BYTE, b->room);
}

/* Any owner but none may free; a buffer that is free already carries the pattern. */
static void debug_free(struct buffers *b, unsigned actor, uint32_t index)
{
	uint8_t owner = b->owner[index];

	if (owner != OWNER_HOME && owner != OWNER_CONTROL && owner < OWNER_OUTPUT(0))
		buffer_fault(b, actor, index, OWNER_HOME, "free");
	if (b->origin[index >> POOL_SHIFT] && is_free(b, index, b->room))
		buffer_fault(b, actor, index, owner, "free of a free buffer");
	debug_init(b, index);
}

static void debug_take(struct buffers *b, unsigned actor, uint32_t index)
{
	buffer_check(b, actor, index, OWNER_HOME, "take");
	if (!b->origin[index >> POOL_SHIFT])
		return;
	if (!is_free(b, index, b->room))
		buffer_fault(b, actor, index, OWNER_HOME, "write to a free buffer");
	*buffer_data(b, index) = TAKEN_BYTE;
}

#else

static inline void debug_init(struct buffers *b, uint32_t index)
{
	(void)b;
	(void)index;
}

static inline void debug_free(struct buffers *b, unsigned actor, uint32_t index)
{
	(void)b;
	(void)actor;
	(void)index;
}

static inline void debug_take(struct buffers *b, unsigned actor, uint32_t index)
{
	(void)b;
	(void)actor;
	(void)index;
}

#endif

/* ---- pools ---- */

void pool_init(struct buffers *b, unsigned p, struct pool *pool, unsigned actor)
{
	pool->actor = actor;
	pool->starved = 0;
	/* Lowest index on top. */
	for (uint32_t i = 0; i < POOL_BUFS; i++) {
		uint32_t index = (p << POOL_SHIFT) + (POOL_BUFS - 1 - i);

		pool->stack[i] = index;
		b->owner[index] = OWNER_HOME;
		debug_init(b, index);
	}
	pool->top = POOL_BUFS;
	b->pool[p] = pool;
}

void pool_collect(struct buffers *b, unsigned p)
{
	struct pool *pool = b->pool[p];

	for (unsigned a = 0; a < b->actors; a++) {
		struct ring *ring = b->ret[a][p];
		uint64_t word[BATCH_MAX];
		unsigned n;

		if (!ring)
			continue;
		while ((n = ring_pop(ring, word, BATCH_MAX)) > 0) {
			words_indices(pool->stack + pool->top, word, n);
			store_once(&pool->top, pool->top + n);
		}
	}
}

unsigned pool_lend(struct buffers *b, unsigned p, const uint32_t **index, unsigned n)
{
	struct pool *pool = b->pool[p];

	if (pool->top < n)
		pool_collect(b, p);
	if (n > pool->top)
		n = pool->top;
	uint32_t top = pool->top - n;

	*index = pool->stack + top;
	for (unsigned i = 0; i < n; i++)
		debug_take(b, pool->actor, pool->stack[top + i]);
	store_once(&pool->top, top);
	return n;
}

unsigned pool_take(struct buffers *b, unsigned p, uint32_t *index, unsigned n)
{
	const uint32_t *taken;

	n = pool_lend(b, p, &taken, n);
	memcpy(index, taken, n * sizeof *index);
	return n;
}

void buffers_free_run(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n)
{
	unsigned p = packet_pool(word[0]);
	struct pool *pool = b->pool[p];
	uint8_t *owner = b->owner;

#pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++) {
		debug_free(b, actor, packet_index(word[i]));
		owner[packet_index(word[i])] = OWNER_HOME;
	}
	if (pool->actor == actor) {
		words_indices(pool->stack + pool->top, word, n);
		store_once(&pool->top, pool->top + n);
	} else {
		ring_push(b->ret[actor][p], word, n);
	}
}

void buffers_free(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n)
{
	/* Runs of one home: a burst mostly comes from one RX queue. */
	for (unsigned i = 0, run; i < n; i += run) {
		run = words_one_pool(word + i, n - i);
		buffers_free_run(b, actor, word + i, run);
	}
}

uint32_t pool_returning(const struct buffers *b, unsigned p)
{
	uint32_t n = 0;

	for (unsigned a = 0; a < b->actors; a++)
		if (b->ret[a][p])
			n += ring_depth(b->ret[a][p]);
	return n;
}
