/* Keeps the configured static routes in the RIB while they can be used. */
#include "net/table/static4.h"

#include <stddef.h>

/* The next hop a static route wants now. */
struct want {
	enum nexthop_action action;
	const struct iface *iface; /* for NEXTHOP_RESOLVE */
};

/* False if the route cannot be used: its gateway is no neighbour of any interface. */
static bool static4_want(const struct static4 *s, struct iface *ifaces, unsigned n, struct want *w)
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
	w->iface = iface_to(ifaces, n, s->gateway);
	return w->iface && iface_neighbor(w->iface, s->gateway);
}

static void static4_remove(struct static4 *s, struct rib4 *rib, struct nexthop_table *t)
{
	struct route4 removed;

	if (s->installed && rib4_remove(rib, s->prefix, s->length, RIB_STATIC, &removed) == ERR_OK)
		nexthop_put(t, removed.nexthop);
	s->installed = false;
}

/* The installed route has the next hop it wants. */
static bool static4_is_right(const struct static4 *s, const struct want *w, const struct rib4 *rib,
	const struct nexthop_table *t)
{
	const struct route4 *r = rib4_find(rib, s->prefix, s->length, RIB_STATIC);
	const struct nexthop *n = r ? &t->nexthop[r->nexthop] : NULL;

	if (!n || n->action != w->action)
		return false;
	return !w->iface || (n->port == w->iface->port && n->gateway == s->gateway);
}

/* Of two lines for one prefix the first that can be used is installed, the other waits. */
static enum err static4_add(
	struct static4 *s, const struct want *w, struct rib4 *rib, struct nexthop_table *t)
{
	struct route4 route = {
		.prefix = s->prefix, .length = s->length, .source = RIB_STATIC, .distance = 1};
	const struct iface *i = w->iface;

	if (rib4_find(rib, s->prefix, s->length, RIB_STATIC))
		return ERR_OK;

	enum err err = nexthop_get(t, w->action, i ? i->port : 0, i ? s->gateway : 0,
		i ? i->mac : NULL, i ? i->mtu : 0, &route.nexthop);

	if (err != ERR_OK)
		return err;
	err = rib4_add(rib, &route);
	if (err != ERR_OK)
		nexthop_put(t, route.nexthop);
	else
		s->installed = true;
	return err;
}

enum err static4_refresh(struct static4 *route, unsigned n, struct iface *ifaces, unsigned ifaces_n,
	struct rib4 *rib, struct nexthop_table *t)
{
	enum err result = ERR_OK;
	struct want w;

	/* All that must go first: it makes room, and frees prefixes for other lines. */
	for (unsigned i = 0; i < n; i++)
		if (route[i].installed && !(static4_want(&route[i], ifaces, ifaces_n, &w) &&
						  static4_is_right(&route[i], &w, rib, t)))
			static4_remove(&route[i], rib, t);

	for (unsigned i = 0; i < n; i++) {
		if (route[i].installed || !static4_want(&route[i], ifaces, ifaces_n, &w))
			continue;
		enum err err = static4_add(&route[i], &w, rib, t);

		if (err != ERR_OK)
			result = err;
	}
	return result;
}

void static4_withdraw(struct static4 *route, unsigned n, struct rib4 *rib, struct nexthop_table *t)
{
	for (unsigned i = 0; i < n; i++)
		static4_remove(&route[i], rib, t);
}
