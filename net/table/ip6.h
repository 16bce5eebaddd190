/* An IPv6 address as two words, and the prefixes of 128-bit keys. */
#ifndef NET_TABLE_IP6_H
#define NET_TABLE_IP6_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
