/*
 * Static IPv6 routes: configured lines, installed in the RIB while they can be used.
 *
 * As static4.h; a link-local gateway is a neighbour on the port given with it.
 * Control core only.
 */
#ifndef NET_TABLE_STATIC6_H
#define NET_TABLE_STATIC6_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/iface.h"
#include "net/table/nexthop.h"
#include "net/table/rib.h"
#include "net/table/static4.h"

struct static6 {
	struct ip6 prefix;
	struct ip6 gateway; /* for STATIC4_VIA */
	uint16_t port;      /* where a link-local gateway is; none there: the route waits */
	uint8_t length;
	uint8_t kind;   /* enum static4_kind */
	uint8_t weight; /* of its part of the flows; 0 counts as 1 */
	bool installed; /* it is what the RIB has for its prefix, or a part of it */
};

/* As static4_refresh. */
MUST_CHECK enum err static6_refresh(struct static6 *route, unsigned n, struct iface *ifaces,
	unsigned ifaces_n, struct rib6 *rib, struct nexthop_table *t);

/* Takes all of them out, with the other lines of their prefixes. */
void static6_withdraw(struct static6 *route, unsigned n, struct rib6 *rib, struct nexthop_table *t);

#endif
