/*
 * Reassembly of datagrams to the router itself, IPv4 (RFC 791 3.2, RFC 1122
 * 3.3.2) and IPv6 (RFC 8200 4.5): one design for both.
 *
 * Fragments stay in their buffers until the datagram is complete; stack_held
 * counts them. It is then put together in the stack's own memory, and goes on as
 * a word with PACKET_FLAG_WHOLE in the buffer of the first fragment; the other
 * fragments end as delivered.
 *
 * Space is bounded: REASSEMBLY_MAX datagrams of REASSEMBLY_FRAGMENTS fragments,
 * of which one source has a quarter at most. What comes when all is taken
 * drives out the oldest datagram of the source with the most, on the port with
 * the most, so that no station takes the others' room.
 *
 * A fragment that overlaps another, other than as its exact copy, ends its
 * datagram and all that comes of it (RFC 5722 4, for IPv4 as well).
 */
#ifndef NET_PROTO_REASSEMBLY_H
#define NET_PROTO_REASSEMBLY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"
#include "net/path/frame.h"
#include "net/table/ip6.h"

struct stack;
struct ext;

#define REASSEMBLY_MS      30000u /* an IPv4 datagram's time, RFC 1122 3.3.2 leaves it open */
#define REASSEMBLY6_MS     60000u /* RFC 8200 4.5 */
#define REASSEMBLY_SOURCE  (REASSEMBLY_FRAGMENTS / 4) /* fragments and datagrams of one source */
#define REASSEMBLY_PAYLOAD 65535u                     /* the longest total or payload length */

/* What the fragments of a datagram have in common. */
struct reassembly_key {
	struct ip6 src, dst; /* of IPv4 the top 32 bits */
	uint32_t id;
	uint16_t port;    /* where they come in; part of it for link-local sources alone */
	uint8_t protocol; /* IPv4 */
	bool six;
};

/* Numbers of fragments count from 1; 0 ends a list. */
struct reassembly_fragment {
	uint64_t word;
	uint16_t from, to; /* which bytes of the datagram's payload */
	uint16_t data;     /* where they begin in the frame */
	uint16_t next;     /* the one behind it, or free */
};

struct reassembly_datagram {
	struct reassembly_key key;
	uint64_t due_ms; /* its time is over */
	uint64_t birth;  /* the smaller, the older */
	uint32_t bytes;  /* of payload that are there */
	uint32_t length; /* of the whole payload; 0: the last fragment is missing */
	uint16_t first;  /* fragments by what they hold */
	uint16_t n;
	bool used;
	bool dead; /* discarded, and so is what still comes of it */
};

struct reassembly {
	struct reassembly_datagram datagram[REASSEMBLY_MAX];
	struct reassembly_fragment fragment[REASSEMBLY_FRAGMENTS];
	uint16_t free;
	uint32_t held; /* fragments */
	uint64_t births;
	uint64_t fragments;                   /* received */
	uint64_t completed, expired, evicted; /* datagrams */
	uint64_t refused;                     /* datagrams with overlaps or impossible lengths */
	uint8_t *whole;                       /* the frame of a complete datagram */
	uint8_t bytes[ETH_HEADER + IPV6_HEADER + REASSEMBLY_PAYLOAD];
};

/* Boot only. */
void reassembly_init(struct stack *s);

/*
 * An IPv4 fragment to ourselves, lengths and options checked. Takes the word.
 * true: the datagram is complete, and *word is it, until the next call.
 */
bool reassembly_add(struct stack *s, uint64_t *word);

/* The same for IPv6; e: its fragment header, all there, of a fragment that is not the whole. */
bool reassembly_add6(struct stack *s, uint64_t *word, const struct ext *e);

/* Ends what took too long; time exceeded to the source, if the first fragment is there. */
void reassembly_tick(struct stack *s);

/* The port is down: fragments that came by it end as link-down. */
void reassembly_flush_port(struct stack *s, unsigned port);

#endif
