/*
 * The form of the IPv6 forwarding table: indexing steps, then a few sorted ranges.
 *
 *     address   | 14 bits | 10 bits | 8 | 6 | 6 | 4 | ...   as far as there are many routes
 *                  root     branch    inner nodes           then a leaf
 *
 * All of it is one array of 32-bit words, in which references are positions: a
 * table can be moved, or come with the image. A reference is
 *
 *     0 0 0 | nexthop:16              an answer
 *     1 0 0 | bits:6  | at:23         a branch (0) or an inner node: references by the
 *                                     next so many bits of the address
 *     0 1 0 | shift:6 | at:23         a narrow leaf: up to 32 ranges
 *     0 0 1 | shift:6 | at:23         a wide leaf: up to 32 ranges that begin further
 *                                     down in the address
 *     1 0 1 | 0:6     | at:23         a gate: the way goes on with the second half
 *                                     of the address
 *
 * A leaf stands for a block, the addresses of one prefix, and cuts it into n
 * ranges, each with one answer. From its position on lie
 *
 *     narrow: n, then n - 1 keys, then n next hops, 16 bits each
 *     wide:   n in 16 bits and 16 unused, then n - 1 keys of 32 bits, then n next
 *             hops of 16 bits
 *
 * Keys are where ranges 1, 2, ... n - 1 begin. A key is a part of an address: that
 * many bits of its half from bit `shift` up. Bits above are the same in the whole
 * block, bits below are zero where a range begins. The range of an address is so
 * the number of keys not above its own: one vector comparison, or two.
 *
 * A gate is made like an inner node that leads back to itself all over: a step
 * on it stays there. The reference it guards comes after.
 */
#ifndef NET_TABLE_FIB6_TABLE_H
#define NET_TABLE_FIB6_TABLE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "net/table/fib6.h"

#define FIB6_ROOT_BITS   14u
#define FIB6_BRANCH_BITS 10u
#define FIB6_CHUNK_BITS  (FIB6_ROOT_BITS + FIB6_BRANCH_BITS)
#define FIB6_ROOT        (1u << FIB6_ROOT_BITS) /* words */
#define FIB6_BRANCH      (1u << FIB6_BRANCH_BITS)
#define FIB6_GATE_FAN    16u
#define FIB6_GATE_WORDS  (FIB6_GATE_FAN + 1u)

#define FIB6_RANGES     32u                             /* of a leaf at most */
#define FIB6_LEAF_WORDS (FIB6_RANGES + FIB6_RANGES / 2) /* of the largest */

#define FIB6_INNER  0x80000000u
#define FIB6_NARROW 0x40000000u
#define FIB6_WIDE   0x20000000u
#define FIB6_GATE   (FIB6_INNER | FIB6_WIDE)
#define FIB6_KIND   0xe0000000u
#define FIB6_SHIFT  23 /* where the shift of a leaf stands in its reference */
#define FIB6_AT     0x007fffffu

/* A step reads where an inner node would be, also if an answer stands there instead. */
#define FIB6_WORDS_MIN (65536u + FIB6_BRANCH)
#define FIB6_WORDS_MAX FIB6_AT
#define FIB6_SLACK     256u /* words that a step or a comparison may read beyond the last */

static inline uint32_t fib6_kind(uint32_t ref)
{
	return ref & FIB6_KIND;
}

static inline bool fib6_is_answer(uint32_t ref)
{
	return fib6_kind(ref) == 0;
}

static inline bool fib6_is_leaf(uint32_t ref)
{
	return fib6_kind(ref) == FIB6_NARROW || fib6_kind(ref) == FIB6_WIDE;
}

static inline uint32_t fib6_at(uint32_t ref)
{
	return ref & FIB6_AT;
}

static inline unsigned fib6_shift(uint32_t ref)
{
	return ref >> FIB6_SHIFT & 63;
}

/* By how many bits an inner node divides the block of this prefix length that it stands for. */
static inline unsigned fib6_stride(unsigned length)
{
	return length == FIB6_CHUNK_BITS ? 8 : length < 44 ? 6 : 4;
}

/* How many bits, and how many references, an inner node has. */
static inline unsigned fib6_bits(uint32_t inner)
{
	return inner >> FIB6_SHIFT & 63;
}

