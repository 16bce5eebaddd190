/*
 * The ranges that a RIB cuts a block into: addresses of one prefix, in order.
 *
 * Neighbouring addresses with the same next hop are one range. A sweep lives
 * while the RIB stands still. Control core.
 */
#ifndef NET_TABLE_SWEEP_H
#define NET_TABLE_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/table/rib.h"

struct sweep {
	const struct rib *rib;
	struct ip6 block; /* the prefix */
	unsigned length;
	struct ip6 at;  /* where the range to come begins */
	uint32_t cover; /* the innermost prefix with routes that holds `at`, or TRIE_NONE */
	uint32_t next;  /* the next prefix with routes inside the block, or TRIE_NONE */
	bool done;
};

/* block: the prefix, bits beyond length zero. */
void sweep_begin(struct sweep *s, const struct rib *rib, struct ip6 block, unsigned length);

/* The next range: where it begins, and its next hop (NEXTHOP_NONE: unrouted). false: no more. */
bool sweep_next(struct sweep *s, struct ip6 *first, uint32_t *nexthop);

#endif
