/*
 * Blocks of addresses, and the ranges a leaf of the IPv6 table is made of.
 *
 * A block is the addresses of one prefix; a leaf stands for a block. Control core.
 */
#ifndef NET_TABLE_FIB6_RANGES_H
#define NET_TABLE_FIB6_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "net/table/fib6_table.h"
#include "net/table/rib.h"

/* The addresses of one prefix. */
struct fib6_block {
	struct ip6 first;
	unsigned length; /* from FIB6_CHUNK_BITS on */
	bool second;     /* at length 64: seen from behind the gate, in the second half */
};

/* Up to as many ranges as a leaf holds, and one. */
struct fib6_ranges {
	unsigned n;
	unsigned finest; /* the longest prefix length at which one begins */
	struct ip6 first[FIB6_RANGES + 1];
	uint32_t nexthop[FIB6_RANGES + 1];
};

#define FIB6_COPIED 8192u /* ranges; a chunk of the Internet's table has 5,000 */

/*
 * The ranges of one block as the RIB has them, while it is cut up: so they are
 * taken from the RIB once. n is 0 if there are too many, or none were taken.
 */
struct fib6_copy {
	struct ip6 block;
	unsigned length, n;
	struct ip6 first[FIB6_COPIED];
	uint32_t nexthop[FIB6_COPIED];
};

static inline bool fib6_in_second(struct fib6_block b)
{
	return b.length > 64 || b.second;
}

static inline uint64_t fib6_half(struct ip6 a, struct fib6_block b)
{
	return fib6_in_second(b) ? a.lo : a.hi;
}

static inline unsigned fib6_end(struct fib6_block b)
{
	return fib6_in_second(b) ? 128 : 64;
}

/* FIB6_COARSE if a leaf of the block is, or 0. */
static inline uint32_t fib6_coarse(struct fib6_block b)
{
	return fib6_end(b) - b.length > 32 ? FIB6_COARSE : 0;
}

/* The prefix length up to which ranges may begin in a leaf of the block. */
static inline unsigned fib6_reach(struct fib6_block b)
{
	return fib6_end(b) - fib6_key_shift(fib6_coarse(b), fib6_in_second(b));
}

/* The lowest bit, in its half, of the `bits` that cut a block. */
static inline unsigned fib6_cut(struct fib6_block b, unsigned bits)
{
	return (fib6_end(b) - b.length - bits) & 63; /* which it is not above anyway */
}

/* Block i of those that `bits` cut a block into. */
static inline struct fib6_block fib6_part_block(struct fib6_block b, unsigned bits, unsigned i)
{
	struct fib6_block p = {b.first, b.length + bits, fib6_in_second(b)};

	if (fib6_in_second(b))
		p.first.lo |= (uint64_t)i << fib6_cut(b, bits);
	else
		p.first.hi |= (uint64_t)i << fib6_cut(b, bits);
	return p;
}

/* In which of these an address is. */
static inline unsigned fib6_part_of(struct fib6_block b, unsigned bits, struct ip6 a)
{
	uint64_t fan = 1ull << (bits & 63);

	return (unsigned)(fib6_half(a, b) >> fib6_cut(b, bits) & (fan - 1));
}

/* The key of an address in a leaf of the block. */
static inline uint32_t fib6_key_of(struct ip6 a, struct fib6_block b)
{
	return (uint32_t)(fib6_half(a, b) >> fib6_key_shift(fib6_coarse(b), fib6_in_second(b)));
}

/* A leaf of the block can have these ranges. */
static inline bool fib6_fits(const struct fib6_ranges *r, struct fib6_block b)
{
	return r->n <= FIB6_RANGES && r->finest <= fib6_reach(b);
}

/* By how many bits to cut the block that was copied last, or else is unknown. */
unsigned fib6_width(const struct fib6_copy *copy, struct fib6_block b);

/* Adds a range, or to the last one if that has the same next hop. false: they are too many. */
bool fib6_add_range(struct fib6_ranges *r, struct ip6 first, uint32_t nexthop);

/* Adds the ranges that the RIB has for a prefix. false: they are too many. */
bool fib6_add_swept(
	struct fib6_ranges *r, const struct rib *rib, struct ip6 prefix, unsigned length);

/* All ranges of a block, or more than a leaf has; from the copy if that has the block. */
void fib6_collect(struct fib6_ranges *r, const struct rib *rib, const struct fib6_copy *copy,
	struct fib6_block b);

/* Copies the ranges of a block, if the copy does not have it. */
void fib6_copy_block(struct fib6_copy *copy, const struct rib *rib, struct fib6_block b);

#endif
