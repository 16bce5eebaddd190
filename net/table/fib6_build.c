/*
 * Making and changing the tree of an IPv6 table from the RIB.
 *
 * A change goes down to the smallest block that holds it all and has a node of
 * its own. That node is planned anew; blocks below it that the change does not
 * touch stay. If the ranges begin where they did, the references are replaced
 * one by one; else a new node takes the place of the old by one store.
 */
#include "net/table/fib6_build.h"

#define NO_ROOM 0xffffffffu /* not a reference: AT is out of bounds */

struct change {
	struct fib6 *f;
	struct ip6 first, last; /* addresses whose answers may have changed */
	unsigned length;        /* of the prefix they are */
};

/* Where the way of a change went: a word, and the block its reference stands for. */
struct place {
	uint32_t at;
	struct fib6_block block;
};

static uint64_t *half_of(struct ip6 *a, struct fib6_block b)
{
	return b.length < 64 || (b.length == 64 && !b.second) ? &a->hi : &a->lo;
}

static unsigned slice_shift(struct fib6_block b)
{
	return (128 - fib6_reach(b)) % 64;
}

static uint16_t slice_of(struct ip6 a, struct fib6_block b)
{
	return (uint16_t)(*half_of(&a, b) >> slice_shift(b));
}

static uint32_t node_ref(uint32_t at, struct fib6_block b)
{
	return FIB6_NODE | slice_shift(b) / 8 << FIB6_SLICE | at;
}

/* ---- making ---- */

/* Writes a node of the plan, whose references are all known. */
static uint32_t make_node(struct fib6 *f, const struct fib6_plan *plan, struct fib6_block b)
{
	uint32_t n = plan->n, at = fib6_take(f, n + 1 + n / 2);

	if (!at)
		return NO_ROOM;
	at += n;
	store_once(&f->word[at], (1u << (n - 1)) - 1);
	for (uint32_t i = 0; i < n; i++)
		store_once(&f->word[at - 1 - i], plan->entry[i].ref);
	uint16_t *key = (uint16_t *)&f->word[at + 1];

	for (uint32_t i = 1; i < n; i++)
		store_once(&key[i - 1], slice_of(plan->entry[i].first, b));
	f->book.nodes++;
	return node_ref(at, b);
}

static uint32_t make_gate(struct fib6 *f, uint32_t behind)
{
	uint32_t at = fib6_take(f, FIB6_GATE_WORDS) + 2, ref = FIB6_NODE | FIB6_GATE | at;

	if (at == 2)
		return NO_ROOM;
	store_once(&f->word[at - 2], behind);
	store_once(&f->word[at - 1], ref);
	store_once(&f->word[at], 0);
	f->book.gates++;
	return ref;
}

static uint32_t make_tree(const struct change *c, struct fib6_block b, unsigned level);

/* Makes the blocks of a plan that are not kept. false: no room, nothing is left behind. */
/* NOLINTNEXTLINE(misc-no-recursion): a block has a longer prefix than the one it is in */
static bool make_blocks(const struct change *c, struct fib6_plan *plan, unsigned level)
{
	for (unsigned i = 0; i < plan->n; i++) {
		struct fib6_entry *e = &plan->entry[i];

		if (e->length == 0 || e->kept)
			continue;
		struct fib6_block b = {e->first, e->length, e->length > 64};

		e->ref = make_tree(c, b, level + 1);
		if (e->ref != NO_ROOM)
			continue;
		while (i-- > 0)
			if (!plan->entry[i].kept)
				fib6_drop_tree(c->f, plan->entry[i].ref);
		return false;
	}
	return true;
}

/* All of a block, from nothing. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static uint32_t make_tree(const struct change *c, struct fib6_block b, unsigned level)
{
	struct fib6_plan *plan = &c->f->plan[level];
	uint32_t ref;

	if (b.length == 64 && !b.second) {
		uint32_t behind = make_tree(c, (struct fib6_block){b.first, 64, true}, level);

		if (behind == NO_ROOM || fib6_is_answer(behind))
			return behind;
		ref = make_gate(c->f, behind);
		if (ref == NO_ROOM)
			fib6_drop_tree(c->f, behind);
		return ref;
	}
	fib6_plan(plan, &c->f->source, b);
	if (!make_blocks(c, plan, level))
		return NO_ROOM;
	if (plan->n == 1)
		return plan->entry[0].ref;
	ref = make_node(c->f, plan, b);
	for (unsigned i = 0; ref == NO_ROOM && i < plan->n; i++)
		fib6_drop_tree(c->f, plan->entry[i].ref);
	return ref;
}

/* ---- what is there ---- */

/* Range i of the node of a block as a block. */
static struct fib6_block range_block(
	const struct fib6 *f, uint32_t ref, struct fib6_block b, unsigned i)
{
	const uint16_t *key = fib6_keys(f->word, fib6_at(ref));
	uint32_t own = slice_of(b.first, b), end = own + (1u << (fib6_reach(b) - b.length));
	uint32_t from = i ? key[i - 1] : own;
	uint32_t to = i + 1 < fib6_ranges(f->word, fib6_at(ref)) ? key[i] : end;
	struct fib6_block r = {.first = b.first};
	uint64_t *half = half_of(&r.first, b);

	*half += (uint64_t)(from - own) << slice_shift(b);
	r.length = fib6_reach(b) - (unsigned)__builtin_ctz(to - from);
	r.second = r.length > 64;
	return r;
}

