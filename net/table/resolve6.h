/* Recursive next hops for IPv6: as resolve4.h. A link-local gateway is never one. Control core. */
#ifndef NET_TABLE_RESOLVE6_H
#define NET_TABLE_RESOLVE6_H

#include <stdbool.h>
#include <stdint.h>

#include "net/table/nexthop.h"
#include "net/table/rib.h"

/* Where packets for the gateway go, by the RIB as it is; false: nowhere. */
bool resolve6_gateway(const struct rib6 *rib, const struct nexthop_table *t, struct ip6 gateway);

/* The recursive next hop by this gateway, resolved; takes a reference. ERR_FULL. */
MUST_CHECK enum err resolve6_get(
	const struct rib6 *rib, struct nexthop_table *t, struct ip6 gateway, uint32_t *index);

/* After the RIB changed: redirects every recursive next hop to where its gateway is now. */
void resolve6_refresh(const struct rib6 *rib, struct nexthop_table *t);

#endif
