/* Painting answers from the RIB, and the lines of ranges that say the same. */
#include "net/table/fib4_canvas.h"

#include <string.h>

#include "lib/vec.h"
#include "net/table/nexthop.h"

#define SLICE  16u /* leaves, what the smallest part of a block stands for */
#define SLICES (FIB4_LEAVES / SLICE)

void fib4_canvas_init(struct fib4_canvas *c, uint32_t first, unsigned depth)
{
	c->first = first;
	c->depth = depth;
	memset(c->deep, 0, sizeof c->deep);
}

/* ---- from a block ---- */

/* Eight leaves a store: what follows `end` is written, too, for the caller to write again. */
static void fill_over(struct fib4_canvas *c, unsigned first, unsigned end, uint16_t nexthop)
{
	uint16_t eight[8] = {
		nexthop, nexthop, nexthop, nexthop, nexthop, nexthop, nexthop, nexthop};

	for (unsigned i = first; i < end; i += 8)
		memcpy(c->leaf + i, eight, sizeof eight);
}

static void fill(struct fib4_canvas *c, unsigned first, unsigned end, uint16_t nexthop)
{
	for (unsigned i = first; i < end; i++)
		c->leaf[i] = nexthop;
}

/* The ranges of a line from the lowest up, `first` where it begins. */
static void load_line(
	struct fib4_canvas *c, const struct fib4_view *v, uint32_t ref, uint8_t first, unsigned end)
{
	uint32_t line = fib4_line(ref, (uint32_t)first << 8);
	const uint8_t *data = v->line + (size_t)line * BLOCK_LINE;
	unsigned n = (unsigned)vec_rank8_down(data, &first), start = first;

	for (;; n--) {
		uint32_t nexthop = fib4_nexthop(data, ref & FIB4_WIDE, n);

		fill_over(c, start, n ? data[n - 1] : end, (uint16_t)nexthop);
		if (nexthop == FIB4_DEEP) { /* one leaf */
			c->deep[start / 64] |= 1ull << start % 64;
			c->below[start] = fib4_below(v, line, n);
		}
		if (!n)
			return;
		start = data[n - 1];
	}
}

void fib4_canvas_load(struct fib4_canvas *c, const struct fib4_view *v, uint32_t ref)
{
	unsigned leaves = FIB4_LEAVES >> fib4_order(ref);

	for (unsigned i = 0; i < FIB4_LEAVES; i += leaves)
		load_line(c, v, ref, (uint8_t)i, i + leaves);
}

void fib4_canvas_load_line(struct fib4_canvas *c, const struct fib4_view *v, uint32_t ref,
	unsigned leaf, unsigned *first, unsigned *end)
{
	unsigned leaves = FIB4_LEAVES >> fib4_order(ref);

	*first = leaf / leaves * leaves;
	*end = *first + leaves;
	load_line(c, v, ref, (uint8_t)*first, *end);
}

/* ---- from the RIB ---- */

static void paint_range(struct fib4_canvas *c, unsigned leaf, unsigned length, uint32_t nexthop)
{
	unsigned end = leaf + (1u << (c->depth - length));

	fill(c, leaf, end, (uint16_t)nexthop);
}

void fib4_canvas_flatten(struct fib4_canvas *c, unsigned leaf, uint16_t nexthop)
{
	c->deep[leaf / 64] &= ~(1ull << leaf % 64);
	c->leaf[leaf] = nexthop;
}

static void forget_deep(struct fib4_canvas *c, unsigned leaf, unsigned length)
{
	unsigned end = leaf + (1u << (c->depth - length));

	if (fib4_has_deep(c))
		for (; leaf < end; leaf++)
			c->deep[leaf / 64] &= ~(1ull << leaf % 64);
}

