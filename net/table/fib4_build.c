/*
 * Bringing the IPv4 forwarding table up to date from the RIB.
 *
 * The work on a /16 (a chunk): the entries that the change touches are made
 * from the RIB, each taking references to the groups it names; then the chunk
 * gets a wide group with them. That is, in this order of preference, another
 * one with the same content, its own changed in place if no other chunk uses
 * it, or a new one. What the entries replaced named is let go afterwards.
 */
#include <string.h>

#include "lib/atomic.h"
#include "net/table/fib4_table.h"
#include "net/table/nexthop.h"

/* The answers of a range of addresses, painted from the RIB. */
struct canvas {
	uint32_t first;                        /* address of leaf 0 */
	unsigned depth;                        /* leaves are prefixes of this length */
	uint16_t deep[FIB4_SPLIT];             /* a bit per leaf with routes inside */
	alignas(64) uint16_t leaf[FIB4_HOSTS]; /* next hops: a /16 in /24s, or a /24 in addresses */
};

/* ---- painting ---- */

/* Leaves are not set: all that are read will be painted. */
static void canvas_init(struct canvas *c, uint32_t first, unsigned depth)
{
	c->first = first;
	c->depth = depth;
	memset(c->deep, 0, sizeof c->deep);
}

static void paint_range(struct canvas *c, uint32_t leaf, unsigned length, uint16_t nexthop)
{
	uint32_t count = 1u << (c->depth - length);

	for (uint32_t i = leaf; i < leaf + count; i++)
		c->leaf[i] = nexthop;
}

/* Paints the prefix and the routes inside it; leaf 0 is at the canvas's first address. */
static void paint(struct canvas *c, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	const struct trie *t = &rib->rib.trie;
	struct ip6 key = rib4_key(prefix);
	uint32_t cover = trie_match(t, key, length), node = trie_top(t, key, length);
	uint32_t nexthop = cover ? rib_node_nexthop(&t->node[cover]) : NEXTHOP_NONE;

	paint_range(c, (prefix - c->first) >> (32 - c->depth), length, (uint16_t)nexthop);
	uint32_t end = node ? trie_next_outside(t, node) : TRIE_NONE;

	while (node != end) {
		const struct trie_node *n = &t->node[node];
		uint32_t leaf = ((uint32_t)(n->key.hi >> 32) - c->first) >> (32 - c->depth);

		if (n->length > c->depth || (n->length == c->depth && !n->value)) {
			/* Inside a leaf: a node is there because of a longer route. */
			c->deep[leaf / FIB4_SPLIT] |= (uint16_t)(1u << leaf % FIB4_SPLIT);
			node = trie_next_outside(t, node);
			continue;
		}
		if (n->value)
			paint_range(c, leaf, n->length, (uint16_t)rib_node_nexthop(n));
		node = trie_next(t, node);
	}
}

/* ---- entries ---- */

static void entry_ref(struct fib4 *f, uint32_t entry)
{
	uint32_t group = entry & FIB4_GROUP;

	if (entry >= FIB4_DEEP)
		groups_ref(&f->deep, group);
	else if (entry >= FIB4_NARROW)
		groups_ref(&f->narrow, group - FIB4_NARROW_BASE);
	else
		groups_ref(&f->pairs, entry >> 16);
}

static void deep_put(struct fib4 *f, uint32_t group)
{
	const uint32_t *entry = groups_data(&f->deep, group);

	if (!groups_put(&f->deep, group))
		return;
	for (unsigned i = 0; i < FIB4_SPLIT; i++)
		if (entry[i] & FIB4_HAS_HOSTS)
			groups_put(&f->hosts, entry[i] & ~FIB4_HAS_HOSTS);
}

static void entry_put(struct fib4 *f, uint32_t entry)
{
	uint32_t group = entry & FIB4_GROUP;

	if (entry >= FIB4_DEEP)
		deep_put(f, group);
	else if (entry >= FIB4_NARROW)
		groups_put(&f->narrow, group - FIB4_NARROW_BASE);
	else
		groups_put(&f->pairs, entry >> 16);
}

static void entries_put(struct fib4 *f, const uint32_t *entry, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		entry_put(f, entry[i]);
}

