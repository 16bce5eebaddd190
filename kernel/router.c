/* The router object: everything allocated and wired at boot. */
#include "kernel/router.h"

#include <stdio.h>
#include <string.h>

#include "kernel/platform.h"

struct router router;

/* Boot allocation that remembers what did not fit. */
struct builder {
	const char *failed; /* first thing that found no memory */
};

static void *build_alloc(struct builder *b, size_t bytes, const char *what)
{
	void *p = b->failed ? NULL : platform_alloc(bytes, CACHE_LINE);

	if (!p && !b->failed)
		b->failed = what;
	return p;
}

/* As build_alloc, not zeroed. */
static void *build_reserve(struct builder *b, size_t bytes, const char *what)
{
	void *p = b->failed ? NULL : platform_reserve(bytes, CACHE_LINE);

	if (!p && !b->failed)
		b->failed = what;
	return p;
}

static struct ring *build_ring(struct builder *b, uint32_t slots, const char *what)
{
	struct ring *ring = build_alloc(b, sizeof *ring, what);
	uint64_t *word = build_alloc(b, slots * sizeof *word, what);

	if (!ring || !word)
		return NULL;
	ring_init(ring, word, slots);
	return ring;
}

/* The actor that drives a port's queues; the control core's pool is its own. */
static unsigned port_actor(const struct router *r, unsigned port)
{
	return port % r->workers + 1;
}

static bool build_buffers(struct router *r, struct builder *b)
{
	struct buffers *buffers = &r->buffers;
	unsigned pools = r->ports + 1;
	size_t count = (size_t)pools << POOL_SHIFT;

	buffers->pools = pools;
	buffers->actors = r->actors;
	buffers->base = build_alloc(b, count * PACKET_STRIDE, "packet buffers");
	buffers->owner = build_alloc(b, count, "buffer owners");
	for (unsigned p = 0; p < pools && !b->failed; p++) {
		unsigned actor = p == r->control_pool ? ACTOR_CONTROL : port_actor(r, p);
		struct pool *pool = build_alloc(b, sizeof *pool, "buffer pools");

		if (pool)
			pool_init(buffers, p, pool, actor);
		for (unsigned a = 0; a < r->actors; a++)
			if (a != actor)
				buffers->ret[a][p] = build_ring(b, POOL_BUFS, "return rings");
	}
	return !b->failed;
}

static bool build_lanes(struct router *r, struct builder *b)
{
	for (unsigned l = 0; l <= r->ports; l++) {
		struct lane *lane = &r->lane[l];
		bool control = l == r->ports;

		lane->buffers = &r->buffers;
		lane->tables = &r->tables;
		lane->actor = control ? ACTOR_CONTROL : port_actor(r, l);
		lane->counters = r->counters[lane->actor];
		lane->port = control ? CONTROL_PORT : l;
		lane->pool = l;
		r->tables.pool_port[l] = (uint8_t)lane->port;
		if (!control) {
			memcpy(lane->mac, r->dev[l]->mac, 6);
			lane->punt = r->punt[l] = build_ring(b, PUNT_SLOTS, "punt rings");
		}
		for (unsigned t = 0; t < r->ports; t++) {
			lane->voq[t] =
				build_alloc(b, sizeof *lane->voq[t], "virtual output queues");
			if (lane->voq[t])
				voq_init(lane->voq[t], 1);
			r->sched[t].voq[l] = lane->voq[t];
			r->sched[t].voqs = l + 1;
		}
	}
	return !b->failed;
}

static bool build_workers(struct router *r, struct builder *b)
{
	for (unsigned w = 0; w < r->workers; w++) {
		struct worker *worker = build_alloc(b, sizeof *worker, "workers");

		if (!worker)
			return false;
		worker->id = w;
		worker->core = r->single_core ? 0 : w + 1;
		for (unsigned port = w; port < r->ports; port += r->workers) {
			worker->lane[worker->lanes++] = (uint8_t)port;
			worker->txq[worker->txqs++] = (uint8_t)port;
		}
		r->worker[w] = worker;
	}
	for (unsigned a = 0; a < r->actors; a++)
		r->counters[a] = build_alloc(b, sizeof *r->counters[a], "counters");
	return !b->failed;
}

/* Memory for this many IPv4 routes, and IPv6 routes in proportion; see publish_init for the FIBs.
 */
static size_t tables_bytes(uint32_t routes, uint32_t routes6)
{
	struct fib4_limits limits4 = fib4_limits_for(routes);
	struct fib6_limits limits6 = fib6_limits_for(routes6);

	return rib4_size(routes) + rib6_size(routes6) + fib4_size(&limits4) + fib6_size(&limits6);
}

