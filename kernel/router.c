/* The router object: everything allocated and wired at boot. */
#include "kernel/router.h"

#include <stdio.h>
#include <string.h>

#include "kernel/platform.h"
#include "kernel/sessions.h"
#include "kernel/router_build.h"

struct router router;

/* As build_alloc, from anywhere, not zeroed. */
static void *build_reserve(struct builder *b, size_t bytes, const char *what)
{
	void *p = b->failed ? NULL : platform_reserve(bytes, CACHE_LINE);

	if (!p && !b->failed)
		b->failed = what;
	return p;
}

/* ---- who drives which queue ---- */

static bool build_workers(struct router *r, struct builder *b, const unsigned *core)
{
	r->counters[ACTOR_CONTROL] = build_alloc(b, sizeof *r->counters[0], "counters");
	for (unsigned w = 0; w < r->workers; w++) {
		unsigned on = r->single_core ? 0 : core ? core[w] : w + 1;

		b->node = platform_core(on)->node;
		r->counters[w + 1] = build_alloc(b, sizeof *r->counters[0], "counters");
		r->worker[w] = build_alloc(b, sizeof *r->worker[w], "workers");
		if (!r->worker[w])
			return false;
		r->worker[w]->id = w;
		r->worker[w]->core = on;
		r->worker[w]->node = b->node;
	}
	return !b->failed;
}

static void add_rxq(struct router *r, unsigned port, unsigned queue)
{
	unsigned g = r->rxqs++;

	r->rxq[g] = (struct rxq){.port = (uint8_t)port,
		.queue = (uint8_t)queue,
		.ways = 1,
		.spread = 1,
		.lane = {(uint8_t)g}};
}

/* Numbers all queues. false: the devices have more than there is room for. */
static bool number_queues(struct router *r)
{
	for (unsigned port = 0; port < r->ports; port++) {
		const struct netdev *dev = r->dev[port];

		if (r->rxqs + dev->rx_queues > RXQ_MAX || r->txqs + dev->tx_queues > TXQ_MAX)
			return false;
		r->first_rxq[port] = (uint8_t)r->rxqs;
		r->first_txq[port] = (uint8_t)r->txqs;
		for (unsigned q = 0; q < dev->rx_queues; q++)
			add_rxq(r, port, q);
		for (unsigned q = 0; q < dev->tx_queues; q++)
			r->txq[r->txqs++] =
				(struct txq){.port = (uint8_t)port, .queue = (uint8_t)q};
	}
	r->control_pool = r->rxqs;
	return true;
}

/* Of n RX (or TX) queues the share of each worker, and how many one has been dealt so far. */
static unsigned share(const struct router *r, unsigned n)
{
	return (n + r->workers - 1) / r->workers;
}

static unsigned dealt(const struct worker *w, bool rx)
{
	return rx ? w->rxqs : w->txqs;
}

/* The worker on a node (NODE_UNKNOWN: on any) that has been dealt least; NULL: none is there. */
static struct worker *least_dealt(const struct router *r, bool rx, uint32_t node)
{
	struct worker *least = NULL;

	for (unsigned i = 0; i < r->workers; i++) {
		struct worker *w = r->worker[i];

		if (node != NODE_UNKNOWN && w->node != node)
			continue;
		if (!least || dealt(w, rx) < dealt(least, rx))
			least = w;
	}
	return least;
}

/* Who gets a port's next queue: one that is near, until all that are near have their share. */
static struct worker *deal(const struct router *r, bool rx, unsigned port)
{
	struct worker *near = least_dealt(r, rx, r->dev[port]->node);

	if (near && dealt(near, rx) < share(r, rx ? r->rxqs : r->txqs))
		return near;
	return least_dealt(r, rx, NODE_UNKNOWN);
}

