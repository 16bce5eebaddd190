/*
 * What a core does with a turn that moved nothing.
 *
 * `set system idle poll` (the default): one pause, then it looks again.
 * `relaxed`: after IDLE_AFTER_US without work it sleeps between looks, each time
 * twice as long up to IDLE_SLEEP_MAX_US, so that a router without traffic leaves
 * its processor to others. A packet that comes meanwhile waits for so long.
 */
#ifndef KERNEL_IDLE_H
#define KERNEL_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#define IDLE_AFTER_US     2000u
#define IDLE_SLEEP_MIN_US 50u
#define IDLE_SLEEP_MAX_US 1000u

/* One core's own; zeroed at first. */
struct idle {
	uint64_t since_us; /* when work ended; 0: not known yet */
	uint32_t sleep_us; /* the next sleep; 0: none so far */
};

/* There was work. */
static inline void idle_reset(struct idle *idle)
{
	idle->since_us = 0;
	idle->sleep_us = 0;
}

/* There was none: pauses, or sleeps at most IDLE_SLEEP_MAX_US. true: it slept. */
bool idle_wait(struct idle *idle, bool relaxed);

#endif
