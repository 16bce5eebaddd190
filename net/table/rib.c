/* The routing tables: lists of routes on a trie, the same for both families. */
#include "net/table/rib_any.h"

#include <string.h>

#include "net/table/nexthop.h"

#define INDEX_ROUTES     65536u /* from here on the larger index pays */
#define INDEX_BITS_SMALL 12u
#define INDEX_BITS       20u /* where IPv4 and IPv6 routes of the Internet differ */

_Static_assert((RIB_CHANGES & (RIB_CHANGES - 1)) == 0, "the ring is indexed by a mask");

static size_t round_line(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static unsigned rib_index_bits(uint32_t routes)
{
	return routes < INDEX_ROUTES ? INDEX_BITS_SMALL : INDEX_BITS;
}

size_t rib_size(uint32_t routes, size_t route_size)
{
	return trie_size(routes, rib_index_bits(routes)) +
	       round_line(((size_t)routes + 1) * route_size) +
	       RIB_CHANGES * sizeof(struct rib_change);
}

void rib_init(struct rib *rib, void *mem, uint32_t routes, unsigned bits, uint32_t route_size)
{
	unsigned index_bits = rib_index_bits(routes);
	uint8_t *p = mem;

	memset(rib, 0, sizeof *rib);
	trie_init(&rib->trie, p, routes, index_bits);
	p += trie_size(routes, index_bits);
	rib->route = p;
	rib->route_size = route_size;
	rib->bits = bits;
	rib->used = 1;
	rib->max = routes + 1;
	p += round_line((size_t)rib->max * route_size);
	rib->change = (struct rib_change *)p;
}

static struct route *route_at(const struct rib *rib, uint32_t number)
{
	return (struct route *)(rib->route + (size_t)number * rib->route_size);
}

static bool route_is_better(const struct route *a, const struct route *b)
{
	return a->distance != b->distance ? a->distance < b->distance : a->source < b->source;
}

/* ---- noting changes ---- */

static void rib_note(struct rib *rib, struct ip6 key, unsigned length)
{
	const struct rib_change *newest = &rib->change[(rib->change_tail - 1) % RIB_CHANGES];

	if (rib->change_lost)
		return;
	if (rib->change_tail != rib->change_head && newest->length == length &&
		ip6_equal(newest->key, key))
		return;
	if (rib->change_tail - rib->change_head == RIB_CHANGES) {
		rib->change_lost = true;
		return;
	}
	rib->change[rib->change_tail++ % RIB_CHANGES] = (struct rib_change){key, length};
}

bool rib_take_change(struct rib *rib, struct rib_change *change)
{
	if (rib->change_lost || rib->change_head == rib->change_tail)
		return false;
	*change = rib->change[rib->change_head++ % RIB_CHANGES];
	return true;
}

bool rib_take_lost(struct rib *rib)
{
	bool lost = rib->change_lost;

	if (lost)
		rib->change_head = rib->change_tail;
	rib->change_lost = false;
	return lost;
}

bool rib_has_changes(const struct rib *rib)
{
	return rib->change_lost || rib->change_head != rib->change_tail;
}

/* The next hop packets to this node's prefix take by its own routes. */
static uint32_t node_nexthop(const struct rib *rib, uint32_t node)
{
	const struct trie_node *n = &rib->trie.node[node];

	return n->value ? rib_node_nexthop(n) : UINT32_MAX; /* no index: it has no routes */
}

/* ---- changing ---- */

static bool rib_is_valid(const struct rib *rib, const struct route *route, struct ip6 key)
{
	return route->length <= rib->bits && route->source < RIB_SOURCES &&
	       route->nexthop < NEXTHOP_MAX && ip6_equal(ip6_first(key, route->length), key);
}

/* The number of the node's route from this source, or 0; *before is the one before it, or 0. */
static uint32_t list_find(
	const struct rib *rib, uint32_t node, enum rib_source source, uint32_t *before)
{
	uint32_t r = rib->trie.node[node].value;

	*before = 0;
	for (; r && route_at(rib, r)->source != source; r = route_at(rib, r)->next)
		*before = r;
	return r;
}

/* `r` comes after `before` in the node's list; first if that is 0. */
static void list_link(struct rib *rib, uint32_t node, uint32_t before, uint32_t r)
{
	if (before)
		route_at(rib, before)->next = r;
	else
		trie_set_value(&rib->trie, node, r);
}

/* The node's best next hop stands in the node, for those who make FIBs. */
static void node_tag(struct rib *rib, uint32_t node)
{
	struct trie_node *n = &rib->trie.node[node];

	if (n->value)
		n->tag = route_at(rib, n->value)->nexthop & 0xffff;
}

static void list_insert(struct rib *rib, uint32_t node, uint32_t r)
{
	uint32_t before = 0, after = rib->trie.node[node].value;

	while (after && route_is_better(route_at(rib, after), route_at(rib, r))) {
		before = after;
		after = route_at(rib, after)->next;
	}
	route_at(rib, r)->next = after;
	list_link(rib, node, before, r);
}

static uint32_t route_take(struct rib *rib)
{
	uint32_t r = rib->free;

	if (r)
		rib->free = route_at(rib, r)->next;
	else if (rib->used < rib->max)
		r = rib->used++;
	return r;
}

enum err rib_add_whole(struct rib *rib, const struct route *route, struct ip6 key, bool quietly)
{
	uint32_t before, node, old, r;

	if (!rib_is_valid(rib, route, key))
		return ERR_INVALID;
	node = trie_insert(&rib->trie, key, route->length);
	if (node && list_find(rib, node, route->source, &before))
		return ERR_EXISTS;
	r = node ? route_take(rib) : 0;
	if (!r) {
		if (node)
			trie_remove(&rib->trie, node);
		return ERR_FULL;
	}
	old = node_nexthop(rib, node);
	memcpy(route_at(rib, r), route, rib->route_size);
	list_insert(rib, node, r);
	node_tag(rib, node);
	rib->count++;
	rib->count_of[route->source]++;
	rib->generation++;
	if (!quietly && node_nexthop(rib, node) != old)
		rib_note(rib, key, route->length);
	return ERR_OK;
}

enum err rib_remove_whole(struct rib *rib, struct ip6 key, unsigned length, enum rib_source source,
	struct route *removed)
{
	uint32_t node = length <= rib->bits ? trie_find(&rib->trie, key, length) : TRIE_NONE;
	uint32_t before, r = node ? list_find(rib, node, source, &before) : 0, old;

	if (!r)
		return ERR_NOT_FOUND;
	if (removed)
		memcpy(removed, route_at(rib, r), rib->route_size);
	old = node_nexthop(rib, node);
	list_link(rib, node, before, route_at(rib, r)->next);
	node_tag(rib, node);
	route_at(rib, r)->next = rib->free;
	rib->free = r;
	rib->count--;
	rib->count_of[source]--;
	rib->generation++;
	if (node_nexthop(rib, node) != old)
		rib_note(rib, key, length);
	trie_remove(&rib->trie, node);
	return ERR_OK;
}

enum err rib_replace(struct rib *rib, struct ip6 key, unsigned length, enum rib_source source,
	uint32_t nexthop, uint32_t *old)
{
	uint32_t node = length <= rib->bits ? trie_find(&rib->trie, key, length) : TRIE_NONE;
	uint32_t before, r = node ? list_find(rib, node, source, &before) : 0;

	if (nexthop >= NEXTHOP_MAX)
		return ERR_INVALID;
	if (!r)
		return ERR_NOT_FOUND;
	*old = route_at(rib, r)->nexthop;
	route_at(rib, r)->nexthop = nexthop;
	node_tag(rib, node);
	rib->generation++;
	if (!before && *old != nexthop)
		rib_note(rib, key, length);
	return ERR_OK;
}

/* ---- asking ---- */

const struct route *rib_find(
	const struct rib *rib, struct ip6 key, unsigned length, enum rib_source source)
{
	uint32_t node = length <= rib->bits ? trie_find(&rib->trie, key, length) : TRIE_NONE;
	uint32_t before, r = node ? list_find(rib, node, source, &before) : 0;

	return r ? route_at(rib, r) : NULL;
}

/* The best route of a node that is wanted, or NULL. */
static const struct route *node_route(const struct rib *rib, uint32_t node, bool skip_neighbors)
{
	uint32_t r = rib->trie.node[node].value;

	while (r && skip_neighbors && route_at(rib, r)->source == RIB_NEIGHBOR)
		r = route_at(rib, r)->next;
	return r ? route_at(rib, r) : NULL;
}

const struct route *rib_match(
	const struct rib *rib, struct ip6 key, unsigned longest, bool skip_neighbors)
{
	(void)rib_bring(rib, key, UINT32_MAX);
	uint32_t node = trie_match(&rib->trie, key, longest);
	const struct route *route = NULL;

	for (; node && !route; node = trie_cover(&rib->trie, node))
		route = node_route(rib, node, skip_neighbors);
	return route;
}

/* The first node with a value from `node` on, in order. */
static uint32_t next_valued(const struct rib *rib, uint32_t node)
{
	while (node && !rib->trie.node[node].value)
		node = trie_next(&rib->trie, node);
	return node;
}

const struct route *rib_from(const struct rib *rib, struct ip6 key, unsigned length)
{
	uint32_t node = trie_find(&rib->trie, key, length);

	if (!node)
		node = trie_after(&rib->trie, key, length);
	node = next_valued(rib, node);
	return node ? node_route(rib, node, false) : NULL;
}

const struct route *rib_next(const struct rib *rib, const struct route *route, struct ip6 key)
{
	uint32_t node = trie_find(&rib->trie, key, route->length);
	uint32_t r = node ? rib->trie.node[node].value : 0;

	while (r && !route_is_better(route, route_at(rib, r)))
		r = route_at(rib, r)->next;
	if (r)
		return route_at(rib, r);
	node = next_valued(rib, trie_after(&rib->trie, key, route->length));
	return node ? node_route(rib, node, false) : NULL;
}

uint32_t rib_span(const struct rib *rib, struct ip6 address, struct ip6 *last)
{
	const struct trie *t = &rib->trie;
	uint32_t node = trie_match(t, address, rib->bits);
	uint32_t inner = next_valued(rib, trie_after(t, address, rib->bits));
	struct ip6 end = {~0ull, ~0ull};

	if (node)
		end = ip6_last(t->node[node].key, t->node[node].length);
	if (inner && !ip6_less(end, t->node[inner].key)) {
		end = t->node[inner].key; /* the address before it */
		end.hi -= end.lo == 0;
		end.lo--;
	}
	*last = end;
	return node ? rib_node_nexthop(&t->node[node]) : NEXTHOP_NONE;
}

/* ---- either family, by key ---- */

enum err rib_add(struct rib *rib, struct ip6 key, const struct route *route)
{
	union {
		struct route any;
		struct route4 four;
		struct route6 six;
	} whole;

	if (rib->bits == 32)
		whole.four = (struct route4){.prefix = (uint32_t)(key.hi >> 32)};
	else
		whole.six = (struct route6){.prefix = key};
	whole.any.nexthop = route->nexthop;
	whole.any.length = route->length;
	whole.any.source = route->source;
	whole.any.distance = route->distance;
	return rib_add_whole(rib, &whole.any, key, false);
}

enum err rib_remove(
	struct rib *rib, struct ip6 key, unsigned length, enum rib_source source, uint32_t *nexthop)
{
	const struct route *route = rib_find(rib, key, length, source);

	if (!route)
		return ERR_NOT_FOUND;
	*nexthop = route->nexthop;
	return rib_remove_whole(rib, key, length, source, NULL);
}