static struct ip6 range_first(const struct fib6 *f, uint32_t ref, struct fib6_block b, unsigned i)
{
	uint16_t own = slice_of(b.first, b);

	if (i)
		*half_of(&b.first, b) += (uint64_t)(fib6_keys(f->word, fib6_at(ref))[i - 1] - own)
					 << slice_shift(b);
	return b.first;
}

static struct ip6 range_last(const struct fib6 *f, uint32_t ref, struct fib6_block b, unsigned i)
{
	if (i + 1 == fib6_ranges(f->word, fib6_at(ref)))
		return ip6_last(b.first, b.length);
	return ip6_before(range_first(f, ref, b, i + 1));
}

/* Adds range i of a node to a plan, as it is. false: no room. */
static bool add_range(const struct change *c, struct fib6_plan *plan, uint32_t ref,
	struct fib6_block b, unsigned i)
{
	uint32_t old = c->f->word[fib6_at(ref) - 1 - i];
	struct fib6_block r = range_block(c->f, ref, b, i);

	if (fib6_is_answer(old))
		return fib6_plan_answer(plan, range_first(c->f, ref, b, i), old);
	if (plan->n == FIB6_RANGES)
		return false;
	plan->entry[plan->n++] = (struct fib6_entry){r.first, old, (uint8_t)r.length, true};
	return true;
}

/* Marks blocks of the plan that the node has and the change does not touch, with their references.
 */
static void keep_blocks(
	const struct change *c, struct fib6_plan *plan, uint32_t ref, struct fib6_block b)
{
	uint32_t at = fib6_at(ref), n = fib6_ranges(c->f->word, at), i = 0;

	for (unsigned k = 0; k < plan->n; k++) {
		struct fib6_entry *e = &plan->entry[k];

		if (e->length == 0)
			continue;
		while (i + 1 < n && fib6_keys(c->f->word, at)[i] <= slice_of(e->first, b))
			i++;
		uint32_t old = c->f->word[at - 1 - i];
		struct fib6_block r = range_block(c->f, ref, b, i);
		bool touched = !ip6_less(ip6_last(e->first, e->length), c->first) &&
			       !ip6_less(c->last, e->first);

		if (touched || fib6_is_answer(old) || r.length != e->length ||
			!ip6_equal(r.first, e->first))
			continue;
		e->ref = old;
		e->kept = true;
	}
}

/* The node's ranges begin where those of the plan do. */
static bool same_beginnings(
	const struct fib6 *f, const struct fib6_plan *plan, uint32_t ref, struct fib6_block b)
{
	const uint16_t *key = fib6_keys(f->word, fib6_at(ref));

	if (fib6_ranges(f->word, fib6_at(ref)) != plan->n)
		return false;
	for (unsigned i = 1; i < plan->n; i++)
		if (key[i - 1] != slice_of(plan->entry[i].first, b))
			return false;
	return true;
}

static bool plan_keeps(const struct fib6_plan *plan, uint32_t ref)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (plan->entry[i].kept && plan->entry[i].ref == ref)
			return true;
	return false;
}

/* ---- changing ---- */

/* Adds what the RIB has now for a block as long as the change, or as the reach. false: no room. */
static bool add_new(const struct change *c, struct fib6_plan *plan, struct ip6 first,
	unsigned length, unsigned reach)
{
	unsigned n = plan->n;

	if (fib6_plan_ranges(plan, &c->f->source, first, length, reach))
		return true;
	if (length < reach || n == FIB6_RANGES)
		return false;
	plan->n = n + 1;
	plan->entry[n] = (struct fib6_entry){.first = first, .length = (uint8_t)length};
	return true;
}

/*
 * The plan for a node from what it has now: ranges outside the change stay, in
 * the place of the change come its own. false: that does not do.
 */
static bool patch(const struct change *c, struct fib6_plan *plan, uint32_t ref, struct fib6_block b)
{
	uint32_t at = fib6_at(ref), n = fib6_ranges(c->f->word, at);
	unsigned reach = fib6_reach(b), length = c->length < reach ? c->length : reach;
	struct ip6 from = ip6_first(c->first, length), to = ip6_last(c->first, length);
	bool added = false, room = true;

	plan->n = 0;
	for (unsigned i = 0; i < n && room; i++) {
		uint32_t old = c->f->word[at - 1 - i];
		struct ip6 first = range_first(c->f, ref, b, i);
		struct ip6 last = range_last(c->f, ref, b, i);

		if (ip6_less(last, from) || ip6_less(to, first)) {
			room = add_range(c, plan, ref, b, i);
			continue;
		}
		if (ip6_less(first, from))
			room = fib6_plan_answer(plan, first, old);
		if (!added)
			room = room && add_new(c, plan, from, length, reach);
		added = true;
		if (ip6_less(to, last))
			room = room && fib6_plan_answer(plan, ip6_next(to), old);
	}
	return room;
}

