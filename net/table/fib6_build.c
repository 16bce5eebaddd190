/*
 * Making and changing the tree of an IPv6 table from the RIB.
 *
 * A change goes down to the smallest block that holds it all and has a node of
 * its own. That node is planned anew; blocks below it that the change does not
 * touch stay. If the ranges begin where they did, the references are replaced
 * one by one; else a new node takes the place of the old by one store.
 */
#include "net/table/fib6_build.h"

#include "net/table/fib6_node.h"

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

static uint32_t node_ref(uint32_t at, struct fib6_block b)
{
	return FIB6_NODE | fib6_block_shift(b) / 8 << FIB6_SLICE | at;
}

/* ---- making ---- */

/* Writes a node of the plan, whose references are all known. */
static uint32_t make_node(struct fib6 *f, const struct fib6_plan *plan, struct fib6_block b)
{
	uint32_t n = plan->n, at = n ? fib6_take(f, n + 1 + n / 2) : 0;

	if (!at)
		return NO_ROOM;
	at += n;
	store_once(&f->word[at], (1u << (n - 1)) - 1);
	for (uint32_t i = 0; i < n; i++)
		store_once(&f->word[at - 1 - i], plan->entry[i].ref);
	uint16_t *key = (uint16_t *)&f->word[at + 1];

	for (uint32_t i = 1; i < n; i++)
		store_once(&key[i - 1], fib6_block_slice(plan->entry[i].first, b));
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

/* Adds range i of a node to a plan, as it is. false: no room. */
static bool add_old(struct fib6_plan *plan, const struct fib6_node *n, unsigned i)
{
	uint32_t ref = fib6_node_ref(n, i);

	if (fib6_is_answer(ref))
		return fib6_plan_answer(plan, fib6_node_first(n, i), ref);
	if (plan->n == FIB6_RANGES)
		return false;
	struct fib6_block b = fib6_node_block(n, i);

	plan->entry[plan->n++] = (struct fib6_entry){b.first, ref, (uint8_t)b.length, true};
	return true;
}

/* Marks blocks of the plan that the node has and the change does not touch, with their references.
 */
static void keep_blocks(const struct change *c, struct fib6_plan *plan, const struct fib6_node *n)
{
	for (unsigned i = 0, k = 0; k < plan->n; k++) {
		struct fib6_entry *e = &plan->entry[k];

		if (e->length == 0)
			continue;
		while (ip6_less(fib6_node_first(n, i), e->first) && i + 1 < n->n)
			i++;
		if (fib6_is_answer(fib6_node_ref(n, i)))
			continue;
		struct fib6_block b = fib6_node_block(n, i);
		bool touched = !ip6_less(ip6_last(b.first, b.length), c->first) &&
			       !ip6_less(c->last, b.first);

		if (touched || b.length != e->length || !ip6_equal(b.first, e->first))
			continue;
		e->ref = fib6_node_ref(n, i);
		e->kept = true;
	}
}

/* The node's ranges begin where those of the plan do. */
static bool same_beginnings(const struct fib6_plan *plan, const struct fib6_node *n)
{
	if (n->n != plan->n)
		return false;
	for (unsigned i = 1; i < plan->n; i++)
		if (fib6_node_key(n, i) != fib6_block_slice(plan->entry[i].first, n->block))
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
static bool patch(const struct change *c, struct fib6_plan *plan, const struct fib6_node *n)
{
	unsigned length = c->length < n->reach ? c->length : n->reach;
	struct ip6 from = ip6_first(c->first, length), to = ip6_last(c->first, length);
	bool added = false, room = true;

	plan->n = 0;
	for (unsigned i = 0; i < n->n && room; i++) {
		struct ip6 first = fib6_node_first(n, i), last = fib6_node_last(n, i);

		if (ip6_less(last, from) || ip6_less(to, first)) {
			room = add_old(plan, n, i);
			continue;
		}
		if (ip6_less(first, from)) /* an answer: the change is not inside a block */
			room = fib6_plan_answer(plan, first, fib6_node_ref(n, i));
		if (!added)
			room = room && add_new(c, plan, from, length, n->reach);
		added = true;
		if (ip6_less(to, last))
			room = room && fib6_plan_answer(plan, ip6_next(to), fib6_node_ref(n, i));
	}
	return room;
}

/* Gives the ranges of a node the references of the plan. */
static void replace_refs(struct fib6 *f, const struct fib6_plan *plan, const struct fib6_node *n)
{
	for (unsigned i = 0; i < plan->n; i++) {
		uint32_t old = fib6_node_ref(n, i);

		if (old == plan->entry[i].ref)
			continue;
		fib6_put(f, fib6_node_place(n, i), plan->entry[i].ref);
		fib6_retire(f, old, FIB6_PART_TREE);
	}
}

/* Retires a node and what the plan does not keep of it. */
static void retire_node(
	struct fib6 *f, const struct fib6_plan *plan, const struct fib6_node *n, uint32_t ref)
{
	for (unsigned i = 0; i < n->n; i++)
		if (!fib6_is_answer(fib6_node_ref(n, i)) && !plan_keeps(plan, fib6_node_ref(n, i)))
			fib6_retire(f, fib6_node_ref(n, i), FIB6_PART_TREE);
	fib6_retire(f, ref, FIB6_PART_NODE);
}

/* Gives the word of a node what the plan makes of it. */
static enum err replace_node(struct fib6 *f, const struct fib6_plan *plan, struct place p)
{
	uint32_t old = f->word[p.at], ref = plan->entry[0].ref;
	struct fib6_node n = fib6_node(f->word, old, p.block);

	if (plan->n > 1 && same_beginnings(plan, &n)) {
		replace_refs(f, plan, &n);
		return ERR_OK;
	}
	if (plan->n > 1)
		ref = make_node(f, plan, p.block);
	if (ref == NO_ROOM) {
		for (unsigned i = 0; i < plan->n; i++)
			if (!plan->entry[i].kept)
				fib6_drop_tree(f, plan->entry[i].ref);
		return ERR_FULL;
	}
	fib6_put(f, p.at, ref);
	retire_node(f, plan, &n, old);
	return ERR_OK;
}

/* Brings the reference at a place up to date. */
static enum err renew(const struct change *c, struct place p)
{
	struct fib6 *f = c->f;
	struct fib6_plan *plan = &f->plan[0];
	uint32_t old = f->word[p.at];

	if (!fib6_can_retire(f))
		return ERR_FULL;
	if (!fib6_is_node(old)) {
		uint32_t ref = make_tree(c, p.block, 0);

		if (ref == NO_ROOM)
			return ERR_FULL;
		fib6_put(f, p.at, ref);
		return ERR_OK;
	}
	struct fib6_node n = fib6_node(f->word, old, p.block);

	if (!patch(c, plan, &n)) {
		fib6_plan(plan, &f->source, p.block);
		keep_blocks(c, plan, &n);
	}
	return make_blocks(c, plan, 0) ? replace_node(f, plan, p) : ERR_FULL;
}

/* The place inside this one that holds all of the change, one step down. false: there is none. */
static bool step_down(const struct change *c, struct place *p)
{
	uint32_t ref = c->f->word[p->at];

	if (fib6_is_gate(ref)) {
		*p = (struct place){fib6_behind(ref), {p->block.first, 64, true}};
		return true;
	}
	if (fib6_is_answer(ref))
		return false;
	struct ip6 a = c->first;
	struct fib6_node n = fib6_node(c->f->word, ref, p->block);
	unsigned i = fib6_range_of(n.word, ref, *fib6_half(&a, p->block));

	if (fib6_is_answer(fib6_node_ref(&n, i)))
		return false;
	struct fib6_block b = fib6_node_block(&n, i);

	if (c->length < b.length)
		return false;
	*p = (struct place){fib6_node_place(&n, i), b};
	return true;
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
