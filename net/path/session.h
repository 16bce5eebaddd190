/*
 * Sessions: the state of conversations, of one actor.
 *
 * A session has two ways, one for each direction, found by the key of its packets (flow_key.h). A
 * way is one cache line: all that a packet of an established session needs to be sent on. What the
 * packet is rewritten to (NAT) stands there as well, so a way without translation is no case of
 * its own. What is needed seldom stands in the session itself, apart: so all ways stand in half of
 * the pages, whose translations a core has to find as well.
 *
 * All packets of a session, in both directions, come to one actor (steer.h); nobody else
 * writes. The control core reads copies (session_copy).
 *
 * Ways are found by an index of cache lines with 15 entries each: 32 bits, some of them the way's
 * number and the others of the key's hash. A way has its place in one of the few near buckets,
 * which caches hold however large the table is. What finds that one full stands in a far one, of
 * which there are enough for all, or in one of the next; and each bucket that it passed counts
 * that. So a look-up ends at the first bucket that nothing passed: at the near one as long as there
 * are not many sessions, then mostly at the second. No entry ever moves. The hash is multilinear
 * with a random seed: nobody can choose keys that meet.
 *
 * When a session may end stands apart, 4 bytes each (`due`): ageing reads that from one end to the
 * other, and looks at a session only when its time has come, or seems to have: packets do not write
 * it.
 */
#ifndef NET_PATH_SESSION_H
#define NET_PATH_SESSION_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"
#include "net/path/flow_key.h"
#include "net/path/nat.h"

#define SESSION_NONE UINT32_MAX

/* The unit of session times: 2^24 TSC ticks, some milliseconds. */
#define SESSION_TICK_SHIFT 24u

static inline uint32_t session_tick(uint64_t tsc)
{
	return (uint32_t)(tsc >> SESSION_TICK_SHIFT);
}

/* Of a way. */
#define WAY_SIX     1u /* IPv6: src and dst are folded, the whole key is in the cold part */
#define WAY_REWRITE 2u /* the packet's addresses or numbers change */
#define WAY_DIRECT  4u /* a packet without SYN, FIN or RST changes nothing but `last` */

/*
 * One direction. Key in host byte order, as in flow_key; the 16 bytes of an IPv4 key stand
 * together, so that one comparison tells.
 */
struct way {
	alignas(CACHE_LINE) uint32_t src;
	uint32_t dst, ports;
	uint8_t protocol;
	uint8_t flags;     /* WAY_ */
	uint16_t delta_ip; /* to be added to the IPv4 header's checksum, ones' complement, */
	/* what src, dst, ports become; ports of ICMP: the identifier's place only */
	uint32_t new_src, new_dst, new_ports;
	uint16_t delta_transport; /* and to the transport's; memory order both: see translate.h */
	uint16_t slot_in,
		slot_out;    /* filter.h: the rules that permitted it; FILTER_NO_SLOT: none asked */
	uint16_t input;      /* interface for which nh and slots were decided */
	uint32_t generation; /* of the tables that nh and slots were decided by; 0: never */
	uint32_t nh;         /* next hop, a member if there are several */
	uint32_t last;       /* when its last packet came, in ticks of 2^SESSION_TICK_SHIFT TSC */
	uint32_t packets;    /* modulo 2^32 */
	uint32_t acked;      /* TCP: the last acknowledgement number it carried, memory order */
	uint64_t bytes;
};

_Static_assert(sizeof(struct way) == CACHE_LINE, "one line a packet");