/* A bit for every leaf that has this next hop. */
static uint32_t leaves_with(const uint16_t *leaf, uint16_t nexthop)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < FIB4_SPLIT; i++)
		mask |= (uint32_t)(leaf[i] == nexthop) << i;
	return mask;
}

/* Two next hops that the leaves have and no other: mask as in fib4_table.h. false: they have more.
 */
static bool leaves_pair(const uint16_t *leaf, uint16_t *pair, uint32_t *mask)
{
	uint32_t rest = ~leaves_with(leaf, leaf[0]) & 0xffff;

	pair[0] = pair[1] = leaf[0];
	*mask = 0;
	if (rest) {
		pair[1] = leaf[__builtin_ctz(rest)];
		*mask = leaves_with(leaf, pair[1]);
	}
	return *mask == rest;
}

/* The entry for 16 next hops, with a reference; 0 if there is no room (pair 0 does not exist). */
static uint32_t entry_plain(struct fib4 *f, const uint16_t *leaf)
{
	uint16_t pair[2];
	uint32_t mask, group = 0;

	if (leaves_pair(leaf, pair, &mask))
		group = groups_get(&f->pairs, pair);
	if (group)
		return group << 16 | mask;
	group = groups_get(&f->narrow, leaf); /* also when the pairs are used up */
	return group ? FIB4_NARROW | (group + FIB4_NARROW_BASE) : 0;
}

/* What a deep group says of a /24 with longer routes, with a reference; false: no room. */
static bool entry_hosts(struct fib4 *f, const struct rib4 *rib, uint32_t prefix, uint32_t *entry)
{
	struct canvas c;
	uint32_t group;

	canvas_init(&c, prefix, 32);
	paint(&c, rib, prefix, 24);
	for (unsigned i = 1; i < FIB4_HOSTS; i++) {
		if (c.leaf[i] == c.leaf[0])
			continue;
		group = groups_get(&f->hosts, c.leaf);
		*entry = FIB4_HAS_HOSTS | group;
		return group != 0;
	}
	*entry = c.leaf[0];
	return true;
}

/* Lets go of the hosts that the first n entries of a deep group's content name. */
static void content_put(struct fib4 *f, const uint32_t *content, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (content[i] & FIB4_HAS_HOSTS)
			groups_put(&f->hosts, content[i] & ~FIB4_HAS_HOSTS);
}

/* The entry for what a deep group would say, which brings its references. As entry_plain. */
static uint32_t entry_content(struct fib4 *f, const uint32_t *content)
{
	uint16_t leaf[FIB4_SPLIT];
	uint32_t hosts = 0, group;

	for (unsigned i = 0; i < FIB4_SPLIT; i++) {
		hosts |= content[i] & FIB4_HAS_HOSTS;
		leaf[i] = (uint16_t)content[i];
	}
	if (!hosts) /* longer routes there may be, but with the same next hops */
		return entry_plain(f, leaf);
	group = groups_find(&f->deep, content);
	if (!group) {
		group = groups_add(&f->deep, content);
		if (group)
			return FIB4_DEEP | group; /* it keeps the references */
	} else {
		groups_ref(&f->deep, group);
	}
	content_put(f, content, FIB4_SPLIT);
	return group ? FIB4_DEEP | group : 0;
}

/* The entry for 16 /24s from `prefix` on, some of them with longer routes. As entry_plain. */
static uint32_t entry_deep(struct fib4 *f, const struct rib4 *rib, uint32_t prefix,
	const uint16_t *leaf, uint16_t deep)
{
	uint32_t content[FIB4_SPLIT];

	for (unsigned i = 0; i < FIB4_SPLIT; i++) {
		content[i] = leaf[i];
		if ((deep >> i & 1) && !entry_hosts(f, rib, prefix + (i << 8), &content[i])) {
			content_put(f, content, i);
			return 0;
		}
	}
	return entry_content(f, content);
}

/* The entry in the place of a deep one, after a change inside the /24 of `prefix`. */
static uint32_t entry_deep_change(
	struct fib4 *f, const struct rib4 *rib, uint32_t prefix, uint32_t old)
{
	unsigned changed = prefix >> 8 & 15;
	uint32_t content[FIB4_SPLIT];

