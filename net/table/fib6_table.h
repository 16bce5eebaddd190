/*
 * The form of the IPv6 forwarding table: indexing steps, then a few sorted ranges.
 *
 *     address   | 14 bits | 10 bits | 4 to 10 | 4 to 10 | ...   as far as there are many routes
 *                  root     branch    inner nodes               then a leaf
 *
 * All of it is one array of 32-bit words, in which references are positions: a
 * table can be moved, or come with the image. A reference is
 *
 *     0 0 0 | nexthop:16                  an answer
 *     1 | width:2 | shift:6 | at:23       an inner node: references by 4 + 2 * width bits of
 *                                         the address, from bit `shift` of its half up;
 *                                         a branch is the one that a root refers to
 *     1 0 0 | 7:6 | at:23                 a gate: the way goes on with the second half
 *                                         of the address, by the reference that stands there
 *     0 1 | coarse:1 | 0 | n:5 | at:23    a leaf: n + 1 ranges
 *
 * A leaf stands for a block, the addresses of one prefix, and cuts it into up to
 * 17 ranges, each with one answer: n keys of 32 bits, all in one cache line, then
 * n + 1 next hops of 16. Keys are where ranges 1, 2, ... n begin. A key is 32 bits of
 * a half of an address: the lowest, or if the leaf is coarse, those from bit 8 up (in
 * the second half: from bit 32 up). Bits above are the same in the whole block, bits
 * below are zero where a range begins. The range of an address is so the number of
 * keys not above its own: one comparison of the whole line, of which the keys' places
 * count.
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
#define FIB6_BITS_MIN    4u /* of the address, that an inner node goes by */
#define FIB6_BITS_MAX    FIB6_BRANCH_BITS

#define FIB6_KEYS   16u              /* of a leaf at most: a cache line */
#define FIB6_RANGES (FIB6_KEYS + 1u) /* of a leaf at most */

#define FIB6_INNER  0x80000000u
#define FIB6_LEAF   0x40000000u
#define FIB6_COARSE 0x20000000u
#define FIB6_GATE   0x83800000u /* with these 9 bits; no inner node has a shift of 7 */
#define FIB6_AT     0x007fffffu
#define FIB6_SHIFT  23          /* where the shift of an inner node, the keys of a leaf stand */
#define FIB6_WIDTH  29          /* where the width of an inner node stands */
#define FIB6_STEPS  0x1c000000u /* an inner node has one of these bits: its shift is 8 or above */

/* A step reads where an inner node would be, also if something else stands there. */
#define FIB6_WORDS_MIN (65536u + FIB6_BRANCH)
#define FIB6_WORDS_MAX FIB6_AT
#define FIB6_SLACK     FIB6_BRANCH /* words that a step may read beyond the last */

static inline bool fib6_is_answer(uint32_t ref)
{
	return ref < FIB6_COARSE;
}

static inline bool fib6_is_leaf(uint32_t ref)
{
	return ref >> 30 == 1;
}

static inline bool fib6_is_gate(uint32_t ref)
{
	return (ref & ~FIB6_AT) == FIB6_GATE;
}

/* An inner node, not a gate. */
static inline bool fib6_is_inner(uint32_t ref)
{
	return (ref & FIB6_INNER) && !fib6_is_gate(ref);
}

static inline uint32_t fib6_at(uint32_t ref)
{
	return ref & FIB6_AT;
}

/* ---- inner nodes ---- */

static inline uint32_t fib6_inner(uint32_t at, unsigned bits, unsigned shift)
{
	return FIB6_INNER | (bits - FIB6_BITS_MIN) / 2 << FIB6_WIDTH | shift << FIB6_SHIFT | at;
}

/* By how many bits an inner node goes, and how many references it has. */
static inline unsigned fib6_bits(uint32_t inner)
{
	return FIB6_BITS_MIN + 2 * (inner >> FIB6_WIDTH & 3);
}

static inline uint32_t fib6_fan(uint32_t inner)
{
	return 1u << fib6_bits(inner);
}

static inline unsigned fib6_shift(uint32_t inner)
{
	return inner >> FIB6_SHIFT & 63;
}

/* The word with the reference of an inner node for a half of an address. */
static inline uint32_t fib6_next(uint32_t inner, uint64_t half)
{
	return fib6_at(inner) + ((uint32_t)(half >> fib6_shift(inner)) & (fib6_fan(inner) - 1));
}

/* ---- leaves ---- */

/* How many keys, and ranges, a leaf has. */
static inline unsigned fib6_keys(uint32_t leaf)
{
	return leaf >> FIB6_SHIFT & 31;
}

static inline unsigned fib6_ranges(uint32_t leaf)
{
	return fib6_keys(leaf) + 1;
}

/* The lowest bit, in its half, of a leaf's keys. */
static inline unsigned fib6_key_shift(uint32_t leaf, bool second)
{
	return !(leaf & FIB6_COARSE) ? 0 : second ? 32 : 8;
}

/* The key that range i of a leaf begins with, i > 0. */
static inline uint32_t fib6_key(const uint32_t *word, uint32_t leaf, unsigned i)
{
	return word[fib6_at(leaf) + i - 1];
}

/* The next hop of range i of a leaf. */
static inline const uint16_t *fib6_nexthop(const uint32_t *word, uint32_t leaf, unsigned i)
{
	return (const uint16_t *)(word + fib6_at(leaf) + fib6_keys(leaf)) + i;
}

/* The range of a half of an address in a leaf. */
static inline unsigned fib6_range(const uint32_t *word, uint32_t leaf, uint64_t half, bool second)
{
	uint32_t key = (uint32_t)(half >> fib6_key_shift(leaf, second));
	unsigned n = fib6_keys(leaf), i = 0;

	while (i < n && fib6_key(word, leaf, i + 1) <= key)
		i++;
	return i;
}

/* ---- the way of an address ---- */

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
	bool second = false;

	while (ref & FIB6_INNER) {
		second |= fib6_is_gate(ref);
		half = second ? a.lo : a.hi;
		ref = load_acquire(&word[fib6_is_gate(ref) ? fib6_at(ref) : fib6_next(ref, half)]);
	}
	if (fib6_is_answer(ref))
		return ref;
	return load_acquire(fib6_nexthop(word, ref, fib6_range(word, ref, half, second)));
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
