/*
 * Neighbour discovery for IPv6 over Ethernet (RFC 4861, RFC 4862 5.4, RFC 6583).
 *
 * The table of neighbours is neighbor.h's, as stack.nd, with the states of RFC
 * 4861 7.3. One thing differs: workers use a stale entry and cannot tell, so it
 * is asked again after ND_STALE_MS whether anybody used it or not. A link-local
 * neighbour gets no route: it is reached as a gateway, or by what is on the link.
 *
 * The router's own addresses are probed for duplicates before they are used
 * (nd_dad.c); router advertisements are sent where configured (nd_ra.c).
 * Redirects and others' router advertisements are not heeded.
 */
#ifndef NET_PROTO_ND_H
#define NET_PROTO_ND_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"
#include "net/proto/neighbor.h"
#include "net/table/ip6.h"

struct stack;

/* RFC 4861 10. */
#define ND_RETRY_MS     1000u   /* RETRANS_TIMER */
#define ND_TRIES        3u      /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */
#define ND_REACHABLE_MS 30000u  /* REACHABLE_TIME */
#define ND_DELAY_MS     5000u   /* DELAY_FIRST_PROBE_TIME */
#define ND_STALE_MS     300000u /* ours: see above */

#define DAD_DELAY_MS 1000u /* MAX_RTR_SOLICITATION_DELAY */

#define ND_SOLICIT_BURST 50u /* multicast solicitations in a tenth of a second, RFC 6583 7.2 */

#define RA_INTERVAL_MS  600000u  /* MaxRtrAdvInterval */
#define RA_FIRST_MS     16000u   /* MAX_INITIAL_RTR_ADVERT_INTERVAL */
#define RA_FIRST        3u       /* MAX_INITIAL_RTR_ADVERTISEMENTS */
#define RA_SOLICITED_MS 3000u    /* MIN_DELAY_BETWEEN_RAS */
#define RA_DELAY_MS     500u     /* MAX_RA_DELAY_TIME */
#define RA_LIFETIME_S   1800u    /* 3 * MaxRtrAdvInterval */
#define RA_VALID_S      2592000u /* AdvValidLifetime, 30 days */
#define RA_PREFERRED_S  604800u  /* AdvPreferredLifetime, 7 days */

/* At most so many in a tenth of a second. */
struct pace {
	uint64_t since_ms;
	uint32_t n;
};

/* Router advertisements of one port. */
struct ra_port {
	bool active;     /* the last one sent said that we are a router */
	uint8_t sent;    /* of the first few */
	uint64_t due_ms; /* the next one to all nodes */
	uint64_t last_ms;
	bool asked;         /* one station waits for an answer of its own: */
	uint64_t answer_ms; /* it gets it then */
	struct ip6 asker;
	uint8_t asker_mac[6];
};

struct nd_state {
	struct pace solicits;
	struct ra_port ra[IFACE_MAX];
	uint64_t suppressed; /* solicitations not sent, for their rate */
	uint64_t redirects, adverts_sent /* router */, adverts_received /* router */;
};

/* An empty table. Boot only. */
void nd_init(struct stack *s);

/*
 * An ICMPv6 message of type 133 to 137, checksum right, at offset `at` of the
 * frame. Takes the word.
 */
void nd_input(struct stack *s, uint64_t word, uint32_t at);

/* Sends an IPv6 frame (Ethernet header not yet filled in) to a neighbour: see neighbor_send. */
void nd_send(struct stack *s, unsigned port, struct ip6 neighbor, uint64_t word);

/* Timers of up to `max` entries, of addresses being probed and of router advertisements. */
void nd_tick(struct stack *s, unsigned max);

/* The port came up, its addresses are installed: those not known to be valid are probed (RFC 4862
 * 5.4). */
void nd_start_port(struct stack *s, unsigned port);

/* It has other addresses, and stays up: those that are tentative are probed, its router
 * advertisements begin anew. */
void nd_addresses_changed(struct stack *s, unsigned port);

/* As neighbor_flush_port, neighbor_flush. */
void nd_flush_port(struct stack *s, unsigned port);
void nd_flush(struct stack *s);

/* Configured neighbours: as neighbor_set_static. */
MUST_CHECK enum err nd_set_static(
	struct stack *s, unsigned port, struct ip6 address, const uint8_t *mac);
void nd_clear_static(struct stack *s, unsigned port, struct ip6 address);

/* ---- messages ---- */

enum nd_type {
	ND_ROUTER_SOLICIT = 133,
	ND_ROUTER_ADVERT = 134,
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	ND_REDIRECT = 137,
};

/* Flags of an advertisement, RFC 4861 4.4. */
#define ND_FLAG_ROUTER    0x80000000u
#define ND_FLAG_SOLICITED 0x40000000u
#define ND_FLAG_OVERRIDE  0x20000000u

/* Options, RFC 4861 4.6. */
#define ND_OPTION_SOURCE 1u
#define ND_OPTION_TARGET 2u
#define ND_OPTION_PREFIX 3u
#define ND_OPTION_MTU    5u

struct nd_message {
	uint8_t type;        /* enum nd_type */
	uint32_t flags;      /* of an advertisement */
	struct ip6 src, dst; /* of the packet */
	struct ip6 target;   /* of a solicitation or advertisement */
	const uint8_t *mac;  /* source (solicitations) or target (advertisement) option; or NULL */
};

/*
 * Reads the message of `len` bytes at frame + at; the checksum has been checked.
 * false: it is not valid by RFC 4861 6.1, 7.1 or 8.1. Any core.
 */
bool nd_parse(const uint8_t *frame, uint32_t at, uint32_t len, struct nd_message *m);

/* ---- the parts, for nd.c ---- */

/* nd_dad.c: sends the probes that are due, and ends those that nobody answered. */
void dad_tick(struct stack *s, unsigned port);

/* nd_ra.c: sends what is due; says that we are no router any more, if we were; has a solicitation
 * from src (zero: unspecified) at mac answered. */
void ra_tick(struct stack *s, unsigned port);
void ra_farewell(struct stack *s, unsigned port);
void ra_solicited(struct stack *s, unsigned port, struct ip6 src, const uint8_t *mac);

#endif