	memcpy(content, groups_data(&f->deep, old & FIB4_GROUP), sizeof content);
	if (!entry_hosts(f, rib, prefix & ~0xffu, &content[changed]))
		return 0;
	for (unsigned i = 0; i < FIB4_SPLIT; i++)
		if (i != changed && (content[i] & FIB4_HAS_HOSTS))
			groups_ref(&f->hosts, content[i] & ~FIB4_HAS_HOSTS);
	return entry_content(f, content);
}

/* Paints the /20 of a prefix inside it; what the change does not touch is taken from its old entry.
 */
static void repaint(struct canvas *c, const struct fib4 *f, const struct rib4 *rib, uint32_t prefix,
	unsigned length, uint32_t old)
{
	uint32_t first = prefix & ~0xfffu;

	if (length <= 20 || old >= FIB4_DEEP) {
		paint(c, rib, first, 20);
		return;
	}
	for (uint32_t i = 0; i < FIB4_SPLIT; i++)
		c->leaf[((first - c->first) >> 8) + i] = f->view.narrow[fib4_place(old, i << 8)];
	paint(c, rib, length < 24 ? prefix : prefix & ~0xffu, length < 24 ? length : 24);
}

/* ---- chunks ---- */

/* Lets the chunk's wide group go, and with the last chunk what it names. */
static void wide_put(struct fib4 *f, uint32_t group)
{
	const uint32_t *entry = groups_data(&f->wide, group);

	if (groups_put(&f->wide, group))
		entries_put(f, entry, 0, FIB4_SPLIT - 1);
}

/* Writes entries first to last of a wide group that one chunk uses; they bring their references. */
static void wide_rewrite(
	struct fib4 *f, uint32_t group, const uint32_t *entry, unsigned first, unsigned last)
{
	uint32_t *live = (uint32_t *)(f->wide.data + (size_t)group * f->wide.size);

	groups_hide(&f->wide, group);
	for (unsigned i = first; i <= last; i++) {
		uint32_t old = live[i];

		store_release(&live[i], entry[i]);
		entry_put(f, old);
	}
	groups_show(&f->wide, group);
}

/* Gives a chunk these entries, of which first to last bring their references. */
static enum err chunk_set(
	struct fib4 *f, uint32_t chunk, const uint32_t *entry, unsigned first, unsigned last)
{
	uint32_t old = f->direct[chunk], group = groups_find(&f->wide, entry);

	if (group) {
		entries_put(f, entry, first, last); /* the group has its own */
		if (group == old)
			return ERR_OK;
		groups_ref(&f->wide, group);
	} else if (groups_is_own(&f->wide, old)) {
		wide_rewrite(f, old, entry, first, last);
		return ERR_OK;
	} else {
		group = groups_add(&f->wide, entry);
		if (!group) {
			entries_put(f, entry, first, last);
			return ERR_FULL;
		}
		for (unsigned i = 0; i < FIB4_SPLIT; i++)
			if (i < first || i > last)
				entry_ref(f, entry[i]);
	}
	store_release(&f->direct[chunk], (uint16_t)group);
	wide_put(f, old);
	return ERR_OK;
}

/*
 * The short way for a change inside one /20 that keeps its narrow group: the
 * new next hops are written into it, if nobody else uses it. false: no such case.
 */
static bool narrow_rewrite(struct fib4 *f, uint32_t prefix, uint32_t entry, const uint16_t *leaf)
{
	uint32_t group = (entry & FIB4_GROUP) - FIB4_NARROW_BASE, mask;
	uint16_t pair[2];

	if (entry < FIB4_NARROW || entry >= FIB4_DEEP)
		return false;
	if (!groups_is_own(&f->wide, f->direct[prefix >> 16]) ||
		!groups_is_own(&f->narrow, group) || leaves_pair(leaf, pair, &mask) ||
		groups_find(&f->narrow, leaf))
		return false;
	uint16_t *live = (uint16_t *)(f->narrow.data + (size_t)group * f->narrow.size);

	groups_hide(&f->narrow, group);
	for (unsigned i = 0; i < FIB4_SPLIT; i++)
		if (live[i] != leaf[i])
			store_release(&live[i], leaf[i]);
	groups_show(&f->narrow, group);
	return true;
}

/* The entry for /20 number i of a painted chunk, with a reference; 0: no room. */
static uint32_t entry_make(
	struct fib4 *f, const struct rib4 *rib, const struct canvas *c, unsigned i)
{
	const uint16_t *leaf = &c->leaf[i * FIB4_SPLIT];

