/* Connection tracking of a batch: plain packets of known sessions together, the others one by one.
 */
#include "net/path/track.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/hash.h"
#include "net/path/track_one.h"
#include "net/path/translate.h"
#include "net/table/generation.h"

/* Of plain packets: no options. */
#define TRANSPORT  (IPV4_OFF + IPV4_HEADER)
#define TCP_ACK    (TRANSPORT + 8u)
#define TCP_FLAGS  (TRANSPORT + 13u)
#define TCP_HEADER 20u
#define UDP_HEADER 8u
#define TCP_FIN    0x01u
#define TCP_SYN    0x02u
#define TCP_RST    0x04u
#define TCP_IS_ACK 0x10u

/* Plain packets with ports that can change nothing of a session but its counters. */
struct plain {
	unsigned n;
	uint8_t place[BATCH_MAX];
	struct session_ask ask;
	struct way *way[BATCH_MAX];
};

/* Whether nothing but the way need be looked at: whole, TCP with ACK and no other flag, or UDP. */
static inline bool is_simple(const uint8_t *f, uint32_t total)
{
	uint8_t protocol = f[IPV4_PROTOCOL];

	if (load_be16(f + IPV4_FRAGMENT) & (IPV4_MF | IPV4_OFFSET))
		return false;
	if (protocol == HASH_TCP)
		return total >= IPV4_HEADER + TCP_HEADER &&
		       (f[TCP_FLAGS] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_IS_ACK)) == TCP_IS_ACK;
	return protocol == HASH_UDP && total >= IPV4_HEADER + UDP_HEADER;
}

static void collect(const struct batch *b, struct plain *p)
{
	p->n = 0;
	for (uint64_t left = b->plain; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left), k = p->n;
		const uint8_t *f = b->data[i];

		p->place[k] = (uint8_t)i;
		p->ask.src[k] = load_be32(f + IPV4_SOURCE);
		p->ask.dst[k] = b->dst[i];
		p->ask.ports[k] = load_be32(f + TRANSPORT);
		p->ask.protocol[k] = f[IPV4_PROTOCOL];
		p->n += is_simple(f, b->total[i]);
	}
}

/* A way whose decision stands, and whose packets change nothing of its session. */
static inline bool stands(const struct track *t, const struct way *way, unsigned input)
{
	return ((way->generation ^ t->generation) | (uint32_t)(way->input ^ input) |
		       (~way->flags & WAY_DIRECT)) == 0;
}

/* A packet that is changed must be one that can be sent, or is forwarded by the control core. */
static inline bool may_change(const struct track *t, const struct way *way, uint32_t total)
{
	uint32_t out = load_acquire(&t->lane->tables->adjacency[way->nh].out);

	return adjacency_target(out) < NEXTHOP_ACTION && total <= adjacency_mtu(out);
}

/* The rules that let the first packet of each decision pass count the others. */
static void count_hits(const struct track *t, const struct plain *p, uint64_t done)
{
	for (unsigned k = 0; k < p->n; k++) {
		const struct way *way = p->way[k];
		struct filter_hits hit = {1, packet_len(t->b->word[p->place[k]])};

		if (!(done >> p->place[k] & 1))
			continue;
		if (way->slot_in != FILTER_NO_SLOT)
			filter_count(t->lane, way->slot_in, hit);
		if (way->slot_out != FILTER_NO_SLOT)
			filter_count(t->lane, way->slot_out, hit);
	}
}

/* The plain packets that are done: a mask. */
static uint64_t track_plain(struct track *t)
{
	struct batch *b = t->b;
	unsigned input = t->lane->port;
	const struct way *by[BATCH_MAX];
	struct plain p;
	uint64_t done = 0, changed = 0;

	collect(b, &p);
	if (p.n == 0)
		return 0;
	session_find4(t->s, &p.ask, p.way, p.n);
	for (unsigned k = 0; k < p.n; k++) {
		struct way *way = p.way[k];
		unsigned i = p.place[k];

		if (__builtin_expect(!way || !stands(t, way, input), 0))
			continue;
		if (way->flags & WAY_REWRITE) {
			if (__builtin_expect(!may_change(t, way, b->total[i]), 0))
				continue;
			changed |= UINT64_C(1) << i;
			by[i] = way;
		}
		memcpy(&way->acked, b->data[i] + TCP_ACK, sizeof way->acked);
		store_once(&way->last, t->now);
		store_once(&way->packets, way->packets + 1);
		store_once(&way->bytes, way->bytes + ETH_HEADER + b->total[i]);
		b->nh[i] = way->nh;
		done |= UINT64_C(1) << i;
	}
	if (changed)
		translate_batch(b, by, changed);
	if (t->filter)
		count_hits(t, &p, done);
	return done;
}

void track_batch(struct lane *lane, struct batch *b)
{
	struct track t = {.lane = lane,
		.b = b,
		.s = lane->sessions,
		.generation = generation_now(lane->tables),
		.filter = load_acquire(&lane->tables->filter),
		.now = session_tick(lane->received)};
	uint64_t done = b->plain ? track_plain(&t) : 0;

	for (uint64_t rest = ~done & batch_all(b); __builtin_expect(rest != 0, 0);
		rest &= rest - 1) {
		unsigned i = (unsigned)__builtin_ctzll(rest);

		if (b->verdict[i] == VERDICT_ROUTE || b->verdict[i] == VERDICT_ROUTE6)
			track_one(&t, i);
		else if (b->verdict[i] == verdict_punt(PUNT_LOCAL))
			track_local(&t, i);
	}
}
