/* Which member of a group of next hops a packet goes by: the hash of its flow picks it. */
#ifndef NET_PATH_MEMBER_H
#define NET_PATH_MEMBER_H

#include "lib/hash.h"
#include "net/path/parse.h"

/* The index of the member for packet i, which is routed. Not a group itself (nexthop.h). */
static inline uint32_t member_of(
	const struct tables *t, const struct batch *b, unsigned i, const struct adjacency *group)
{
	uint32_t mask = load_once(&group->mask), hash = 0;
	uint32_t bytes = packet_len(b->word[i]) - ETH_HEADER;

	if (mask)
		hash = b->verdict[i] == VERDICT_ROUTE6 ? hash_flow6(b->data[i] + IPV6_OFF, bytes)
						       : hash_flow4(b->data[i] + IPV4_OFF, bytes);
	return load_acquire(&t->place[group->place + (hash & mask)]);
}

#endif
