/*
 * The workers' flow caches as the router has them: memory, whether they are asked, sums.
 *
 * `make FLOWS=N` sizes each for N IPv4 flows; else they share a part of the machine's memory.
 */
#ifndef KERNEL_FLOWS_H
#define KERNEL_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"
#include "net/path/flow.h"

struct router;

struct flow_sums {
	uint64_t hits, misses, kept, evicted, refused, aged, shadowed, differed;
};

struct flow_caches {
	struct flows of[CORE_MAX]; /* by worker */
	uint32_t lines;            /* of each */
	bool on;                   /* of some lanes */
	bool automatic;            /* nobody said on or off */
	unsigned rules;            /* the most of a list that packets of a lane may meet */
	uint64_t told;             /* differences in the log */
	struct flow_sums start;    /* counted before */
};

/* Reserves memory. Boot; after filters_init, before the tables of routes. false: no memory. */
bool flows_init(struct router *r);

/* Writes to the log what shadow mode has found. Now and then. */
void flows_log(struct router *r);

/* Lines that are used, of all workers. */
uint64_t flows_lines_used(const struct router *r);

/* Of all workers, since flows_clear. Control core. */
void flows_sum(const struct router *r, struct flow_sums *sum);
void flows_clear(struct router *r);

#endif
