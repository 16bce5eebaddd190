/*
 * The table of neighbours: one design for ARP (arp.c) and neighbour discovery (nd.c).
 *
 * One table per family, for all ports. An entry is made by a packet that needs
 * it or by a question addressed to the router; it is never made by somebody
 * else's traffic. Each entry with a known MAC that the RIB reaches through a
 * connected network puts a host route of source RIB_NEIGHBOR in the RIB, so that
 * workers forward to it without the control core. Entries follow a change of the
 * RIB within a few ticks.
 *
 * A scan cannot drive out what is known (RFC 6583): unresolved entries go first,
 * and a port with many gives before one with few. Of those with a MAC the ones that
 * only said so themselves go before those that answered a question of ours: so
 * many invented senders do not cost the real ones.
 */
#ifndef NET_PROTO_NEIGHBOR_H
#define NET_PROTO_NEIGHBOR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"
#include "net/path/drop.h"
#include "net/table/ip6.h"

struct stack;

#define NEIGHBOR_BUCKETS        1024u  /* of the hash by (port, address); a power of two */
#define NEIGHBOR_UNRESOLVED_MIN 128u   /* unresolved that a table full of confirmed ones keeps */
#define NEIGHBOR_FAILED_MS      3000u  /* a failed entry refuses packets this long, then it goes */
#define NEIGHBOR_CONFLICT_MS    60000u /* between two reports of an address conflict on a port */
#define NEIGHBOR_NEVER          UINT64_MAX

enum neighbor_state {
	NEIGHBOR_FREE,
	NEIGHBOR_INCOMPLETE, /* asked, no answer yet; may hold one packet */
	NEIGHBOR_REACHABLE,
	NEIGHBOR_STALE, /* IPv6: not confirmed lately, used as it is */
	NEIGHBOR_DELAY, /* IPv6: stale and in use: asked soon, unless it is confirmed before */
	NEIGHBOR_PROBE, /* asked again by unicast, still used */
	NEIGHBOR_FAILED,
	NEIGHBOR_STATIC, /* configured */
};

struct neighbor {
	struct ip6 address; /* of IPv4 the top 32 bits */
	uint16_t port;
	uint8_t state; /* enum neighbor_state */
	uint8_t tries;
	uint8_t mac[6];
	bool holds;        /* held is a packet */
	bool routed;       /* its host route is in the RIB */
	bool proven;       /* it has answered a question of ours */
	bool is_router;    /* IPv6: it said so, RFC 4861 4.4 */
	uint16_t held_mtu; /* IPv4: what it is cut to */
	uint64_t held;
	uint64_t since_ms; /* when the state was entered or last confirmed */
	uint64_t due_ms;   /* next timer */
	uint64_t checked;  /* generation of the RIB that `routed` agrees with */
	/* Entry numbers, counted from 1; 0 ends a list. */
	uint16_t next;         /* in its bucket, or free */
	uint16_t older, newer; /* in its list */
};

/* What is different about a family. */
struct neighbor_family {
	uint32_t retry_ms;     /* between two questions */
	uint32_t tries;        /* questions before a neighbour counts as failed */
	uint32_t reachable_ms; /* how long a confirmation lasts; then it is asked again, or */
	uint32_t stale_ms;     /* stale for so long before; 0: there is no such state */

	/* Asks for the entry's MAC: everybody, or in NEIGHBOR_PROBE whoever had it. */
	void (*ask)(struct stack *s, const struct neighbor *e);
	/* The address may be a neighbour on the entry's port. */
	bool (*may_be)(const struct stack *s, const struct neighbor *e);
	/* The RIB sends packets for it out of its port, and no more specific route does else. */
	bool (*is_connected)(const struct stack *s, const struct neighbor *e);
	/* Its host route; false: no room. */
	bool (*add_route)(struct stack *s, const struct neighbor *e);
	void (*remove_route)(struct stack *s, const struct neighbor *e);
	/* Its next hops get its MAC, or lose it. */
	void (*set_mac)(struct stack *s, const struct neighbor *e);
	void (*clear_mac)(struct stack *s, const struct neighbor *e);
	/* It does not answer: its next hops are told, after that. */
	void (*silence)(struct stack *s, const struct neighbor *e);
	/* Sends a packet to it, now that its MAC is known; mtu: as for neighbor_send. */
	void (*transmit)(struct stack *s, const struct neighbor *e, uint32_t mtu, uint64_t word);
	/* Ends a packet to a neighbour that does not answer. */
	void (*refuse)(struct stack *s, uint64_t word);
	/* The RIB's generation. */
	uint64_t (*generation)(const struct stack *s);
};

