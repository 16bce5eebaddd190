/*
 * The form of the IPv6 forwarding table: two indexing steps, then a tree of ranges.
 *
 *     address   | 14 bits | 10 bits |  the rest
 *                  root     branch     nodes of up to 32 ranges
 *
 * All of it is one array of 32-bit words, in which references are positions: a
 * table can be moved, or come with the image. A reference is
 *
 *     0 | nexthop:16                  an answer
 *     1 | 0 | slice:3 | at:27         a branch (in the root alone), or a node
 *     1 | 1 | 0:3     | at:27         a gate: the way goes on with the second half
 *                                     of the address
 *
 * A node stands for a block, the addresses of one prefix, and cuts it into n
 * ranges, 2 to 32. Around its position lie
 *
 *     at - n ... at - 1       the references of range n - 1, ... 1, 0
 *     at                      a mask: the n - 1 lowest bits set
 *     at + 1 ...              where ranges 1, 2, ... n - 1 begin, 16 bits each
 *
 * A beginning is given by the slice of the address that the reference to the
 * node tells: 16 bits of its half, from bit 8 * slice up; bits above are the same
 * in the whole block, bits below zero. The range of an address is so the number
 * of beginnings not above its own slice. A range has one answer, or is a whole
 * block itself and goes on in another node.
 *
 * A gate is made like a node of one range that leads back to the gate itself: a
 * step on it stays there. The reference it guards lies before that.
 *
 * Measured on a full table of 160,000 routes: 1.3 MiB; 2.3 nodes on the way to a
 * random route.
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
#define FIB6_RANGES      32u /* of a node at most */
#define FIB6_NODE_WORDS  (FIB6_RANGES + 1 + FIB6_RANGES / 2)
#define FIB6_GATE_WORDS  3u /* what is behind, itself, a mask of zero */

#define FIB6_NODE  0x80000000u /* not an answer */
#define FIB6_GATE  0x40000000u
#define FIB6_AT    0x07ffffffu
#define FIB6_SLICE 27 /* shift of the slice number in a reference */

/* The root step reads where a branch would be, also if an answer stands there instead. */
#define FIB6_WORDS_MIN (65536u + FIB6_BRANCH)
#define FIB6_WORDS_MAX (FIB6_AT - FIB6_NODE_WORDS)
#define FIB6_SLACK     16u /* words that a comparison may read beyond the last node */

static inline bool fib6_is_answer(uint32_t ref)
{
	return (ref & FIB6_NODE) == 0;
}

static inline bool fib6_is_gate(uint32_t ref)
{
	return (ref & (FIB6_NODE | FIB6_GATE)) == (FIB6_NODE | FIB6_GATE);
}

static inline bool fib6_is_node(uint32_t ref)
{
	return (ref & (FIB6_NODE | FIB6_GATE)) == FIB6_NODE;
}

static inline uint32_t fib6_at(uint32_t ref)
{
	return ref & FIB6_AT;
}

/* The lowest bit of a node's slice. */
static inline unsigned fib6_shift(uint32_t ref)
{
	return (ref >> FIB6_SLICE & 7) * 8;
}

/* The keys of the node at `at`: where its ranges but the first begin. */
static inline const uint16_t *fib6_keys(const uint32_t *word, uint32_t at)
{
	return (const uint16_t *)(word + at + 1);
}

/* How many ranges the node at `at` has. */
static inline unsigned fib6_ranges(const uint32_t *word, uint32_t at)
{
	return 1 + (unsigned)__builtin_popcount(word[at]);
}

/* The reference found by the two indexing steps, for the first half of an address. */
static inline uint32_t fib6_enter(const uint32_t *word, uint64_t half)
{
	uint32_t ref = load_acquire(&word[half >> (64 - FIB6_ROOT_BITS)]);
	uint32_t place = (uint32_t)(half >> (64 - FIB6_CHUNK_BITS)) & (FIB6_BRANCH - 1);
	uint32_t inner = load_acquire(&word[fib6_at(ref) + place]);
	/* cppcheck-suppress shiftTooManyBitsSigned; GCC shifts in the sign */
	uint32_t taken = (uint32_t)((int32_t)ref >> 31); /* without a jump: either is likely */

	return (inner & taken) | (ref & ~taken);
}

/* The range of a half of an address in a node. */
static inline unsigned fib6_range_of(const uint32_t *word, uint32_t ref, uint64_t half)
{
	const uint16_t *key = fib6_keys(word, fib6_at(ref));
	unsigned slice = (uint16_t)(half >> fib6_shift(ref));
	unsigned n = fib6_ranges(word, fib6_at(ref)), range = 0;

	while (range + 1 < n && key[range] <= slice)
		range++;
	return range;
}

/* The word with the reference behind a gate. */
static inline uint32_t fib6_behind(uint32_t gate)
{
	return fib6_at(gate) - 2;
}

/* Follows a reference on the way of an address to the answer. */
static inline uint32_t fib6_arrive(const uint32_t *word, uint32_t ref, struct ip6 a)
{
	uint64_t half = a.hi;

	while (!fib6_is_answer(ref)) {
		if (fib6_is_gate(ref)) {
			ref = load_acquire(&word[fib6_behind(ref)]);
			half = a.lo;
		} else {
			ref = load_acquire(
				&word[fib6_at(ref) - 1 - fib6_range_of(word, ref, half)]);
		}
	}
	return ref;
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
