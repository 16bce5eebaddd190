/*
 * Where the cycles go. The stages' functions are wrapped by the linker
 * (--wrap), so that what is measured is the product's own code, unchanged.
 * Nested stages are subtracted from the one around them.
 */
#ifndef TEST_BENCH_STAGES_H
#define TEST_BENCH_STAGES_H

#include <stdint.h>

#include "drivers/netdev.h"

enum stage {
	STAGE_NIC,      /* the device itself */
	STAGE_PARSE,    /* parse_batch */
	STAGE_LOOKUP,   /* fib4_lookup, fib6_lookup */
	STAGE_FORWARD,  /* rewrite, owner, VOQ: path_forward without the two above */
	STAGE_SCHEDULE, /* sched_take */
	STAGE_FREE,     /* buffers_free */
	STAGE_TAKE,     /* pool_lend */
	STAGE_LOOP,     /* the rest of the worker's turn */
	STAGES
};

/* In the binary with wrapped stages only; elsewhere these are NULL. */

/* Measures what measuring costs, and puts itself before the device's operations. */
__attribute__((weak)) void stages_start(struct netdev *dev);

/* Cycles of each stage since the last call, less what measuring costs. */
__attribute__((weak)) void stages_read(uint64_t cycles[STAGES]);

#endif