static inline uint32_t fib6_fan(uint32_t inner)
{
	return 1u << fib6_bits(inner);
}

/* The word with the reference behind a gate. */
static inline uint32_t fib6_behind(uint32_t gate)
{
	return fib6_at(gate) + FIB6_GATE_FAN;
}

/* How many ranges a leaf has. */
static inline unsigned fib6_ranges(const uint32_t *word, uint32_t leaf)
{
	return *(const uint16_t *)(word + fib6_at(leaf));
}

/* The key that range i of a leaf begins with, i > 0. */
static inline uint32_t fib6_key(const uint32_t *word, uint32_t leaf, unsigned i)
{
	const uint32_t *p = word + fib6_at(leaf);

	return fib6_kind(leaf) == FIB6_WIDE ? p[i] : ((const uint16_t *)p)[i];
}

/* The part of a half of an address that a leaf compares its keys with. */
static inline uint32_t fib6_part(uint32_t leaf, uint64_t half)
{
	uint32_t part = (uint32_t)(half >> fib6_shift(leaf));

	return fib6_kind(leaf) == FIB6_WIDE ? part : (uint16_t)part;
}

/* Where the next hops of a leaf of n ranges stand, counted in 16 bits from its position. */
static inline unsigned fib6_nexthops_at(uint32_t kind, unsigned n)
{
	return kind == FIB6_WIDE ? 2 * n : n;
}

/* The next hop of range i of a leaf. */
static inline const uint16_t *fib6_nexthop(const uint32_t *word, uint32_t leaf, unsigned i)
{
	const uint16_t *p = (const uint16_t *)(word + fib6_at(leaf));

	return p + fib6_nexthops_at(fib6_kind(leaf), *p) + i;
}

/* The range of a half of an address in a leaf. */
static inline unsigned fib6_range(const uint32_t *word, uint32_t leaf, uint64_t half)
{
	unsigned n = fib6_ranges(word, leaf), i = 0;

	while (i + 1 < n && fib6_key(word, leaf, i + 1) <= fib6_part(leaf, half))
		i++;
	return i;
}

/* The reference found by the first two steps, for the first half of an address. */
static inline uint32_t fib6_enter(const uint32_t *word, uint64_t half)
{
	uint32_t ref = load_acquire(&word[half >> (64 - FIB6_ROOT_BITS)]);
	uint32_t place = (uint32_t)(half >> (64 - FIB6_CHUNK_BITS)) & (FIB6_BRANCH - 1);
	uint32_t next = load_acquire(&word[fib6_at(ref) + place]);
	/* cppcheck-suppress shiftTooManyBitsSigned; GCC shifts in the sign */
	uint32_t taken = (uint32_t)((int32_t)ref >> 31); /* without a jump: either is likely */

	return (next & taken) | (ref & ~taken);
}

/* Follows the reference of a chunk on the way of an address to the answer. */
static inline uint32_t fib6_arrive(const uint32_t *word, uint32_t ref, struct ip6 a)
{
	uint64_t half = a.hi;
	unsigned shift = 64 - FIB6_CHUNK_BITS; /* of the bits not looked at yet */

	while (ref & FIB6_INNER) {
		if (fib6_kind(ref) == FIB6_GATE) {
			ref = load_acquire(&word[fib6_behind(ref)]);
			half = a.lo;
			shift = 64;
			continue;
		}
		shift -= fib6_bits(ref);
		ref = load_acquire(&word[fib6_at(ref) + (half >> shift & (fib6_fan(ref) - 1))]);
	}
	if (fib6_is_answer(ref))
		return ref;
	return load_acquire(fib6_nexthop(word, ref, fib6_range(word, ref, half)));
}

/* One address at a time: the definition that the vector forms are tested against. */
static inline uint32_t fib6_one(const uint32_t *word, struct ip6 a)
{
	return fib6_arrive(word, fib6_enter(word, a.hi), a);
}

/* The three forms of the look-up, from fib6_vec.c. */
typedef void fib6_lookup_fn(const uint32_t *word, const struct ip6 *dst, uint32_t *nh, unsigned n);
fib6_lookup_fn fib6_lookup_plain, fib6_lookup_v3, fib6_lookup_v4;

#endif