/* As many routes as fit half of the memory that is left, within the limits. */
static void size_tables(uint32_t *routes, uint32_t *routes6)
{
	struct platform_memory m;

	platform_memory(&m);
	*routes = RIB4_MAX;
	*routes6 = RIB6_MAX;
	while (*routes > RIB_MIN &&
		tables_bytes(*routes, *routes6) > (m.arena_bytes - m.arena_used) / 2) {
		*routes -= *routes / 8;
		*routes6 -= *routes6 / 8;
	}
	if (*routes < RIB_MIN)
		*routes = RIB_MIN;
	if (*routes6 < RIB_MIN)
		*routes6 = RIB_MIN;
}

static bool build_tables(struct router *r, struct builder *b)
{
	uint32_t routes, routes6;
	struct nexthop_memory m = {
		.adjacency = build_alloc(b, NEXTHOP_MAX * sizeof *m.adjacency, "adjacencies"),
		.nexthop = build_alloc(b, NEXTHOP_MAX * sizeof *m.nexthop, "next hops"),
		.place = build_alloc(b, GROUP_MAX * GROUP_SPREAD * sizeof *m.place, "groups"),
		.group = build_alloc(b, GROUP_MAX * sizeof *m.group, "groups"),
	};

	r->statics_max = STATIC_MAX;
	r->statics = build_alloc(b, r->statics_max * sizeof *r->statics, "static routes");
	r->statics6_max = STATIC_MAX;
	r->statics6 = build_alloc(b, r->statics6_max * sizeof *r->statics6, "IPv6 static routes");
	size_tables(&routes, &routes6);
	void *rib = build_reserve(b, rib4_size(routes), "IPv4 routes");
	void *rib6 = build_reserve(b, rib6_size(routes6), "IPv6 routes");

	if (b->failed)
		return false;
	nexthop_init(&r->nexthops, &m);
	r->tables.adjacency = m.adjacency;
	r->tables.place = m.place;
	rib4_init(&r->rib, rib, routes);
	rib6_init(&r->rib6, rib6, routes6);
	return true;
}

static void build_ifaces(struct router *r)
{
	for (unsigned port = 0; port < r->ports; port++) {
		struct iface *iface = &r->iface[port];
		uint32_t mtu = r->dev[port]->mtu_max < MTU_MAX ? r->dev[port]->mtu_max : MTU_MAX;

		snprintf(iface->name, sizeof iface->name, "eth%u", port);
		iface->port = (uint16_t)port;
		iface->txq = (uint16_t)port;
		iface->mtu = mtu;
		iface->enabled = true;
		memcpy(iface->mac, r->dev[port]->mac, 6);
		r->lane[port].max_frame = mtu + 14;
		r->dev[port]->buffers = &r->buffers;
	}
}

/*
 * TX rings together hold a quarter of one pool at most: were all outputs to
 * stand still at once, full of packets from one input, that input's pool would
 * still have buffers for its RX ring, its VOQs and the control core.
 */
static unsigned tx_depth(const struct router *r)
{
	unsigned depth = POOL_BUFS / 4 / (r->ports ? r->ports : 1);

	for (unsigned port = 0; port < r->ports; port++)
		if (depth > r->dev[port]->tx_slots)
			depth = r->dev[port]->tx_slots;
	return depth;
}

bool router_init(struct router *r, struct netdev **dev, unsigned ports, unsigned workers,
	char *error, unsigned error_size)
{
	struct builder b = {NULL};

	r->ports = ports;
	r->single_core = workers == 0;
	r->workers = workers ? workers : 1;
	r->actors = r->workers + 1;
	r->control_pool = ports;
	for (unsigned port = 0; port < ports; port++)
		r->dev[port] = dev[port];
	r->tx_depth = tx_depth(r);
	if (!build_workers(r, &b) || !build_buffers(r, &b) || !build_lanes(r, &b) ||
		!build_tables(r, &b)) {
		snprintf(error, error_size, "not enough memory for %s", b.failed);
		return false;
	}
	build_ifaces(r);
	return true;
}

void router_port_counters(const struct router *r, unsigned port, struct port_counters *sum)
{
	memset(sum, 0, sizeof *sum);
	for (unsigned a = 0; a < r->actors; a++) {
		const struct port_counters *c = &r->counters[a]->port[port];

		sum->rx_packets += load_once(&c->rx_packets);
		sum->rx_bytes += load_once(&c->rx_bytes);
		sum->delivered += load_once(&c->delivered);
		for (unsigned i = 0; i < DROP_COUNT; i++)
			sum->dropped[i] += load_once(&c->dropped[i]);
	}
}

uint64_t router_transmitted(const struct router *r, unsigned port)
{
	uint64_t n = 0;

	for (unsigned a = 0; a < r->actors; a++)
		for (unsigned p = 0; p < r->buffers.pools; p++)
			if (r->tables.pool_port[p] == port)
				n += load_once(&r->counters[a]->transmitted[p]);
	return n;
}
