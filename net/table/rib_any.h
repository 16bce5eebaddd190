/*
 * The RIB of either family, by key: what rib.c has for the typed calls of rib_family.c alone.
 * A route here is the common head of a route4 or a route6 of rib->route_size bytes. Control core.
 */
#ifndef NET_TABLE_RIB_ANY_H
#define NET_TABLE_RIB_ANY_H

#include "net/table/rib.h"

/* Bytes for a RIB of routes of this size; one of addresses of `bits` in them. */
size_t rib_size(uint32_t routes, size_t route_size);
void rib_init(struct rib *rib, void *mem, uint32_t routes, unsigned bits, uint32_t route_size);

/* As rib4_add and rib4_add_quietly, rib4_remove, rib4_take_change. */
MUST_CHECK enum err rib_add_whole(
	struct rib *rib, const struct route *route, struct ip6 key, bool quietly);
MUST_CHECK enum err rib_remove_whole(struct rib *rib, struct ip6 key, unsigned length,
	enum rib_source source, struct route *removed);
bool rib_take_change(struct rib *rib, struct rib_change *change);

/* As rib4_from, rib4_next, rib4_span. */
const struct route *rib_from(const struct rib *rib, struct ip6 key, unsigned length);
const struct route *rib_next(const struct rib *rib, const struct route *route, struct ip6 key);
uint32_t rib_span(const struct rib *rib, struct ip6 address, struct ip6 *last);

#endif
