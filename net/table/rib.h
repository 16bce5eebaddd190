/*
 * The routing tables: every route with its source, distance and next hop.
 *
 * One implementation for both families, over a trie (trie.h); rib4_ and rib6_
 * are its two faces. The routes of one prefix form a list, best first: by
 * distance, then source. The control core alone reads and writes a RIB; workers
 * see the FIB made from it.
 *
 * Every prefix whose best next hop changed is noted in a queue, from which the
 * FIB is brought up to date. If the queue overflows, that is noted instead, and
 * the FIB must be made anew.
 */
#ifndef NET_TABLE_RIB_H
#define NET_TABLE_RIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"
#include "net/table/ip6.h"
#include "net/table/trie.h"

/* Where a route comes from; the value is also its administrative distance order. */
enum rib_source {
	RIB_LOCAL,     /* an own address, a broadcast address */
	RIB_CONNECTED, /* an interface's network */
	RIB_NEIGHBOR,  /* a host route to a known or pending neighbour on a connected network */
	RIB_STATIC,
	RIB_FILE, /* a table of routes given at boot */
	RIB_SOURCES
};

/* What the routes of both families begin with. Distances as vendors have them: connected 0,
 * static 1. */
struct route {
	uint32_t nexthop; /* index; the RIB holds one reference, which the caller took and gets back
			   */
	uint32_t next;    /* the RIB's: next best of the prefix */
	uint8_t length;
	uint8_t source; /* enum rib_source */
	uint8_t distance;
	uint8_t pad;
};

struct route4 {
	uint32_t nexthop, next;
	uint8_t length; /* 0-32 */
	uint8_t source, distance, pad;
	uint32_t prefix; /* host byte order, host bits zero */
};

struct route6 {
	uint32_t nexthop, next;
	uint8_t length; /* 0-128 */
	uint8_t source, distance, pad;
	uint32_t pad6;
	struct ip6 prefix; /* host bits zero */
};

/* A prefix whose best next hop changed. */
struct rib_change {
	struct ip6 key; /* an IPv4 prefix is the top 32 bits */
	uint32_t length;
};

/*
 * Routes that are yet to be added (fibfill.h): the FIB has them already. What
 * asks about an address has those of its block added first.
 */
struct rib_supply {
	/* Adds up to `most` routes. true: all that decide on any address of the block are in. */
	bool (*bring)(void *ctx, struct ip6 address, uint32_t most);
	void *ctx;
};

#define RIB4_BLOCK 16u /* a block: the addresses of one prefix of this length */
#define RIB6_BLOCK 14u

struct rib {
	struct trie trie;    /* value: the best route of the prefix; tag: its next hop */
	uint8_t *route;      /* struct route4 or route6 each, number 0 unused */
	uint32_t route_size; /* bytes */
	unsigned bits;       /* 32 or 128 */
	uint32_t used, max;  /* route numbers ever used are below `used` */
	uint32_t free;       /* list of reusable routes, by next */
	uint32_t count;      /* routes */
	uint32_t count_of[RIB_SOURCES];
	uint64_t generation; /* bumped by every change */

	struct rib_change *change; /* a ring of RIB_CHANGES */
	uint32_t change_head, change_tail;
	bool change_lost;

	const struct rib_supply *supply; /* NULL: all routes are there */
};

struct rib4 {
	struct rib rib;
};

struct rib6 {
	struct rib rib;
};

/* Bytes for a RIB of up to `routes` routes. */
size_t rib4_size(uint32_t routes);
size_t rib6_size(uint32_t routes);

/* mem: 64-byte aligned, of that size; need not be zeroed. Boot only. */
void rib4_init(struct rib4 *rib, void *mem, uint32_t routes);
void rib6_init(struct rib6 *rib, void *mem, uint32_t routes);

/* Mask of a prefix length, host byte order. */
static inline uint32_t rib4_mask(unsigned length)
{
	return length ? 0xffffffffu << (32 - length) : 0;
}

/* An IPv4 address as a key of the trie. */
static inline struct ip6 rib4_key(uint32_t address)
{
	return (struct ip6){(uint64_t)address << 32, 0};
}

/*
 * ERR_INVALID: host bits set, or too long, or an unknown source. ERR_EXISTS:
 * that prefix from that source. ERR_FULL.
 */
MUST_CHECK enum err rib4_add(struct rib4 *rib, const struct route4 *route);
MUST_CHECK enum err rib6_add(struct rib6 *rib, const struct route6 *route);

/* The same for a route that the FIB has already: no change is noted. */
MUST_CHECK enum err rib4_add_quietly(struct rib4 *rib, const struct route4 *route);
MUST_CHECK enum err rib6_add_quietly(struct rib6 *rib, const struct route6 *route);

/* Removes the route of this prefix and source; *removed (may be NULL) receives it. ERR_NOT_FOUND.
 */
MUST_CHECK enum err rib4_remove(struct rib4 *rib, uint32_t prefix, unsigned length,
	enum rib_source source, struct route4 *removed);
MUST_CHECK enum err rib6_remove(struct rib6 *rib, struct ip6 prefix, unsigned length,
	enum rib_source source, struct route6 *removed);

