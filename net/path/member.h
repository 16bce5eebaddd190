/* Which member of a group of next hops a packet goes by: the hash of its flow picks it. */
#ifndef NET_PATH_MEMBER_H
#define NET_PATH_MEMBER_H

#include "lib/hash.h"
#include "net/path/parse.h"

/* The index of the member for packet i, which is routed. Not a group itself (nexthop.h). */
static inline uint32_t member_of(
	const struct tables *t, const struct batch *b, unsigned i, const struct adjacency *group)
{
	uint32_t bytes = packet_len(b->word[i]) - ETH_HEADER;
	uint32_t hash = b->verdict[i] == VERDICT_ROUTE6 ? hash_flow6(b->data[i] + IPV6_OFF, bytes)
							: hash_flow4(b->data[i] + IPV4_OFF, bytes);

	return load_acquire(&t->place[group->place + (hash & group->mask)]);
}

/* The same of any index whose adjacency says `out`: its own if it stands for no other. */
static inline uint32_t member_or_self(
	const struct tables *t, const struct batch *b, unsigned i, uint32_t nh, uint32_t out)
{
	if (adjacency_target(out) == NEXTHOP_ONE)
		return adjacency_one(out);
	return adjacency_leads_on(out) ? member_of(t, b, i, &t->adjacency[nh]) : nh;
}

#endif
