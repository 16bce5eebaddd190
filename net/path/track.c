/* Connection tracking of a batch: plain packets of known sessions together, the others one by one.
 */
#include "net/path/track.h"

#include "lib/form.h"
#include "net/path/track_one.h"
#include "net/path/track_simple.h"
#include "net/path/translate.h"
#include "net/table/generation.h"

static track_simple_fn *simple_of = track_simple_plain;

void track_select(const char *isa)
{
	simple_of = FORM(track_simple, isa);
	session_select(isa);
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

static void count_slots(const struct track *t, uint32_t slots, struct filter_hits hits)
{
	if ((slots & 0xffff) != FILTER_NO_SLOT)
		filter_count(t->lane, slots & 0xffff, hits);
	if (slots >> 16 != FILTER_NO_SLOT)
		filter_count(t->lane, slots >> 16, hits);
}

/* The rules that let the first packet of each decision pass count the others; packets in a row that
 * the same did are counted together. */
static void count_hits(const struct track *t, struct way *const *way, uint64_t done)
{
	uint32_t slots = FILTER_NO_SLOT << 16 | FILTER_NO_SLOT;
	struct filter_hits hits = {0, 0};

	for (; done; done &= done - 1) {
		unsigned i = (unsigned)__builtin_ctzll(done);
		uint32_t these = (uint32_t)way[i]->slot_out << 16 | way[i]->slot_in;

		if (these != slots) {
			count_slots(t, slots, hits);
			hits = (struct filter_hits){0, 0};
			slots = these;
		}
		hits.packets++;
		hits.bytes += packet_len(t->b->word[i]);
	}
	count_slots(t, slots, hits);
}

/*
 * The simple packets that are done: a mask. Parsing has asked for the buckets of their keys; while
 * the lines of their ways come, it is settled which packets are simple.
 */
static uint64_t track_plain(struct track *t)
{
	struct batch *b = t->b;
	unsigned input = t->lane->port;
	const struct track_ask *q = b->track;
	struct way *by[BATCH_MAX];
	uint32_t acked[BATCH_MAX];
	uint64_t done = 0, changed = 0;

	if (!(b->plain & (q->tcp | q->udp)))
		return 0;
	session_look4(t->s, &q->hash, by, b->n);
	uint64_t which = simple_of(b, acked);

	for (uint64_t left = session_find_which4(t->s, &q->key, &q->hash, by, b->n, which); left;
		left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);
		struct way *way = by[i];

		if (__builtin_expect(!stands(t, way, input), 0))
			continue;
		if (way->flags & WAY_REWRITE) {
			if (__builtin_expect(!may_change(t, way, b->total[i]), 0))
				continue;
			changed |= UINT64_C(1) << i;
		}
		way->acked = acked[i];
		store_once(&way->last, t->now);
		store_once(&way->packets, way->packets + 1);
		store_once(&way->bytes, way->bytes + ETH_HEADER + b->total[i]);
		b->nh[i] = way->nh;
		done |= UINT64_C(1) << i;
	}
	if (changed)
		translate_batch(b, (const struct way *const *)by, changed);
	b->changed = changed; /* their way on may have gone since */
	if (t->filter)
		count_hits(t, by, done);
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
