/*
 * Recursive next hops: what a gateway that is no neighbour stands for.
 *
 * Such a gateway is looked up in the RIB like any destination; the route found
 * may itself go by such a gateway, and so on. The default route does not count:
 * otherwise every gateway would resolve. A route that leads back to a gateway
 * already on the way is passed over for the next shorter one. A next hop that is
 * bound to a port resolves only while its gateway is a neighbour there.
 *
 * A RIB is that of either family; gateways are its keys (rib4_key). A link-local
 * one is never recursive. Control core.
 */
#ifndef NET_TABLE_RESOLVE_H
#define NET_TABLE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/table/nexthop.h"
#include "net/table/rib.h"

/* Where packets for the gateway go, by the RIB as it is; false: nowhere. */
bool resolve_gateway(const struct rib *rib, const struct nexthop_table *t, struct ip6 gateway);

/* The recursive next hop by this gateway, resolved; takes a reference. ERR_FULL. */
MUST_CHECK enum err resolve_get(
	const struct rib *rib, struct nexthop_table *t, struct ip6 gateway, uint32_t *index);

/* After the RIB changed: redirects every recursive next hop of its family to where its gateway is
 * now. */
void resolve_refresh(const struct rib *rib, struct nexthop_table *t);

#endif
