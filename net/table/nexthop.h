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
 */
#ifndef NET_TABLE_NEXTHOP_H
#define NET_TABLE_NEXTHOP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"

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
};

#define NEXTHOP_NONE 0u /* the index of NEXTHOP_NO_ROUTE */

/* What a worker reads. */
struct adjacency {
	uint8_t mac[12]; /* destination, source: in wire order */
	uint32_t out;    /* TX queue or action | IP MTU in bytes << 16 */
};

_Static_assert(sizeof(struct adjacency) == 16, "one 16-byte store writes the Ethernet addresses");

static inline uint32_t adjacency_target(uint32_t out)
{
	return out & 0xffffu;
}

static inline uint32_t adjacency_mtu(uint32_t out)
{
	return out >> 16;
}

/* Where an in-place change stands; see the top of this file. */
enum nexthop_grace {
	NEXTHOP_SETTLED,
	NEXTHOP_WANTS_GRACE, /* changed since the last nexthop_grace_begin */
	NEXTHOP_IN_GRACE,    /* the grace period under way covers it */
};

#define NEXTHOP_BUCKETS 1024u /* of the hash by (action, port, gateway); a power of two */

/* What only the control core reads. */
struct nexthop {
	uint32_t refs;    /* routes that name it; 0: free, or becoming so */
	uint32_t gateway; /* IPv4, host byte order; 0: the destination itself (connected network) */
	uint16_t port;    /* egress port, meaningful for NEXTHOP_RESOLVE */
	uint16_t action;  /* as created; a resolved one keeps NEXTHOP_RESOLVE here */
	uint16_t new_txq; /* to be written with new_mac after the grace period */
	uint8_t grace;    /* enum nexthop_grace */
	bool resolved;    /* the neighbour's MAC is known (written, or about to be) */
	bool held;        /* one of the references is nexthop_hold_all\'s */
	uint8_t new_mac[6];
	uint16_t next; /* in its bucket, or in the list of free indices; 0 ends both */
};

struct nexthop_table {
	struct adjacency *adjacency; /* NEXTHOP_MAX, shared with workers */
	struct nexthop *nexthop;     /* NEXTHOP_MAX */
	uint32_t used;               /* indices ever used are below this */
	uint32_t waiting;            /* next hops not NEXTHOP_SETTLED */
	uint32_t wants_grace;        /* of those, NEXTHOP_WANTS_GRACE */
	uint16_t free;               /* list of reusable indices below `used` */
	uint16_t bucket[NEXTHOP_BUCKETS];
};

/* adjacency and nexthop: NEXTHOP_MAX zeroed elements each. Makes index 0. Boot only. */
void nexthop_init(struct nexthop_table *t, struct adjacency *adjacency, struct nexthop *nexthop);

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
 * between can be put back without a new index. Not nested. Control core.
 */
void nexthop_hold_all(struct nexthop_table *t);
void nexthop_release_all(struct nexthop_table *t);

/*
 * Gives every next hop (port, gateway) its neighbour's MAC (6 bytes) and TX
 * queue. One that had another MAC goes through NEXTHOP_RESOLVE until
 * nexthop_grace_passed. Control core.
 */
void nexthop_set_mac(
	struct nexthop_table *t, unsigned port, uint32_t gateway, const uint8_t *mac, unsigned txq);

/* The neighbour is unknown again: its next hops go back to NEXTHOP_RESOLVE. Control core. */
void nexthop_clear_mac(struct nexthop_table *t, unsigned port, uint32_t gateway);

/* A port's MTU changed: rewrites it in its next hops. Control core. */
void nexthop_set_mtu(struct nexthop_table *t, unsigned port, uint32_t mtu);

/*
 * Grace periods, driven by the control core: when nexthop_wants_grace is true
 * and no grace period of it is under way, it calls nexthop_grace_begin, starts
 * one (lib/rcu.h), and calls nexthop_grace_passed when that has ended: waiting
 * MACs are written and freed indices become reusable. A freed index may still
 * be named by the FIB in force: nexthop_grace_begin only after a FIB built
 * since from the RIB has been published.
 */
bool nexthop_wants_grace(const struct nexthop_table *t);
void nexthop_grace_begin(struct nexthop_table *t);
void nexthop_grace_passed(struct nexthop_table *t);

#endif