/* Where a conversation stands. TCP: RFC 9293 3.3.2, as seen from between. */
enum session_state {
	SESSION_FREE,      /* no session */
	SESSION_UNREPLIED, /* not TCP: nothing came back yet */
	SESSION_REPLIED,   /* not TCP: packets went both ways */
	SESSION_SYN_SENT,  /* a SYN; or, without NAT, what seems to be of a connection begun before
			    */
	SESSION_SYN_RECEIVED, /* and one came back */
	SESSION_ESTABLISHED,  /* and was acknowledged */
	SESSION_FIN_WAIT,     /* one side has ended */
	SESSION_CLOSE_WAIT,   /* and the other acknowledged that */
	SESSION_LAST_ACK,     /* both have ended */
	SESSION_TIME_WAIT,    /* and acknowledged that */
	SESSION_CLOSED,       /* a reset that its receiver will have believed */
	SESSION_STATES
};

/* Time-outs, each one of these. X(symbol, name in the configuration, default in seconds). */
#define SESSION_TIMEOUTS(X)                                                                        \
	X(TCP_OPENING, "tcp-opening", 240)          /* RFC 5382 REQ-5 */                           \
	X(TCP_ESTABLISHED, "tcp-established", 7440) /* the same: 2 h 4 min */                      \
	X(TCP_CLOSING, "tcp-closing", 240)          /* the same; resets: RFC 7857 2.2 */           \
	X(UDP, "udp", 30)                                                                          \
	X(UDP_REPLIED, "udp-replied", 180) /* RFC 4787 REQ-5: 2 min at least */                    \
	X(ICMP, "icmp", 60)                /* RFC 5508 REQ-1 */                                    \
	X(OTHER, "other", 60)                                                                      \
	X(OTHER_REPLIED, "other-replied", 600)

#define SESSION_TIMEOUT_ENUM(symbol, name, seconds) SESSION_TIMEOUT_##symbol,
enum session_timeout { SESSION_TIMEOUTS(SESSION_TIMEOUT_ENUM) SESSION_TIMEOUT_COUNT };
#undef SESSION_TIMEOUT_ENUM

/* A conversation, but for its ways (session_ways): [0] is of what began it. */
struct session {
	alignas(CACHE_LINE) struct flow_key key[2]; /* of the ways' packets as they come in */
	uint32_t version; /* odd: it begins or ends now; every beginning has its own */
	uint32_t older,
		newer;        /* in the order of those that nobody answered; newer: also the free */
	uint32_t source;      /* see session_source.c, or SESSION_NONE */
	uint32_t begun;       /* tick */
	uint32_t end[2];      /* TCP, by way: the number behind its SYN or FIN */
	struct nat_hold hold; /* what NAT has given it */
	uint8_t state;        /* enum session_state */
	uint8_t before;       /* TCP: state before SESSION_CLOSED */
	uint8_t fins;         /* TCP: FINs by way (1, 2), and acknowledged ones (4, 8) */
	uint8_t reset;        /* TCP: by which way the reset came */
	bool embryonic;       /* it may be given up for another: not established yet, or ended */
};

_Static_assert(sizeof(struct session) == 2 * CACHE_LINE, "documented: memory of 1 M sessions");

#define SESSION_BUCKET 15u /* entries */

struct session_bucket {
	alignas(CACHE_LINE) uint32_t entry[SESSION_BUCKET]; /* hash above, way + 1 below; 0: none */
	uint32_t
		passed; /* entries that would stand here, or passed from before, and stand behind */
};

/* A source with sessions, see session_source.c. */
struct session_source {
	struct ip6 address; /* IPv4: the last 32 bits */
	uint32_t sessions;
	uint32_t next;
};

/* A fragmented datagram whose first fragment came by (track_parts.c). */
struct session_datagram {
	alignas(CACHE_LINE) struct flow_key key;
	uint32_t way;     /* number, or SESSION_NONE: without session */
	uint32_t version; /* of the session */
	uint32_t ends;    /* tick, 0: free */
};

#define SESSION_DATAGRAMS     1024u /* of an actor, in sets of */
#define SESSION_DATAGRAM_WAYS 4u

