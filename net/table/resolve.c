/* Resolving gateways through the RIB. */
#include "net/table/resolve.h"

#define RESOLVE_DEPTH 8u /* gateways on the way from one that is no neighbour to one that is */
#define RESOLVE_STEPS                                                                              \
	64u /* routes looked at: hostile tables have very many ways that end nowhere */

/* The way from a gateway to a neighbour. */
struct way {
	struct ip6 gateway[RESOLVE_DEPTH];
	unsigned gateways, steps;
	const struct route *route; /* by which the last of them is reached, or NULL */
};

static bool way_has(const struct way *w, struct ip6 gateway)
{
	for (unsigned i = 0; i < w->gateways; i++)
		if (ip6_equal(w->gateway[i], gateway))
			return true;
	return false;
}

/* The recursive next hops that an index goes by: itself, or members of a group. Returns how many.
 */
static unsigned recursive_parts(
	const struct nexthop_table *t, uint32_t index, const struct nexthop **part)
{
	const struct nexthop *n = &t->nexthop[index];
	unsigned parts = 0;

	if (n->action == NEXTHOP_RECURSIVE)
		part[parts++] = n;
	if (n->action != NEXTHOP_GROUP)
		return parts;
	for (unsigned m = 0; m < t->group[n->group].members; m++) {
		const struct nexthop *member = &t->nexthop[t->group[n->group].member[m].index];

		if (member->action == NEXTHOP_RECURSIVE)
			part[parts++] = member;
	}
	return parts;
}

/* A route that leads to a gateway, which must be a neighbour there if it is bound to a port. */
static bool route_suits(const struct nexthop *n, unsigned port)
{
	return port == NEXTHOP_ANY_PORT ||
	       (n->action == NEXTHOP_RESOLVE && ip6_is_zero(nexthop_gateway(n)) && n->port == port);
}

/*
 * Goes on from a gateway, by the longest route to it that does not lead back nor
 * nowhere; of several gateways of a route, by the first of which that is so. A
 * way that needs more gateways than there is room for counts as none.
 */
static bool way_find(struct way *w, const struct rib *rib, const struct nexthop_table *t,
	struct ip6 gateway, unsigned port)
{
	const struct route *r =
		rib_match(rib, gateway, rib->bits, true); /* neighbours come and go */

	if (w->gateways == RESOLVE_DEPTH)
		return false;
	w->gateway[w->gateways++] = gateway;
	while (r && r->length > 0 && w->steps++ < RESOLVE_STEPS) {
		const struct nexthop *part[GROUP_MEMBERS];
		unsigned parts = recursive_parts(t, r->nexthop, part);

		w->route = r;
		if (parts == 0 && route_suits(&t->nexthop[r->nexthop], port))
			return true;
		for (unsigned i = 0; i < parts && port == NEXTHOP_ANY_PORT; i++)
			if (!way_has(w, nexthop_gateway(part[i])) &&
				way_find(w, rib, t, nexthop_gateway(part[i]), part[i]->port))
				return true;
		r = rib_match(rib, gateway, r->length - 1u, false);
	}
	w->gateways--;
	return false;
}

static struct way way_from(
	const struct rib *rib, const struct nexthop_table *t, struct ip6 gateway, unsigned port)
{
	struct way w = {.gateways = 0};

	if (!way_find(&w, rib, t, gateway, port))
		w.route = NULL;
	return w;
}

/* The route found may be used to get there. */
static bool way_is_usable(const struct way *w, const struct nexthop_table *t)
{
	unsigned action = w->route ? t->nexthop[w->route->nexthop].action : NEXTHOP_NO_ROUTE;

	return action != NEXTHOP_NO_ROUTE && action != NEXTHOP_LOCAL && action != NEXTHOP_BROADCAST;
}

bool resolve_gateway(const struct rib *rib, const struct nexthop_table *t, struct ip6 gateway)
{
	struct way w = way_from(rib, t, gateway, NEXTHOP_ANY_PORT);
	bool link_local = rib->bits == 128 && ip6_is_link_local(gateway);

	return !link_local && way_is_usable(&w, t);
}

/* The index to redirect to, with a reference; NEXTHOP_NONE if there is no way or no room. */
static uint32_t way_index(const struct way *w, unsigned bits, struct nexthop_table *t)
{
	if (!way_is_usable(w, t))
		return NEXTHOP_NONE;
	uint32_t index = w->route->nexthop;
	const struct nexthop *n = &t->nexthop[index];
	const struct adjacency *a = &t->adjacency[index];

	if (n->action != NEXTHOP_RESOLVE || !ip6_is_zero(nexthop_gateway(n))) {
		t->nexthop[index].refs++;
		return index;
	}
	/* A connected network: the last gateway is a neighbour there. */
	if (nexthop_get_key(t, bits, NEXTHOP_RESOLVE, n->port, w->gateway[w->gateways - 1],
		    a->mac + 6, adjacency_mtu(a->out), &index) != ERR_OK)
		return NEXTHOP_NONE;
	return index;
}

static void resolve_index(const struct rib *rib, struct nexthop_table *t, uint32_t index)
{
	const struct nexthop *n = &t->nexthop[index];
	struct way w = way_from(rib, t, nexthop_gateway(n), n->port);
	uint32_t to = way_index(&w, rib->bits, t);

	nexthop_redirect(t, index, to);
	if (to != NEXTHOP_NONE)
		nexthop_put(t, to); /* the recursive next hop has its own reference now */
}

enum err resolve_get(
	const struct rib *rib, struct nexthop_table *t, struct ip6 gateway, uint32_t *index)
{
	enum err err = nexthop_get_recursive_key(t, rib->bits, gateway, NEXTHOP_ANY_PORT, index);

	if (err == ERR_OK)
		resolve_index(rib, t, *index);
	return err;
}

void resolve_refresh(const struct rib *rib, struct nexthop_table *t)
{
	for (unsigned g = 0; t->recursive && g < t->group_used; g++) {
		uint32_t owner = t->group[g].owner;

		if (owner && t->nexthop[owner].refs &&
			t->nexthop[owner].action == NEXTHOP_RECURSIVE &&
			ip6_is_zero(t->nexthop[owner].gateway6) == (rib->bits == 32))
			resolve_index(rib, t, owner);
	}
}
