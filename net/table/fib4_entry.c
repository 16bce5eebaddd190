/*
 * The entries of the IPv4 forwarding table, made from the RIB.
 *
 * A canvas is painted with the routes of a range; what its leaves have in common
 * decides which groups an entry names. An entry made has references to them.
 */
#include "net/table/fib4_entry.h"

#include <string.h>

#include "net/table/nexthop.h"

/* ---- painting ---- */

void fib4_canvas_init(struct fib4_canvas *c, uint32_t first, unsigned depth)
{
	c->first = first;
	c->depth = depth;
	memset(c->deep, 0, sizeof c->deep);
}

static void paint_range(struct fib4_canvas *c, uint32_t leaf, unsigned length, uint16_t nexthop)
{
	uint32_t count = 1u << (c->depth - length);

	for (uint32_t i = leaf; i < leaf + count; i++)
		c->leaf[i] = nexthop;
}

void fib4_paint(struct fib4_canvas *c, const struct rib4 *rib, uint32_t prefix, unsigned length)
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

void fib4_entry_ref(struct fib4 *f, uint32_t entry)
{
	uint32_t group = entry & FIB4_GROUP;

	if (entry >= FIB4_DEEP)
		groups_ref(&f->deep, group);
	else if (entry >= FIB4_NARROW)
		groups_ref(&f->narrow, group - FIB4_NARROW_BASE);
	else
		groups_ref(&f->pairs, entry >> 16);
}

static void plain_put(struct fib4 *f, uint32_t entry)
{
	if (entry >= FIB4_NARROW)
		groups_put(&f->narrow, (entry & FIB4_GROUP) - FIB4_NARROW_BASE);
	else
		groups_put(&f->pairs, entry >> 16);
}

static void plains_put(struct fib4 *f, const uint32_t *entry, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		plain_put(f, entry[i]);
}

static void hosts_put(struct fib4 *f, uint32_t group)
{
	const uint32_t *entry = groups_data(&f->hosts, group);

	if (groups_put(&f->hosts, group))
		plains_put(f, entry, FIB4_SPLIT);
}

/* Lets go of the hosts that the first n entries of a deep group's content name. */
static void content_put(struct fib4 *f, const uint32_t *content, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (content[i] & FIB4_HAS_HOSTS)
			hosts_put(f, content[i] & ~FIB4_HAS_HOSTS);
}

static void deep_put(struct fib4 *f, uint32_t group)
{
	const uint32_t *content = groups_data(&f->deep, group);

	if (groups_put(&f->deep, group))
		content_put(f, content, FIB4_SPLIT);
}

void fib4_entry_put(struct fib4 *f, uint32_t entry)
{
	if (entry >= FIB4_DEEP)
		deep_put(f, entry & FIB4_GROUP);
	else
		plain_put(f, entry);
}

/* A bit for every leaf that has this next hop. */
static uint32_t leaves_with(const uint16_t *leaf, uint16_t nexthop)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < FIB4_SPLIT; i++)
		mask |= (uint32_t)(leaf[i] == nexthop) << i;
	return mask;
}

bool fib4_leaves_pair(const uint16_t *leaf, uint16_t *pair, uint32_t *mask)
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

	if (fib4_leaves_pair(leaf, pair, &mask))
		group = groups_get(&f->pairs, pair);
	if (group)
		return group << 16 | mask;
	group = groups_get(&f->narrow, leaf); /* also when the pairs are used up */
	return group ? FIB4_NARROW | (group + FIB4_NARROW_BASE) : 0;
}

/* The group of hosts for 256 next hops, with a reference. 0: no room. */
static uint32_t hosts_get(struct fib4 *f, const uint16_t *leaf)
{
	uint32_t entry[FIB4_SPLIT], group;

	for (unsigned i = 0; i < FIB4_SPLIT; i++) {
		entry[i] = entry_plain(f, leaf + i * FIB4_SPLIT);
		if (!entry[i]) {
			plains_put(f, entry, i);
			return 0;
		}
	}
	group = groups_find(&f->hosts, entry);
	if (group)
		groups_ref(&f->hosts, group);
	else if ((group = groups_add(&f->hosts, entry)) != 0)
		return group; /* it keeps the references */
	plains_put(f, entry, FIB4_SPLIT);
	return group;
}

/* What a deep group says of a /24 with longer routes, with a reference; false: no room. */
static bool entry_hosts(struct fib4 *f, const struct rib4 *rib, uint32_t prefix, uint32_t *entry)
{
	struct fib4_canvas c;
	uint32_t group;

	fib4_canvas_init(&c, prefix, 32);
	fib4_paint(&c, rib, prefix, 24);
	for (unsigned i = 1; i < FIB4_LEAVES; i++) {
		if (c.leaf[i] == c.leaf[0])
			continue;
		group = hosts_get(f, c.leaf);
		*entry = FIB4_HAS_HOSTS | group;
		return group != 0;
	}
	*entry = c.leaf[0];
	return true;
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
	if (group)
		groups_ref(&f->deep, group);
	else if ((group = groups_add(&f->deep, content)) != 0)
		return FIB4_DEEP | group; /* it keeps the references */
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

uint32_t fib4_entry_deep_change(
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

uint32_t fib4_entry_make(
	struct fib4 *f, const struct rib4 *rib, const struct fib4_canvas *c, unsigned i)
{
	const uint16_t *leaf = &c->leaf[i * FIB4_SPLIT];

	if (c->deep[i])
		return entry_deep(f, rib, c->first | i << 12, leaf, c->deep[i]);
	return entry_plain(f, leaf);
}
