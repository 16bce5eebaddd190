/* Keeps the configured static routes in the RIB while they can be used. */
#include "net/table/static4.h"

#include <stddef.h>

#include "net/table/resolve4.h"

#define STATIC4_ROUNDS 8u /* a route may make the gateway of another reachable, or no longer so */

/* What decides which routes can be used. */
struct context {
	struct iface *ifaces;
	unsigned ifaces_n;
	struct rib4 *rib;
	struct nexthop_table *t;
};

/* The next hop a static route wants now. */
struct want {
	enum nexthop_action action;
	const struct iface *iface; /* for NEXTHOP_RESOLVE */
};

/* False if the route cannot be used: its gateway is no neighbour, nor does another route lead
 * there. */
static bool static4_want(const struct static4 *s, const struct context *c, struct want *w)
{
	w->iface = NULL;
	switch ((enum static4_kind)s->kind) {
	case STATIC4_BLACKHOLE:
		w->action = NEXTHOP_BLACKHOLE;
		return true;
	case STATIC4_UNREACHABLE:
		w->action = NEXTHOP_UNREACHABLE;
		return true;
	case STATIC4_PROHIBIT:
		w->action = NEXTHOP_PROHIBIT;
		return true;
	case STATIC4_VIA:
		break;
	}
	w->action = NEXTHOP_RESOLVE;
	w->iface = iface_to(c->ifaces, c->ifaces_n, s->gateway);
	if (w->iface)
		return iface_neighbor(w->iface, s->gateway) != NULL;
	w->action = NEXTHOP_RECURSIVE;
	return resolve4_gateway(c->rib, c->t, s->gateway);
}

static void static4_remove(struct static4 *s, struct rib4 *rib, struct nexthop_table *t)
{
	struct route4 removed;

	if (s->installed && rib4_remove(rib, s->prefix, s->length, RIB_STATIC, &removed) == ERR_OK)
		nexthop_put(t, removed.nexthop);
	s->installed = false;
}

/* The installed route has the next hop it wants. */
static bool static4_is_right(const struct static4 *s, const struct want *w, const struct context *c)
{
	const struct route4 *r = rib4_find(c->rib, s->prefix, s->length, RIB_STATIC);
	const struct nexthop *n = r ? &c->t->nexthop[r->nexthop] : NULL;

	if (!n || n->action != w->action)
		return false;
	if (w->action == NEXTHOP_RECURSIVE)
		return n->gateway == s->gateway;
	return !w->iface || (n->port == w->iface->port && n->gateway == s->gateway);
}

static enum err static4_nexthop(
	const struct static4 *s, const struct want *w, const struct context *c, uint32_t *index)
{
	const struct iface *i = w->iface;

	if (w->action == NEXTHOP_RECURSIVE)
		return resolve4_get(c->rib, c->t, s->gateway, index);
	return nexthop_get(c->t, w->action, i ? i->port : 0, i ? s->gateway : 0, i ? i->mac : NULL,
		i ? i->mtu : 0, index);
}

/* Of two lines for one prefix the first that can be used is installed, the other waits. */
static enum err static4_add(struct static4 *s, const struct want *w, const struct context *c)
{
	struct route4 route = {
		.prefix = s->prefix, .length = s->length, .source = RIB_STATIC, .distance = 1};

	if (rib4_find(c->rib, s->prefix, s->length, RIB_STATIC))
		return ERR_OK;

	enum err err = static4_nexthop(s, w, c, &route.nexthop);

	if (err != ERR_OK)
		return err;
	err = rib4_add(c->rib, &route);
	if (err != ERR_OK)
		nexthop_put(c->t, route.nexthop);
	else
		s->installed = true;
	return err;
}

/* Takes out what can no longer be used. true: that may have made others useless. */
static bool remove_useless(struct static4 *route, unsigned n, const struct context *c)
{
	bool removed = false;
	struct want w;

	for (unsigned i = 0; i < n; i++) {
		if (!route[i].installed ||
			(static4_want(&route[i], c, &w) && static4_is_right(&route[i], &w, c)))
			continue;
		static4_remove(&route[i], c->rib, c->t);
		removed = true;
	}
	return removed;
}

/* Installs what can be used. true: that may have made others usable. */
static bool add_usable(struct static4 *route, unsigned n, const struct context *c, enum err *result)
{
	bool waiting = false, added = false;
	struct want w;

	for (unsigned i = 0; i < n; i++) {
		if (route[i].installed)
			continue;
		if (!static4_want(&route[i], c, &w)) {
			waiting = true;
			continue;
		}
		enum err err = static4_add(&route[i], &w, c);

		if (err != ERR_OK)
			*result = err;
		added |= route[i].installed;
	}
	return waiting && added;
}

enum err static4_refresh(struct static4 *route, unsigned n, struct iface *ifaces, unsigned ifaces_n,
	struct rib4 *rib, struct nexthop_table *t)
{
	const struct context c = {ifaces, ifaces_n, rib, t};
	enum err result = ERR_OK;
	unsigned rounds = STATIC4_ROUNDS;

	/* All that must go first: it makes room, and frees prefixes for other lines. */
	while (remove_useless(route, n, &c) && rounds-- > 0)
		;
	rounds = STATIC4_ROUNDS;
	while (add_usable(route, n, &c, &result) && rounds-- > 0)
		;
	resolve4_refresh(rib, t);
	return result;
}

void static4_withdraw(struct static4 *route, unsigned n, struct rib4 *rib, struct nexthop_table *t)
{
	for (unsigned i = 0; i < n; i++)
		static4_remove(&route[i], rib, t);
}
