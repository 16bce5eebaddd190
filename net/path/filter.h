/*
 * Packet filtering: access lists bound to interfaces, `in` and `out`.
 *
 * Two stages behind the look-up, of lanes that have anything to filter; others
 * pay one test a batch. All packets of a batch that ask the same list are decided
 * by it together.
 *
 * in: all IPv4 and IPv6 that came in by the interface and was not dropped yet, in transit or
 * to the router itself; ARP and LLDP are no IP. Neighbour discovery (RFC 4861) to the
 * router itself is never asked: without it there is no link.
 * out: what is in transit, by the interface that its next hop leads to; with several, that of
 * its own. What the router itself says is not filtered.
 *
 * What a packet is asked by: filter_key.c. The first rule that matches decides; if none does, the
 * packet is denied. Denied packets are dropped as acl-denied, in silence.
 */
#ifndef NET_PATH_FILTER_H
#define NET_PATH_FILTER_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"
#include "net/table/acl.h"
#include "net/table/ip6.h"

/* Of a rule. */
#define FILTER_PERMIT 1u
#define FILTER_LOG    2u

struct filter_rule {
	uint16_t slot; /* where it is counted */
	uint16_t flags;
};

struct filter_list {
	const struct acl *four, *six;
	uint32_t first; /* of its rules among those of all lists, */
	uint32_t rules; /* and how many; behind the last stands what is for packets none matches */
};

/* What is in force. Constant while published. */
struct filter {
	const struct filter_list *list;
	const struct filter_rule *rule;         /* of all lists */
	uint16_t in[IFACE_MAX], out[IFACE_MAX]; /* by interface: number of its list + 1; 0: none */
};

/* Of a lane: what it has to look at. */
#define FILTER_IN  1u /* its port, or one of its VLANs, has a list for what comes in */
#define FILTER_OUT 2u /* some interface has one for what goes out */

/* By slot. Each actor counts in its own. */
struct filter_hits {
	uint64_t packets, bytes; /* whole frames, without tag */
};

/* A packet that met a rule with `log`. */
struct filter_event {
	const struct filter_list *list;
	uint32_t ports; /* acl_ports */
	uint16_t kind;  /* acl_kind */
	uint16_t rule;  /* of the list, counted from 0 */
	uint16_t iface;
	bool out, six;
	struct ip6 src, dst; /* IPv4: the last 32 bits */
};

#define FILTER_EVENTS 16u /* a power of two */

/* From an actor to the control core. Of what finds no room only the number is told. */
struct filter_log {
	alignas(CACHE_LINE) uint32_t written; /* by the actor, as the rest */
	uint64_t lost;
	struct filter_event event[FILTER_EVENTS];
	alignas(CACHE_LINE) uint32_t taken; /* by the control core */
};

/* What a list is asked of one packet. */
struct filter_key {
	uint32_t ports; /* acl_ports; of ICMP type * 256 + code is the source port */
	uint16_t kind;  /* acl_kind */
	bool unknown;   /* nobody can tell what it is: it is denied */
};

/* The key of a frame whose IP lengths were checked. Any core. */
struct filter_key filter_key4(const uint8_t *frame);
struct filter_key filter_key6(const uint8_t *frame);

struct lane;
struct batch;

/* Turns the verdict on denied packets of a batch that was looked up into a drop. The lane's actor,
 * inside an RCU section. */
void filter_in(const struct lane *lane, struct batch *b);

/* The same; the next hop of packets that have several is chosen then. */
void filter_out(const struct lane *lane, struct batch *b);

/*
 * The same for the packets of a mask, and what a decision that is kept is to count: slot, by
 * packet, is set for those that a list is asked about. Or FILTER_NO_KEEP.
 */
void filter_in_some(const struct lane *lane, struct batch *b, uint64_t mask, uint16_t *slot);
void filter_out_some(const struct lane *lane, struct batch *b, uint64_t mask, uint16_t *slot);

#define FILTER_NO_SLOT 0xffffu /* no list was asked */
#define FILTER_NO_KEEP 0xfffeu /* the rule logs each packet: the decision is not to be kept */

/* ---- one packet: filter_one.c ---- */

/* What a list is asked of one packet. */
struct filter_question {
	struct ip6 src, dst; /* IPv4: the last 32 bits */
	uint32_t ports;      /* acl_ports */
	uint16_t kind;       /* acl_kind */
	bool six, unknown;   /* see filter_key */
};

/* Of a frame whose IP lengths were checked; known: it is of a session that was there before. */
struct filter_question filter_question(const uint8_t *frame, bool six, bool known);

/*
 * Asks one list: `number` as in filter.in, 0 permits all; counts and notes the packet of so many
 * bytes. *slot: where it was counted, or FILTER_NO_SLOT or FILTER_NO_KEEP. The lane's actor.
 */
bool filter_ask(const struct lane *lane, const struct filter *filter, uint16_t number,
	unsigned iface, bool out, const struct filter_question *q, uint32_t bytes, uint16_t *slot);

/*
 * Whether a frame in transit may leave by an interface; counted if it may not. For what
 * the control core forwards: a worker has let it pass before, by what was in force
 * then. known: see filter_question. The lane's actor, inside an RCU section.
 */
bool filter_may_leave(
	const struct lane *lane, unsigned iface, const uint8_t *frame, uint32_t len, bool known);

/* ---- parts that others share ---- */

void filter_note(const struct lane *lane, const struct filter_event *event);
void filter_count(const struct lane *lane, unsigned slot, struct filter_hits hits);

/* The number of the interface a packet came in by. */
unsigned filter_input(const struct lane *lane, const struct batch *b, unsigned i);

/* Neighbour discovery from the link, as its hop limit shows (RFC 4861 7.1). */
bool filter_is_discovery(const uint8_t *frame);

#endif