/* Gives the ranges of a node the references of the plan. */
static void replace_refs(struct fib6 *f, const struct fib6_plan *plan, uint32_t ref)
{
	for (unsigned i = 0; i < plan->n; i++) {
		uint32_t at = fib6_at(ref) - 1 - i, old = f->word[at];

		if (old == plan->entry[i].ref)
			continue;
		fib6_put(f, at, plan->entry[i].ref);
		fib6_retire(f, old, FIB6_PART_TREE);
	}
}

/* Retires a node and what the plan does not keep of it. */
static void retire_node(struct fib6 *f, const struct fib6_plan *plan, uint32_t ref)
{
	uint32_t at = fib6_at(ref), n = fib6_ranges(f->word, at);

	for (uint32_t i = 1; i <= n; i++)
		if (!fib6_is_answer(f->word[at - i]) && !plan_keeps(plan, f->word[at - i]))
			fib6_retire(f, f->word[at - i], FIB6_PART_TREE);
	fib6_retire(f, ref, FIB6_PART_NODE);
}

/* Brings the reference at a place up to date. */
static enum err renew(const struct change *c, struct place p)
{
	struct fib6 *f = c->f;
	struct fib6_plan *plan = &f->plan[0];
	uint32_t old = f->word[p.at], ref;

	if (!fib6_can_retire(f))
		return ERR_FULL;
	if (!fib6_is_node(old)) {
		ref = make_tree(c, p.block, 0);
		if (ref == NO_ROOM)
			return ERR_FULL;
		fib6_put(f, p.at, ref);
		return ERR_OK;
	}
	if (!patch(c, plan, old, p.block)) {
		fib6_plan(plan, &f->source, p.block);
		keep_blocks(c, plan, old, p.block);
	}
	if (!make_blocks(c, plan, 0))
		return ERR_FULL;
	if (plan->n > 1 && same_beginnings(f, plan, old, p.block)) {
		replace_refs(f, plan, old);
		return ERR_OK;
	}
	ref = plan->n == 1 ? plan->entry[0].ref : make_node(f, plan, p.block);
	if (ref == NO_ROOM) {
		for (unsigned i = 0; i < plan->n; i++)
			if (!plan->entry[i].kept)
				fib6_drop_tree(f, plan->entry[i].ref);
		return ERR_FULL;
	}
	fib6_put(f, p.at, ref);
	retire_node(f, plan, old);
	return ERR_OK;
}

/* The place inside this one that holds all of the change, one step down. false: there is none. */
static bool step_down(const struct change *c, struct place *p)
{
	uint32_t ref = c->f->word[p->at];

	if (fib6_is_node(ref)) {
		struct ip6 a = c->first;
		unsigned i = fib6_range_of(c->f->word, ref, *half_of(&a, p->block));
		uint32_t at = fib6_at(ref) - 1 - i;

		if (fib6_is_answer(c->f->word[at]))
			return false;
		struct fib6_block r = range_block(c->f, ref, p->block, i);

		if (c->length < r.length)
			return false;
		*p = (struct place){at, r};
		return true;
	}
	if (fib6_is_gate(ref)) {
		*p = (struct place){fib6_behind(ref), {p->block.first, 64, true}};
		return true;
	}
	return false;
}

/* After the reference at path[depth] became an answer: what is around it may do with less. */
static enum err shrink(const struct change *c, const struct place *path, unsigned depth)
{
	while (depth > 0 && fib6_is_answer(c->f->word[path[depth].at])) {
		const struct place *above = &path[--depth];
		uint32_t ref = c->f->word[above->at];

		if (fib6_is_gate(ref)) {
			fib6_put(c->f, above->at, c->f->word[fib6_behind(ref)]);
			fib6_retire(c->f, ref, FIB6_PART_NODE);
			continue;
		}
		enum err e = renew(c, *above);

		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err fib6_build(struct fib6 *f, const struct rib *rib, uint32_t at, struct ip6 chunk,
	struct ip6 prefix, unsigned length)
{
	struct change c = {f, ip6_first(prefix, length), ip6_last(prefix, length), length};
	struct place path[FIB6_LEVELS];
	unsigned depth = 0;

	if (length < FIB6_CHUNK_BITS) {
		c.first = chunk;
		c.last = ip6_last(chunk, FIB6_CHUNK_BITS);
		c.length = FIB6_CHUNK_BITS;
	}
	fib6_source_begin(&f->source, rib);
	path[0] = (struct place){at, {chunk, FIB6_CHUNK_BITS, false}};
	for (struct place p = path[0]; depth + 1 < FIB6_LEVELS && step_down(&c, &p);)
		path[++depth] = p;
	bool was_answer = fib6_is_answer(f->word[path[depth].at]);
	enum err e = renew(&c, path[depth]);

	return e == ERR_OK && !was_answer ? shrink(&c, path, depth) : e;
}
