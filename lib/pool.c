/* Buffer pools: free stacks and the return rings between actors. */
#include "lib/pool.h"

void buffers_shape(struct buffers *b, uint32_t mtu)
{
	b->mtu = mtu < MTU_DEFAULT ? MTU_DEFAULT : mtu;
	b->stride = packet_stride(b->mtu);
	b->room = packet_room(b->mtu);
}

void pool_init(struct buffers *b, unsigned p, struct pool *pool, unsigned actor)
{
	pool->actor = actor;
	pool->starved = 0;
	/* Lowest index on top. */
	for (uint32_t i = 0; i < POOL_BUFS; i++) {
		uint32_t index = (p << POOL_SHIFT) + (POOL_BUFS - 1 - i);

		pool->stack[i] = index;
		b->owner[index] = OWNER_HOME;
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
			for (unsigned i = 0; i < n; i++)
				pool->stack[pool->top + i] = packet_index(word[i]);
			store_once(&pool->top, pool->top + n);
		}
	}
}

unsigned pool_take(struct buffers *b, unsigned p, uint32_t *index, unsigned n)
{
	struct pool *pool = b->pool[p];

	if (pool->top < n)
		pool_collect(b, p);
	if (n > pool->top)
		n = pool->top;
	uint32_t top = pool->top - n;

	for (unsigned i = 0; i < n; i++)
		index[i] = pool->stack[top + i];
	store_once(&pool->top, top);
	return n;
}

void buffers_free(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n)
{
	unsigned i = 0;

	/* Runs of one home: a burst mostly comes from one RX queue. */
	while (i < n) {
		unsigned p = packet_pool(word[i]), first = i;
		struct pool *pool = b->pool[p];

		do {
			b->owner[packet_index(word[i])] = OWNER_HOME;
			i++;
		} while (i < n && packet_pool(word[i]) == p);

		if (pool->actor == actor) {
			for (unsigned k = first; k < i; k++)
				pool->stack[pool->top + (k - first)] = packet_index(word[k]);
			store_once(&pool->top, pool->top + (i - first));
		} else {
			ring_push(b->ret[actor][p], word + first, i - first);
		}
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
