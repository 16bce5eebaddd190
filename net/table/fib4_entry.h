/* Entries of wide groups: what fib4_build.c makes chunks of (fib4_table.h has the form). */
#ifndef NET_TABLE_FIB4_ENTRY_H
#define NET_TABLE_FIB4_ENTRY_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/table/fib4_table.h"

/* The answers of a range of addresses, painted from the RIB. */
struct fib4_canvas {
	uint32_t first;            /* address of leaf 0 */
	unsigned depth;            /* leaves are prefixes of this length */
	uint16_t deep[FIB4_SPLIT]; /* a bit per leaf with routes inside */
	alignas(64)
		uint16_t leaf[FIB4_LEAVES]; /* next hops: a /16 in /24s, or a /24 in addresses */
};

/* Leaves are not set: all that are read will be painted. */
void fib4_canvas_init(struct fib4_canvas *c, uint32_t first, unsigned depth);

/* Paints what the RIB says of a prefix on the canvas, not longer than its leaves. */
void fib4_paint(struct fib4_canvas *c, const struct rib4 *rib, uint32_t prefix, unsigned length);

/*
 * The two next hops that 16 leaves have, and the mask of those with the second
 * (which is the first, if they have but one). false: they have more.
 */
bool fib4_leaves_pair(const uint16_t *leaf, uint16_t *pair, uint32_t *mask);

/* The entry for /20 number i of a canvas of a /16. 0: there is no room (pair 0 does not exist). */
uint32_t fib4_entry_make(
	struct fib4 *f, const struct rib4 *rib, const struct fib4_canvas *c, unsigned i);

/* The entry in the place of a deep one, after a change inside the /24 of `prefix`. 0: no room. */
uint32_t fib4_entry_deep_change(
	struct fib4 *f, const struct rib4 *rib, uint32_t prefix, uint32_t old);

/* One reference more, or less, to what an entry names. */
void fib4_entry_ref(struct fib4 *f, uint32_t entry);
void fib4_entry_put(struct fib4 *f, uint32_t entry);

#endif
