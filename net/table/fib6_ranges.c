/* Ranges of blocks: taken from the RIB, or from a copy of more of it. */
#include "net/table/fib6_ranges.h"

#include "net/table/sweep.h"

/* An inner node wider than it need be, so that there are fewer steps: words a range. */
#define WORDS_A_RANGE 4u

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

/* The copied ranges of a block, low to high - 1; the first may begin before it. By bisection. */
static void find_copied(
	const struct fib6_copy *c, struct fib6_block b, unsigned *low, unsigned *high)
{
	struct ip6 last = ip6_last(b.first, b.length);
	unsigned from = 0, to = c->n;

	while (to - from > 1) {
		unsigned middle = (from + to) / 2;

		if (ip6_less(b.first, c->first[middle]))
			to = middle;
		else
			from = middle;
	}
	*low = from;
	for (to = c->n; to - from > 1;) {
		unsigned middle = (from + to) / 2;

		if (ip6_less(last, c->first[middle]))
			to = middle;
		else
			from = middle;
	}
	*high = to;
}

/* As fib6_add_swept, from a copy. */
static bool add_copied(struct fib6_ranges *r, const struct fib6_copy *c, struct fib6_block b)
{
	unsigned low, high;

	find_copied(c, b, &low, &high);
	for (; low < high; low++)
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

/* What remains of the half is cut by some width, or nothing is left to cut. */
static bool is_width(struct fib6_block b, unsigned bits)
{
	unsigned left = fib6_end(b) - b.length;

	return bits == left || bits + FIB6_BITS_MIN <= left;
}

/* The ranges low to high - 1 of the copy, cut by `bits`, give parts that are no leaves. */
static bool overflows(
	const struct fib6_copy *c, struct fib6_block b, unsigned bits, unsigned low, unsigned high)
{
	unsigned part = 0, n = 1, reach = fib6_reach(fib6_part_block(b, bits, 0));

	for (unsigned i = low + 1; i < high; i++) {
		unsigned p = fib6_part_of(b, bits, c->first[i]), fine = fineness(c->first[i]);

		if (p != part) /* with the range that reaches into it */
			n = fine > b.length + bits ? 1 : 0;
		n++;
		part = p;
		if (n > FIB6_RANGES || fine > reach)
			return true;
	}
	return false;
}

unsigned fib6_width(const struct fib6_copy *copy, struct fib6_block b)
{
	unsigned low, high, best = 0;

	if (!is_copied(copy, b))
		return is_width(b, 8) ? 8 : FIB6_BITS_MIN;
	find_copied(copy, b, &low, &high);
	for (unsigned bits = FIB6_BITS_MIN; bits <= FIB6_BITS_MAX; bits += 2) {
		if (!is_width(b, bits))
			continue;
		if (best && 1u << bits > WORDS_A_RANGE * (high - low))
			break;
		best = bits;
		if (!overflows(copy, b, bits, low, high))
			break;
	}
	return best;
}
