/* Planning a node of the IPv6 table: weighing blocks, halving the heaviest, taking in the lightest.
 */
#include "net/table/fib6_plan.h"

#include <string.h>

#include "net/table/sweep.h"

#define FILL       28u  /* ranges planned for a node with blocks below: the rest is for changes */
#define WEIGHT_MAX 256u /* ranges counted of a block: enough to compare by */

/* A block on the way to the plan. */
struct part {
	struct ip6 first;
	uint16_t ranges; /* up to WEIGHT_MAX */
	uint8_t length;
	uint8_t finest; /* the longest prefix length at which a range begins, if they are few */
	bool light;     /* a node of answers alone would do for it */
	bool taken_in;  /* its ranges stand in the node itself */
};

struct parts {
	unsigned n, ranges; /* ranges: of the node, as the parts are now */
	struct part part[FILL];
};

/* The least prefix length that begins at this address. */
static unsigned fineness(struct ip6 a)
{
	if (a.lo)
		return 128 - (unsigned)__builtin_ctzll(a.lo);
	return a.hi ? 64 - (unsigned)__builtin_ctzll(a.hi) : 0;
}

/* ---- the ranges of a block, from the copy or from the RIB ---- */

struct cursor {
	const struct fib6_source *copy; /* NULL: the sweep is used */
	unsigned at, end;
	struct ip6 block;
	struct sweep sweep;
};

/* The copied range that holds an address. */
static unsigned copied_at(const struct fib6_source *s, struct ip6 a)
{
	unsigned low = 0, high = s->n;

	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (ip6_less(a, s->range[middle].first))
			high = middle;
		else
			low = middle;
	}
	return low;
}

static bool is_copied(const struct fib6_source *s, struct ip6 first, unsigned length)
{
	return s->n && length >= s->length && ip6_agree(first, s->first, s->length);
}

static void cursor_begin(
	struct cursor *c, const struct fib6_source *s, struct ip6 first, unsigned length)
{
	c->copy = is_copied(s, first, length) ? s : NULL;
	c->block = first;
	if (c->copy) {
		c->at = copied_at(s, first);
		c->end = copied_at(s, ip6_last(first, length)) + 1;
	} else {
		sweep_begin(&c->sweep, s->rib, first, length);
	}
}

static bool cursor_next(struct cursor *c, struct ip6 *first, uint32_t *nexthop)
{
	if (!c->copy)
		return sweep_next(&c->sweep, first, nexthop);
	if (c->at == c->end)
		return false;
	*first = ip6_less(c->copy->range[c->at].first, c->block) ? c->block
								 : c->copy->range[c->at].first;
	*nexthop = c->copy->range[c->at++].nexthop;
	return true;
}

/* Copies the ranges of a block, if they are not too many. */
static void copy(struct fib6_source *s, struct ip6 first, unsigned length)
{
	struct sweep sweep;
	unsigned n = 0;

	s->n = 0;
	s->first = first;
	s->length = length;
	sweep_begin(&sweep, s->rib, first, length);
	while (n < FIB6_COPIED && sweep_next(&sweep, &s->range[n].first, &s->range[n].nexthop))
		n++;
	if (sweep.done)
		s->n = n;
}

static struct part weigh(const struct fib6_source *s, struct ip6 first, unsigned length)
{
	struct part p = {.first = first, .length = (uint8_t)length};
	struct fib6_block b = {first, length, true};
	unsigned ranges = 0, finest = 0;
	uint32_t nexthop;
	struct cursor c;

	cursor_begin(&c, s, first, length);
	if (c.copy && c.end - c.at > FIB6_RANGES) {
		ranges = c.end - c.at;
	} else {
		for (; ranges < WEIGHT_MAX && cursor_next(&c, &first, &nexthop); ranges++) {
			unsigned f = ranges ? fineness(first) : 0;

			finest = f > finest ? f : finest;
		}
	}
	p.ranges = (uint16_t)(ranges < WEIGHT_MAX ? ranges : WEIGHT_MAX);
	p.finest = (uint8_t)finest;
	p.light = ranges <= FIB6_RANGES && finest <= fib6_reach(b);
	return p;
}

/* ---- plans ---- */

bool fib6_plan_answer(struct fib6_plan *plan, struct ip6 first, uint32_t nexthop)
{
	struct fib6_entry *before = plan->n ? &plan->entry[plan->n - 1] : NULL;

	if (before && before->length == 0 && before->ref == nexthop)
		return true;
	if (plan->n == FIB6_RANGES)
		return false;
	plan->entry[plan->n++] = (struct fib6_entry){.first = first, .ref = nexthop};
	return true;
}

bool fib6_plan_ranges(struct fib6_plan *plan, const struct fib6_source *source, struct ip6 first,
	unsigned length, unsigned reach)
{
	uint32_t nexthop;
	struct cursor c;

	cursor_begin(&c, source, first, length);
	while (cursor_next(&c, &first, &nexthop))
		if (fineness(first) > reach || !fib6_plan_answer(plan, first, nexthop))
			return false;
	return true;
}

/* The heaviest part that cannot stay as it is and can be halved, or NULL. */
static struct part *heaviest(struct parts *p, unsigned reach)
{
	struct part *found = NULL;

	for (unsigned i = 0; i < p->n; i++) {
		struct part *q = &p->part[i];

		if (q->length < reach && (!q->light || p->n == 1) &&
			(!found || q->ranges > found->ranges))
			found = q;
	}
	return found;
}

static void halve(struct parts *p, const struct fib6_source *s, struct part *q)
{
	struct part old = *q;
	struct ip6 middle = old.first;

	if (old.length < 64)
		middle.hi |= 1ull << (63 - old.length);
	else
		middle.lo |= 1ull << (127 - old.length);
	memmove(q + 1, q, (size_t)(&p->part[p->n] - q) * sizeof *q);
	p->n++;
	p->ranges++;
	q[0] = weigh(s, old.first, old.length + 1u);
	q[1] = weigh(s, middle, old.length + 1u);
}

/* Takes the lightest parts into the node while there is room. */
static void take_in(struct parts *p, unsigned reach)
{
	for (;;) {
		struct part *found = NULL;

		for (unsigned i = 0; i < p->n; i++) {
			struct part *q = &p->part[i];

			if (q->ranges > 1 && q->ranges <= FIB6_RANGES && !q->taken_in &&
				q->finest <= reach && (!found || q->ranges < found->ranges))
				found = q;
		}
		if (!found || p->ranges + found->ranges - 1 > FILL)
			return;
		found->taken_in = true;
		p->ranges += found->ranges - 1u;
	}
}

void fib6_plan(struct fib6_plan *plan, struct fib6_source *source, struct fib6_block block)
{
	unsigned reach = fib6_reach(block);
	struct parts p = {.n = 1, .ranges = 1};
	struct part *q = p.part;

	plan->n = 0;
	if (!is_copied(source, block.first, block.length))
		copy(source, block.first, block.length);
	*q = weigh(source, block.first, block.length);
	if (q->ranges <= FIB6_RANGES && q->finest <= reach) {
		(void)fib6_plan_ranges(plan, source, block.first, block.length, reach);
		return;
	}
	while (p.n < FILL && (q = heaviest(&p, reach)) != NULL)
		halve(&p, source, q);
	take_in(&p, reach);
	for (q = p.part; q < p.part + p.n; q++) {
		if (q->ranges == 1 || q->taken_in)
			(void)fib6_plan_ranges(plan, source, q->first, q->length, reach);
		else
			plan->entry[plan->n++] =
				(struct fib6_entry){.first = q->first, .length = q->length};
	}
}