/* Deals out the queues of ports whose node is known (or is not). */
static void deal_queues(struct router *r, bool known)
{
	for (unsigned g = 0; g < r->rxqs; g++) {
		struct rxq *q = &r->rxq[g];

		if ((r->dev[q->port]->node != NODE_UNKNOWN) != known)
			continue;
		struct worker *w = deal(r, true, q->port);

		q->worker = (uint8_t)w->id;
		w->rxq[w->rxqs++] = (uint8_t)g;
	}
	for (unsigned g = 0; g < r->txqs; g++) {
		struct txq *q = &r->txq[g];

		if ((r->dev[q->port]->node != NODE_UNKNOWN) != known)
			continue;
		struct worker *w = deal(r, false, q->port);

		q->worker = (uint8_t)w->id;
		w->txq[w->txqs++] = (uint8_t)g;
	}
}

/* ---- buffers ---- */

/* The device writes the buffers first: they are near it, or else near the worker. */
static uint32_t buffers_node(const struct router *r, unsigned p, unsigned actor)
{
	uint32_t node = p == r->control_pool ? NODE_UNKNOWN : r->dev[r->rxq[p].port]->node;

	return node == NODE_UNKNOWN ? build_node(r, actor) : node;
}

static void build_pool(struct router *r, struct builder *b, unsigned p)
{
	struct buffers *buffers = &r->buffers;
	unsigned actor = p == r->control_pool ? ACTOR_CONTROL : r->rxq[p].worker + 1u;

	b->node = buffers_node(r, p, actor);
	void *memory = build_alloc(b, (size_t)POOL_BUFS * buffers->stride, "packet buffers");

	b->node = build_node(r, actor);
	struct pool *pool = build_alloc(b, sizeof *pool, "buffer pools");

	if (pool) {
		pool_place(buffers, p, memory,
			p == r->control_pool ? 0 : r->dev[r->rxq[p].port]->front);
		pool_init(buffers, p, pool, actor);
	}
	for (unsigned a = 0; a < r->actors; a++)
		if (a != actor)
			buffers->ret[a][p] = build_ring(b, POOL_BUFS, "return rings");
	r->tables.pool_port[p] = p == r->control_pool ? CONTROL_PORT : (uint8_t)r->rxq[p].port;
}

static bool build_buffers(struct router *r, struct builder *b)
{
	r->buffers.pools = r->rxqs + 1;
	r->buffers.actors = r->actors;
	b->node = NODE_UNKNOWN; /* written by all workers */
	r->buffers.owner = build_alloc(b, (size_t)r->buffers.pools << POOL_SHIFT, "buffer owners");
	for (unsigned p = 0; p < r->buffers.pools && !b->failed; p++)
		build_pool(r, b, p);
	return !b->failed;
}

/* ---- outputs ---- */

static bool build_latency(struct router *r, struct builder *b)
{
	for (unsigned t = 0; t < r->txqs; t++) {
		b->node = r->worker[r->txq[t].worker]->node;
		for (unsigned port = 0; port < r->ports; port++)
			r->latency[port][t] =
				build_alloc(b, sizeof *r->latency[port][t], "latency histograms");
	}
	return !b->failed;
}

static bool build_scheds(struct router *r, struct builder *b)
{
	for (unsigned t = 0; t < r->txqs; t++) {
		b->node = r->worker[r->txq[t].worker]->node;
		void *memory = build_alloc(b, sched_bytes(r->lanes), "schedulers");

		if (!memory)
			return false;
		sched_init(&r->sched[t], memory, r->lanes);
		for (unsigned l = 0; l < r->lanes; l++) {
			unsigned port = r->lane[l].port;

			r->sched[t].cross[l] = r->lane[l].cross[t];
			r->sched[t].latency[l] = port < r->ports ? r->latency[port][t] : NULL;
		}
	}
	return true;
}

/* ---- tables and interfaces ---- */

/* Memory for this many IPv4 routes, and IPv6 routes in proportion; see publish_init for the FIBs.
 */