void fib4_canvas_paint(
	struct fib4_canvas *c, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	const struct trie *t = &rib->rib.trie;
	struct ip6 key = rib4_key(prefix);
	uint32_t cover = trie_match(t, key, length), node = trie_top(t, key, length);
	unsigned leaf = (prefix - c->first) >> (32 - c->depth);

	forget_deep(c, leaf, length);
	paint_range(c, leaf, length, cover ? rib_node_nexthop(&t->node[cover]) : NEXTHOP_NONE);
	uint32_t end = node ? trie_next_outside(t, node) : TRIE_NONE;

	while (node != end) {
		const struct trie_node *n = &t->node[node];

		leaf = ((uint32_t)(n->key.hi >> 32) - c->first) >> (32 - c->depth);
		if (n->length > c->depth || (n->length == c->depth && !n->value)) {
			/* Inside a leaf: a node is there because of a longer route. */
			c->deep[leaf / 64] |= 1ull << leaf % 64;
			node = trie_next_outside(t, node);
			continue;
		}
		if (n->value)
			paint_range(c, leaf, n->length, rib_node_nexthop(n));
		node = trie_next(t, node);
	}
}

/* ---- to lines ---- */

/* The places where ranges begin: a bit per leaf, not of leaf 0. */
struct edges {
	uint64_t bit[FIB4_LEAVES / 64];
};

static void find_edges(const struct fib4_canvas *c, struct edges *e)
{
	for (unsigned i = 0; i < FIB4_LEAVES / 64; i++)
		e->bit[i] = vec_edges64(c->leaf + i * 64) | c->deep[i] | c->deep[i] << 1;
	for (unsigned i = 1; i < FIB4_LEAVES / 64; i++) {
		e->bit[i] |= c->deep[i - 1] >> 63;
		e->bit[i] |= c->leaf[i * 64] != c->leaf[i * 64 - 1];
	}
	e->bit[0] &= ~1ull;
}

/* How many bits are set in each 16 of x. */
static uint64_t count16(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (x + (x >> 8)) & 0x00ff00ff00ff00ffull;
}

/* The least order that gives no line more than `most` ranges; 16 leaves always fit. */
static unsigned order_for(const struct edges *e, unsigned most)
{
	uint16_t count[SLICES], first[SLICES]; /* edges; whether there is one at the first leaf */
	unsigned order = BLOCK_ORDERS - 1;

	for (unsigned i = 0; i < SLICES; i++)
		first[i] = e->bit[i / 4] >> i % 4 * 16 & 1;
	for (unsigned i = 0; i < SLICES / 4; i++) {
		uint64_t four = count16(e->bit[i]);

		memcpy(count + 4 * i, &four, sizeof four);
	}
	while (order > 0) { /* two parts in one line? */
		unsigned parts = 1u << order, fits = 1;

		for (unsigned i = 0; i < parts; i += 2)
			fits &= 1u + count[i] + count[i + 1] - first[i] <= most;
		if (!fits)
			break;
		for (unsigned i = 0; i < parts; i += 2) {
			count[i / 2] = count[i] + count[i + 1];
			first[i / 2] = first[i];
		}
		order--;
	}
	return order;
}

static bool needs_wide(const struct fib4_canvas *c)
{
	unsigned above = 0;

	for (unsigned i = 0; i < FIB4_LEAVES; i++)
		above |= (unsigned)(c->leaf[i] > FIB4_NARROW_MAX) & (c->leaf[i] != FIB4_DEEP);
	return above;
}

static void put_nexthop(uint8_t *line, bool wide, unsigned n, uint16_t nexthop)
{
	if (wide)
		memcpy(line + FIB4_STARTS + 2 * n, &nexthop, sizeof nexthop);
	else
		line[FIB4_STARTS + n] = (uint8_t)nexthop; /* FIB4_DEEP becomes FIB4_DEEP_NARROW */
}

