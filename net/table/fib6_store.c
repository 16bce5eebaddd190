/* The words of an IPv6 table: lists of free pieces by size, a ring of retired ones. */
#include "net/table/fib6_store.h"

/* The most parts that one change retires: a node, and what each of its ranges referred to. */
#define RETIRED_BY_ONE (2u * FIB6_RANGES + 2u)

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

static uint32_t fresh(struct fib6 *f, uint32_t n)
{
	uint32_t at = f->book.used;

	if (f->words - at < n)
		return 0;
	f->book.used += n;
	return at;
}

/* A piece of n words off a larger one. */
static uint32_t split(struct fib6 *f, uint32_t n)
{
	for (uint32_t size = n + 1; size <= FIB6_NODE_WORDS; size++) {
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
	bool branch = n == FIB6_BRANCH;
	uint32_t at = list_pop(f, branch ? &f->book.free_branch : &f->book.free[n]);

	if (!at)
		at = fresh(f, n);
	if (!at && !branch)
		at = split(f, n);
	if (at)
		f->book.in_use += n;
	return at;
}

static void give_back(struct fib6 *f, uint32_t at, uint32_t n)
{
	list_push(f, n == FIB6_BRANCH ? &f->book.free_branch : &f->book.free[n], at);
	f->book.in_use -= n;
}

void fib6_drop(struct fib6 *f, uint32_t ref)
{
	uint32_t at = fib6_at(ref), n = fib6_ranges(f->word, at);

	if (fib6_is_gate(ref)) {
		f->book.gates--;
		give_back(f, fib6_behind(ref), FIB6_GATE_WORDS);
	} else if (fib6_is_node(ref)) {
		f->book.nodes--;
		give_back(f, at - n, n + 1 + n / 2);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): at most FIB6_LEVELS deep */
void fib6_drop_tree(struct fib6 *f, uint32_t ref)
{
	uint32_t at = fib6_at(ref);

	if (fib6_is_gate(ref)) {
		fib6_drop_tree(f, f->word[fib6_behind(ref)]);
	} else if (fib6_is_node(ref)) {
		uint32_t n = fib6_ranges(f->word, at);

		for (uint32_t i = 1; i <= n; i++)
			fib6_drop_tree(f, f->word[at - i]);
	}
	if (!fib6_is_answer(ref))
		fib6_drop(f, ref);
}

static void drop_branch(struct fib6 *f, uint32_t at)
{
	for (uint32_t i = 0; i < FIB6_BRANCH; i++)
		fib6_drop_tree(f, f->word[at + i]);
	f->book.branches--;
	give_back(f, at, FIB6_BRANCH);
}

/* ---- grace periods ---- */

bool fib6_can_retire(const struct fib6 *f)
{
	return FIB6_RETIRED - (f->tail - f->head) >= RETIRED_BY_ONE;
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
			fib6_drop_tree(f, r.ref);
		else if (r.part == FIB6_PART_NODE)
			fib6_drop(f, r.ref);
		else
			drop_branch(f, fib6_at(r.ref));
	}
}
