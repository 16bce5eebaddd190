/* The IPv4 forwarding table: its memory, the choice of a look-up, questions about it. */
#include "net/table/fib4.h"

#include <string.h>

#include "lib/form.h"
#include "net/table/fib4_table.h"
#include "net/table/nexthop.h"

static fib4_lookup_fn *lookup = fib4_lookup_plain;

void fib4_select(const char *isa)
{
	lookup = FORM(fib4_lookup, isa);
}

void fib4_lookup(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh, unsigned n)
{
	lookup(&fib->view, dst, nh, n);
}

/* ---- memory ---- */

struct fib4_limits fib4_limits_for(uint32_t routes)
{
	/*
	 * A full table of 900,000 routes and 64 next hops has 47,000 lines. A small
	 * table may be of any kind: four lines a route are enough, and some for
	 * those that take the place of others.
	 */
	uint32_t small = routes < 16384 ? routes : 16384;

	return (struct fib4_limits){.lines = 4096 + 6 * small + routes / 8};
}

/* The parts of the memory, in this order; each is a whole number of cache lines. */
struct layout {
	size_t fib, root, line, deep, book, total;
};

static size_t part(size_t *total, size_t bytes)
{
	size_t at = *total;

	*total += (bytes + 63) & ~(size_t)63;
	return at;
}

static uint32_t lines_allowed(const struct fib4_limits *l)
{
	uint32_t most = FIB4_LINES_AT_MOST - 2 * BLOCK_LINES;

	return blocks_lines(l->lines > most ? most : l->lines);
}

static struct layout layout_of(uint32_t lines)
{
	struct layout m = {0};
	size_t *t = &m.total;

	m.fib = part(t, sizeof(struct fib4));
	m.root = part(t, FIB4_CHUNKS * sizeof(uint32_t));
	m.line = part(t, (size_t)lines * BLOCK_LINE);
	m.deep = part(t, lines * sizeof(uint32_t));
	m.book = part(t, blocks_book_size(lines));
	return m;
}

size_t fib4_size(const struct fib4_limits *limits)
{
	return layout_of(lines_allowed(limits)).total;
}

struct fib4 *fib4_init(void *mem, const struct fib4_limits *limits)
{
	uint32_t lines = lines_allowed(limits), line;
	struct layout m = layout_of(lines);
	uint8_t *p = mem, unrouted[BLOCK_LINE] = {NEXTHOP_NONE};
	struct fib4 *f = (struct fib4 *)(p + m.fib);

	memset(p, 0, m.root);
	memset(p + m.deep, 0, m.total - m.deep); /* lines are written before they are read */
	f->limits.lines = lines;
	f->reserved = m.total;
	f->root = (uint32_t *)(p + m.root);
	f->deep = (uint32_t *)(p + m.deep);
	f->view = (struct fib4_view){f->root, p + m.line, f->deep};
	blocks_init(&f->blocks, p + m.line, p + m.book, lines);
	line = blocks_get(&f->blocks, unrouted, 0);
	f->blocks.block[line].refs = FIB4_CHUNKS;
	for (uint32_t i = 0; i < FIB4_CHUNKS; i++)
		f->root[i] = fib4_ref(line, 0, false);
	return f;
}

/* ---- grace periods ---- */

bool fib4_wants_grace(const struct fib4 *f)
{
	return blocks_want_grace(&f->blocks);
}

void fib4_grace_begin(struct fib4 *f)
{
	blocks_grace_begin(&f->blocks);
}

void fib4_grace_passed(struct fib4 *f)
{
	blocks_grace_passed(&f->blocks);
}

/* ---- questions ---- */

/* The octet with which the range of x ends, in a block that has `leaves` for each line. */
static unsigned range_end(const uint8_t *line, uint8_t x, unsigned leaves)
{
	unsigned n = fib4_rank(line, x);

	return n ? line[n - 1] - 1u : x | (leaves - 1);
}

/* From `address` on, addresses that one line decides alike: the last of them. */
static uint32_t same_range(const struct fib4 *f, uint32_t address)
{
	uint32_t ref = f->root[address >> 16], line = fib4_line(ref, address);
	const uint8_t *data = blocks_data(&f->blocks, line);
	unsigned n = fib4_rank(data, (uint8_t)(address >> 8));

	if (fib4_nexthop(data, ref & FIB4_WIDE, n) != FIB4_DEEP)
		return (address & 0xffff0000u) | 0xff |
		       range_end(data, (uint8_t)(address >> 8), FIB4_LEAVES >> fib4_order(ref))
			       << 8;
	ref = fib4_below(&f->view, line, n);
	data = blocks_data(&f->blocks, fib4_line(ref, address << 8));
	return (address & ~0xffu) |
	       range_end(data, (uint8_t)address, FIB4_LEAVES >> fib4_order(ref));
}

void fib4_walk(const struct fib4 *f, uint32_t address, struct fib4_range *range)
{
	range->first = address;
	range->nexthop = fib4_one(&f->view, address);
	do {
		range->last = same_range(f, address);
		address = range->last + 1;
	} while (address & 0xffffff && fib4_one(&f->view, address) == range->nexthop);
}

void fib4_stats(const struct fib4 *f, struct fib4_stats *s)
{
	*s = (struct fib4_stats){
		.used = {f->blocks.used},
		.limits = f->limits,
		.blocks = f->blocks.count,
		.waiting = f->blocks.waiting_lines,
		.bytes = FIB4_CHUNKS * sizeof(uint32_t) +
			 (size_t)f->blocks.used * (BLOCK_LINE + sizeof(uint32_t)),
		.reserved = f->reserved,
		.updates = f->updates,
		.rebuilt = f->rebuilt,
	};
}
