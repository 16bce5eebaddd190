/*
 * Making and changing the tree of an IPv6 table from the RIB.
 *
 * A block whose ranges fit into a leaf is one; else it is an inner node of
 * smaller blocks. A change goes down to the smallest block that holds it all; inner nodes
 * on the way stay, unless their ranges fit into a leaf now. The RIB is asked for
 * the addresses of the change alone, the other ranges of a leaf are as they were.
 * If they begin where they did, next hops are replaced one by one; else a new
 * leaf takes the place of the old by one store.
 */
#include "net/table/fib6_build.h"

#define NO_ROOM 0xffffffffu                       /* no reference is that */
#define LEVELS  (2 + (128 - FIB6_CHUNK_BITS) / 4) /* of blocks at most, a gate among them */

/* An inner node becomes a leaf when so many ranges are left: fewer than when it was made. */
#define LEAF_AGAIN (FIB6_RANGES * 3 / 4)

/* What is to be brought up to date: the addresses of a prefix. */
struct change {
	struct fib6 *f;
	const struct rib *rib;
	struct ip6 first, last;
	unsigned length;
};

/* A word with a reference, and the block it stands for. */
struct place {
	uint32_t at;
	struct fib6_block block;
};

/* ---- making ---- */

static uint32_t make_leaf(struct fib6 *f, const struct fib6_ranges *r, struct fib6_block b)
{
	uint32_t keys = r->n - 1, at = fib6_take(f, fib6_leaf_order(keys));
	uint32_t *key = &f->word[at];

	if (!at)
		return NO_ROOM;
	for (unsigned i = 0; i < keys; i++)
		store_once(&key[i], fib6_key_of(r->first[i + 1], b));
	for (unsigned i = 0; i < r->n; i++)
		store_once((uint16_t *)(key + keys) + i, (uint16_t)r->nexthop[i]);
	f->book.leaves++;
	return FIB6_LEAF | fib6_coarse(b) | keys << FIB6_SHIFT | at;
}

/* An answer or a leaf for a block with these ranges, if that will do; else FIB6_INNER. */
static uint32_t make_small(struct fib6 *f, const struct fib6_ranges *r, struct fib6_block b)
{
	if (r->n == 1)
		return r->nexthop[0];
	return fib6_fits(r, b) ? make_leaf(f, r, b) : FIB6_INNER;
}

/* The same from the RIB. The ranges lie on the stack here, not in every call of those below. */
static uint32_t __attribute__((noinline)) make_end(const struct change *c, struct fib6_block b)
{
	struct fib6_ranges r;

	fib6_collect(&r, c->rib, &c->f->copy, b);
	return make_small(c->f, &r, b);
}

static uint32_t make_tree(const struct change *c, struct fib6_block b);

/* NOLINTNEXTLINE(misc-no-recursion): each step goes to a longer prefix */
static uint32_t make_inner(const struct change *c, struct fib6_block b)
{
	struct fib6 *f = c->f;

	fib6_copy_block(&f->copy, c->rib, b);
	unsigned bits = fib6_width(&f->copy, b);
	uint32_t at = fib6_take(f, bits);
	uint32_t inner = fib6_inner(at, bits, fib6_cut(b, bits));

	if (!at)
		return NO_ROOM;
	f->book.inners++;
	for (unsigned i = 0; i < 1u << bits; i++)
		store_once(&f->word[at + i], 0);
	for (unsigned i = 0; i < 1u << bits; i++) {
		uint32_t ref = make_tree(c, fib6_part_block(b, bits, i));

		if (ref == NO_ROOM) {
			fib6_drop(f, inner);
			return NO_ROOM;
		}
		store_once(&f->word[at + i], ref);
	}
	return inner;
}

static uint32_t make_gate(struct fib6 *f, uint32_t behind)
{
	uint32_t at = fib6_take(f, FIB6_GATE_ORDER);

	if (!at)
		return NO_ROOM;
	f->book.gates++;
	store_once(&f->word[at], behind);
	return FIB6_GATE | at;
}

/* All of a block, as a reference; or NO_ROOM, and nothing is left behind. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static uint32_t make_tree(const struct change *c, struct fib6_block b)
{
	uint32_t ref;

	if (b.length != 64 || b.second) {
		ref = make_end(c, b);
		return ref == FIB6_INNER ? make_inner(c, b) : ref;
	}
	uint32_t behind = make_tree(c, (struct fib6_block){b.first, 64, true});

	if (behind == NO_ROOM || fib6_is_answer(behind))
		return behind;
	ref = make_gate(c->f, behind);
	if (ref == NO_ROOM)
		fib6_drop(c->f, behind);
	return ref;
}

/* ---- changing ---- */

