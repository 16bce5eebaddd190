/*
 * How a node of the IPv6 table is cut into ranges: decided from the RIB alone.
 *
 * A block of up to 32 ranges whose beginnings lie within reach of the slice is
 * one node. A larger one is cut into blocks, always the one with the most
 * ranges into its halves, until the node is nearly full: so random routes are
 * about equally deep.
 */
#ifndef NET_TABLE_FIB6_PLAN_H
#define NET_TABLE_FIB6_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "net/table/fib6_table.h"
#include "net/table/rib.h"

/* The addresses of one prefix. */
struct fib6_block {
	struct ip6 first;
	unsigned length; /* at least FIB6_CHUNK_BITS */
	bool second;     /* at length 64: seen from behind the gate, in the second half */
};

struct fib6_entry {
	struct ip6 first;
	uint32_t ref;   /* the answer; of a block, for the builder to fill in */
	uint8_t length; /* of the block that the range goes on as; 0: it has one answer */
	bool kept;      /* the builder's: ref was in the table before */
};

struct fib6_plan {
	unsigned n; /* 1 to FIB6_RANGES */
	struct fib6_entry entry[FIB6_RANGES];
};

#define FIB6_COPIED 8192u /* ranges; a chunk of the Internet's table has 5,000 */

/* The RIB, and a copy of the ranges of one block, which is asked many times while it is cut up. */
struct fib6_source {
	const struct rib *rib;
	struct ip6 first;
	unsigned length;
	unsigned n; /* 0: nothing is copied */
	struct {
		struct ip6 first;
		uint32_t nexthop;
	} range[FIB6_COPIED];
};

/* How far, in bits of the address, a node for a block tells beginnings apart. */
static inline unsigned fib6_reach(struct fib6_block b)
{
	unsigned half = b.length < 64 || (b.length == 64 && !b.second) ? 64 : 128;
	unsigned reach = (b.length & ~7u) + 16;

	return reach < half ? reach : half;
}

/* The RIB as it is now. */
static inline void fib6_source_begin(struct fib6_source *source, const struct rib *rib)
{
	source->rib = rib;
	source->n = 0;
}

/* Plans the node of a block whose length is less than its reach. One range: no node is needed. */
void fib6_plan(struct fib6_plan *plan, struct fib6_source *source, struct fib6_block block);

/*
 * Adds a range with an answer to a plan, or to the last range if that has the
 * same; and all ranges of a block. false: no room, or they do not begin within reach.
 */
bool fib6_plan_answer(struct fib6_plan *plan, struct ip6 first, uint32_t nexthop);
bool fib6_plan_ranges(struct fib6_plan *plan, const struct fib6_source *source, struct ip6 first,
	unsigned length, unsigned reach);

#endif
