/* An IPv6 address as two words: its kinds, and the prefixes of 128-bit keys. */
#ifndef NET_TABLE_IP6_H
#define NET_TABLE_IP6_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/byteorder.h"

/* Host order: the first byte on the wire is the top byte of hi. */
struct ip6 {
	uint64_t hi, lo;
};

static inline bool ip6_equal(struct ip6 a, struct ip6 b)
{
	return ((a.hi ^ b.hi) | (a.lo ^ b.lo)) == 0;
}

static inline bool ip6_less(struct ip6 a, struct ip6 b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

/* The first `length` bits set, 0-128. */
static inline struct ip6 ip6_mask(unsigned length)
{
	struct ip6 m = {~0ull, ~0ull};

	if (length < 64)
		m = (struct ip6){length ? ~0ull << (64 - length) : 0, 0};
	else if (length < 128)
		m.lo = length > 64 ? ~0ull << (128 - length) : 0;
	return m;
}

/* The first address of the prefix that holds `a`, and the last. */
static inline struct ip6 ip6_first(struct ip6 a, unsigned length)
{
	struct ip6 m = ip6_mask(length);

	return (struct ip6){a.hi & m.hi, a.lo & m.lo};
}

static inline struct ip6 ip6_last(struct ip6 a, unsigned length)
{
	struct ip6 m = ip6_mask(length);

	return (struct ip6){a.hi | ~m.hi, a.lo | ~m.lo};
}

/* The address after `a`; after the last comes zero. */
static inline struct ip6 ip6_next(struct ip6 a)
{
	return (struct ip6){a.hi + (a.lo == ~0ull), a.lo + 1};
}

/* The address before `a`; before zero comes the last. */
static inline struct ip6 ip6_before(struct ip6 a)
{
	return (struct ip6){a.hi - (a.lo == 0), a.lo - 1};
}

/* a and b agree in their first `length` bits. */
static inline bool ip6_agree(struct ip6 a, struct ip6 b, unsigned length)
{
	if (length <= 64)
		return length == 0 || (a.hi ^ b.hi) >> (64 - length) == 0;
	return a.hi == b.hi && (a.lo ^ b.lo) >> (128 - length) == 0;
}

/* Bit `n` of the key, counted from the top, 0-127. */
static inline unsigned ip6_bit(struct ip6 a, unsigned n)
{
	return (unsigned)((n < 64 ? a.hi >> (63 - n) : a.lo >> (127 - n)) & 1);
}

/* How many leading bits a and b have in common, 0-128. */
static inline unsigned ip6_common(struct ip6 a, struct ip6 b)
{
	if (a.hi != b.hi)
		return (unsigned)__builtin_clzll(a.hi ^ b.hi);
	return a.lo != b.lo ? 64 + (unsigned)__builtin_clzll(a.lo ^ b.lo) : 128;
}

/* ---- on the wire ---- */

static inline struct ip6 ip6_load(const void *p)
{
	return (struct ip6){load_be64(p), load_be64((const uint8_t *)p + 8)};
}

static inline void ip6_store(void *p, struct ip6 a)
{
	store_be64(p, a.hi);
	store_be64((uint8_t *)p + 8, a.lo);
}

/* ---- kinds of address, RFC 4291 2.4 ---- */

#define IP6_ANY ((struct ip6){0, 0})
/* Groups on the link, RFC 4291 2.7.1. */
#define IP6_ALL_NODES   ((struct ip6){0xff02000000000000ull, 1})
#define IP6_ALL_ROUTERS ((struct ip6){0xff02000000000000ull, 2})
/* All routers of the site: RFC 4291 2.8 wants it recognised as well. */
#define IP6_SITE_ROUTERS ((struct ip6){0xff05000000000000ull, 2})

static inline bool ip6_is_zero(struct ip6 a)
{
	return (a.hi | a.lo) == 0;
}

static inline bool ip6_is_multicast(struct ip6 a)
{
	return a.hi >> 56 == 0xff;
}

/* A group of RFC 4291 2.7.1 that every router is in. */
static inline bool ip6_is_routers_group(struct ip6 a)
{
	return ip6_equal(a, IP6_ALL_NODES) || ip6_equal(a, IP6_ALL_ROUTERS) ||
	       ip6_equal(a, IP6_SITE_ROUTERS);
}

/* fe80::/10 */
static inline bool ip6_is_link_local(struct ip6 a)
{
	return a.hi >> 54 == 0xfe80u >> 6;
}

/*
 * The address may name one host: not unspecified, loopback or IPv4-mapped
 * (RFC 4291 2.5.2, 2.5.3, 2.5.5.2; RFC 6890), not multicast.
 */
static inline bool ip6_is_unicast(struct ip6 a)
{
	return !(a.hi == 0 && (a.lo <= 1 || a.lo >> 32 == 0xffff)) && !ip6_is_multicast(a);
}

/*
 * As ip6_is_unicast, beyond the link, and not of 0::/64, which deserves a second
 * look. No branches, for the first test of every packet.
 */
static inline bool ip6_is_plain(struct ip6 a)
{
	return (a.hi != 0) & (a.hi >> 56 != 0xff) & (a.hi >> 54 != 0xfe80u >> 6);
}

/* ff02::1:ff00:0/104 with the last 24 bits of the address, RFC 4291 2.7.1. */
static inline struct ip6 ip6_solicited_node(struct ip6 a)
{
	return (struct ip6){0xff02000000000000ull, 0x1ff000000ull | (a.lo & 0xffffff)};
}

/* fe80::/64 with the EUI-64 of a MAC (6 bytes), RFC 4291 2.5.6 and appendix A. */
static inline struct ip6 ip6_link_local(const uint8_t *mac)
{
	uint64_t upper = (uint64_t)(mac[0] ^ 2u) << 16 | (uint64_t)mac[1] << 8 | mac[2];
	uint64_t lower = (uint64_t)mac[3] << 16 | (uint64_t)mac[4] << 8 | mac[5];

	return (struct ip6){0xfe80000000000000ull, upper << 40 | 0xfffeull << 24 | lower};
}

#endif
