/*
 * Tables of routes as text (route_text.h) into the RIBs, with source RIB_FILE.
 *
 * A gateway is one recursive next hop, so that a change of interfaces touches
 * gateways, not routes; with `dev ethN` it is used only while it is a neighbour
 * at port N. Lines of one prefix, which stand together, are one route by several
 * gateways, each with its weight. Link-local gateways are refused: which is meant
 * depends on the interface's own address. Control core.
 */
#ifndef NET_TABLE_ROUTE_LOAD_H
#define NET_TABLE_ROUTE_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "net/table/nexthop.h"
#include "net/table/rib.h"

struct route_load {
	struct rib4 *rib4;
	struct rib6 *rib6;
	struct nexthop_table *nexthops;
	unsigned ports; /* there are; `dev` names one of them */
	/* Told of every line that is left out, by its number in its text, from 1. */
	void (*wrong)(void *ctx, uint32_t line, const char *why);
	void *ctx;
	uint32_t routes4, routes6; /* results: routes added, lines left out */
	uint32_t wrong_lines;
};

/*
 * Adds all routes of a text; the results count on. Gateways are not resolved
 * (resolve_refresh), and the RIBs note the changes.
 */
void route_load_text(struct route_load *load, const char *text, size_t n);

#endif
