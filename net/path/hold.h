/*
 * Fragments that come before the first of their datagram wait for it here (RFC 4787 REQ-14).
 *
 * Only the first fragment has the numbers by which a session is found. What comes after it goes
 * where it went; what comes before it is held, and follows it in the order of arrival. One table
 * for each RX queue: all fragments of a datagram come in by one, because devices spread fragments
 * by addresses.
 *
 * Nothing passes that the first has not opened (RFC 1858, RFC 3128, RFC 5722): what overlaps the
 * first, a second first that is not the same, or an end that contradicts the last fragment's, make
 * the datagram bad: all that comes of it is dropped until it is forgotten.
 *
 * Limits: HOLD_DATAGRAM fragments of a datagram; HOLD_MOST in all, an eighth of the queue's pool; a
 * quarter of the table's places for datagrams that wait. Where there is no room what comes is
 * dropped. Of the others, complete ones are forgotten first when a place is wanted, then the
 * oldest.
 *
 * Words only: owners, counters and drops are the caller's (steer.h). All functions but those for
 * boot: the queue's actor.
 */
#ifndef NET_PATH_HOLD_H
#define NET_PATH_HOLD_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"
#include "net/path/flow_key.h"

#define HOLD_DATAGRAM 64u             /* fragments that wait for one first */
#define HOLD_MOST     (POOL_BUFS / 8) /* in all */
#define HOLD_WAIT_S   2u              /* then they are dropped */
#define HOLD_KNOWN_S  15u             /* how long a first is remembered, RFC 791 3.2 */
#define HOLD_WAYS     8u              /* places where a datagram can stand */
#define HOLD_SLICE    16u             /* places that one hold_expire looks at */
#define HOLD_PLACES   1024u           /* of a table; a power of two */
#define HOLD_FEW      256u            /* where memory is little */

/* What is to be known of a fragment. */
struct fragment {
	struct flow_key key; /* of its datagram: form LATER */
	uint32_t ports;      /* of a first: its own key's */
	uint32_t begin, end; /* of the datagram's payload, bytes; at most 65,535 */
	bool last;
};

enum hold_fate {
	HOLD_PASS, /* it goes to `owner` */
	HOLD_KEPT, /* it waits; a later one only */
	HOLD_BAD,  /* it is dropped, as fragment-bad */
	HOLD_FULL, /* it is dropped, as fragments-full */
};

struct hold_answer {
	enum hold_fate fate;
	unsigned owner;
	unsigned waited; /* so many that waited were taken out: they have the same fate */
};

enum hold_state { HOLD_FREE, HOLD_WAITS, HOLD_KNOWN, HOLD_REFUSED };

/* A datagram: one line. */
struct hold_entry {
	alignas(CACHE_LINE) struct ip6 src;
	struct ip6 dst;
	uint32_t id;
	uint32_t since; /* in ticks; when the first of it came */
	uint32_t ports; /* of its first */
	uint8_t protocol, family;
	uint8_t state;       /* enum hold_state */
	uint8_t owner;       /* KNOWN */
	uint16_t first_end;  /* KNOWN: where its first ends; WAITS: where one that waits begins */
	uint16_t got;        /* KNOWN: bytes that came of it, at most 65,535 */
	uint16_t total;      /* bytes; 0: its last has not come */
	uint16_t head, tail; /* WAITS: what waits */
	uint8_t count;       /* and how many */
	bool complete;
};

_Static_assert(sizeof(struct hold_entry) == CACHE_LINE, "one line a datagram");

struct hold {
	struct hold_entry *entry;
	uint32_t places;        /* a power of two */
	uint32_t used, waiting; /* entries not FREE; WAITS */
	uint32_t held;          /* words; read by the audit */
	uint32_t cursor;        /* of hold_expire */
	uint32_t seed;          /* of the hash */
	uint32_t wait, known;   /* time-outs, in ticks */
	uint16_t free;          /* head of the unused places for words */
	uint64_t word[HOLD_MOST];
	uint16_t next[HOLD_MOST];
};

/* Boot. places: HOLD_FEW to HOLD_PLACES, a power of two; entry: as many, zeroed. hz: of the TSC. */
void hold_init(
	struct hold *h, struct hold_entry *entry, uint32_t places, uint64_t hz, uint32_t seed);

/*
 * The first fragment of a datagram, that is for `owner`; now: TSC. waited: room for HOLD_DATAGRAM
 * words, which are to follow it.
 */
struct hold_answer hold_first(
	struct hold *h, const struct fragment *f, unsigned owner, uint64_t now, uint64_t *waited);

/* Another one. waited: as above; only if it is bad. */
struct hold_answer hold_later(
	struct hold *h, const struct fragment *f, uint64_t word, uint64_t now, uint64_t *waited);

/*
 * Forgets datagrams whose time is over, some at each call. What waited of one of them is taken out
 * into word, room for HOLD_DATAGRAM; the number. Often while `used`.
 */
unsigned hold_expire(struct hold *h, uint64_t now, uint64_t *word);

/* The same whatever the time, of a few at each call: until `used` is 0. */
unsigned hold_clear(struct hold *h, uint64_t *word);

#endif
