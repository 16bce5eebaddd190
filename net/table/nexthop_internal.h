/* What nexthop.c and nexthop_group.c share. */
#ifndef NET_TABLE_NEXTHOP_INTERNAL_H
#define NET_TABLE_NEXTHOP_INTERNAL_H

#include "lib/atomic.h"
#include "net/table/nexthop.h"

/* Actions other than a TX queue have no limit of length. */
#define NO_MTU 0xffffu

static inline uint32_t adjacency_out(uint32_t target, uint32_t mtu)
{
	return target | mtu << 16;
}

/* What workers do with the index from now on; the MTU stays. */
static inline void adjacency_retarget(struct adjacency *a, uint32_t target)
{
	store_release(&a->out, adjacency_out(target, adjacency_mtu(a->out)));
}

/* What stands for an IPv6 gateway where an IPv4 one would be: its hash, not 0; 0 for none. */
static inline uint32_t gateway6_hash(struct ip6 gateway)
{
	uint64_t h = (gateway.hi ^ gateway.lo * 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;

	return ip6_is_zero(gateway) ? 0 : (uint32_t)(h >> 32) | 1;
}

/* The list that a next hop of this key stands in. */
uint16_t *nexthop_bucket(
	struct nexthop_table *t, enum nexthop_action action, unsigned port, uint32_t gateway);

/* Index of a live next hop, or NEXTHOP_NONE; gateway: of gateway6 its hash. */
uint32_t nexthop_find(struct nexthop_table *t, enum nexthop_action action, unsigned port,
	uint32_t gateway, struct ip6 gateway6);

/* A new next hop without references, to be found by its key. NEXTHOP_NONE: no room. */
uint32_t nexthop_make(
	struct nexthop_table *t, enum nexthop_action action, unsigned port, uint32_t gateway);

/* A new next hop has been led nothing yet. */
void nexthop_count_anew(struct nexthop_table *t, uint32_t index);

/* Its neighbour has fallen silent, or was heard: groups follow. */
void nexthop_set_silent(struct nexthop_table *t, uint32_t index, bool silent);

/* The last reference to a next hop is gone: if it is a group, it lets its members go. */
void nexthop_group_leave(struct nexthop_table *t, uint32_t index);

/* No worker knows the next hop any more: if it is a group, its places are free. */
void nexthop_group_free(struct nexthop_table *t, uint32_t index);

#endif
