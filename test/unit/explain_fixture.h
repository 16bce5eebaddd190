/* What `explain` must not touch, as one number; and what a frame really comes to, for unit tests.
 */
#ifndef TEST_UNIT_EXPLAIN_FIXTURE_H
#define TEST_UNIT_EXPLAIN_FIXTURE_H

#include "test/unit/filter_fixture.h"

#include "kernel/explain.h"
#include "net/path/parse.h"
#include "test/model/routegen.h"
#include "test/unit/state_dump.h"

static uint64_t seed;

static inline unsigned draw(unsigned n)
{
	return (unsigned)(routegen_random(&seed) % n);
}

/* ---- all that there is ---- */

static inline uint64_t hash_of(uint64_t hash, const void *memory, size_t bytes)
{
	const uint8_t *p = memory;

	for (; bytes >= 8; bytes -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof word);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	while (bytes--)
		hash = (hash ^ *p++) * 0x100000001b3ull;
	return hash;
}

static inline uint64_t hash_ring(uint64_t hash, const struct ring *ring)
{
	if (!ring)
		return hash;
	hash = hash_of(hash, ring, sizeof *ring);
	return hash_of(hash, ring->word, (ring->mask + 1) * sizeof *ring->word);
}

static inline uint64_t hash_lanes(uint64_t hash)
{
	for (unsigned l = 0; l < router.lanes; l++) {
		for (unsigned t = 0; t < router.txqs; t++)
			hash = hash_of(
				hash, router.lane[l].cross[t], sizeof *router.lane[l].cross[t]);
		hash = hash_ring(hash, router.punt[l]);
	}
	for (unsigned q = 0; q < router.rxqs; q++)
		hash = hash_of(hash, router.meter[q], sizeof *router.meter[q]);
	return hash;
}

/* Of the flow caches all but the flows. */
static inline uint64_t hash_flows(uint64_t hash)
{
	for (unsigned w = 0; w < router.workers; w++)
		hash = hash_of(hash, &router.flows.of[w], sizeof router.flows.of[w]);
	return hash;
}

static inline uint64_t hash_buffers(uint64_t hash)
{
	const struct buffers *b = &router.buffers;

	for (unsigned p = 0; p < b->pools; p++) {
		hash = hash_of(hash, b->pool[p], sizeof *b->pool[p]);
		for (unsigned a = 0; a < b->actors; a++)
			hash = hash_ring(hash, b->ret[a][p]);
	}
	return hash_of(hash, b->owner, (size_t)b->pools << POOL_SHIFT);
}

static inline uint64_t hash_sessions(uint64_t hash)
{
	for (unsigned a = 1; a < router.actors; a++) {
		const struct sessions *s = router.sessions[a];

		if (!s)
			continue;
		hash = hash_of(hash, s, sizeof *s);
		hash = hash_of(hash, s->way, 2 * s->high * sizeof *s->way);
		hash = hash_of(hash, s->session, s->high * sizeof *s->session);
		hash = hash_of(hash, s->bucket, session_buckets(s) * sizeof *s->bucket);
		hash = hash_of(hash, s->due, s->high * sizeof *s->due);
		hash = hash_of(hash, s->datagram, SESSION_DATAGRAMS * sizeof *s->datagram);
	}
	for (unsigned q = 0; q < router.rxqs; q++) {
		const struct hold *h = router.rxq[q].steering.hold;

		hash = hash_of(hash, h, sizeof *h);
		hash = hash_of(hash, h->entry, h->places * sizeof *h->entry);
	}
	return hash;
}

static inline uint64_t hash_actors(uint64_t hash)
{
	const struct filters *f = &router.filters;

	for (unsigned a = 0; a < router.actors; a++) {
		hash = hash_of(hash, router.counters[a], sizeof *router.counters[a]);
		hash = hash_of(hash, f->hits[a], f->slots * sizeof *f->hits[a]);
		hash = hash_of(hash, f->log[a], sizeof *f->log[a]);
		if (a)
			hash = hash_of(hash, router.tally[a],
				router.nexthops.used * sizeof **router.tally);
	}
	return hash;
}

