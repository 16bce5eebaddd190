/*
 * Blocks of 1, 2, 4, 8 or 16 cache lines that a FIB is made of: one copy of each content.
 *
 * Who wants a block asks for its content and gets the number of the first line
 * of the one that has it, counted by reference. A block that nobody refers to
 * any more keeps its content until a grace period has passed, since workers may
 * still read it; then it is free, joined with its neighbours as a buddy system
 * joins them (Knuth, The Art of Computer Programming, volume 1, 2.5). A block's
 * content never changes. Line 0 is never given out.
 *
 * The control core alone calls these; workers read the lines.
 */
#ifndef NET_TABLE_BLOCKS_H
#define NET_TABLE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define BLOCK_LINE   64u /* bytes */
#define BLOCK_ORDERS 5u  /* a block of order n has 2^n lines */
#define BLOCK_LINES  16u /* of the largest */

enum block_state { BLOCK_INSIDE, BLOCK_FREE, BLOCK_SHARED, BLOCK_PRIVATE, BLOCK_RETIRED };

/* Of every line; what it says is of the block that begins there. */
struct block {
	uint32_t refs;
	uint32_t hash;
	uint32_t next; /* in its bucket, or in one of the lists; 0 ends all */
	uint32_t prev; /* of a free block */
	uint8_t order;
	uint8_t state; /* enum block_state; INSIDE: no block begins here */
};

struct blocks {
	uint8_t *line;
	uint32_t lines; /* there are, a multiple of BLOCK_LINES */
	uint32_t used;  /* in blocks in use */
	uint32_t count; /* blocks in use */
	uint32_t waiting_lines;
	uint32_t free[BLOCK_ORDERS];
	uint32_t retired, waiting; /* since the last grace period began, and before */
	struct block *block;       /* [lines] */
	uint32_t *bucket;
	uint32_t bucket_mask;
};

/* Lines for at least so many in blocks, and the bytes of the lines and of all else. */
uint32_t blocks_lines(uint32_t lines);
size_t blocks_book_size(uint32_t lines);

/* line, book: 64-byte aligned, zeroed; lines from blocks_lines. */
void blocks_init(struct blocks *b, void *line, void *book, uint32_t lines);

static inline uint8_t *blocks_data(const struct blocks *b, uint32_t number)
{
	return b->line + (size_t)number * BLOCK_LINE;
}

/* The block of this content, or 0; takes no reference. */
uint32_t blocks_find(const struct blocks *b, const void *content, unsigned order);

/* The block of this content, made if need be, with one reference more. 0: no room. */
uint32_t blocks_get(struct blocks *b, const void *content, unsigned order);

/* A block that nobody else finds, with one reference. 0: no room. */
uint32_t blocks_take(struct blocks *b, const void *content, unsigned order);

static inline void blocks_ref(struct blocks *b, uint32_t number)
{
	b->block[number].refs++;
}

/* Drops a reference. true: it was the last, the block goes; its content still stands. */
bool blocks_put(struct blocks *b, uint32_t number);

/* Grace periods, as in fib4.h. */
static inline bool blocks_want_grace(const struct blocks *b)
{
	return b->retired != 0;
}

void blocks_grace_begin(struct blocks *b);
void blocks_grace_passed(struct blocks *b);

/*
 * All blocks as bytes without pointers, a whole number of cache lines: what
 * blocks_load makes the same blocks of, elsewhere, under the same numbers.
 * Nothing may be waiting for a grace period. Boot only.
 *
 * blocks_check tells whether b can take what begins at `image`, how many bytes
 * that is and how many lines: ERR_INVALID: it is no such image, ERR_FULL: b has
 * not as many lines. Then blocks_load replaces what is in b.
 */
size_t blocks_image_size(const struct blocks *b);
void blocks_save(const struct blocks *b, void *image);
MUST_CHECK enum err blocks_check(
	const struct blocks *b, const void *image, size_t bytes, size_t *used, uint32_t *lines);
void blocks_load(struct blocks *b, const void *image);

/* No line from this on is in a block: a multiple of BLOCK_LINES. */
uint32_t blocks_end(const struct blocks *b);

#endif
