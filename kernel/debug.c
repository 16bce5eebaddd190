/* Planted faults, for images built with TEST_HOOKS. */
#include "kernel/debug.h"

#ifdef TEST_HOOKS

#	include "kernel/platform.h"

struct debug_request debug_request;

/* True once if `request` names a port whose first RX queue is this worker's; its pool then. */
static bool debug_wanted(
	const struct router *r, volatile unsigned *request, const struct worker *w, unsigned *pool)
{
	unsigned wanted = *request;

	if (!wanted || r->rxq[r->first_rxq[wanted - 1]].worker != w->id)
		return false;
	*request = 0;
	*pool = r->first_rxq[wanted - 1];
	return true;
}

void debug_worker_hook(struct router *r, struct worker *w)
{
	uint32_t index;
	unsigned p;

	if (debug_wanted(r, &debug_request.leak, w, &p))
		(void)pool_take(&r->buffers, p, &index, 1);
	if (debug_wanted(r, &debug_request.double_free, w, &p)) {
		struct pool *pool = r->buffers.pool[p];

		if (pool->top > 1 && pool->top < POOL_BUFS) {
			pool->stack[pool->top] = pool->stack[pool->top - 1];
			pool->top++;
		}
	}
	if (debug_wanted(r, &debug_request.owner, w, &p)) {
		struct pool *pool = r->buffers.pool[p];

		if (pool->top)
			r->buffers.owner[pool->stack[0]] = OWNER_CONTROL;
	}
	if (debug_wanted(r, &debug_request.stuck, w, &p)) {
		uint64_t until = platform_now_us() + 2000000;

		while (platform_now_us() < until)
			platform_relax();
	}
}

#endif