static inline uint64_t hash_tables(uint64_t hash)
{
	const struct nexthop_table *t = &router.nexthops;

	hash = hash_of(hash, t->adjacency, t->used * sizeof *t->adjacency);
	hash = hash_of(hash, t->nexthop, t->used * sizeof *t->nexthop);
	hash = hash_of(hash, t->leads, t->used * sizeof *t->leads);
	hash = hash_of(hash, t->place, GROUP_SPREAD * 4 * sizeof *t->place);
	return hash_of(hash, router.vlans, sizeof *router.vlans);
}

/* The router with its stack, and what it points to but the tables of routes (state_dump.h). */
static inline uint64_t hash_state(void)
{
	uint64_t hash = hash_of(1, &router, sizeof router);

	return hash_tables(hash_sessions(hash_actors(hash_buffers(hash_flows(hash_lanes(hash))))));
}

/* ---- what really happens ---- */

struct fate {
	enum explain_end end;
	enum drop_reason drop;
	enum punt_reason punt;
	unsigned txq, class;
	bool others;        /* frames that were held ended as well: it cannot be told */
	struct frame frame; /* sent, or handed up */
};

static inline uint64_t sent_by(unsigned t, unsigned class)
{
	const struct lane *lane = &router.lane[0];
	uint64_t n = 0;

	for (unsigned l = 0; l < router.lanes; l++)
		n += lane[l].cross[t]->out[class].packets;
	return n;
}

static inline void all_drops(uint64_t n[DROP_COUNT])
{
	memset(n, 0, DROP_COUNT * sizeof *n);
	for (unsigned port = 0; port < PORTS; port++) {
		struct port_counters c;

		router_port_counters(&router, port, &c);
		for (unsigned i = 0; i < DROP_COUNT; i++)
			n[i] += c.dropped[i];
	}
}

/* Time passes, so that no policer has anything to say; nothing is on the way then. */
static inline void be_quiet(void)
{
	model_platform.now_us += 1000000;
	turns(3);
	for (unsigned i = 0; i < 3; i++)
		worker_turn(&router, router.worker[0]);
	drain();
}

/* Fragments that wait. */
static inline uint32_t held_now(void)
{
	uint32_t n = 0;

	for (unsigned q = 0; q < router.rxqs; q++)
		n += router.rxq[q].steering.hold->held;
	return n;
}

/* The worker alone gets the frame; the control core takes no turn until end_fate. */
static inline void take_fate(unsigned port, const struct frame *f, struct fate *fate)
{
	uint64_t sent_before[PORTS][VOQ_CLASSES], drops_before[DROP_COUNT], drops_now[DROP_COUNT];
	const struct ring *punt = router.punt[port];
	struct frame out;
	uint32_t held = held_now();
	unsigned ends = 0;

	for (unsigned t = 0; t < PORTS; t++)
		for (unsigned c = 0; c < VOQ_CLASSES; c++)
			sent_before[t][c] = sent_by(t, c);
	all_drops(drops_before);
	inject(port, f);
	worker_turn(&router, router.worker[0]);
	worker_turn(&router, router.worker[0]);
	all_drops(drops_now);
	memset(fate, 0, sizeof *fate);
	for (unsigned i = 0; i < DROP_COUNT; i++)
		if (drops_now[i] != drops_before[i]) {
			ends++;
			fate->end = EXPLAIN_DROPPED;
			fate->drop = i;
		}
	fate->others = held_now() < held;
	if (held_now() > held) {
		ends++;
		fate->end = EXPLAIN_HELD;
	}
	if (ring_depth(punt)) {
		uint64_t word = punt->word[punt->head & punt->mask];

		ends++;
		fate->end = EXPLAIN_HANDED;
		fate->punt = packet_flags(word) & PACKET_FLAG_PUNT;
		fate->frame.len = packet_len(word);
		memcpy(fate->frame.data, packet_frame(&router.buffers, word), fate->frame.len);
	}
	for (unsigned t = 0; t < PORTS; t++)
		for (unsigned c = 0; c < VOQ_CLASSES; c++)
			if (sent_by(t, c) != sent_before[t][c]) {
				ends++;
				fate->end = EXPLAIN_SENT;
				fate->txq = t;
				fate->class = c;
			}
	if (fate->end == EXPLAIN_SENT) {
		out.len = memdev_collect(dev[fate->txq], 0, out.data, sizeof out.data);
		fate->frame = out;
	}
	if (!fate->others)
		assert_int_equal(ends, 1);
}

/* The control core does what it does, and nothing is left on the way. */
static inline void end_fate(void)
{
	turns(3);
	drain();
	turns(2);
	drain();
}

#endif
