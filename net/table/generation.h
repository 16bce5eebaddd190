/*
 * The generation of the tables: a number that changes with all that decides about packets.
 *
 * Who keeps a decision about later packets (a flow, a session) reads the generation first, then
 * decides, and keeps both; the decision holds as long as the generation is that one. The control
 * core makes the next one behind every change that may alter a decision: routes, groups of next
 * hops and their members, interfaces, access lists, NAT, uRPF, martians. A change that is visible
 * and whose generation is not yet is a change that has not come yet for decisions that are kept.
 *
 * Adjacencies (addresses, MTU, whether the neighbour is known) are read anew for each packet:
 * decisions name next hops by index. An index gets another meaning after a grace period that
 * begins behind the generation in which no table names it any more.
 */
#ifndef NET_TABLE_GENERATION_H
#define NET_TABLE_GENERATION_H

#include <stdint.h>

#include "lib/atomic.h"
#include "net/table/tables.h"

#define GENERATION_NONE 0u /* of no decision */

/* Any core, once a batch and before the first look-up, inside the RCU section of all of them. */
static inline uint32_t generation_now(const struct tables *t)
{
	return load_acquire(&t->generation);
}

/*
 * Ends all decisions that are kept. Control core, when what it changed is visible. A decision
 * kept through exactly 2^32 - 1 changes would be taken for one of now; those who keep them
 * look through them much more often (flow.h).
 */
static inline void generation_next(struct tables *t)
{
	uint32_t next = t->generation + 1;

	store_release(&t->generation, next == GENERATION_NONE ? 1 : next);
}

#endif
