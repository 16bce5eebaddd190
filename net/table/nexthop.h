/*
 * Next hops: what the FIB's answer stands for.
 *
 * A FIB maps an address to an index here. Workers read only the adjacency of
 * that index, 16 bytes: the link-layer addresses to write, and one word with
 * the TX queue and the IP MTU. An index whose packets need the control core, or
 * are dropped, has an action in place of a TX queue.
 *
 * In-place change while workers read: they load `out` first, then `mac`
 * (x86 keeps the order of loads). From action to TX queue: mac, then out with
 * store_release. From one mac to another: out to NEXTHOP_RESOLVE, one grace
 * period, then as before; nexthop_set_mac does this in two steps. A freed index
 * is reused only after a grace period.
 *
 * A group (equal-cost paths) is an index like any other. Its adjacency names a
 * power of two of places, each with the index of a member; the hash of a packet's
 * flow picks one. A recursive next hop (a gateway that is not a neighbour) has the index of
 * what leads there in its `out`, so that one store changes it and no route is touched; if that
 * is a group, it is one itself, with the same places. A group may also have recursive
 * members, and none but such: its places then come to what theirs do.
 */
#ifndef NET_TABLE_NEXTHOP_H
#define NET_TABLE_NEXTHOP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"
#include "net/table/ip6.h"

/* The low 16 bits of `out`, from here up to NEXTHOP_ACTION: a port's VLAN subinterface, by number.
 * Below: a port. */
#define NEXTHOP_VLAN 0xfe00u

/* What happens to a packet: the low 16 bits of `out`, at or above NEXTHOP_ACTION. */
enum nexthop_action {
	NEXTHOP_ACTION = 0xff00,
	NEXTHOP_NO_ROUTE = 0xff00, /* index 0 always: ICMP net unreachable, drop no-route */
	NEXTHOP_LOCAL,             /* an address of the router */
	NEXTHOP_RESOLVE,   /* forward, once the neighbour's address is known: to the control core */
	NEXTHOP_BLACKHOLE, /* drop, say nothing */
	NEXTHOP_UNREACHABLE, /* ICMP host unreachable */
	NEXTHOP_PROHIBIT,    /* ICMP communication administratively prohibited */
	NEXTHOP_BROADCAST,   /* a broadcast address of a connected network */
	NEXTHOP_GROUP,       /* one of several others, by flow */
	NEXTHOP_ONE, /* the index in place of the MTU, which is no group; workers' eyes only */
	NEXTHOP_RECURSIVE, /* control core only: by a gateway that other routes lead to */
};

#define NEXTHOP_NONE     0u      /* the index of NEXTHOP_NO_ROUTE */
#define NEXTHOP_ANY_PORT 0xffffu /* of a recursive one: its gateway may be reached by any */

/* To which interface an index leads: its number, whether the neighbour is known or not; or */
#define NEXTHOP_NOWHERE   0xffffu
#define NEXTHOP_BY_PLACES 0xfffeu /* if it is a group now: where its members do */

/* What a worker reads. */
struct adjacency {
	union {
		uint8_t mac[12];        /* destination, source: in wire order */
		struct {                /* of NEXTHOP_GROUP */
			uint32_t place; /* the first in the array of places */
			uint32_t mask;
		};
	};
	uint32_t
		out; /* port, VLAN or action | IP MTU in bytes, or of NEXTHOP_ONE the index << 16 */
};

_Static_assert(sizeof(struct adjacency) == 16, "one 16-byte store writes the Ethernet addresses");

_Static_assert(NEXTHOP_VLAN + VLAN_MAX <= NEXTHOP_ACTION, "each subinterface has a target");

static inline uint32_t adjacency_target(uint32_t out)
{
	return out & 0xffffu;
}

static inline uint32_t adjacency_mtu(uint32_t out)
{
	return out >> 16;
}

/* The index that NEXTHOP_ONE stands for. */
static inline uint32_t adjacency_one(uint32_t out)
{
	return out >> 16;
}