/* Where range i of a leaf begins. */
static struct ip6 leaf_first(const struct fib6 *f, uint32_t leaf, struct fib6_block b, unsigned i)
{
	if (i) {
		uint32_t more = fib6_key(f->word, leaf, i) - fib6_key_of(b.first, b);

		if (fib6_in_second(b))
			b.first.lo += (uint64_t)more << fib6_key_shift(leaf, true);
		else
			b.first.hi += (uint64_t)more << fib6_key_shift(leaf, false);
	}
	return b.first;
}

/*
 * The ranges of a block from what it is now, an answer or a leaf, and for the
 * change from the RIB. false: they are too many.
 */
static bool patch(struct fib6_ranges *r, const struct change *c, uint32_t ref, struct fib6_block b)
{
	unsigned n = fib6_is_leaf(ref) ? fib6_ranges(ref) : 1;
	struct ip6 first = b.first, last;
	bool swept = false, room = true;

	r->n = r->finest = 0;
	for (unsigned i = 0; i < n && room; i++, first = ip6_next(last)) {
		uint32_t nh = fib6_is_leaf(ref) ? *fib6_nexthop(c->f->word, ref, i) : ref;

		last = i + 1 < n ? ip6_before(leaf_first(c->f, ref, b, i + 1))
				 : ip6_last(b.first, b.length);
		if (ip6_less(first, c->first) || ip6_less(c->last, first))
			room = fib6_add_range(r, first, nh);
		if (room && !swept && !ip6_less(last, c->first)) {
			room = fib6_add_swept(r, c->rib, c->first, c->length);
			swept = true;
		}
		if (room && !ip6_less(c->last, first) && ip6_less(c->last, last))
			room = fib6_add_range(r, ip6_next(c->last), nh);
	}
	return room && r->n;
}

/* The leaf there has these ranges, but for their next hops, which are put into it. */
static bool replace_nexthops(
	struct fib6 *f, const struct fib6_ranges *r, struct fib6_block b, uint32_t leaf)
{
	if (!fib6_is_leaf(leaf) || !fib6_fits(r, b) || r->n != fib6_ranges(leaf))
		return false;
	for (unsigned i = 1; i < r->n; i++)
		if (fib6_key(f->word, leaf, i) != fib6_key_of(r->first[i], b))
			return false;
	uint16_t *nexthop = (uint16_t *)&f->word[fib6_at(leaf) + fib6_keys(leaf)];

	for (unsigned i = 0; i < r->n; i++)
		store_release(nexthop + i, (uint16_t)r->nexthop[i]);
	return true;
}

/* A place gets another reference. */
static enum err replace(struct fib6 *f, uint32_t at, uint32_t ref)
{
	uint32_t old = f->word[at];

	if (ref == NO_ROOM)
		return ERR_FULL;
	fib6_put(f, at, ref);
	fib6_retire(f, old, FIB6_PART_TREE);
	return ERR_OK;
}

/* Makes anew what a place refers to, all of it. */
static enum err renew(const struct change *c, struct place p)
{
	return fib6_can_retire(c->f, 1) ? replace(c->f, p.at, make_tree(c, p.block)) : ERR_FULL;
}

/* Brings an answer or a leaf up to date for a change inside it. */
static enum err amend(const struct change *c, struct place p)
{
	uint32_t old = c->f->word[p.at], ref;
	struct fib6_ranges r;

	if (!fib6_can_retire(c->f, 1))
		return ERR_FULL;
	if (p.block.length == 64 && !p.block.second) /* what is inside lies behind a gate */
		return renew(c, p);
	if (!patch(&r, c, old, p.block))
		return renew(c, p);
	if (replace_nexthops(c->f, &r, p.block, old))
		return ERR_OK;
	ref = make_small(c->f, &r, p.block);
	return ref == FIB6_INNER ? renew(c, p) : replace(c->f, p.at, ref);
}

