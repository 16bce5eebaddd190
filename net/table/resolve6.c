/* Resolving IPv6 gateways through the RIB; see resolve6.c. */
#include "net/table/resolve6.h"

#define RESOLVE_DEPTH 8u /* gateways on the way from one that is no neighbour to one that is */
#define RESOLVE_STEPS                                                                              \
	64u /* routes looked at: hostile tables have very many ways that end nowhere */

/* The way from a gateway to a neighbour. */
struct way {
	struct ip6 gateway[RESOLVE_DEPTH];
	unsigned gateways, steps;
	const struct route6 *route; /* by which the last of them is reached, or NULL */
};

static bool way_has(const struct way *w, struct ip6 gateway)
{
	for (unsigned i = 0; i < w->gateways; i++)
		if (ip6_equal(w->gateway[i], gateway))
			return true;
	return false;
}

/* A route that leads to a gateway, which must be a neighbour there if it is bound to a port. */
static bool route_suits(const struct nexthop *n, unsigned port)
{
	return port == NEXTHOP_ANY_PORT ||
	       (n->action == NEXTHOP_RESOLVE && ip6_is_zero(n->gateway6) && n->port == port);
}

/*
 * Goes on from a gateway, by the longest route to it that does not lead back nor
 * nowhere. A way that needs more gateways than there is room for counts as none.
 */
static bool way_find(struct way *w, const struct rib6 *rib, const struct nexthop_table *t,
	struct ip6 gateway, unsigned port)
{
	const struct route6 *r = rib6_match(rib, gateway, true); /* neighbours come and go */

	if (w->gateways == RESOLVE_DEPTH)
		return false;
	w->gateway[w->gateways++] = gateway;
	while (r && r->length > 0 && w->steps++ < RESOLVE_STEPS) {
		const struct nexthop *n = &t->nexthop[r->nexthop];

		w->route = r;
		if (n->action != NEXTHOP_RECURSIVE
				? route_suits(n, port)
				: port == NEXTHOP_ANY_PORT && !way_has(w, n->gateway6) &&
					  way_find(w, rib, t, n->gateway6, n->port))
			return true;
		r = rib6_match_upto(rib, gateway, r->length - 1u);
	}
	w->gateways--;
	return false;
}

static struct way way_from(
	const struct rib6 *rib, const struct nexthop_table *t, struct ip6 gateway, unsigned port)
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

bool resolve6_gateway(const struct rib6 *rib, const struct nexthop_table *t, struct ip6 gateway)
{
	struct way w = way_from(rib, t, gateway, NEXTHOP_ANY_PORT);

	return way_is_usable(&w, t);
}

/* The index to redirect to, with a reference; NEXTHOP_NONE if there is no way or no room. */
static uint32_t way_index(const struct way *w, struct nexthop_table *t)
{
	if (!way_is_usable(w, t))
		return NEXTHOP_NONE;
	uint32_t index = w->route->nexthop;
	const struct nexthop *n = &t->nexthop[index];
	const struct adjacency *a = &t->adjacency[index];

	if (n->action != NEXTHOP_RESOLVE || !ip6_is_zero(n->gateway6)) {
		t->nexthop[index].refs++;
		return index;
	}
	/* A connected network: the last gateway is a neighbour there. */
	if (nexthop_get6(t, NEXTHOP_RESOLVE, n->port, w->gateway[w->gateways - 1], a->mac + 6,
		    adjacency_mtu(a->out), &index) != ERR_OK)
		return NEXTHOP_NONE;
	return index;
}

static void resolve_index(const struct rib6 *rib, struct nexthop_table *t, uint32_t index)
{
	const struct nexthop *n = &t->nexthop[index];
	struct way w = way_from(rib, t, n->gateway6, n->port);
	uint32_t to = way_index(&w, t);

	nexthop_redirect(t, index, to);
	if (to != NEXTHOP_NONE)
		nexthop_put(t, to); /* the recursive next hop has its own reference now */
}

enum err resolve6_get(
	const struct rib6 *rib, struct nexthop_table *t, struct ip6 gateway, uint32_t *index)
{
	enum err err = nexthop_get_recursive6(t, gateway, NEXTHOP_ANY_PORT, index);

	if (err == ERR_OK)
		resolve_index(rib, t, *index);
	return err;
}

void resolve6_refresh(const struct rib6 *rib, struct nexthop_table *t)
{
	for (unsigned g = 0; t->recursive && g < t->group_used; g++) {
		uint32_t owner = t->group[g].owner;

		if (owner && t->nexthop[owner].refs &&
			t->nexthop[owner].action == NEXTHOP_RECURSIVE &&
			!ip6_is_zero(t->nexthop[owner].gateway6))
			resolve_index(rib, t, owner);
	}
}
