/*
 * The RIBs of a router that forwards by a table made elsewhere (fibimage.h) get
 * its routes, a slice at a time, while forwarding goes on.
 *
 * The FIBs have these routes already, so adding one changes nothing. But a FIB is
 * changed by painting a part of it anew from the RIB, and the RIB is asked for
 * addresses. Both may happen before the RIB is whole; therefore routes are added
 * by blocks, and the block of an address first when it is asked for (rib_bring).
 * Control core.
 */
#ifndef NET_TABLE_FIBFILL_H
#define NET_TABLE_FIBFILL_H

#include "net/table/fibimage.h"

struct fibfill;

/* One family's part. */
struct fibfill_family {
	struct fibfill *fill;
	unsigned family, block_bits;
	uint32_t next; /* routes before this are in, or in a block that is */
	struct {
		uint32_t number, at; /* the block under way, and its route to be added next */
		bool begun;
	} block;
	uint8_t *in; /* a bit for each block */
	struct rib_supply supply;
};

struct fibfill {
	const struct fibimage *image;
	struct rib4 *rib4;
	struct rib6 *rib6;
	struct nexthop_table *nexthops;
	uint32_t failed; /* routes for which there was no room, and tries to add them */
	struct fibfill_family family[2];
	uint8_t in4[(1u << RIB4_BLOCK) / 8], in6[(1u << RIB6_BLOCK) / 8];
};

/*
 * Begins: routes shorter than a block are added at once. The image was loaded,
 * the RIBs have none of its routes. `fill` and `image` stay where they are.
 */
void fibfill_begin(struct fibfill *fill, const struct fibimage *image, struct rib4 *rib4,
	struct rib6 *rib6, struct nexthop_table *nexthops);

/*
 * Adds up to `most` routes, a microsecond or so each. false: all are in, and the
 * next hops' references of fibimage_load have been given back.
 */
bool fibfill_step(struct fibfill *fill, uint32_t most);

/* How many are still to come, but for those added because their block was asked for. */
uint32_t fibfill_left(const struct fibfill *fill);

#endif
