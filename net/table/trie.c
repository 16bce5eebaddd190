/* The path-compressed trie: descent from an index, insertion, removal, order. */
#include "net/table/trie.h"

#include <stdbool.h>
#include <string.h>

static size_t round_line(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

size_t trie_size(uint32_t prefixes, unsigned index_bits)
{
	/* A prefix brings its own node and at most one where it parts from another. */
	return round_line((2 * (size_t)prefixes + 2) * sizeof(struct trie_node)) +
	       round_line(sizeof(struct trie_index) << index_bits);
}

void trie_init(struct trie *t, void *mem, uint32_t prefixes, unsigned index_bits)
{
	memset(t, 0, sizeof *t);
	t->node = mem;
	t->max = 2 * prefixes + 2;
	t->index = (struct trie_index *)((uint8_t *)mem +
					 round_line((size_t)t->max * sizeof *t->node));
	t->index_bits = index_bits;
	t->used = TRIE_ROOT + 1;
	t->nodes = 1;
	memset(t->index, 0, sizeof *t->index << index_bits);
	t->node[TRIE_ROOT] = (struct trie_node){.length = 0};
}

static uint32_t node_child(const struct trie_node *n, unsigned side)
{
	return side ? n->right : n->left;
}

static void node_set_child(struct trie_node *n, unsigned side, uint32_t child)
{
	if (side)
		n->right = child & TRIE_MAX;
	else
		n->left = child & TRIE_MAX;
}

/* ---- the index ---- */

static uint32_t index_of(const struct trie *t, struct ip6 key)
{
	return (uint32_t)(key.hi >> (64 - t->index_bits));
}

/* Where a descent to a prefix of this length can begin. */
static uint32_t trie_start(const struct trie *t, struct ip6 key, unsigned length)
{
	uint32_t n = length >= t->index_bits ? t->index[index_of(t, key)].node : 0;

	return n ? n : TRIE_ROOT;
}

/* The longest node with a value that covers the key, of at most index_bits bits. */
static uint32_t trie_short_match(const struct trie *t, struct ip6 key)
{
	uint32_t n = t->index[index_of(t, key)].valued;

	return n ? n : t->node[TRIE_ROOT].value ? TRIE_ROOT : TRIE_NONE;
}

/* The places of the index that `node` covers: *first and how many. 0 if it is too long. */
static uint32_t index_range(const struct trie *t, uint32_t node, uint32_t *first)
{
	const struct trie_node *n = &t->node[node];

	*first = index_of(t, n->key);
	return n->length <= t->index_bits ? 1u << (t->index_bits - n->length) : 0;
}

/* Where `node` reaches, `to` takes the place of `from` as the longest node. */
static void index_replace(struct trie *t, uint32_t node, uint32_t from, uint32_t to)
{
	uint32_t i, count = index_range(t, node, &i);

	from = from == TRIE_ROOT ? 0 : from;
	to = to == TRIE_ROOT ? 0 : to;
	for (; count; count--, i++)
		if (t->index[i].node == from)
			t->index[i].node = to;
}

/* The same for the longest node with a value. */
static void index_replace_valued(struct trie *t, uint32_t node, uint32_t from, uint32_t to)
{
	uint32_t i, count = index_range(t, node, &i);

	from = from == TRIE_ROOT ? 0 : from;
	to = to == TRIE_ROOT ? 0 : to;
	for (; count; count--, i++)
		if (t->index[i].valued == from)
			t->index[i].valued = to;
}

void trie_set_value(struct trie *t, uint32_t node, uint32_t value)
{
	bool had = t->node[node].value != 0;

	t->node[node].value = value & TRIE_MAX;
	if (node == TRIE_ROOT || had == (value != 0) || t->node[node].length > t->index_bits)
		return;
	uint32_t cover = trie_cover(t, node);

	if (had)
		index_replace_valued(t, node, node, cover);
	else
		index_replace_valued(t, node, cover, node);
}

/* ---- descent ---- */

static bool node_covers(const struct trie_node *n, struct ip6 key, unsigned length)
{
	return n->length <= length && ip6_agree(n->key, key, n->length);
}

/* The longest node that covers the prefix, with or without a value. */
static uint32_t trie_descend(const struct trie *t, struct ip6 key, unsigned length)
{
	uint32_t n = trie_start(t, key, length);

	while (t->node[n].length < length) {
		uint32_t c = node_child(&t->node[n], ip6_bit(key, t->node[n].length));

		if (!c || !node_covers(&t->node[c], key, length))
			break;
		n = c;
	}
	return n;
}

uint32_t trie_find(const struct trie *t, struct ip6 key, unsigned length)
{
	uint32_t n = trie_descend(t, key, length);

	return t->node[n].length == length ? n : TRIE_NONE;
}

/* This node or the nearest above it with a value. */
static uint32_t trie_valued(const struct trie *t, uint32_t n)
{
	while (n && !t->node[n].value) {
		uint32_t parent = t->node[n].parent;

		/* The first that is short enough for the index is what a descent begins with. */
		if (t->node[n].length > t->index_bits && t->node[parent].length <= t->index_bits)
			return trie_short_match(t, t->node[n].key);
		n = parent;
	}
	return n;
}

uint32_t trie_match(const struct trie *t, struct ip6 key, unsigned longest)
{
	uint32_t n = trie_descend(t, key, longest);

	if (longest >= t->index_bits && t->node[n].length <= t->index_bits)
		return trie_short_match(t, key);
	return trie_valued(t, n);
}

uint32_t trie_cover(const struct trie *t, uint32_t node)
{
	uint32_t parent = t->node[node].parent;

	if (t->node[node].length > t->index_bits && t->node[parent].length <= t->index_bits)
		return trie_short_match(t, t->node[node].key);
	return trie_valued(t, parent);
}

/* The child below the covering node `n` on the way to the prefix, or TRIE_NONE. */
static uint32_t trie_towards(const struct trie *t, uint32_t n, struct ip6 key, unsigned length)
{
	const struct trie_node *node = &t->node[n];

	return node->length < length ? node_child(node, ip6_bit(key, node->length)) : TRIE_NONE;
}

uint32_t trie_top(const struct trie *t, struct ip6 key, unsigned length)
{
	uint32_t n = trie_descend(t, key, length);

	if (t->node[n].length == length)
		return n;
	uint32_t c = trie_towards(t, n, key, length);

	return c && t->node[c].length > length && ip6_agree(t->node[c].key, key, length)
		       ? c
		       : TRIE_NONE;
}

void trie_prefetch(const struct trie *t, struct ip6 key, unsigned stage)
{
	const struct trie_index *index = &t->index[index_of(t, key)];

	if (stage == 0) {
		__builtin_prefetch(index);
		return;
	}
	const struct trie_node *n = &t->node[index->node ? index->node : TRIE_ROOT];

	if (stage == 1) {
		__builtin_prefetch(n);
		return;
	}
	__builtin_prefetch(&t->node[node_child(n, ip6_bit(key, n->length & 127))]);
	__builtin_prefetch(&t->node[n->parent]);
}

/* ---- insertion and removal ---- */

static bool trie_has_room(const struct trie *t, uint32_t nodes)
{
	uint32_t n = t->free;

	for (; nodes && n; nodes--)
		n = t->node[n].left;
	return t->max - t->used >= nodes;
}

static uint32_t node_make(struct trie *t, struct ip6 key, unsigned length, uint32_t parent)
{
	uint32_t n = t->free;

	if (n)
		t->free = t->node[n].left;
	else
		n = t->used++;
	t->node[n] = (struct trie_node){.key = ip6_first(key, length),
		.parent = parent & TRIE_MAX,
		.length = length & 0xff};
	t->nodes++;
	return n;
}

/* Makes c the child of n, in the place its key says. */
static void node_hang(struct trie *t, uint32_t n, uint32_t c)
{
	node_set_child(&t->node[n], ip6_bit(t->node[c].key, t->node[n].length), c);
	t->node[c].parent = n & TRIE_MAX;
}

/* A new node of this prefix, below n and, if c is not TRIE_NONE, above its child c. */
static uint32_t node_insert(struct trie *t, struct ip6 key, unsigned length, uint32_t n, uint32_t c)
{
	uint32_t made = node_make(t, key, length, n);

	if (c)
		node_hang(t, made, c);
	node_hang(t, n, made);
	index_replace(t, made, n, made);
	return made;
}

uint32_t trie_insert(struct trie *t, struct ip6 key, unsigned length)
{
	uint32_t n = trie_descend(t, key, length);

	if (t->node[n].length == length)
		return n;
	if (!trie_has_room(t, 2))
		return TRIE_NONE;
	uint32_t c = trie_towards(t, n, key, length);

	if (!c)
		return node_insert(t, key, length, n, TRIE_NONE);
	unsigned common = ip6_common(key, t->node[c].key);

	if (common >= length) /* the child lies inside the new prefix */
		return node_insert(t, key, length, n, c);
	n = node_insert(t, key, common, n, c);
	return node_insert(t, key, length, n, TRIE_NONE);
}

/* Takes out a node that has at most one child; the child takes its place. */
static void node_splice(struct trie *t, uint32_t n)
{
	struct trie_node *node = &t->node[n], *parent = &t->node[node->parent];
	uint32_t c = node->left ? node->left : node->right;

	node_set_child(parent, parent->right == n, c);
	if (c)
		t->node[c].parent = node->parent;
	index_replace(t, n, n, node->parent);
	node->left = t->free & TRIE_MAX;
	t->free = n;
	t->nodes--;
}

static bool node_is_needed(const struct trie *t, uint32_t n)
{
	const struct trie_node *node = &t->node[n];

	return n == TRIE_ROOT || node->value || (node->left && node->right);
}

void trie_remove(struct trie *t, uint32_t node)
{
	if (node_is_needed(t, node))
		return;
	uint32_t parent = t->node[node].parent;

	node_splice(t, node);
	if (!node_is_needed(t, parent))
		node_splice(t, parent);
}

/* ---- order ---- */

uint32_t trie_next_outside(const struct trie *t, uint32_t node)
{
	while (node != TRIE_ROOT) {
		const struct trie_node *parent = &t->node[t->node[node].parent];

		if (parent->left == node && parent->right)
			return parent->right;
		node = t->node[node].parent;
	}
	return TRIE_NONE;
}

uint32_t trie_next(const struct trie *t, uint32_t node)
{
	const struct trie_node *n = &t->node[node];

	if (n->left)
		return n->left;
	return n->right ? n->right : trie_next_outside(t, node);
}

uint32_t trie_after(const struct trie *t, struct ip6 key, unsigned length)
{
	uint32_t n = trie_descend(t, key, length);

	if (t->node[n].length == length)
		return trie_next(t, n);
	uint32_t c = trie_towards(t, n, key, length);

	if (c) /* inside the prefix or beside it: all of its subtree comes after, or before */
		return ip6_less(t->node[c].key, key) ? trie_next_outside(t, c) : c;
	if (ip6_bit(key, t->node[n].length) == 0 && t->node[n].right)
		return t->node[n].right;
	return trie_next_outside(t, n);
}