/* Entries of one port, the first to go first. */
struct neighbor_list {
	uint16_t oldest, newest, n;
};

struct neighbor_table {
	const struct neighbor_family *family;
	struct neighbor entry[NEIGHBOR_MAX];
	uint16_t bucket[NEIGHBOR_BUCKETS];
	uint16_t free;
	/* What makes room in a full table, by port. */
	struct neighbor_list unresolved[IFACE_MAX]; /* incomplete or failed, by age */
	struct neighbor_list heard[IFACE_MAX];      /* usable, not proven, by their last word */
	struct neighbor_list confirmed[IFACE_MAX];  /* usable and proven, likewise */
	uint32_t unresolved_n;                      /* of all ports */
	uint32_t cursor;                            /* next entry the timer looks at */
	uint32_t held;                              /* packets held */
	uint64_t requests_sent, replies_sent, received, failed;
	uint64_t conflicts;                  /* packets of others that claim an address of ours */
	uint64_t conflict_due_ms[IFACE_MAX]; /* the next may be reported */
};

/* State as shown: incomplete, reachable, stale, delay, probe, failed, static. */
const char *neighbor_state_name(enum neighbor_state state);

/* An empty table. Boot only. */
void neighbor_init(struct neighbor_table *t, const struct neighbor_family *family);

/* The entry, or NULL. */
struct neighbor *neighbor_find(struct neighbor_table *t, unsigned port, struct ip6 address);

/* A new incomplete entry that has not asked yet; NULL: no room. */
struct neighbor *neighbor_make(
	struct stack *s, struct neighbor_table *t, unsigned port, struct ip6 address);

/* The MAC may be used. */
bool neighbor_is_usable(const struct neighbor *e);

/* If it has been asked for its MAC, what is heard now is the answer: it is there. */
void neighbor_prove(struct neighbor_table *t, struct neighbor *e);

/* A new state, until `due_ms`. */
void neighbor_enter(struct stack *s, struct neighbor_table *t, struct neighbor *e,
	enum neighbor_state state, uint64_t due_ms);

/* The MAC in the entry is right: publishes it and sends what waited for it. */
void neighbor_resolved(struct stack *s, struct neighbor_table *t, struct neighbor *e);

/* Heard of, as ARP has it: reachable at `mac`. Not for static ones. */
void neighbor_confirm(
	struct stack *s, struct neighbor_table *t, struct neighbor *e, const uint8_t *mac);

/*
 * Sends a frame (Ethernet header not yet filled in) to a neighbour, now or after
 * it answers. One packet is held per neighbour: a newer one replaces it (RFC 1122
 * 2.3.2.2, RFC 4861 7.2.2), the older is dropped as neighbor-pending. mtu: what
 * the family's transmit may have to cut it to. Takes the word.
 */
void neighbor_send(struct stack *s, struct neighbor_table *t, unsigned port, struct ip6 address,
	uint32_t mtu, uint64_t word);

/* Timers of up to `max` entries. */
void neighbor_tick(struct stack *s, struct neighbor_table *t, unsigned max);

/* All entries follow the RIB and the addresses now, instead of within some ticks. */
void neighbor_follow(struct stack *s, struct neighbor_table *t);

/* The port's static entries are published anew: it has come up. */
void neighbor_port_up(struct stack *s, struct neighbor_table *t, unsigned port);

/*
 * Forgets the port's neighbours; held packets are dropped as `link-down`. The
 * static ones stay, without a route until a connected network holds them again.
 */
void neighbor_flush_port(struct stack *s, struct neighbor_table *t, unsigned port);

/* There is no such port any more: forgets them all, as `link-down`. */
void neighbor_remove_port(struct stack *s, struct neighbor_table *t, unsigned port);

/* Forgets all but the static ones; held packets are dropped as `neighbor-pending`. */
void neighbor_flush(struct stack *s, struct neighbor_table *t);

/* Configured neighbours. ERR_INVALID: no such port, or not a unicast MAC. ERR_FULL: no room. */
MUST_CHECK enum err neighbor_set_static(struct stack *s, struct neighbor_table *t, unsigned port,
	struct ip6 address, const uint8_t *mac);
void neighbor_clear_static(
	struct stack *s, struct neighbor_table *t, unsigned port, struct ip6 address);

/* Somebody uses our address. true: it is time to report that, for this port. */
bool neighbor_conflict(struct stack *s, struct neighbor_table *t, unsigned port);

#endif
