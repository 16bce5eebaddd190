/* Lanes as they are made at boot: which worker can process which RX queue, and by which rings. */
#include <string.h>

#include "kernel/platform.h"
#include "kernel/router_build.h"

#define LANES_MEMORY 4u /* lanes beside the queues' own take at most this part of boot memory */
#define HOLD_MEMORY  (UINT64_C(128) << 20) /* bytes; with less, fewer fragments are known */

/* ---- memory ---- */

void *build_alloc(struct builder *b, size_t bytes, const char *what)
{
	void *p = b->failed ? NULL : platform_alloc_near(bytes, CACHE_LINE, b->node);

	if (!p && !b->failed)
		b->failed = what;
	return p;
}

struct ring *build_ring(struct builder *b, uint32_t slots, const char *what)
{
	struct ring *ring = build_alloc(b, sizeof *ring, what);
	uint64_t *word = build_alloc(b, slots * sizeof *word, what);

	if (!ring || !word)
		return NULL;
	ring_init(ring, word, slots);
	return ring;
}

uint32_t build_node(const struct router *r, unsigned actor)
{
	return actor == ACTOR_CONTROL ? platform_core(0)->node : r->worker[actor - 1]->node;
}

/* ---- how many ---- */

/* Can the queues of a port be spread? Only where some worker has none of them. */
static bool spreadable(const struct router *r, unsigned port)
{
	return r->dev[port]->rx_queues < r->workers;
}

/* Lanes that there may be beside the queues' own. */
static unsigned lanes_beside(const struct router *r)
{
	size_t lane_bytes = r->txqs * sizeof(struct crosspoint);
	struct platform_memory memory;
	unsigned most = LANE_MAX - 1 - r->rxqs;

	platform_memory(&memory);
	if (!lane_bytes) /* no ports */
		return most;
	if (memory.arena_bytes && most > memory.arena_bytes / LANES_MEMORY / lane_bytes)
		most = (unsigned)(memory.arena_bytes / LANES_MEMORY / lane_bytes);
	return most;
}

/* Lanes that so many owners need: of each RX queue at each of them that does not drive it. */
static unsigned lanes_of_owners(const struct router *r, unsigned owners)
{
	unsigned n = 0;

	for (unsigned q = 0; q < r->rxqs; q++)
		n += owners - (r->rxq[q].worker < owners);
	return n;
}

/* Lanes that spreading needs beside those. */
static unsigned lanes_of_ways(const struct router *r, unsigned ways)
{
	unsigned n = 0;

	for (unsigned q = 0; q < r->rxqs; q++)
		for (unsigned way = 1; spreadable(r, r->rxq[q].port) && way < ways; way++)
			n += (r->rxq[q].worker + way) % r->workers >= r->tables.owners;
	return n;
}

/* How many workers own sessions, and how many can process one spreadable RX queue. */
static unsigned size_lanes(struct router *r)
{
	unsigned most = lanes_beside(r);
	unsigned owners = r->workers < SPREAD_MAX ? r->workers : SPREAD_MAX, ways = owners;

	while (owners > 1 && lanes_of_owners(r, owners) > most)
		owners--;
	r->tables.owners = owners;
	unsigned used = lanes_of_owners(r, owners);

	while (ways > 1 && used + lanes_of_ways(r, ways) > most)
		ways--;
	return ways;
}

/* ---- one by one ---- */

/* A lane of RX queue q (or the control core's: RXQ_MAX) for an actor. */
static struct lane *build_lane(struct router *r, struct builder *b, unsigned q, unsigned actor)
{
	unsigned l = r->lanes++;
	struct lane *lane = &r->lane[l];
	bool control = q == RXQ_MAX;

	b->node = build_node(r, actor);
	lane->buffers = &r->buffers;
	lane->tables = &r->tables;
	lane->classes = r->classes;
	lane->one_class = true;
	lane->actor = actor;
	lane->counters = r->counters[actor];
	lane->port = control ? CONTROL_PORT : r->rxq[q].port;
	lane->pool = control ? r->control_pool : q;
	if (!control) {
		memcpy(lane->mac, r->dev[lane->port]->mac, 6);
		police_init(&lane->police, platform_tsc_hz());
		lane->punt = r->punt[l] = build_ring(b, PUNT_SLOTS, "punt rings");
		if (!r->meter[q])
			r->meter[q] = build_alloc(b, sizeof *r->meter[q], "policers");
	}
	for (unsigned t = 0; t < r->txqs && !b->failed; t++) {
		lane->cross[t] = build_alloc(b, sizeof *lane->cross[t], "virtual output queues");
		if (lane->cross[t])
			voq_init(lane->cross[t]);
	}
	return lane;
}

/* What leads from an RX queue to another worker than its own; made at the first time. */
static const struct feed *build_feed(
	struct router *r, struct builder *b, const struct rxq *q, struct worker *w)
{
	for (unsigned i = 0; i < w->feeds; i++)
		if (&r->rxq[r->lane[w->feed[i].lane].pool] == q)
			return &w->feed[i];
	struct feed *feed = &w->feed[w->feeds++];

	b->node = w->node;
	*feed = (struct feed){
		.ring = build_ring(b, SPREAD_SLOTS, "spread rings"), .lane = (uint8_t)r->lanes};
	build_lane(r, b, (unsigned)(q - r->rxq), w->id + 1);
	return feed;
}

static void build_hold(struct router *r, struct builder *b, struct rxq *q)
{
	struct platform_memory memory;

	platform_memory(&memory);
	uint32_t places = memory.arena_bytes < HOLD_MEMORY ? HOLD_FEW : HOLD_PLACES;

	b->node = r->worker[q->worker]->node;
	struct hold *hold = build_alloc(b, sizeof *hold, "held fragments");
	struct hold_entry *entry = build_alloc(b, places * sizeof *entry, "held fragments");

	if (!entry)
		return;
	hold_init(hold, entry, places, platform_tsc_hz(), (uint32_t)platform_tsc());
	q->steering.hold = hold;
}

/* Every RX queue reaches every owner. */
static void build_steering(struct router *r, struct builder *b, struct rxq *q)
{
	struct steering *s = &q->steering;

	s->lane = &r->lane[q->lane[0]];
	s->owners = r->tables.owners;
	s->own = q->worker < s->owners ? q->worker : s->owners;
	for (unsigned w = 0; w < s->owners; w++)
		if (w != s->own)
			s->ring[w] = build_feed(r, b, q, r->worker[w])->ring;
	build_hold(r, b, q);
}

/* The workers behind the queue's own help with it. */
static void build_helpers(struct router *r, struct builder *b, struct rxq *q, unsigned ways)
{
	for (unsigned way = 1; way < ways; way++) {
		struct worker *w = r->worker[(q->worker + way) % r->workers];
		const struct feed *feed = build_feed(r, b, q, w);

		q->lane[way] = feed->lane;
		q->ring[way] = feed->ring;
	}
	q->ways = (uint8_t)ways;
}

bool router_build_lanes(struct router *r, struct builder *b)
{
	unsigned ways = size_lanes(r);

	for (unsigned q = 0; q < r->rxqs; q++)
		build_lane(r, b, q, r->rxq[q].worker + 1u);
	for (unsigned q = 0; q < r->rxqs && !b->failed; q++) {
		build_steering(r, b, &r->rxq[q]);
		if (spreadable(r, r->rxq[q].port))
			build_helpers(r, b, &r->rxq[q], ways);
	}
	build_lane(r, b, RXQ_MAX, ACTOR_CONTROL);
	return !b->failed;
}