/* It stands for others, or another. */
static inline bool adjacency_leads_on(uint32_t out)
{
	return adjacency_target(out) == NEXTHOP_GROUP || adjacency_target(out) == NEXTHOP_ONE;
}

/* Where an in-place change stands; see the top of this file. */
enum nexthop_grace {
	NEXTHOP_SETTLED,
	NEXTHOP_WANTS_GRACE, /* changed since the last nexthop_grace_begin */
	NEXTHOP_IN_GRACE,    /* the grace period under way covers it */
};

#define NEXTHOP_BUCKETS 16384u /* of the hash by (action, port, gateway); a power of two */

/* What only the control core reads. */
struct nexthop {
	uint32_t refs;    /* routes, groups that name it; 0: free, or becoming so */
	uint32_t gateway; /* IPv4, host byte order; 0: the destination itself (connected network);
			   * of a group: the hash of its members; of gateway6: its hash, not 0 */
	struct ip6 gateway6; /* IPv6; zero: none, or the destination itself */
	uint16_t port;       /* egress port of NEXTHOP_RESOLVE; the one that NEXTHOP_RECURSIVE may
			      * use, or NEXTHOP_ANY_PORT */
	uint16_t action;     /* as created; a resolved one keeps NEXTHOP_RESOLVE here */
	uint16_t group; /* of NEXTHOP_GROUP and NEXTHOP_RECURSIVE: number in nexthop_table.group */
	uint16_t new_txq; /* to be written with new_mac after the grace period */
	uint8_t grace;    /* enum nexthop_grace */
	bool listed;      /* in the list of those that wait */
	bool resolved;    /* the neighbour's MAC is known (written, or about to be) */
	bool silent;      /* it was asked, and has not answered */
	bool held;        /* one of the references is nexthop_hold_all's */
	bool unlearn;     /* nexthop_clear_mac came while it was held */
	bool moves; /* a recursive one: the last nexthop_redirect while it was held was elsewhere */
	uint8_t new_mac[6];
	uint16_t next;      /* in its bucket, or in the list of free indices; 0 ends both */
	uint16_t next_wait; /* in the list of those that wait; 0 ends it */
};

struct nexthop_member {
	uint16_t index;  /* NEXTHOP_NONE: a path that cannot be used now */
	uint16_t weight; /* 1-255: its part of the flows */
};

/* What was led to a next hop: whole frames, without tag. */
struct nexthop_count {
	uint64_t packets, bytes;
};

/* A group, or what a recursive next hop stands for: one member, or none. */
struct nexthop_group {
	uint16_t owner; /* index of the next hop, 0: free */
	uint16_t next;  /* in the list of free ones, counted from 1 */
	uint16_t members;
	struct nexthop_member member[GROUP_MEMBERS]; /* recursive ones by index, ascending */
};

/* The arrays, all zeroed. */
struct nexthop_memory {
	struct adjacency *adjacency; /* NEXTHOP_MAX, shared with workers */
	struct nexthop *nexthop;     /* NEXTHOP_MAX */
	uint16_t *place;             /* GROUP_MAX * GROUP_SPREAD, shared with workers */
	uint16_t *leads;             /* NEXTHOP_MAX, shared with workers */
	struct nexthop_group *group; /* GROUP_MAX */
};

struct nexthop_table {
	struct adjacency *adjacency;
	struct nexthop *nexthop;
	uint16_t *place;
	uint16_t *leads;               /* by index; written before anything names it */
	struct nexthop_count **tally;  /* by actor from 1 on, who writes them, and index */
	struct nexthop_count *cleared; /* by index: not counted any more */
	unsigned tallies;              /* actors that can count; 0: nobody does */
	struct nexthop_group *group;
	uint32_t used;        /* indices ever used are below this */
	uint32_t count;       /* next hops there are */
	uint32_t wants_grace; /* next hops in NEXTHOP_WANTS_GRACE */
	uint32_t freed;       /* of those, the ones without references */
	uint32_t recursive;   /* next hops that are NEXTHOP_RECURSIVE */
	uint32_t sets;        /* groups of such */
	uint32_t changes;     /* how often groups, or what is recursive, came to stand for others */
	uint16_t free;        /* list of reusable indices below `used` */
	uint16_t waiting;     /* list of next hops that are, or were, not NEXTHOP_SETTLED */
	uint16_t group_free;  /* list of reusable groups, counted from 1 */
	uint16_t group_used;  /* groups ever used are below this */
	uint16_t bucket[NEXTHOP_BUCKETS];
};

