/* The words of an IPv6 table: lists of free pieces by size, a ring of retired ones. */
#include "net/table/fib6_store.h"

static uint32_t list_pop(struct fib6 *f, uint32_t *list)
{
	uint32_t at = *list;

	if (at)
		*list = f->word[at];
	return at;
}

static void list_push(struct fib6 *f, uint32_t *list, uint32_t at)
{
	store_once(&f->word[at], *list); /* a comparison may read here, and not look at it */
	*list = at;
}

/* Words never given out, from a multiple of `align` on; those before it can be had as pieces. */
static uint32_t fresh(struct fib6 *f, uint32_t n, uint32_t align)
{
	uint32_t at = (f->book.used + align - 1) / align * align;

	if (at > f->words || f->words - at < n)
		return 0;
	if (at > f->book.used)
		list_push(f, &f->book.free[at - f->book.used], f->book.used);
	f->book.used = at + n;
	return at;
}

/* A piece of n words off a larger one. */
static uint32_t split(struct fib6 *f, uint32_t n)
{
	for (uint32_t size = n + 1; size <= FIB6_LEAF_WORDS; size++) {
		uint32_t at = list_pop(f, &f->book.free[size]);

		if (at) {
			list_push(f, &f->book.free[size - n], at + n);
			return at;
		}
	}
	return 0;
}

uint32_t fib6_take(struct fib6 *f, uint32_t n)
{
	uint32_t at = list_pop(f, &f->book.free[n]);

	if (!at)
		at = fresh(f, n, 1);
	if (!at)
		at = split(f, n);
	if (at)
		f->book.in_use += n;
	return at;
}

static uint32_t take_lines(struct fib6 *f, uint32_t *list, uint32_t n)
{
	uint32_t at = list_pop(f, list);

	if (!at)
		at = fresh(f, n, CACHE_LINE / sizeof(uint32_t));
	if (at)
		f->book.in_use += n;
	return at;
}

uint32_t fib6_take_inner(struct fib6 *f, unsigned bits)
{
	return take_lines(f, &f->book.free_inner[bits], 1u << bits);
}

uint32_t fib6_take_branch(struct fib6 *f)
{
	return take_lines(f, &f->book.free_branch, FIB6_BRANCH);
}

static void give_back(struct fib6 *f, uint32_t *list, uint32_t at, uint32_t n)
{
	list_push(f, list, at);
	f->book.in_use -= n;
}

static void drop_gate(struct fib6 *f, uint32_t ref)
{
	f->book.gates--;
	give_back(f, &f->book.free[FIB6_GATE_WORDS], fib6_at(ref), FIB6_GATE_WORDS);
}

static void drop_leaf(struct fib6 *f, uint32_t ref)
{
	uint32_t n = fib6_ranges(f->word, ref), words = fib6_leaf_words(fib6_kind(ref), n);

	f->book.leaves--;
	give_back(f, &f->book.free[words], fib6_at(ref), words);
}

/* NOLINTNEXTLINE(misc-no-recursion): not deeper than an address has bits, four at a time */
void fib6_drop(struct fib6 *f, uint32_t ref)
{
	uint32_t at = fib6_at(ref);

	switch (fib6_kind(ref)) {
	case FIB6_GATE:
		fib6_drop(f, f->word[fib6_behind(ref)]);
		drop_gate(f, ref);
		break;
	case FIB6_INNER:
		for (uint32_t i = 0; i < fib6_fan(ref); i++)
			fib6_drop(f, f->word[at + i]);
		f->book.inners--;
		give_back(f, &f->book.free_inner[fib6_bits(ref)], at, fib6_fan(ref));
		break;
	case FIB6_NARROW:
	case FIB6_WIDE:
		drop_leaf(f, ref);
		break;
	default:
		break;
	}
}

static void drop_branch(struct fib6 *f, uint32_t at)
{
	for (uint32_t i = 0; i < FIB6_BRANCH; i++)
		fib6_drop(f, f->word[at + i]);
	f->book.branches--;
	give_back(f, &f->book.free_branch, at, FIB6_BRANCH);
}

/* ---- grace periods ---- */

bool fib6_can_retire(const struct fib6 *f, uint32_t parts)
{
	return FIB6_RETIRED - (f->tail - f->head) >= parts;
}

void fib6_retire(struct fib6 *f, uint32_t ref, enum fib6_part part)
{
	if (!fib6_is_answer(ref))
		f->retired[f->tail++ % FIB6_RETIRED] = (struct fib6_retired){ref, part};
}

bool fib6_wants_grace(const struct fib6 *f)
{
	return f->tail != f->head;
}

void fib6_grace_begin(struct fib6 *f)
{
	f->grace = f->tail;
}

void fib6_grace_passed(struct fib6 *f)
{
	while (f->head != f->grace) {
		struct fib6_retired r = f->retired[f->head++ % FIB6_RETIRED];

		if (r.part == FIB6_PART_TREE)
			fib6_drop(f, r.ref);
		else if (r.part == FIB6_PART_GATE)
			drop_gate(f, r.ref);
		else
			drop_branch(f, fib6_at(r.ref));
	}
}
