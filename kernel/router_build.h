/* Building the router at boot: memory that is near who uses it, and what did not fit. */
#ifndef KERNEL_ROUTER_BUILD_H
#define KERNEL_ROUTER_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/router.h"

/* Boot allocation that remembers what did not fit. */
struct builder {
	const char *failed; /* first thing that found no memory */
	uint32_t node;      /* of who will work with what is allocated next, or NODE_UNKNOWN */
};

/* Zeroed, near b->node. NULL: b->failed is set. */
void *build_alloc(struct builder *b, size_t bytes, const char *what);
struct ring *build_ring(struct builder *b, uint32_t slots, const char *what);

/* Bytes of memory left beyond what the tables of routes need at least: other tables that are sized
 * by memory share these, and routes the rest. While tables are built. */
uint64_t router_spare(const struct router *r);

/* The node of what an actor alone works with. */
uint32_t build_node(const struct router *r, unsigned actor);

/*
 * Lanes: of each RX queue at its own worker, at each owner of sessions, and at those that help with
 * it; the control core's behind them. With their rings, and the tables of held fragments. Queues
 * and buffers are there. (router_lanes.c)
 */
bool router_build_lanes(struct router *r, struct builder *b);

#endif
