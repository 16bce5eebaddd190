/*
 * The IPv4 forwarding table: address -> next-hop index, a vector at a time.
 *
 * Built aside from the RIB and published by one pointer under RCU; immutable
 * once published. This form is a sorted array of disjoint ranges covering the
 * whole address space, located by binary search.
 */
#ifndef NET_TABLE_FIB4_H
#define NET_TABLE_FIB4_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct rib4;
struct fib4;

/* Bytes needed for a table built from a RIB of up to `routes` routes. */
size_t fib4_size(uint32_t routes);

/*
 * Builds a table from the best routes of the RIB into mem (64-byte aligned,
 * size bytes). Control core. ERR_NO_MEMORY if it does not fit: nothing is
 * published then.
 */
MUST_CHECK enum err fib4_build(void *mem, size_t size, const struct rib4 *rib, uint64_t generation,
	const struct fib4 **out);

/*
 * Longest-prefix match for n destinations at once. dst: n IPv4 addresses, host
 * byte order. nh: n next-hop indices, NEXTHOP_NONE where unrouted. Any core;
 * never blocks; inside an RCU section.
 */
void fib4_lookup(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh, unsigned n);

/* For 'show fib'. */
uint32_t fib4_ranges(const struct fib4 *fib);
size_t fib4_bytes(const struct fib4 *fib);
uint64_t fib4_generation(const struct fib4 *fib);

#endif
