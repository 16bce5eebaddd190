/*
 * Groups of equal size that a FIB is made of: one copy of each content.
 *
 * Who wants a group asks for its content and gets the number of the one that
 * has it, counted by reference. A group that nobody refers to any more keeps
 * its content until a grace period has passed, since workers may still read it,
 * and is then reused. Numbers begin at 1.
 *
 * The control core alone calls these; workers read the data.
 */
#ifndef NET_TABLE_GROUPS_H
#define NET_TABLE_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct group {
	uint32_t refs;
	uint32_t hash;
	uint32_t next;  /* in its bucket, or in one of the lists; 0 ends all */
	uint32_t alone; /* the grace period after which no reader comes by a way given up */
};

struct groups {
	uint8_t *data; /* of number 0; group n is `size` bytes at data + n * size */
	uint32_t size; /* bytes, a multiple of 4 */
	uint32_t max;  /* groups that can be at once */
	uint32_t mark; /* numbers ever used are at or below it */
	uint32_t count;
	uint32_t free; /* list of reusable ones */
	/* Lists of what is used no more: since the last grace period began, and before. */
	uint32_t retired, retired_last, waiting, waiting_last;
	uint32_t retired_count, waiting_count;
	uint32_t grace, grace_passed; /* periods begun, and ended; free-running */
	struct group *group;          /* [max + 1] */
	uint32_t *bucket;
	uint32_t bucket_mask;
};

/* Bytes of the data, and of all else, for up to max groups. */
size_t groups_data_size(uint32_t max, uint32_t size);
size_t groups_book_size(uint32_t max);

/* data and book: of these sizes, 64-byte aligned; they need not be zeroed. */
void groups_init(struct groups *g, void *data, void *book, uint32_t max, uint32_t size);

static inline const void *groups_data(const struct groups *g, uint32_t number)
{
	return g->data + (size_t)number * g->size;
}

/* The group of this content, or 0; takes no reference. */
uint32_t groups_find(const struct groups *g, const void *content);

/* The group of this content, made if need be, with one reference more. 0: no room. */
uint32_t groups_get(struct groups *g, const void *content);

/* As groups_get, of a content that groups_find does not find. */
uint32_t groups_add(struct groups *g, const void *content);

static inline void groups_ref(struct groups *g, uint32_t number)
{
	g->group[number].refs++;
}

/* Drops a reference. true: it was the last, the group goes; its content still stands. */
bool groups_put(struct groups *g, uint32_t number);

/*
 * Changing a group in place, word by word: its only user may do so, once no
 * worker can still be on its way into it through a reference since dropped.
 * Before, it is made unfindable, and after, findable by its new content. There
 * must be no other group of that content.
 */
static inline bool groups_is_own(const struct groups *g, uint32_t number)
{
	const struct group *group = &g->group[number];

	return group->refs == 1 && (int32_t)(g->grace_passed - group->alone) >= 0;
}

void groups_hide(struct groups *g, uint32_t number);
void groups_show(struct groups *g, uint32_t number);

/* Grace periods, as in fib4.h. */
static inline bool groups_want_grace(const struct groups *g)
{
	return g->retired != 0;
}

void groups_grace_begin(struct groups *g);
void groups_grace_passed(struct groups *g);

/*
 * All groups as one block of bytes without pointers, a whole number of cache
 * lines: what groups_load makes the same groups of, elsewhere. Nothing may be
 * waiting for a grace period. Boot only.
 *
 * groups_check tells whether g can take what begins there, and how many bytes it
 * is: ERR_INVALID: it is no such block, ERR_FULL: g has not as much room. Then
 * groups_load replaces what is in g.
 */
size_t groups_image_size(const struct groups *g);
void groups_save(const struct groups *g, void *image);
MUST_CHECK enum err groups_check(
	const struct groups *g, const void *image, size_t bytes, size_t *used);
void groups_load(struct groups *g, const void *image);

#endif
