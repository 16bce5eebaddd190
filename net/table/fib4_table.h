/*
 * The form of the IPv4 forwarding table: the range of an address is located in three steps.
 *
 *     address   | 16 bits | 0-4 |  the rest of 24  |     8     |
 *                  root    line   rank in the line   deep, if at all
 *
 * 1. root[address >> 16] refers to the block of the /16: 1, 2, 4, 8 or 16 lines of 64
 *    bytes, each for an equal part of it; as few as will hold its ranges.
 * 2. The next bits of the address select the line.
 * 3. A line has ranges of whole /24s: their first octets (the third of the address) but
 *    the lowest one's, highest first and filled up with zeros, as 32 bytes; then their
 *    next hops, highest range first. How many begin above the address, found by one
 *    vector comparison, is the number of its next hop.
 *
 * A next hop takes one byte, and a line has up to 32 ranges. A /16 with a next hop
 * above 254 has wide lines: two bytes each, 16 ranges. All ones is the next hop of a
 * /24 with longer routes: for number n of the line's ranges, word n of the block
 * deep[line] refers to a block of its own, whose ranges are of addresses.
 *
 * So what a look-up reads is 4 bytes of root and one line. Blocks never change.
 */
#ifndef NET_TABLE_FIB4_TABLE_H
#define NET_TABLE_FIB4_TABLE_H

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "lib/atomic.h"
#include "net/table/blocks.h"
#include "net/table/fib4.h"

#define FIB4_CHUNKS 65536u /* /16s */
#define FIB4_LEAVES 256u   /* of a /16 in /24s, or of a /24 */

/* A reference: 7 bits and above the first line; bits 0 to 4 how far the address is shifted. */
#define FIB4_SHIFT 0x1fu
#define FIB4_WIDE  0x20u
#define FIB4_LINE  7u

#define FIB4_STARTS        32u /* bytes of a line before its next hops */
#define FIB4_RANGES        32u /* of a line */
#define FIB4_RANGES_WIDE   16u
#define FIB4_NARROW_MAX    0xfeu
#define FIB4_DEEP_NARROW   0xffu
#define FIB4_DEEP          0xffffu /* so no next hop may have this index */
#define FIB4_DEEP_ORDER    1u      /* of a block of 32 references */
#define FIB4_LINES_AT_MOST (1u << (32 - FIB4_LINE))

/* What workers read. */
struct fib4_view {
	const uint32_t *root;
	const uint8_t *line;
	const uint32_t *deep; /* per line; only of lines that have a deep range */
};

struct fib4 {
	alignas(64) struct fib4_view view; /* constant: what it points at changes */
	alignas(64) uint32_t *root;
	uint32_t *deep;
	struct blocks blocks;
	struct fib4_limits limits;
	size_t reserved;
	uint64_t updates, rebuilt;
};

static inline uint32_t fib4_ref(uint32_t line, unsigned order, bool wide)
{
	return line << FIB4_LINE | (wide ? FIB4_WIDE : 0) | (16 - order);
}

/* The order of the block that is referred to. */
static inline unsigned fib4_order(uint32_t ref)
{
	return 16 - (ref & FIB4_SHIFT);
}

/* The number of the line for an address; of one in a /24's block, shifted left by 8. */
static inline uint32_t fib4_line(uint32_t ref, uint32_t address)
{
	return (ref >> FIB4_LINE) + ((uint16_t)address >> (ref & FIB4_SHIFT));
}

/* How many ranges of a line begin above x. */
static inline unsigned fib4_rank(const uint8_t *line, uint8_t x)
{
	unsigned n = 0;

	while (line[n] > x)
		n++;
	return n;
}

/* Next hop n of a line, or FIB4_DEEP. */
static inline uint32_t fib4_nexthop(const uint8_t *line, bool wide, unsigned n)
{
	uint16_t two;

	if (!wide)
		return line[FIB4_STARTS + n] == FIB4_DEEP_NARROW ? FIB4_DEEP
								 : line[FIB4_STARTS + n];
	memcpy(&two, line + FIB4_STARTS + 2 * n, sizeof two);
	return two;
}

/* What deep range n of a line refers to. */
static inline uint32_t fib4_below(const struct fib4_view *v, uint32_t line, unsigned n)
{
	uint32_t ref;

	memcpy(&ref, v->line + (size_t)v->deep[line] * BLOCK_LINE + n * sizeof ref, sizeof ref);
	return ref;
}

/* The way on from a reference, one address at a time: what the vector forms are tested against. */
static inline uint32_t fib4_follow_ref(const struct fib4_view *v, uint32_t ref, uint32_t address)
{
	uint32_t line = fib4_line(ref, address), nexthop;
	const uint8_t *data = v->line + (size_t)line * BLOCK_LINE;
	unsigned n = fib4_rank(data, (uint8_t)(address >> 8));

	nexthop = fib4_nexthop(data, ref & FIB4_WIDE, n);
	if (nexthop != FIB4_DEEP)
		return nexthop;
	ref = fib4_below(v, line, n);
	data = v->line + (size_t)fib4_line(ref, address << 8) * BLOCK_LINE;
	return fib4_nexthop(data, ref & FIB4_WIDE, fib4_rank(data, (uint8_t)address));
}

static inline uint32_t fib4_one(const struct fib4_view *v, uint32_t address)
{
	return fib4_follow_ref(v, load_acquire(&v->root[address >> 16]), address);
}

/* The three forms of the look-up, from fib4_vec.c. */
typedef void fib4_lookup_fn(
	const struct fib4_view *v, const uint32_t *dst, uint32_t *nh, unsigned n);
fib4_lookup_fn fib4_lookup_plain, fib4_lookup_v3, fib4_lookup_v4;

#endif
