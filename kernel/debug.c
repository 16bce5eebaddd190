/* Planted faults, for images built with TEST_HOOKS. */
#include "kernel/debug.h"

#ifdef TEST_HOOKS

#	include "kernel/platform.h"

struct debug_request debug_request;

/* Does `request` name a port whose first RX queue is this worker's? Its pool, then. */
static bool debug_wanted(const struct router *r, volatile const unsigned *request,
	const struct worker *w, unsigned *pool)
{
	unsigned wanted = *request;

	if (!wanted || r->rxq[r->first_rxq[wanted - 1]].worker != w->id)
		return false;
	*pool = r->first_rxq[wanted - 1];
	return true;
}

static bool double_free(struct pool *pool)
{
	if (pool->top < 2 || pool->top == POOL_BUFS)
		return false;
	pool->stack[pool->top] = pool->stack[pool->top - 1];
	pool->top++;
	return true;
}

void debug_worker_hook(struct router *r, struct worker *w)
{
	struct buffers *b = &r->buffers;
	uint32_t index;
	unsigned p;

	/* A pool that is empty now will not be for ever: the request stays. */
	if (debug_wanted(r, &debug_request.leak, w, &p) && pool_take(b, p, &index, 1))
		debug_request.leak = 0;
	if (debug_wanted(r, &debug_request.double_free, w, &p) && double_free(b->pool[p]))
		debug_request.double_free = 0;
	if (debug_wanted(r, &debug_request.owner, w, &p) && b->pool[p]->top) {
		b->owner[b->pool[p]->stack[0]] = OWNER_CONTROL;
		debug_request.owner = 0;
	}
	if (debug_wanted(r, &debug_request.trespass, w, &p)) {
		debug_request.trespass = 0;
		platform_trespass((enum trespass)debug_request.trespass_how);
	}
	if (debug_wanted(r, &debug_request.hang, w, &p))
		for (;;)
			platform_relax();
	if (debug_wanted(r, &debug_request.stuck, w, &p)) {
		uint64_t until = platform_now_us() + 2000000;

		debug_request.stuck = 0;
		while (platform_now_us() < until)
			platform_relax();
	}
}

#endif
