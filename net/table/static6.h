/*
 * Static IPv6 routes: configured lines, installed in the RIB while they can be used.
 *
 * Interfaces have no IPv6 addresses yet, so no gateway can be a neighbour: 'via'
 * routes wait. The others are installed. Control core only.
 */
#ifndef NET_TABLE_STATIC6_H
#define NET_TABLE_STATIC6_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/nexthop.h"
#include "net/table/rib.h"
#include "net/table/static4.h"

struct static6 {
	struct ip6 prefix;
	struct ip6 gateway; /* for STATIC4_VIA */
	uint8_t length;
	uint8_t kind; /* enum static4_kind */
	uint8_t weight;
	bool installed;
};

/* Installs what can be and is not yet. ERR_FULL: as many as fit are in. */
MUST_CHECK enum err static6_refresh(
	struct static6 *route, unsigned n, struct rib6 *rib, struct nexthop_table *t);

/* Takes all of them out. */
void static6_withdraw(struct static6 *route, unsigned n, struct rib6 *rib, struct nexthop_table *t);

#endif