/* What `clear sessions` ends. Fields that are zero are not asked. */
struct session_match {
	struct ip6 from, to; /* prefixes, of what began it, or as NAT made it */
	uint8_t from_length, to_length, from_family, to_family; /* family 0: not asked */
	uint16_t port;    /* either, of what began it or as NAT made it */
	uint8_t protocol; /* 0: any */
};

/* All sessions of one actor. */
struct sessions {
	/* Constant: */
	struct way *way; /* two of each session, and two that are nobody's */
	struct session *session;
	struct session_bucket *bucket;
	uint32_t *
		due; /* by session: the tick at which to look whether it has ended; 0: it is free */
	uint32_t max;
	uint32_t near_mask; /* near buckets are those from the first on */
	uint32_t far;       /* the first far one; 0: of a small table all are both */
	uint32_t far_mask;
	uint32_t way_bits; /* of an entry */
	uint64_t seed[5];
	struct session_source *source; /* max of them */
	uint32_t *source_head;         /* source_mask + 1 */
	uint32_t source_mask;
	struct session_datagram *datagram;
	/* Written by the actor: */
	alignas(CACHE_LINE) uint32_t live;
	uint32_t embryonic;
	uint32_t in_far;         /* ways whose near bucket was full */
	uint32_t high;           /* sessions ever used are below this */
	uint32_t free;           /* list */
	uint32_t oldest, newest; /* embryonic ones */
	uint32_t source_used, source_free;
	uint32_t to_sweep; /* how many ageing has still to look at */
	uint32_t swept;    /* how far ageing has come, */
	uint32_t sweep_at; /* and when it came there, tick */
	uint32_t clear_at; /* the same of clearing */
	uint32_t cleared;  /* request that was done */
	uint32_t clearing; /* and that is being done */
	uint64_t begun, evicted;
	/* Written by the control core: */
	alignas(CACHE_LINE) uint32_t timeout[SESSION_TIMEOUT_COUNT]; /* ticks */
	uint32_t limit; /* sessions of one source; 0: as many as there are */
	uint32_t clear_request;
	struct session_match clear; /* stays until it is done */
};

/* Bytes that a table for `max` sessions takes. */
size_t sessions_bytes(uint32_t max);

/* Makes a table in memory of sessions_bytes(max) bytes, 64-byte aligned, zeroed or not. Boot. */
void sessions_init(struct sessions *s, void *memory, uint32_t max, uint64_t seed);

/* The way that packets of a key take, or NULL. Any core: who is not the actor then takes a copy and
 * compares (session_copy), since it may be another's by now. */
struct way *session_find(const struct sessions *s, const struct flow_key *key);

/* The same of n IPv4 packets, 1 to BATCH_MAX; ways that are not known are NULL. The actor, as the
 * following. */
struct session_ask {
	uint32_t src[BATCH_MAX], dst[BATCH_MAX], ports[BATCH_MAX];
	uint8_t protocol[BATCH_MAX];
};
void session_find4(
	const struct sessions *s, const struct session_ask *ask, struct way **way, unsigned n);

/* The same in two steps, of keys whose hashes are known: parsing has told them (track_ahead.h).
 * First the ways that keys may have, which are asked for; time goes by until they are there. */
struct session_hash {
	uint32_t low[BATCH_MAX], high[BATCH_MAX]; /* the halves */
};
void session_look4(
	const struct sessions *s, const struct session_hash *hash, struct way **way, unsigned n);

/* Then, of those in a mask: which are known, and their ways. The ways of the others are anything.
 */
uint64_t session_find_which4(const struct sessions *s, const struct session_ask *ask,
	const struct session_hash *hash, struct way **way, unsigned n, uint64_t which);

/* Chooses the compiled forms of these, as path_select. */
void session_select(const char *isa);

/* How many buckets the index has. */
static inline uint32_t session_buckets(const struct sessions *s)
{
	return s->far + s->far_mask + 1;
}

/* Of a way: twice its session's number, and which of the two it is. */
static inline uint32_t session_way_number(const struct sessions *s, const struct way *way)
{
	return (uint32_t)(way - s->way);
}

