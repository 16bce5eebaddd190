/* The parts of connection tracking: what they share of a batch and of one packet. */
#ifndef NET_PATH_TRACK_ONE_H
#define NET_PATH_TRACK_ONE_H

#include "lib/hash.h"
#include "net/path/filter.h"
#include "net/path/flow_key.h"
#include "net/path/parse.h"
#include "net/path/session.h"

struct track {
	struct lane *lane;
	struct batch *b;
	struct sessions *s;
	const struct filter *filter; /* NULL: nothing is asked */
	uint32_t generation;         /* read before all else */
	uint32_t now;                /* tick */
};

/* One packet of it that is decided by itself. */
struct track_packet {
	struct track *t;
	unsigned i;
	uint8_t *f;
	uint32_t len; /* of the frame */
	unsigned input;
	bool six;
	struct flow_key key; /* as it came in */
	uint32_t at;         /* transport header */
};

/* ---- track_one.c ---- */

/* Decides packet i, which is not of a session whose decision stands. */
void track_one(struct track *t, unsigned i);

/* Packet i, IPv6 that never leaves its link: the lists alone. */
void track_local(struct track *t, unsigned i);

/* Ends a packet. */
void track_drop(struct track *t, unsigned i, enum drop_reason reason);

/* Takes note that packet i, IPv4, was translated; of a plain one what forward_vec.c writes of it.
 */
void track_changed(struct batch *b, unsigned i);

/* Whether the list of what comes in lets it pass; if not, it is dropped. */
bool track_may_enter(const struct track_packet *p, bool known, uint16_t *slot);

/* The same of what goes out; q: with the addresses it will have; as nh leads. */
bool track_may_leave(
	const struct track_packet *p, uint32_t nh, const struct filter_question *q, uint16_t *slot);

/* The next hop (a member, if there are several) to an address of the packet's family. */
uint32_t track_route(const struct track_packet *p, struct ip6 dst);

/* A next hop that leads out of the router. */
bool track_is_transit(const struct track *t, uint32_t nh);

/* In transit by nh, to an address that source NAT gives out: there is nobody, and it would come
 * back to us. `dst`: behind destination NAT. */
bool track_is_for_nobody(const struct track_packet *p, uint32_t nh, struct ip6 dst);

/* The packet will end in an ICMP error of its own, for TTL or MTU: it is left as it is. */
bool track_ends(const struct track_packet *p, uint32_t nh);

/* Without session: lists and route alone. refuse: not in transit. */
void track_alone(const struct track_packet *p, bool refuse);

/* Ends a session and gives back what NAT gave it. */
void track_end(struct lane *lane, struct session *session);

/* The packet ends here, as the control core will say; `changed`: by the address it came with it
 * would be routed elsewhere. */
void track_leave(const struct track_packet *p, uint32_t nh, bool changed);

/* What the list of what goes out is asked of a packet that becomes this key's. */
struct filter_question track_question(
	const struct track_packet *p, const struct flow_key *key, bool known);

/* It goes by its way, whose session was known before or not. */
void track_send(const struct track_packet *p, struct way *way, bool known);

static inline bool track_is_tcp(const struct track_packet *p)
{
	return p->key.protocol == HASH_TCP;
}

/* ---- track_begin.c ---- */

/* A packet of no known session; first: the first fragment of a datagram. */
void track_begin(struct track_packet *p, bool first);

/* ---- track_parts.c: ICMP errors, later fragments ---- */

void track_error(struct track_packet *p);
void track_later(struct track_packet *p);

/* The first fragment of a datagram takes this way, or NULL: none. */
void track_first(const struct track_packet *p, const struct way *way);

#endif
