/* The IPv4 forwarding table as sorted, disjoint ranges located by binary search. */
#include "net/table/fib4.h"

#include "net/table/nexthop.h"
#include "net/table/rib.h"

#define LOOKUP_GROUP 8u /* searches made side by side, so that their cache misses overlap */

/* Range i is start[i] .. start[i + 1] - 1; start[0] is 0 and the last range ends at 2^32 - 1. */
struct fib4 {
	uint64_t generation;
	uint32_t ranges;
	const uint32_t *start;   /* ascending */
	const uint32_t *nexthop; /* of each range; neighbouring ranges differ */
};

/* Where a build stands. */
struct builder {
	uint32_t *start, *nexthop;
	uint32_t ranges, room;
	bool full;
	/* The prefixes that enclose the current position, widest first: at most one per length. */
	struct {
		uint32_t last; /* last address of the prefix */
		uint32_t nexthop;
	} open[34];
	unsigned depth;
};

size_t fib4_size(uint32_t routes)
{
	/* Each prefix starts one range and resumes what encloses it; one covers all to begin with.
	 */
	size_t bytes = sizeof(struct fib4) + (2 * (size_t)routes + 1) * 2 * sizeof(uint32_t);

	return (bytes + 63) & ~(size_t)63;
}

/* From `start` on, addresses go to `nexthop`: a new range, or more of the one before. */
static void builder_range(struct builder *b, uint32_t start, uint32_t nexthop)
{
	if (b->ranges && b->start[b->ranges - 1] == start)
		b->ranges--; /* a longer prefix with the same first address takes its place */
	if (b->ranges && b->nexthop[b->ranges - 1] == nexthop)
		return;
	if (b->ranges == b->room) {
		b->full = true;
		return;
	}
	b->start[b->ranges] = start;
	b->nexthop[b->ranges] = nexthop;
	b->ranges++;
}

static void builder_open(struct builder *b, uint32_t first, uint32_t last, uint32_t nexthop)
{
	b->open[b->depth].last = last;
	b->open[b->depth].nexthop = nexthop;
	b->depth++;
	builder_range(b, first, nexthop);
}

/* Closes the prefixes that end before `address`: what encloses each goes on after it. */
static void builder_close_before(struct builder *b, uint32_t address)
{
	while (b->open[b->depth - 1].last < address) {
		uint32_t next = b->open[b->depth - 1].last + 1;

		b->depth--;
		builder_range(b, next, b->open[b->depth - 1].nexthop);
	}
}

/* Ends the prefixes still open after the last route. */
static void builder_close_all(struct builder *b)
{
	while (b->depth > 1 && b->open[b->depth - 1].last != 0xffffffffu) {
		uint32_t next = b->open[b->depth - 1].last + 1;

		b->depth--;
		builder_range(b, next, b->open[b->depth - 1].nexthop);
	}
}

enum err fib4_build(void *mem, size_t size, const struct rib4 *rib, uint64_t generation,
	const struct fib4 **out)
{
	struct fib4 *fib = mem;
	struct builder b = {.depth = 0};

	if (size < fib4_size(0))
		return ERR_NO_MEMORY;
	b.room = (uint32_t)((size - sizeof *fib) / (2 * sizeof(uint32_t)));
	b.start = (uint32_t *)(fib + 1);
	b.nexthop = b.start + b.room;

	builder_open(&b, 0, 0xffffffffu, NEXTHOP_NONE);
	for (uint32_t i = 0; i < rib->count; i++) {
		const struct route4 *r = &rib->route[i];

		if (i > 0 && r[-1].prefix == r->prefix && r[-1].length == r->length)
			continue; /* the best of its equals came first */
		builder_close_before(&b, r->prefix);
		builder_open(&b, r->prefix, r->prefix | ~rib4_mask(r->length), r->nexthop);
	}
	builder_close_all(&b);
	if (b.full)
		return ERR_NO_MEMORY;

	fib->generation = generation;
	fib->ranges = b.ranges;
	fib->start = b.start;
	fib->nexthop = b.nexthop;
	*out = fib;
	return ERR_OK;
}

/*
 * Locates LOOKUP_GROUP addresses. Every search halves the same length, whatever
 * its outcome, so the loop has no branch that depends on an address.
 */
static void lookup_group(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh)
{
	uint32_t base[LOOKUP_GROUP] = {0};

	for (uint32_t n = fib->ranges; n > 1;) {
		uint32_t half = n / 2;

		for (unsigned k = 0; k < LOOKUP_GROUP; k++)
			base[k] += fib->start[base[k] + half] <= dst[k] ? half : 0;
		n -= half;
	}
	for (unsigned k = 0; k < LOOKUP_GROUP; k++)
		nh[k] = fib->nexthop[base[k]];
}

void fib4_lookup(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh, unsigned n)
{
	unsigned i = 0;

	for (; i + LOOKUP_GROUP <= n; i += LOOKUP_GROUP)
		lookup_group(fib, dst + i, nh + i);
	if (i < n) {
		uint32_t rest[LOOKUP_GROUP] = {0}, found[LOOKUP_GROUP];

		for (unsigned k = 0; k < n - i; k++)
			rest[k] = dst[i + k];
		lookup_group(fib, rest, found);
		for (unsigned k = 0; k < n - i; k++)
			nh[i + k] = found[k];
	}
}

uint32_t fib4_ranges(const struct fib4 *fib)
{
	return fib->ranges;
}

size_t fib4_bytes(const struct fib4 *fib)
{
	return sizeof *fib + (size_t)fib->ranges * 2 * sizeof(uint32_t);
}

uint64_t fib4_generation(const struct fib4 *fib)
{
	return fib->generation;
}
