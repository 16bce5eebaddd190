/*
 * First stage of the path: from received frames to destinations to look up.
 *
 * A batch goes through the stages together, one array per fact, so that each
 * stage is one loop over what it needs. Most frames pass one branch-free test;
 * any other is examined again, slowly, for the exact reason.
 */
#ifndef NET_PATH_PARSE_H
#define NET_PATH_PARSE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/packet.h"
#include "net/path/drop.h"
#include "net/path/frame.h"
#include "net/path/lane.h"
#include "net/path/punt.h"

/* What is known of a frame after a stage: go on, or its end. */
enum verdict_kind {
	VERDICT_ROUTE = 0x000,  /* valid IPv4: look up the destination */
	VERDICT_DROP = 0x100,   /* | enum drop_reason */
	VERDICT_PUNT = 0x200,   /* | enum punt_reason */
	VERDICT_ROUTE6 = 0x400, /* valid IPv6: look up the destination */
};

static inline uint16_t verdict_drop(enum drop_reason reason)
{
	return (uint16_t)(VERDICT_DROP | reason);
}

static inline uint16_t verdict_punt(enum punt_reason reason)
{
	return (uint16_t)(VERDICT_PUNT | reason);
}

/* A vector more than a batch: what is done with all lanes of its last vector has room. */
#define BATCH_PAD 16u

/*
 * One burst on its way through the stages. Lives on the worker's stack. A bit of a mask stands
 * for the packet of that number. Between n and the end of the last vector, word, data and nh are
 * such that the stages may do with them what they do with packets, before the masks.
 */
struct batch {
	unsigned n;             /* 1 to BATCH_MAX */
	const uint64_t *from;   /* as received, on to the end of the last vector; may be word[] */
	uint64_t bytes;         /* received */
	unsigned ended;         /* how many are not VERDICT_ROUTE */
	unsigned sixes;         /* how many are VERDICT_ROUTE6, */
	uint8_t six[BATCH_MAX]; /* and which */
	uint64_t plain;         /* which are ROUTE, without flags, of TTL 2 or more */
	uint64_t known;         /* which are of a session that was there before (track.h), */
	uint64_t changed;       /* which were translated, */
	uint64_t final; /* and which end where they are, whatever the address they came with says */
	uint16_t verdict[BATCH_MAX];
	alignas(CACHE_LINE) uint64_t word[BATCH_MAX]; /* length trimmed to the routed IP packet */
	uint8_t *data[BATCH_MAX];                     /* the frame */
	uint32_t dst[BATCH_MAX]; /* IPv4 destination, host byte order; 0 unless VERDICT_ROUTE */
	uint32_t nh[BATCH_MAX + BATCH_PAD]; /* next-hop index */
	/* Of plain ones: */
	uint32_t total[BATCH_MAX]; /* length of the IPv4 packet, bytes */
	uint32_t hop[BATCH_MAX];   /* TTL, protocol, checksum behind this hop, in memory order */
	uint32_t queue[BATCH_MAX]; /* of those to be sent: TX queue and class, see forward_vec.c */
	struct flow_ask *ask;      /* flow_line.h: the cache that is asked; NULL: none is */
	struct track_ask *track;   /* track_simple.h: the same of sessions, if not of the cache */
};

_Static_assert(BATCH_MAX == 64, "a mask has a bit for each packet");

/* The bits of all packets. */
static inline uint64_t batch_all(const struct batch *b)
{
	return b->n < BATCH_MAX ? (UINT64_C(1) << b->n) - 1 : ~UINT64_C(0);
}

/*
 * Fills b from the n words received, 1 to BATCH_MAX; hop and total where plain, not nh and queue;
 * what flow_find wants if b->ask is set, or track_batch if b->track is. The words stay until b is
 * done with.
 */
void parse_batch(const struct lane *lane, struct batch *b, const uint64_t *word, unsigned n);

/*
 * The verdict on one frame without tag of at most max_frame bytes, all checks in the order RFC
 * 1812 5.2 and 5.3 give. Any core.
 */
uint16_t parse_frame(
	const struct lane *lane, const uint8_t *frame, uint32_t len_bytes, uint32_t max_frame);

/* A frame of this length has a VLAN tag, or enough of one to say so. */
bool parse_is_tagged(const uint8_t *frame, uint32_t len_bytes);

/* The subinterface whose tag a received frame has, or VLAN_NONE; and counting it there.
 * (parse_tag.c)
 */
unsigned parse_vlan(const struct lane *lane, const uint8_t *frame, uint32_t len_bytes);
void parse_count_vlan(const struct lane *lane, unsigned vlan, uint64_t word);

/*
 * Takes the tag off frame i of a batch and counts it. VERDICT_ROUTE: the frame is
 * to be parsed; *max_frame: what its subinterface allows. (parse_tag.c)
 */
uint16_t parse_tag(const struct lane *lane, struct batch *b, unsigned i, uint32_t *max_frame);

/* The same of an IPv6 frame from its version on. to_us: to the port's MAC. (parse6.c) */
uint16_t parse_ipv6(const uint8_t *frame, uint32_t len_bytes, bool to_us);

/*
 * True if the frame is what nearly all IPv6 is: to this MAC (in memory order),
 * without hop-by-hop header, between addresses beyond the link, all valid.
 */
bool parse6_is_plain(const uint8_t *frame, uint32_t len_bytes, uint64_t mac, uint32_t max_frame);

/* PACKET_FLAG_OPTIONS if a routed IPv6 packet is to be looked at by the control core. */
uint32_t parse6_flags(const uint8_t *frame);

/*
 * A form of the first pass: where the frames are; the mask of plain ones, and what is told of them.
 * Fills word[] from from[], and bytes.
 */
typedef uint64_t parse_plain_fn(const struct lane *lane, struct batch *b);
parse_plain_fn parse_plain_plain, parse_plain_v3, parse_plain_v4;

/* Chooses the form by the name that platform_isa has for it. Before workers start. */
void parse_select(const char *isa);

#endif
