/*
 * The words of an IPv6 table: giving them out, taking them back after a grace period.
 *
 * A piece has a power of two of words, and begins at a multiple of that. Free ones
 * are kept in one list per size, linked through their first word; they are halved
 * when needed, and not joined again. A piece that workers may still read is
 * retired: it keeps its content until a grace period has passed. Control core.
 */
#ifndef NET_TABLE_FIB6_STORE_H
#define NET_TABLE_FIB6_STORE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/table/fib6_ranges.h"
#include "net/table/fib6_table.h"

#define FIB6_RETIRED    4096u                /* a power of two */
#define FIB6_ORDERS     (FIB6_BITS_MAX + 1u) /* a piece of order n has 2^n words */
#define FIB6_GATE_ORDER 1u
#define FIB6_MAGIC      0x36626966u /* "fib6" */

enum fib6_part {
	FIB6_PART_TREE, /* a reference and all below it */
	FIB6_PART_GATE, /* a gate alone: what it refers to lives on */
};

struct fib6_retired {
	uint32_t ref;
	uint32_t part; /* enum fib6_part */
};

/* What describes the words, and goes with them when they move. */
struct fib6_book {
	alignas(64) uint32_t magic;
	uint32_t used;   /* words ever given out are below */
	uint32_t in_use; /* words */
	uint32_t branches, inners, leaves, gates;
	uint32_t free[FIB6_ORDERS]; /* lists by size */
};

struct fib6 {
	size_t reserved;
	uint32_t words; /* there are */
	uint64_t updates, rebuilt;
	uint32_t head, tail, grace; /* of the ring of retired parts; free-running */
	struct fib6_retired retired[FIB6_RETIRED];
	struct fib6_copy copy;
	struct fib6_book book; /* the image begins here */
	alignas(64) uint32_t word[];
};

_Static_assert(
	offsetof(struct fib6, word) == offsetof(struct fib6, book) + sizeof(struct fib6_book),
	"the words follow their book in an image");

/* The order of the piece for a leaf of so many keys. */
static inline unsigned fib6_leaf_order(uint32_t keys)
{
	uint32_t words = keys + (keys + 2) / 2;

	return 32u - (unsigned)__builtin_clz(words - 1);
}

/* A piece: its first word, or 0: none left. */
uint32_t fib6_take(struct fib6 *f, unsigned order);

/* Gives back at once what no worker has seen: a reference and all below it. */
void fib6_drop(struct fib6 *f, uint32_t ref);

/* There is room to retire `parts`. */
bool fib6_can_retire(const struct fib6 *f, uint32_t parts);

/* Gives back after the next grace period. An answer is nothing to give back. */
void fib6_retire(struct fib6 *f, uint32_t ref, enum fib6_part part);

/* Stores a reference that workers read. */
static inline void fib6_put(struct fib6 *f, uint32_t at, uint32_t ref)
{
	store_release(&f->word[at], ref);
}

#endif
