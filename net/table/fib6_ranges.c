/* Ranges of blocks: taken from the RIB, or from a copy of more of it. */
#include "net/table/fib6_ranges.h"

#include "net/table/sweep.h"

/* The shortest prefix length that can begin at an address. */
static unsigned fineness(struct ip6 a)
{
	if (a.lo)
		return 128 - (unsigned)__builtin_ctzll(a.lo);
	return a.hi ? 64 - (unsigned)__builtin_ctzll(a.hi) : 0;
}

bool fib6_add_range(struct fib6_ranges *r, struct ip6 first, uint32_t nexthop)
{
	if (r->n && r->nexthop[r->n - 1] == nexthop)
		return true;
	unsigned f = r->n ? fineness(first) : 0;

	r->finest = f > r->finest ? f : r->finest;
	r->first[r->n] = first;
	r->nexthop[r->n++] = nexthop;
	return r->n <= FIB6_RANGES;
}

bool fib6_add_swept(struct fib6_ranges *r, const struct rib *rib, struct ip6 block, unsigned length)
{
	struct sweep s;
	struct ip6 first;
	uint32_t nexthop;

	sweep_begin(&s, rib, block, length);
	while (sweep_next(&s, &first, &nexthop))
		if (!fib6_add_range(r, first, nexthop))
			return false;
	return true;
}

static bool is_copied(const struct fib6_copy *c, struct fib6_block b)
{
	return c->n && b.length >= c->length && ip6_agree(b.first, c->block, c->length);
}

void fib6_copy_block(struct fib6_copy *c, const struct rib *rib, struct fib6_block b)
{
	struct sweep s;
	unsigned n = 0;

	if (is_copied(c, b))
		return;
	c->block = b.first;
	c->length = b.length;
	sweep_begin(&s, rib, b.first, b.length);
	while (n < FIB6_COPIED && sweep_next(&s, &c->first[n], &c->nexthop[n]))
		n++;
	c->n = s.done ? n : 0;
}

/* As fib6_add_swept, from a copy. */
static bool add_copied(struct fib6_ranges *r, const struct fib6_copy *c, struct fib6_block b)
{
	struct ip6 last = ip6_last(b.first, b.length);
	unsigned low = 0, high = c->n; /* the range that holds the first address, by bisection */

	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (ip6_less(b.first, c->first[middle]))
			high = middle;
		else
			low = middle;
	}
	for (; low < c->n && !ip6_less(last, c->first[low]); low++)
		if (!fib6_add_range(r, r->n ? c->first[low] : b.first, c->nexthop[low]))
			return false;
	return true;
}

void fib6_collect(struct fib6_ranges *r, const struct rib *rib, const struct fib6_copy *copy,
	struct fib6_block b)
{
	r->n = r->finest = 0;
	if (is_copied(copy, b))
		(void)add_copied(r, copy, b);
	else
		(void)fib6_add_swept(r, rib, b.first, b.length);
}

uint32_t fib6_kind_of(const struct fib6_ranges *r, struct fib6_block b)
{
	if (r->n == 1)
		return 0;
	if (r->n > FIB6_RANGES || r->finest > fib6_reach(b, fib6_key_bits(FIB6_WIDE)))
		return FIB6_INNER;
	return r->finest <= fib6_reach(b, fib6_key_bits(FIB6_NARROW)) ? FIB6_NARROW : FIB6_WIDE;
}
