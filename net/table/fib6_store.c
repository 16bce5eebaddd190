/* The words of an IPv6 table: lists of free pieces by size, a ring of retired ones. */
#include "net/table/fib6_store.h"

static void list_push(struct fib6 *f, unsigned order, uint32_t at)
{
	store_once(&f->word[at], f->book.free[order]); /* a comparison may read it, and not look */
	f->book.free[order] = at;
}

static uint32_t list_pop(struct fib6 *f, unsigned order)
{
	uint32_t at = f->book.free[order];

	if (at)
		f->book.free[order] = f->word[at];
	return at;
}

/* Words never given out; those before it that are passed over can be had as pieces. */
static uint32_t fresh(struct fib6 *f, unsigned order)
{
	uint32_t at = (f->book.used + (1u << order) - 1) >> order << order;

	if (at > f->words || f->words - at < 1u << order)
		return 0;
	while (f->book.used < at) {
		unsigned most = (unsigned)__builtin_ctz(f->book.used);

		list_push(f, most, f->book.used);
		f->book.used += 1u << most;
	}
	f->book.used = at + (1u << order);
	return at;
}

/* The first part of a larger piece. */
static uint32_t split(struct fib6 *f, unsigned order)
{
	unsigned larger = order + 1;
	uint32_t at = 0;

	while (larger < FIB6_ORDERS && !(at = list_pop(f, larger)))
		larger++;
	while (at && larger-- > order)
		list_push(f, larger, at + (1u << larger));
	return at;
}

uint32_t fib6_take(struct fib6 *f, unsigned order)
{
	uint32_t at = list_pop(f, order);

	if (!at)
		at = fresh(f, order);
	if (!at)
		at = split(f, order);
	if (at)
		f->book.in_use += 1u << order;
	return at;
}

static void give_back(struct fib6 *f, unsigned order, uint32_t at)
{
	list_push(f, order, at);
	f->book.in_use -= 1u << order;
}

static void drop_gate(struct fib6 *f, uint32_t ref)
{
	f->book.gates--;
	give_back(f, FIB6_GATE_ORDER, fib6_at(ref));
}

static void drop_leaf(struct fib6 *f, uint32_t ref)
{
	f->book.leaves--;
	give_back(f, fib6_leaf_order(fib6_keys(ref)), fib6_at(ref));
}

static void drop_inner(struct fib6 *f, uint32_t ref)
{
	f->book.inners--;
	give_back(f, fib6_bits(ref), fib6_at(ref));
}

/* NOLINTNEXTLINE(misc-no-recursion): not deeper than an address has bits, four at a time */
void fib6_drop(struct fib6 *f, uint32_t ref)
{
	uint32_t at = fib6_at(ref);

	if (fib6_is_leaf(ref)) {
		drop_leaf(f, ref);
	} else if (fib6_is_gate(ref)) {
		fib6_drop(f, f->word[at]);
		drop_gate(f, ref);
	} else if (fib6_is_inner(ref)) {
		for (uint32_t i = 0; i < fib6_fan(ref); i++)
			fib6_drop(f, f->word[at + i]);
		drop_inner(f, ref);
	}
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
		else
			drop_gate(f, r.ref);
	}
}
