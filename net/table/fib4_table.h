/*
 * The form of the IPv4 forwarding table: three indexing steps.
 *
 *     address   | 16 bits | 4  |   4   |   4   |   4   |
 *                  direct  wide  narrow
 *                          ...   deep    hosts   narrow
 *
 * 1. direct[address >> 16] is a wide group: 16 entries, one per /20.
 * 2. An entry tells its 16 /24s apart in one of three ways:
 *        0 | pair:15 | mask:16   next hop of /24 number i: the pair's first, or
 *                                its second if bit i of the mask is set
 *        10 | narrow:30          one of the 16 next hops of a narrow group
 *        11 | deep:30            some /24 has longer routes: see 3
 *    Pairs lie at the front of the array of narrow groups, so the first two ways
 *    are one load from it. A single next hop is a pair of equals.
 * 3. A deep group has an entry per /24: a next hop, or 1 | hosts:31, a group that
 *    tells the /24 apart as a wide one does a /16: an entry of the first two ways
 *    per /28. Few addresses need it.
 */
#ifndef NET_TABLE_FIB4_TABLE_H
#define NET_TABLE_FIB4_TABLE_H

#include <stdalign.h>
#include <stdint.h>

#include "net/table/fib4.h"
#include "net/table/groups.h"

#define FIB4_CHUNKS 65536u /* /16s */
#define FIB4_SPLIT  16u    /* entries of a group of any kind, but pairs */
#define FIB4_LEAVES 256u   /* of a /16 in /24s, or of a /24 */

#define FIB4_PAIRS 32768u /* numbers 1 and up can be used */
#define FIB4_NARROW_BASE                                                                           \
	(2 * FIB4_PAIRS / FIB4_SPLIT) /* narrow groups that the pairs take the room of */

#define FIB4_NARROW 0x80000000u
#define FIB4_DEEP   0xc0000000u
#define FIB4_GROUP                                                                                 \
	0x3fffffffu /* the number in such an entry; a narrow one counts from the base              \
		     */
#define FIB4_HAS_HOSTS 0x80000000u /* in an entry of a deep group */

/* What workers read. */
struct fib4_view {
	const uint16_t *direct;
	const uint32_t *wide;
	const uint16_t *narrow; /* pairs, then narrow groups */
	const uint32_t *deep;
	const uint32_t *hosts;
};

struct fib4 {
	alignas(64) struct fib4_view view; /* constant: what it points at changes */
	alignas(64) uint16_t *direct;
	struct groups wide, narrow, pairs, deep, hosts;
	struct fib4_limits limits;
	size_t reserved;
	uint64_t updates, rebuilt;
};

/* Where in view.narrow the next hop for number i of an entry's 16 stands; not of a deep entry. */
static inline uint32_t fib4_place(uint32_t entry, uint32_t i)
{
	if (entry & FIB4_NARROW)
		return (entry & FIB4_GROUP) << 4 | i;
	return (entry >> 15 & ~1u) | (entry >> i & 1);
}

/* The entry of a wide group that stands for an address. */
static inline uint32_t fib4_entry(const struct fib4_view *v, uint32_t address)
{
	uint32_t group = __atomic_load_n(&v->direct[address >> 16], __ATOMIC_ACQUIRE);

	return __atomic_load_n(&v->wide[group << 4 | (address >> 12 & 15)], __ATOMIC_ACQUIRE);
}

/* The next hop of an address by its deep entry. */
static inline uint32_t fib4_deep(const struct fib4_view *v, uint32_t entry, uint32_t address)
{
	uint32_t e = v->deep[(entry & FIB4_GROUP) << 4 | (address >> 8 & 15)];

	if (!(e & FIB4_HAS_HOSTS))
		return e;
	e = v->hosts[(e & ~FIB4_HAS_HOSTS) << 4 | (address >> 4 & 15)];
	return __atomic_load_n(&v->narrow[fib4_place(e, address & 15)], __ATOMIC_ACQUIRE);
}

/* One address at a time: the definition that the vector forms are tested against. */
static inline uint32_t fib4_one(const struct fib4_view *v, uint32_t address)
{
	uint32_t entry = fib4_entry(v, address);

	return entry >= FIB4_DEEP ? fib4_deep(v, entry, address)
				  : v->narrow[fib4_place(entry, address >> 8 & 15)];
}

/* The three forms of the look-up, from fib4_vec.c. */
typedef void fib4_lookup_fn(
	const struct fib4_view *v, const uint32_t *dst, uint32_t *nh, unsigned n);
fib4_lookup_fn fib4_lookup_plain, fib4_lookup_v3, fib4_lookup_v4;

#endif