static size_t tables_bytes(uint32_t routes, uint32_t routes6)
{
	struct fib4_limits limits4 = fib4_limits_for(routes);
	struct fib6_limits limits6 = fib6_limits_for(routes6);

	return rib4_size(routes) + rib6_size(routes6) +
	       2 * (fib4_size(&limits4) + fib6_size(&limits6));
}

#define TABLES_LEAVE (8u << 20)   /* bytes of memory, for all that comes after them */
#define LATER_LEAST  (512u << 10) /* of what comes after tables and counters */

/* Bytes that tables and counters take on a machine with very little. */
static uint64_t tables_least(const struct router *r)
{
	return tables_bytes(RIB_MIN, RIB_MIN) +
	       STATIC_MAX * (sizeof *r->statics.route + sizeof *r->statics6.route) +
	       (uint64_t)r->actors * NEXTHOP_MAX * sizeof *r->tally[0] + LATER_LEAST;
}

uint64_t router_spare(const struct router *r)
{
	struct platform_memory m;
	uint64_t least = tables_least(r);

	platform_memory(&m);
	uint64_t left = m.arena_bytes - m.arena_used;

	return left > least ? left - least : 0;
}

/* Fewer routes, at least so many, until they fit. */
static void shrink_tables(uint32_t *routes, uint32_t *routes6, uint32_t least, uint64_t bytes)
{
	while (*routes > least && tables_bytes(*routes, *routes6) > bytes) {
		*routes -= *routes / 8;
		*routes6 -= *routes6 / 8;
	}
	if (*routes < least)
		*routes = least;
	if (*routes6 < least)
		*routes6 = least;
}

/* As many routes as fit half of the memory that is left, within the limits; few may take more. */
static void size_tables(uint32_t *routes, uint32_t *routes6)
{
	struct platform_memory m;

	platform_memory(&m);
	uint64_t left = m.arena_bytes - m.arena_used;

	*routes = RIB4_MAX;
	*routes6 = RIB6_MAX;
	shrink_tables(routes, routes6, RIB_FEW, left / 2);
	if (*routes == RIB_FEW)
		shrink_tables(
			routes, routes6, RIB_MIN, left > TABLES_LEAVE ? left - TABLES_LEAVE : 0);
}

/* Where workers count by next hop, if they do; the control core has no need to. */
static void build_tallies(struct router *r, struct builder *b)
{
	struct nexthop_table *t = &r->nexthops;

	for (unsigned a = 1; a < r->actors; a++) {
		b->node = build_node(r, a);
		r->tally[a] = build_alloc(b, NEXTHOP_MAX * sizeof *r->tally[a], "counters");
	}
	b->node = build_node(r, ACTOR_CONTROL);
	t->cleared = build_alloc(b, NEXTHOP_MAX * sizeof *t->cleared, "counters");
	t->tally = r->tally;
	t->tallies = r->actors;
}