/* How many ranges an inner node has if it has only answers and leaves, as far as LEAF_AGAIN. */
static unsigned count_ranges(const struct fib6 *f, uint32_t inner)
{
	const uint32_t *ref = &f->word[fib6_at(inner)];
	unsigned n = 0;

	for (unsigned i = 0; i < fib6_fan(inner) && n <= LEAF_AGAIN; i++) {
		if (ref[i] & FIB6_INNER)
			return FIB6_RANGES + 1;
		if (fib6_is_leaf(ref[i]))
			n += fib6_ranges(ref[i]);
		else
			n += i == 0 || ref[i] != ref[i - 1];
	}
	return n;
}

/* How many ranges a reference has, as far as that matters for shrinking. */
static unsigned ranges_at(const struct fib6 *f, uint32_t at)
{
	uint32_t ref = f->word[at];

	if (fib6_is_answer(ref))
		return 1;
	return fib6_is_leaf(ref) ? fib6_ranges(ref) : FIB6_RANGES + 1;
}

/* An inner node can be a leaf or an answer. */
static bool can_shrink(const struct change *c, struct place p)
{
	struct fib6_ranges r;

	if (count_ranges(c->f, c->f->word[p.at]) > LEAF_AGAIN)
		return false;
	fib6_collect(&r, c->rib, &c->f->copy, p.block);
	return fib6_fits(&r, p.block);
}

/* Makes less of an inner node or a gate, if that will do. */
static enum err shrink(const struct change *c, struct place p, bool *shrunk)
{
	struct fib6 *f = c->f;
	uint32_t ref = f->word[p.at];

	*shrunk = false;
	if (!fib6_can_retire(f, 1))
		return ERR_FULL;
	if (fib6_is_gate(ref)) {
		if (!fib6_is_answer(f->word[fib6_at(ref)]))
			return ERR_OK;
		fib6_put(f, p.at, f->word[fib6_at(ref)]);
		fib6_retire(f, ref, FIB6_PART_GATE);
		*shrunk = true;
		return ERR_OK;
	}
	*shrunk = can_shrink(c, p);
	return *shrunk ? renew(c, p) : ERR_OK;
}

/* The place one step down that holds all of the change. false: there is none. */
static bool step_down(const struct change *c, struct place *p)
{
	uint32_t ref = c->f->word[p->at];

	if (fib6_is_gate(ref)) {
		*p = (struct place){fib6_at(ref), {p->block.first, 64, true}};
		return true;
	}
	unsigned bits = fib6_bits(ref);

	if (!fib6_is_inner(ref) || c->length < p->block.length + bits)
		return false;
	unsigned i = fib6_part_of(p->block, bits, c->first);

	*p = (struct place){fib6_at(ref) + i, fib6_part_block(p->block, bits, i)};
	return true;
}

/* Brings an inner node up to date for a change that holds whole blocks of it. */
static enum err renew_parts(const struct change *c, struct place p)
{
	uint32_t at = fib6_at(c->f->word[p.at]);
	unsigned bits = fib6_bits(c->f->word[p.at]), to = fib6_part_of(p.block, bits, c->last);

	for (unsigned i = fib6_part_of(p.block, bits, c->first); i <= to; i++) {
		enum err e = renew(c, (struct place){at + i, fib6_part_block(p.block, bits, i)});

		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err fib6_build(struct fib6 *f, const struct rib *rib, uint32_t at, struct ip6 chunk,
	struct ip6 prefix, unsigned length)
{
	struct change c = {f, rib, ip6_first(prefix, length), ip6_last(prefix, length), length};
	struct place path[LEVELS] = {{at, {chunk, FIB6_CHUNK_BITS, false}}};
	unsigned depth = 0, had;
	bool inner, shrunk;
	enum err e;

	f->copy.n = 0;
	for (struct place p = path[0]; depth + 1 < LEVELS && step_down(&c, &p);)
		path[++depth] = p;
	inner = fib6_is_inner(f->word[path[depth].at]);
	had = ranges_at(f, path[depth].at);
	e = inner ? renew_parts(&c, path[depth]) : amend(&c, path[depth]);
	/* If there is less, or one answer for another, what is around it may shrink, and so on. */
	shrunk = had == 1 || ranges_at(f, path[depth].at) < had;
	if (inner && e == ERR_OK)
		e = shrink(&c, path[depth], &shrunk);
	while (e == ERR_OK && shrunk && depth > 0)
		e = shrink(&c, path[--depth], &shrunk);
	return e;
}