/*
 * Gives the route of this prefix and source another next hop, in one step: no
 * moment without the route. *old receives the one it had. ERR_NOT_FOUND.
 */
MUST_CHECK enum err rib4_replace(struct rib4 *rib, uint32_t prefix, unsigned length,
	enum rib_source source, uint32_t nexthop, uint32_t *old);
MUST_CHECK enum err rib6_replace(struct rib6 *rib, struct ip6 prefix, unsigned length,
	enum rib_source source, uint32_t nexthop, uint32_t *old);

/* The route of exactly this prefix and source, or NULL. */
const struct route4 *rib4_find(
	const struct rib4 *rib, uint32_t prefix, unsigned length, enum rib_source source);
const struct route6 *rib6_find(
	const struct rib6 *rib, struct ip6 prefix, unsigned length, enum rib_source source);

/*
 * The same for what treats both families alike: the key of an IPv4 prefix is
 * rib4_key of it. rib_add takes prefix and family from key and rib, all else from
 * route; rib_remove gives back the next hop. rib_match is among prefixes of at
 * most `longest` bits.
 */
MUST_CHECK enum err rib_add(struct rib *rib, struct ip6 key, const struct route *route);
MUST_CHECK enum err rib_remove(struct rib *rib, struct ip6 key, unsigned length,
	enum rib_source source, uint32_t *nexthop);
MUST_CHECK enum err rib_replace(struct rib *rib, struct ip6 key, unsigned length,
	enum rib_source source, uint32_t nexthop, uint32_t *old);
const struct route *rib_find(
	const struct rib *rib, struct ip6 key, unsigned length, enum rib_source source);
const struct route *rib_match(
	const struct rib *rib, struct ip6 key, unsigned longest, bool skip_neighbors);

/* Longest match, best source first; NULL if none. With skip_neighbors, neighbour routes are not
 * seen. */
const struct route4 *rib4_match(const struct rib4 *rib, uint32_t address, bool skip_neighbors);
const struct route6 *rib6_match(const struct rib6 *rib, struct ip6 address, bool skip_neighbors);

/* As rib4_match, among prefixes of at most `longest` bits. */
const struct route4 *rib4_match_upto(const struct rib4 *rib, uint32_t address, unsigned longest);
const struct route6 *rib6_match_upto(const struct rib6 *rib, struct ip6 address, unsigned longest);

/*
 * All routes in order of prefix, length, distance, source: the first of them,
 * the first at or after a prefix, the one after a route. rib4_next takes any
 * route, also one that is no longer there, so a walk may pause while the table
 * changes. NULL at the end.
 */
const struct route4 *rib4_first(const struct rib4 *rib);
const struct route4 *rib4_from(const struct rib4 *rib, uint32_t prefix, unsigned length);
const struct route4 *rib4_next(const struct rib4 *rib, const struct route4 *route);
const struct route6 *rib6_first(const struct rib6 *rib);
const struct route6 *rib6_from(const struct rib6 *rib, struct ip6 prefix, unsigned length);
const struct route6 *rib6_next(const struct rib6 *rib, const struct route6 *route);

/*
 * The next hop of an address (NEXTHOP_NONE if no route), and *last, an address
 * up to which, from there, it is the same.
 */
uint32_t rib4_span(const struct rib4 *rib, uint32_t address, uint32_t *last);
uint32_t rib6_span(const struct rib6 *rib, struct ip6 address, struct ip6 *last);

/* A change of this prefix will follow: see trie_prefetch. */
static inline void rib4_prefetch(const struct rib4 *rib, uint32_t prefix, unsigned stage)
{
	trie_prefetch(&rib->rib.trie, rib4_key(prefix), stage);
}

static inline void rib6_prefetch(const struct rib6 *rib, struct ip6 prefix, unsigned stage)
{
	trie_prefetch(&rib->rib.trie, prefix, stage);
}

/* Takes the oldest noted change. false: none is left (or they are lost). A prefix may come twice.
 */
bool rib4_take_change(struct rib4 *rib, uint32_t *prefix, unsigned *length);
bool rib6_take_change(struct rib6 *rib, struct ip6 *prefix, unsigned *length);

/* The change that is to be taken after `ahead` others, or NULL: to prefetch for it. */
static inline const struct rib_change *rib_peek_change(const struct rib *rib, uint32_t ahead)
{
	if (rib->change_tail - rib->change_head <= ahead)
		return NULL;
	return &rib->change[(rib->change_head + ahead) % RIB_CHANGES];
}

/* True once after changes were lost: all of the FIB must be made anew. The queue is empty then. */
bool rib_take_lost(struct rib *rib);

/*
 * Before a FIB is changed anywhere in the block of an address: adds up to `most`
 * of the block's routes. false: there are more.
 */
static inline bool rib_bring(const struct rib *rib, struct ip6 address, uint32_t most)
{
	return !rib->supply || rib->supply->bring(rib->supply->ctx, address, most);
}

/* Changes are waiting, or were lost. */
bool rib_has_changes(const struct rib *rib);

/* The next hop of the best route of a trie node with a value. For those who make FIBs. */
static inline uint32_t rib_node_nexthop(const struct trie_node *node)
{
	return node->tag;
}

#endif
