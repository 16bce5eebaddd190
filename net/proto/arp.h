/*
 * ARP for IPv4 over Ethernet (RFC 826, RFC 1122 2.3.2, RFC 5227 announcements).
 *
 * One table for all ports. An entry is made by a packet that needs it or by a
 * request addressed to the router; it is never made by somebody else's traffic.
 * Each resolved entry that the RIB reaches through a connected network puts a
 * /32 RIB_NEIGHBOR route in the RIB, so that workers forward to it without the
 * control core. Entries follow a change of the RIB within a few ticks.
 */
#ifndef NET_PROTO_ARP_H
#define NET_PROTO_ARP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"

struct stack;

#define ARP_RETRY_MS       1000u /* RFC 1122 2.3.2.1: at most one request a second per destination */
#define ARP_TRIES          3u    /* requests before the neighbour counts as failed */
#define ARP_REACHABLE_MS   300000u /* confirmed for 5 minutes, then probed by unicast */
#define ARP_BUCKETS        1024u   /* of the hash by (port, address); a power of two */
#define ARP_UNRESOLVED_MIN 128u   /* unresolved entries that a table full of confirmed ones keeps */
#define ARP_FAILED_MS      3000u  /* a failed entry refuses packets this long, then is forgotten */
#define ARP_CONFLICT_MS    60000u /* between two reports of an address conflict on a port */

enum arp_state {
	ARP_FREE,
	ARP_INCOMPLETE, /* request sent, no answer yet; may hold one packet */
	ARP_REACHABLE,
	ARP_PROBE, /* too old: asked again by unicast, still used */
	ARP_FAILED,
	ARP_STATIC, /* configured */
};

struct arp_entry {
	uint32_t address; /* host byte order */
	uint16_t port;
	uint8_t state; /* enum arp_state */
	uint8_t tries;
	uint8_t mac[6];
	bool holds;        /* held is a packet */
	bool routed;       /* its /32 is in the RIB */
	uint16_t held_mtu; /* what it is cut to */
	uint64_t held;
	uint64_t since_ms; /* when the state was entered or last confirmed */
	uint64_t due_ms;   /* next timer */
	uint64_t checked;  /* generation of the RIB that `routed` agrees with */
	/* Entry numbers, counted from 1; 0 ends a list. */
	uint16_t next;         /* in its bucket, or free */
	uint16_t older, newer; /* in its list */
};

/* Entries of one port, the first to go first. */
struct arp_list {
	uint16_t oldest, newest, n;
};

struct arp_table {
	struct arp_entry entry[NEIGHBOR_MAX];
	uint16_t bucket[ARP_BUCKETS];
	uint16_t free;
	/* What makes room in a full table, by port. */
	struct arp_list unresolved[PORT_MAX]; /* incomplete or failed, by age */
	struct arp_list confirmed[PORT_MAX];  /* reachable or probe, by their last confirmation */
	uint32_t unresolved_n;                /* of all ports */
	uint32_t cursor;                      /* next entry the timer looks at */
	uint32_t held;                        /* packets held */
	uint64_t requests_sent, replies_sent, received, failed;
	uint64_t
		conflicts; /* ARP packets from others that claim an address of ours, RFC 5227 2.4 */
	uint64_t conflict_due_ms[PORT_MAX]; /* the next may be reported */
};

/* State as shown: incomplete, reachable, probe, failed, static. */
const char *arp_state_name(enum arp_state state);

/* An empty table. Boot only. */
void arp_init(struct stack *s);

/* Packets held for unresolved neighbours: all that the stack owns between calls, for the audit. */
uint32_t arp_held(const struct stack *s);

/* An ARP frame. Takes the word. */
void arp_input(struct stack *s, uint64_t word);

/*
 * Sends an IPv4 frame (Ethernet header not yet filled in) to a neighbour, now or
 * after it answers. One packet is held per neighbour: a newer one replaces it
 * (RFC 1122 2.3.2.2), the older is dropped as neighbor-pending. A packet longer
 * than mtu (bytes, of IPv4) has no DF, and leaves in fragments. Takes the word.
 */
void arp_send(struct stack *s, unsigned port, uint32_t neighbor, uint32_t mtu, uint64_t word);

/* Timers of up to `max` entries. */
void arp_tick(struct stack *s, unsigned max);

/* Gratuitous ARP for every address of the port (RFC 5227 2.3). */
void arp_announce(struct stack *s, unsigned port);

/*
 * Forgets the port's neighbours; held packets are dropped as `link-down`. The
 * static ones stay, without a route until a connected network holds them again.
 */
void arp_flush_port(struct stack *s, unsigned port);

/* All entries follow the RIB now, instead of within some ticks. */
void arp_follow(struct stack *s);

/* Forgets all but the static ones; held packets are dropped as `neighbor-pending`. */
void arp_flush(struct stack *s);

/* Configured neighbours. ERR_INVALID: no such port, or not a unicast MAC. ERR_FULL: no room. */
MUST_CHECK enum err arp_set_static(
	struct stack *s, unsigned port, uint32_t address, const uint8_t *mac);
void arp_clear_static(struct stack *s, unsigned port, uint32_t address);

#endif