/* The ranges of leaves first to end, highest first. */
static void put_line(const struct fib4_canvas *c, const struct edges *e, uint8_t *line, bool wide,
	unsigned first, unsigned end)
{
	unsigned n = 0;

	put_nexthop(line, wide, 0, c->leaf[end - 1]);
	for (unsigned low = (end - 1) / 64 * 64;; low -= 64) {
		uint64_t bits = e->bit[low / 64];

		if (end - low < 64)
			bits &= (1ull << (end - low)) - 1;
		if (first >= low)
			bits &= ~1ull << (first - low);
		while (bits) {
			unsigned at = 63 - (unsigned)__builtin_clzll(bits);

			bits &= ~(1ull << at);
			line[n++] = (uint8_t)(low + at);
			put_nexthop(line, wide, n, c->leaf[low + at - 1]);
		}
		if (first >= low)
			break;
	}
}

void fib4_canvas_lines(const struct fib4_canvas *c, struct fib4_lines *l)
{
	struct edges e;

	find_edges(c, &e);
	l->wide = needs_wide(c);
	l->order = order_for(&e, l->wide ? FIB4_RANGES_WIDE : FIB4_RANGES);
	memset(l->data, 0, BLOCK_LINE << l->order);
	unsigned leaves = FIB4_LEAVES >> l->order;

	for (unsigned i = 0; i < FIB4_LEAVES; i += leaves)
		put_line(c, &e, l->data + i / leaves * BLOCK_LINE, l->wide, i, i + leaves);
}

/* ---- one line of a block ---- */

/* How many ranges the leaves first to end have. */
static unsigned count_ranges(const struct edges *e, unsigned first, unsigned end)
{
	unsigned n = 1;

	for (unsigned i = first / 64; i <= (end - 1) / 64; i++) {
		uint64_t bits = e->bit[i];

		if (first >= i * 64)
			bits &= ~1ull << (first - i * 64);
		if (end < i * 64 + 64)
			bits &= (1ull << (end - i * 64)) - 1;
		for (uint64_t four = count16(bits); four; four >>= 16)
			n += four & 0xffff;
	}
	return n;
}

/* Whether two lines after each other could be one, of a block with `leaves` a line. */
static bool fit_together(const uint8_t *line, bool wide, unsigned base, unsigned leaves)
{
	const uint8_t *next = line + BLOCK_LINE;
	uint8_t low = (uint8_t)base, high = (uint8_t)(base + leaves);
	unsigned n = (unsigned)vec_rank8_down(line, &low);
	unsigned more = (unsigned)vec_rank8_down(next, &high);
	bool same = fib4_nexthop(line, wide, 0) == fib4_nexthop(next, wide, more);

	return n + 1 + more + 1 - same <= (wide ? FIB4_RANGES_WIDE : FIB4_RANGES);
}

/* Whether half as many lines would do. */
static bool fits_half(const struct fib4_lines *l)
{
	unsigned leaves = FIB4_LEAVES >> l->order;

	for (unsigned i = 0; l->order && i < 1u << l->order; i += 2)
		if (!fit_together(l->data + i * BLOCK_LINE, l->wide, i * leaves, leaves))
			return false;
	return l->order > 0;
}

static bool is_narrow(const struct fib4_canvas *c, unsigned first, unsigned end)
{
	uint16_t above = 0;

	for (unsigned i = first; i < end; i++)
		above |= c->leaf[i] > FIB4_NARROW_MAX;
	return !above;
}

bool fib4_canvas_line(const struct fib4_canvas *c, const struct fib4_view *v, uint32_t ref,
	unsigned first, unsigned end, struct fib4_lines *l)
{
	uint32_t at = fib4_line(ref, first << 8) - (ref >> FIB4_LINE);
	struct edges e = {{0}};

	if (ref & FIB4_WIDE || fib4_has_deep(c) || !is_narrow(c, first, end))
		return false;
	find_edges(c, &e);
	if (count_ranges(&e, first, end) > FIB4_RANGES)
		return false;
	l->order = fib4_order(ref);
	l->wide = false;
	memcpy(l->data, v->line + (size_t)(ref >> FIB4_LINE) * BLOCK_LINE, BLOCK_LINE << l->order);
	memset(l->data + at * BLOCK_LINE, 0, BLOCK_LINE);
	put_line(c, &e, l->data + at * BLOCK_LINE, false, first, end);
	return !fits_half(l);
}
