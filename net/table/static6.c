/* Keeps the configured static IPv6 routes in the RIB. */
#include "net/table/static6.h"

#include <stddef.h>

static enum err static6_add(struct static6 *s, struct rib6 *rib, struct nexthop_table *t)
{
	static const enum nexthop_action action[] = {
		[STATIC4_BLACKHOLE] = NEXTHOP_BLACKHOLE,
		[STATIC4_UNREACHABLE] = NEXTHOP_UNREACHABLE,
		[STATIC4_PROHIBIT] = NEXTHOP_PROHIBIT,
	};
	struct route6 route = {
		.prefix = s->prefix, .length = s->length, .source = RIB_STATIC, .distance = 1};
	enum err err = nexthop_get(t, action[s->kind], 0, 0, NULL, 0, &route.nexthop);

	if (err != ERR_OK)
		return err;
	err = rib6_add(rib, &route);
	if (err != ERR_OK)
		nexthop_put(t, route.nexthop);
	else
		s->installed = true;
	return err;
}

enum err static6_refresh(
	struct static6 *route, unsigned n, struct rib6 *rib, struct nexthop_table *t)
{
	enum err result = ERR_OK;

	for (unsigned i = 0; i < n; i++) {
		if (route[i].installed || route[i].kind == STATIC4_VIA)
			continue;
		enum err err = static6_add(&route[i], rib, t);

		if (err != ERR_OK)
			result = err;
	}
	return result;
}

void static6_withdraw(struct static6 *route, unsigned n, struct rib6 *rib, struct nexthop_table *t)
{
	struct route6 removed;

	for (unsigned i = 0; i < n; i++) {
		if (route[i].installed && rib6_remove(rib, route[i].prefix, route[i].length,
						  RIB_STATIC, &removed) == ERR_OK)
			nexthop_put(t, removed.nexthop);
		route[i].installed = false;
	}
}
