/*
 * The IPv4 routing table: every route with its source and distance.
 *
 * Sorted by (prefix, length, distance), so the best route of a prefix comes
 * first among its equals. The control core alone reads and writes it; workers
 * see the FIB built from it.
 */
#ifndef NET_TABLE_RIB_H
#define NET_TABLE_RIB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"

/* Where a route comes from; the value is also its administrative distance order. */
enum rib_source {
	RIB_LOCAL,     /* an own address /32, a broadcast address */
	RIB_CONNECTED, /* an interface's network */
	RIB_NEIGHBOR,  /* a /32 to a known or pending neighbour on a connected network */
	RIB_STATIC,
};

/* Distances as vendors have them: connected 0, static 1. */
struct route4 {
	uint32_t prefix; /* host byte order, host bits zero */
	uint8_t length;  /* 0-32 */
	uint8_t source;  /* enum rib_source */
	uint8_t distance;
	uint8_t pad;
	uint32_t nexthop; /* index; the RIB holds one reference */
};

struct rib4 {
	struct route4 *route; /* RIB4_MAX, sorted */
	uint32_t count;
	uint64_t generation; /* bumped by every change */
};

void rib4_init(struct rib4 *rib, struct route4 *mem);

/* Mask of a prefix length, host byte order. */
static inline uint32_t rib4_mask(unsigned length)
{
	return length ? 0xffffffffu << (32 - length) : 0;
}

/* ERR_INVALID: host bits set or length > 32. ERR_EXISTS: that prefix from that source. ERR_FULL. */
MUST_CHECK enum err rib4_add(struct rib4 *rib, const struct route4 *route);

/* Removes the route of this prefix and source; *removed (may be NULL) receives it. ERR_NOT_FOUND.
 */
MUST_CHECK enum err rib4_remove(struct rib4 *rib, uint32_t prefix, unsigned length,
	enum rib_source source, struct route4 *removed);

/* The route of exactly this prefix and source, or NULL. */
const struct route4 *rib4_find(
	const struct rib4 *rib, uint32_t prefix, unsigned length, enum rib_source source);

/* Longest match, best source first; NULL if none. With skip_neighbors, /32 neighbour routes are not
 * seen. */
const struct route4 *rib4_match(const struct rib4 *rib, uint32_t address, bool skip_neighbors);

#endif
