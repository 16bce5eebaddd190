/*
 * The words of an IPv6 table: giving them out, taking them back after a grace period.
 *
 * Free pieces are kept in one list per size, linked through their first word. A
 * piece that workers may still read is retired: it keeps its content until a
 * grace period has passed. Control core.
 */
#ifndef NET_TABLE_FIB6_STORE_H
#define NET_TABLE_FIB6_STORE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/table/fib6_ranges.h"
#include "net/table/fib6_table.h"

#define FIB6_RETIRED 4096u       /* a power of two */
#define FIB6_MAGIC   0x36626966u /* "fib6" */

enum fib6_part {
	FIB6_PART_TREE,   /* a reference and all below it */
	FIB6_PART_GATE,   /* a gate alone: what it refers to lives on */
	FIB6_PART_BRANCH, /* a branch and all below it */
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
	uint32_t free_branch, free_inner[9]; /* lists of these, on whole cache lines; by bits */
	uint32_t free[FIB6_LEAF_WORDS + 1u]; /* lists by size in words */
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

/* How many words a leaf of n ranges has. */
static inline uint32_t fib6_leaf_words(uint32_t kind, uint32_t n)
{
	return (fib6_nexthops_at(kind, n) + n + 1) / 2;
}

/* Room: n words, n <= FIB6_LEAF_WORDS; an inner node; a branch. The first word, or 0: none left. */
uint32_t fib6_take(struct fib6 *f, uint32_t n);
uint32_t fib6_take_inner(struct fib6 *f, unsigned bits);
uint32_t fib6_take_branch(struct fib6 *f);

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