/* Makes index 0. Boot only. */
void nexthop_init(struct nexthop_table *t, const struct nexthop_memory *memory);

/*
 * Finds or makes the next hop (action, port, gateway) and takes a reference.
 * src_mac (6 bytes) and mtu describe the egress port. Only NEXTHOP_RESOLVE looks
 * at port, gateway, src_mac and mtu: any other action is one next hop for all.
 * Control core. ERR_FULL when the table is.
 */
MUST_CHECK enum err nexthop_get(struct nexthop_table *t, enum nexthop_action action, unsigned port,
	uint32_t gateway, const uint8_t *src_mac, uint32_t mtu, uint32_t *index);

/* Drops a reference; the last one frees the index after a grace period. Control core. */
void nexthop_put(struct nexthop_table *t, uint32_t index);

/*
 * Holds every live next hop until it is released again: routes taken out in
 * between can be put back without a new index, and workers go on as before: a
 * neighbour forgotten is forgotten at the release, a recursive next hop is not
 * redirected (resolve_refresh does so after it). Not nested. Control core.
 */
void nexthop_hold_all(struct nexthop_table *t);
void nexthop_release_all(struct nexthop_table *t);

/* While they are held: some recursive next hop waits to be redirected. */
bool nexthop_any_moves(const struct nexthop_table *t);

/*
 * Gives every next hop (port, gateway) its neighbour's MAC (6 bytes) and TX
 * queue. One that had another MAC goes through NEXTHOP_RESOLVE until
 * nexthop_grace_passed. Control core.
 */
void nexthop_set_mac(
	struct nexthop_table *t, unsigned port, uint32_t gateway, const uint8_t *mac, unsigned txq);

/* The neighbour is unknown again: its next hops go back to NEXTHOP_RESOLVE. Control core. */
void nexthop_clear_mac(struct nexthop_table *t, unsigned port, uint32_t gateway);

/*
 * The neighbour does not answer; nexthop_clear_mac came before. Groups give its part
 * of the flows to their other members, one store a place, until nexthop_set_mac:
 * no other flow moves. If no member answers, each has its part. Control core.
 */
void nexthop_silence(struct nexthop_table *t, unsigned port, uint32_t gateway);

/*
 * The same four for IPv6 gateways; one that is link-local is another on each
 * port. A zero gateway is the connected network's, the same index as IPv4's.
 */
MUST_CHECK enum err nexthop_get6(struct nexthop_table *t, enum nexthop_action action, unsigned port,
	struct ip6 gateway, const uint8_t *src_mac, uint32_t mtu, uint32_t *index);
void nexthop_set_mac6(struct nexthop_table *t, unsigned port, struct ip6 gateway,
	const uint8_t *mac, unsigned txq);
void nexthop_clear_mac6(struct nexthop_table *t, unsigned port, struct ip6 gateway);
void nexthop_silence6(struct nexthop_table *t, unsigned port, struct ip6 gateway);

/* Some route goes by this IPv6 gateway. Control core. */
bool nexthop_is_gateway6(struct nexthop_table *t, unsigned port, struct ip6 gateway);

/* A port's MTU changed: rewrites it in its next hops. Control core. */
void nexthop_set_mtu(struct nexthop_table *t, unsigned port, uint32_t mtu);

