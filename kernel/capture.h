/*
 * Packet capture as the router has it: one at a time, begun and ended by the control core.
 *
 * What the actors copy (net/path/capture.h) is taken out of their rings in the order of time. The
 * rings are reserved at boot, in proportion to memory.
 */
#ifndef KERNEL_CAPTURE_H
#define KERNEL_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/rcu.h"
#include "net/path/capture.h"

struct router;

struct captures {
	struct capture *of[ACTOR_MAX]; /* by actor */
	struct capture_plan plan;      /* of the one under way */
	bool on;
	bool leaving; /* an actor may still be about to write into its ring */
	struct rcu_grace grace;
	uint64_t tsc, ns; /* an instant in ticks, and in nanoseconds since the router started */
};

/* Reserves the rings. Boot. */
bool captures_init(struct router *r);

/* No capture is under way, and no actor is still at the last one. */
bool captures_idle(struct router *r);

/* Begins, when idle. */
void captures_begin(struct router *r, const struct capture_plan *plan);

/* Ends; what is in the rings may still be taken. Any time. */
void captures_end(struct router *r);

/* A turn of the control core, which drops packets as well. */
void captures_turn(struct router *r);

/* The actor whose ring has the oldest frame, and that frame: see capture_peek. NULL: all are
 * empty. */
const struct capture_record *captures_peek(struct router *r, struct capture **of);

/* When it was captured: nanoseconds since the router started. */
uint64_t captures_time(const struct router *r, const struct capture_record *record);

/* All actors' counters; a snapshot. */
void captures_counted(const struct router *r, struct capture_counters *sum);

#endif