static bool build_tables(struct router *r, struct builder *b)
{
	uint32_t routes, routes6;

	b->node = NODE_UNKNOWN; /* read by all */
	struct nexthop_memory m = {
		.adjacency = build_alloc(b, NEXTHOP_MAX * sizeof *m.adjacency, "adjacencies"),
		.nexthop = build_alloc(b, NEXTHOP_MAX * sizeof *m.nexthop, "next hops"),
		.place = build_alloc(b, GROUP_MAX * GROUP_SPREAD * sizeof *m.place, "groups"),
		.leads = build_alloc(b, NEXTHOP_MAX * sizeof *m.leads, "next hops"),
		.group = build_alloc(b, GROUP_MAX * sizeof *m.group, "groups"),
	};

	r->vlans = build_alloc(b, sizeof *r->vlans, "VLANs");
	if (!b->failed && !filters_init(r))
		b->failed = "access lists";
	if (!b->failed && !captures_init(r))
		b->failed = "packet capture";
	if (!b->failed && !flows_init(r))
		b->failed = "flows";
	if (!b->failed && !nats_init(r))
		b->failed = "NAT";
	if (!b->failed && !sessions_build(r))
		b->failed = "sessions";
	r->statics = (struct statics){.rib = &r->rib.rib, .max = STATIC_MAX};
	r->statics.route = build_alloc(b, STATIC_MAX * sizeof *r->statics.route, "static routes");
	r->statics6 = (struct statics){.rib = &r->rib6.rib, .max = STATIC_MAX};
	r->statics6.route =
		build_alloc(b, STATIC_MAX * sizeof *r->statics6.route, "IPv6 static routes");
	size_tables(&routes, &routes6);
	void *rib = build_reserve(b, rib4_size(routes), "IPv4 routes");
	void *rib6 = build_reserve(b, rib6_size(routes6), "IPv6 routes");

	if (b->failed)
		return false;
	nexthop_init(&r->nexthops, &m);
	build_tallies(r, b);
	if (b->failed)
		return false;
	r->tables.adjacency = m.adjacency;
	r->tables.place = m.place;
	r->tables.leads = m.leads;
	r->tables.ports = r->ports;
	r->tables.vlans = r->vlans;
	rib4_init(&r->rib, rib, routes);
	rib6_init(&r->rib6, rib6, routes6);
	return true;
}

static void build_ifaces(struct router *r)
{
	for (unsigned port = 0; port < r->ports; port++) {
		struct iface *iface = &r->iface[port];
		uint32_t can = r->dev[port]->mtu_max;
		uint32_t mtu = can < MTU_DEFAULT ? can : MTU_DEFAULT;

		snprintf(iface->name, sizeof iface->name, "eth%u", port);
		iface->port = iface->parent = (uint16_t)port;
		iface->txq = (uint16_t)port; /* adjacencies name the port; lanes know its queues */
		iface->mtu = mtu;
		iface->enabled = true;
		memcpy(iface->mac, r->dev[port]->mac, 6);
		r->dev[port]->buffers = &r->buffers;
		router_set_frame_max(r, port, mtu + 14);
		router_set_one_txq(r, port, false);
		router_set_spread(r, port, RX_SPREAD_AUTO);
	}
}

/*
 * TX rings together hold a quarter of one pool at most: were all outputs to
 * stand still at once, full of packets from one input, that input's pool would
 * still have buffers for its RX ring, its VOQs and the control core.
 */
static unsigned tx_depth(const struct router *r)
{
	unsigned depth = POOL_BUFS / 4 / (r->txqs ? r->txqs : 1);

	for (unsigned port = 0; port < r->ports; port++)
		if (depth > r->dev[port]->tx_slots)
			depth = r->dev[port]->tx_slots;
	return depth;
}

bool router_init(struct router *r, struct netdev **dev, unsigned ports, unsigned workers,
	const unsigned *core, uint32_t mtu, char *error, unsigned error_size)
{
	struct builder b = {.node = platform_core(0)->node};

	r->ports = r->ifaces = ports;
	r->single_core = workers == 0;
	r->workers = workers ? workers : 1;
	r->actors = r->workers + 1;
	buffers_shape(&r->buffers, mtu);
	for (unsigned port = 0; port < ports; port++)
		r->dev[port] = dev[port];
	if (!number_queues(r)) {
		snprintf(error, error_size, "the ports have more than %u queues", RXQ_MAX);
		return false;
	}
	r->tx_depth = tx_depth(r);
	if (build_workers(r, &b, core)) {
		deal_queues(r, true);
		deal_queues(r, false);
	}
	if (b.failed || !build_buffers(r, &b) || !router_build_lanes(r, &b) ||
		!build_latency(r, &b) || !build_scheds(r, &b) || !build_tables(r, &b)) {
		snprintf(error, error_size, "not enough memory for %s", b.failed);
		return false;
	}
	build_ifaces(r);
	return true;
}
