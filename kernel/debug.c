/* Planted faults, for images built with TEST_HOOKS. */
#include "kernel/debug.h"

#ifdef TEST_HOOKS

#	include "kernel/platform.h"

struct debug_request debug_request;

/* True once if `request` names one of this worker's ports. */
static bool debug_wanted(volatile unsigned *request, const struct worker *w, unsigned *port)
{
	unsigned wanted = *request;

	for (unsigned i = 0; wanted && i < w->lanes; i++) {
		if (w->lane[i] + 1u == wanted) {
			*request = 0;
			*port = wanted - 1;
			return true;
		}
	}
	return false;
}

void debug_worker_hook(struct router *r, struct worker *w)
{
	uint32_t index;
	unsigned port;

	if (debug_wanted(&debug_request.leak, w, &port))
		(void)pool_take(&r->buffers, port, &index, 1);
	if (debug_wanted(&debug_request.double_free, w, &port)) {
		struct pool *pool = r->buffers.pool[port];

		if (pool->top > 1 && pool->top < POOL_BUFS) {
			pool->stack[pool->top] = pool->stack[pool->top - 1];
			pool->top++;
		}
	}
	if (debug_wanted(&debug_request.owner, w, &port)) {
		struct pool *pool = r->buffers.pool[port];

		if (pool->top)
			r->buffers.owner[pool->stack[0]] = OWNER_CONTROL;
	}
	if (debug_wanted(&debug_request.stuck, w, &port)) {
		uint64_t until = platform_now_us() + 2000000;

		while (platform_now_us() < until)
			platform_relax();
	}
}

#endif