	if (c->deep[i])
		return entry_deep(f, rib, c->first | i << 12, leaf, c->deep[i]);
	return entry_plain(f, leaf);
}

/* /20 number i has the next hops of the one before it, and no longer routes. */
static bool canvas_repeats(const struct canvas *c, unsigned i)
{
	const uint16_t *leaf = &c->leaf[i * FIB4_SPLIT];

	return !(c->deep[i] | c->deep[i - 1]) &&
	       memcmp(leaf, leaf - FIB4_SPLIT, FIB4_SPLIT * sizeof *leaf) == 0;
}

/* Brings the addresses of a prefix of 16 to 19 bits up to date. */
static enum err chunk_update(
	struct fib4 *f, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	uint32_t chunk = prefix >> 16, entry[FIB4_SPLIT];
	unsigned first = prefix >> 12 & 15, last = first + (1u << (20 - length)) - 1;
	struct canvas c;

	canvas_init(&c, chunk << 16, 24);
	paint(&c, rib, prefix, length);
	memcpy(entry, groups_data(&f->wide, f->direct[chunk]), sizeof entry);
	for (unsigned i = first; i <= last; i++) {
		if (i > first && canvas_repeats(&c, i)) {
			entry[i] = entry[i - 1];
			entry_ref(f, entry[i]);
			continue;
		}
		entry[i] = entry_make(f, rib, &c, i);
		if (!entry[i]) {
			if (i > first)
				entries_put(f, entry, first, i - 1);
			return ERR_FULL;
		}
	}
	return chunk_set(f, chunk, entry, first, last);
}

/* The same for a prefix of 20 bits or more. */
static enum err split_update(
	struct fib4 *f, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	uint32_t chunk = prefix >> 16, entry[FIB4_SPLIT], old = fib4_entry(&f->view, prefix);
	unsigned i = prefix >> 12 & 15;
	struct canvas c;

	memcpy(entry, groups_data(&f->wide, f->direct[chunk]), sizeof entry);
	if (length >= 24 && old >= FIB4_DEEP) {
		entry[i] = entry_deep_change(f, rib, prefix, old);
	} else {
		canvas_init(&c, chunk << 16, 24);
		repaint(&c, f, rib, prefix, length, old);
		if (!c.deep[i] && narrow_rewrite(f, prefix, old, &c.leaf[i * FIB4_SPLIT]))
			return ERR_OK;
		entry[i] = entry_make(f, rib, &c, i);
	}
	return entry[i] ? chunk_set(f, chunk, entry, i, i) : ERR_FULL;
}

/* ---- updates ---- */

struct fib4_job fib4_job(uint32_t prefix, unsigned length)
{
	return (struct fib4_job){prefix, prefix | ~rib4_mask(length), (uint8_t)length, true};
}

void fib4_job_skip(struct fib4_job *job)
{
	job->pending = (job->next | 0xffff) < job->last;
	job->next += 0x10000;
}

enum err fib4_job_step(
	struct fib4 *f, const struct rib4 *rib, struct fib4_job *job, unsigned chunks)
{
	while (job->pending && chunks-- > 0) {
		unsigned length = job->length < 16 ? 16 : job->length;
		enum err err = length < 20 ? chunk_update(f, rib, job->next, length)
					   : split_update(f, rib, job->next, length);

		if (err != ERR_OK)
			return err;
		f->rebuilt++;
		fib4_job_skip(job);
	}
	return ERR_OK;
}

enum err fib4_update(struct fib4 *f, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	struct fib4_job job = fib4_job(prefix, length);

	f->updates++;
	return fib4_job_step(f, rib, &job, FIB4_CHUNKS);
}

enum err fib4_follow(struct fib4 *f, struct rib4 *rib, struct fib4_job *job, unsigned steps)
{
	uint32_t prefix;
	unsigned length;

	if (rib_take_lost(&rib->rib))
		*job = fib4_job(0, 0);
	for (; steps > 0; steps--) {
		if (!job->pending) {
			if (!rib4_take_change(rib, &prefix, &length))
				break;
			*job = fib4_job(prefix, length);
			f->updates++;
		}
		enum err err = fib4_job_step(f, rib, job, 1);

		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}
