/* The answers of 256 /24s, or of the 256 addresses of one: painted from a RIB, put into lines. */
#ifndef NET_TABLE_FIB4_CANVAS_H
#define NET_TABLE_FIB4_CANVAS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/table/fib4_table.h"

struct fib4_canvas {
	uint32_t first;                  /* address of leaf 0 */
	unsigned depth;                  /* leaves are prefixes of this length: 24 or 32 */
	uint64_t deep[FIB4_LEAVES / 64]; /* a bit per leaf with a block of its own */
	uint32_t below[FIB4_LEAVES];     /* of those: the reference to it */
	alignas(64) uint16_t
		leaf[FIB4_LEAVES + 8]; /* next hops, FIB4_DEEP of those; room to write over */
};

/* The lines that say what a canvas does. */
struct fib4_lines {
	unsigned order; /* there are 2^order */
	bool wide;
	alignas(64) uint8_t data[BLOCK_LINES * BLOCK_LINE];
};

static inline bool fib4_is_deep(const struct fib4_canvas *c, unsigned leaf)
{
	return c->deep[leaf / 64] >> leaf % 64 & 1;
}

static inline bool fib4_has_deep(const struct fib4_canvas *c)
{
	return c->deep[0] | c->deep[1] | c->deep[2] | c->deep[3];
}

/* Leaves are not set: all that are read will be painted or loaded. */
void fib4_canvas_init(struct fib4_canvas *c, uint32_t first, unsigned depth);

/* Reads what a block says of the canvas's addresses. */
void fib4_canvas_load(struct fib4_canvas *c, const struct fib4_view *v, uint32_t ref);

/* The same for the leaves of the line with this one; tells which they are. */
void fib4_canvas_load_line(struct fib4_canvas *c, const struct fib4_view *v, uint32_t ref,
	unsigned leaf, unsigned *first, unsigned *end);

/*
 * Paints what the RIB says of a prefix, not longer than a leaf. Leaves with
 * longer routes inside become deep; what is below them is not set.
 */
void fib4_canvas_paint(
	struct fib4_canvas *c, const struct rib4 *rib, uint32_t prefix, unsigned length);

/* A deep leaf becomes an ordinary one. */
void fib4_canvas_flatten(struct fib4_canvas *c, unsigned leaf, uint16_t nexthop);

/* All 256 leaves in as few lines as hold them. */
void fib4_canvas_lines(const struct fib4_canvas *c, struct fib4_lines *l);

/*
 * The lines of a block that has no deep leaves, nor will have, if leaves first to
 * end, those of one line, become what the canvas says. false: other lines as well
 * are not what they were.
 */
bool fib4_canvas_line(const struct fib4_canvas *c, const struct fib4_view *v, uint32_t ref,
	unsigned first, unsigned end, struct fib4_lines *l);

#endif