/*
 * Finds or makes the group of n members and takes a reference; the group has
 * one on each member. Members are next hops of any kind but groups, all of them
 * recursive or none; the same one twice counts as one with both weights. One
 * member alone is returned itself. Control core. ERR_INVALID: no member, too
 * many, a group among them, both kinds, a weight not 1-255; ERR_FULL.
 *
 * Which flows are whose depends on the order of the members. Those that cannot
 * be used (NEXTHOP_NONE, recursive ones that nothing leads to, and silent ones) leave
 * their part to the others: no other flow moves, and theirs come back with them.
 * When nothing leads to any of the recursive ones, the group is unreachable; when
 * all are silent, each has its part.
 */
MUST_CHECK enum err nexthop_get_group(
	struct nexthop_table *t, const struct nexthop_member *member, unsigned n, uint32_t *index);

/*
 * To look at all gateways that share flows with others: place number `at` of all
 * groups, from 0 on. *index: the next hop there, of a recursive one what it stands
 * for; NEXTHOP_NONE: nothing, or not by a gateway. false: there are no more
 * places. Control core.
 */
bool nexthop_shared(const struct nexthop_table *t, uint32_t at, uint32_t *index);

/*
 * Finds or makes the recursive next hop by this gateway, reached by this port or
 * NEXTHOP_ANY_PORT, and takes a reference. Until nexthop_redirect it is
 * unreachable. Control core. ERR_FULL.
 */
MUST_CHECK enum err nexthop_get_recursive(
	struct nexthop_table *t, uint32_t gateway, unsigned port, uint32_t *index);
MUST_CHECK enum err nexthop_get_recursive6(
	struct nexthop_table *t, struct ip6 gateway, unsigned port, uint32_t *index);

/*
 * Gateways as keys of a RIB with `bits` in its addresses: an IPv4 one is the top
 * 32. As nexthop_get and nexthop_get6, as nexthop_get_recursive and _recursive6.
 */
static inline struct ip6 nexthop_gateway(const struct nexthop *n)
{
	return ip6_is_zero(n->gateway6) ? (struct ip6){(uint64_t)n->gateway << 32, 0} : n->gateway6;
}

MUST_CHECK enum err nexthop_get_key(struct nexthop_table *t, unsigned bits,
	enum nexthop_action action, unsigned port, struct ip6 gateway, const uint8_t *src_mac,
	uint32_t mtu, uint32_t *index);
MUST_CHECK enum err nexthop_get_recursive_key(
	struct nexthop_table *t, unsigned bits, struct ip6 gateway, unsigned port, uint32_t *index);

/*
 * What a recursive next hop stands for from now on: any index but a recursive
 * one, or NEXTHOP_NONE (unreachable). Takes its own reference. Control core.
 */
void nexthop_redirect(struct nexthop_table *t, uint32_t index, uint32_t to);

/* What an index comes to for a flow of this hash: itself, or a member. Control core. */
uint32_t nexthop_pick(const struct nexthop_table *t, uint32_t index, uint32_t hash);

/* ---- counters: nexthop_count.c. Control core. ---- */

/* The sum over all actors since nexthop_clear_counts, or since the index has its meaning. */
void nexthop_counted(const struct nexthop_table *t, uint32_t index, struct nexthop_count *sum);
void nexthop_clear_counts(struct nexthop_table *t);

/*
 * Grace periods, driven by the control core: when nexthop_wants_grace is true
 * and no grace period of it is under way, it calls nexthop_grace_begin, starts
 * one (lib/rcu.h), and calls nexthop_grace_passed when that has ended: waiting
 * MACs are written and freed indices become reusable.
 *
 * A freed index may still be named by a FIB: `unnamed` says that every FIB has
 * followed all changes of its RIB, so that none is. As long as that is false,
 * only changes of MACs begin their grace period.
 */
bool nexthop_wants_grace(const struct nexthop_table *t, bool unnamed);
void nexthop_grace_begin(struct nexthop_table *t, bool unnamed);
void nexthop_grace_passed(struct nexthop_table *t);

#endif