static inline struct session *session_of(const struct sessions *s, const struct way *way)
{
	return &s->session[session_way_number(s, way) / 2];
}

static inline struct way *session_way(const struct sessions *s, uint32_t number)
{
	return &s->way[number];
}

/* Both ways of a session. */
static inline struct way *session_ways(const struct sessions *s, const struct session *session)
{
	return &s->way[2 * (session - s->session)];
}

/*
 * Begins a session of two keys, both free and not the same, at tick `now`: embryonic,
 * UNREPLIED or SYN_SENT, ways without decision and translation. NULL: there is no room.
 */
struct session *session_begin(
	struct sessions *s, const struct flow_key *key0, const struct flow_key *key1, uint32_t now);

/* Ends it. What NAT has given it is the caller's. */
void session_end(struct sessions *s, struct session *session);

/* The one to be given up first for another, or NULL. */
struct session *session_victim(struct sessions *s);

/* It is not one to be given up any more; or it becomes one, the last that would be. */
void session_settle(struct sessions *s, struct session *session);
void session_unsettle(struct sessions *s, struct session *session);

/* The time-out of its state, ticks; and: the time when it ends, if nothing comes, is that from now.
 */
uint32_t session_lasts(const struct sessions *s, const struct session *session);
void session_touch(struct sessions *s, struct session *session, uint32_t now);

/* Until when it lasts by its last packet. */
uint32_t session_ends(const struct sessions *s, const struct session *session);

/* Both ways' `last` are that of the last packet: so that they can be compared for as long as
 * packets go one way only. While it lasts, more often than each 2^31 ticks. */
void session_level(struct sessions *s, struct session *session);

/* ---- limit by source: session_source.c ---- */

/* Whether the source of a key may begin another. */
bool session_source_may(const struct sessions *s, const struct flow_key *key);

/* Counts a session that has begun, if there is a limit; forgets it. */
void session_source_add(struct sessions *s, struct session *session);
void session_source_remove(struct sessions *s, struct session *session);

/* ---- TCP: session_tcp.c ---- */

/* What is to become of a packet. */
enum session_step {
	SESSION_PASS,
	SESSION_REFUSE, /* no state allows it */
	SESSION_AGAIN,  /* it begins another: this session has ended, the caller ends it */
};

/* Takes note of a TCP packet of a known session; tcp: its header, at least 20 bytes; bytes: of
 * header and data, as far as they are in this packet. */
enum session_step session_tcp(struct sessions *s, struct session *session, unsigned way,
	const uint8_t *tcp, uint32_t bytes, uint32_t now);

/* Whether a TCP packet of a known session is one for which session_tcp says SESSION_AGAIN. */
bool session_tcp_ends(const struct session *session, const uint8_t *tcp);

/* Of the first packet of a session that has just begun. */
void session_tcp_begin(struct sessions *s, struct session *session, const uint8_t *tcp);

/* Whether a TCP packet may begin a session: a SYN, and also others if `loose`. */
bool session_tcp_may_begin(const uint8_t *tcp, bool loose);

/* ---- for the control core ---- */

/* A session as it was at some moment. */
struct session_view {
	struct flow_key key[2];
	uint64_t bytes[2];
	uint32_t packets[2];
	uint32_t left; /* ticks until it ends, if nothing comes */
	uint32_t begun;
	uint8_t state;
	bool rewrites; /* NAT changes it */
};

/* Copies session number i (below s->high) as of tick `now`; false: there is none, or it is just
 * changing. Control core. */
bool session_copy(const struct sessions *s, uint32_t i, uint32_t now, struct session_view *view);

/* Whether a session is what was asked for. Any core. */
bool session_matches(const struct session_match *match, const struct flow_key key[2]);

/* Name of a state as shown. Any core. */
const char *session_state_name(enum session_state state);

#endif
