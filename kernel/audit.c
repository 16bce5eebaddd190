/* The live audit: two books of the buffers, and the balance of the packets. */
#include "kernel/audit.h"

#include <stdio.h>
#include <string.h>

#include "kernel/platform.h"

#define PARK_LIMIT_US   1000000u /* then a worker counts as stuck */
#define PARK_ATTEMPT_US 20000u   /* workers that did park stand still no longer than this, */
#define PARK_PAUSE_US   20000u   /* and forward again for as long before the next attempt */

/* Who owns each buffer, copied while the workers stand still. */
static uint8_t owner[POOL_MAX * POOL_BUFS];

/* ---- standing still ---- */

/* One attempt. false: *holdout did not park in time; nobody is left parked. */
static bool audit_attempt(struct router *r, unsigned *holdout)
{
	uint32_t request = r->park_request + 1; /* odd */
	uint64_t start = platform_now_us();

	store_release(&r->park_request, request);
	for (unsigned w = 0; w < r->workers; w++) {
		while (load_acquire(&r->worker[w]->park_seen) != request) {
			if (platform_now_us() - start < PARK_ATTEMPT_US) {
				platform_relax();
				continue;
			}
			store_release(&r->park_request, request + 1);
			*holdout = w;
			return false;
		}
	}
	return true;
}

/* Parks the workers, in several attempts if one of them is held up. */
bool audit_park(struct router *r, unsigned *holdout)
{
	uint64_t start = platform_now_us();

	if (r->single_core)
		return true; /* the worker is us, between turns */
	while (!audit_attempt(r, holdout)) {
		uint64_t pause = platform_now_us();

		if (pause - start > PARK_LIMIT_US)
			return false;
		while (platform_now_us() - pause < PARK_PAUSE_US)
			platform_relax();
	}
	return true;
}

void audit_release(struct router *r)
{
	if (!r->single_core)
		store_release(&r->park_request, r->park_request + 1);
}

/* ---- what is copied while they do ---- */

static void copy_queues(const struct router *r, struct audit *a)
{
	for (unsigned p = 0; p < r->buffers.pools; p++) {
		a->pool[p].free = r->buffers.pool[p]->top;
		a->pool[p].returning = pool_returning(&r->buffers, p);
	}
	for (unsigned g = 0; g < r->rxqs; g++) {
		const struct rxq *q = &r->rxq[g];
		const struct netdev *dev = r->dev[q->port];

		a->pool[g].rx_ring = dev->ops->rx_held(dev, q->queue);
		a->pool[g].waiting = load_once(&q->steering.hold->held);
	}
	for (unsigned w = 0; w < r->workers; w++)
		for (unsigned i = 0; i < r->worker[w]->feeds; i++) {
			const struct feed *feed = &r->worker[w]->feed[i];

			a->pool[r->lane[feed->lane].pool].spread += ring_depth(feed->ring);
		}
	for (unsigned t = 0; t < r->txqs; t++) {
		const struct netdev *dev = r->dev[r->txq[t].port];

		a->tx_ring[t] = dev->ops->tx_held(dev, r->txq[t].queue);
		for (unsigned l = 0; l < r->lanes; l++)
			for (unsigned class = 0; class < VOQ_CLASSES; class ++)
				a->voq[t] += voq_depth(r->lane[l].cross[t], class);
	}
	for (unsigned l = 0; l + 1 < r->lanes; l++)
		a->punted += ring_depth(r->punt[l]);
}

/* What the actors' own checks have found so far (lib/pool.h). */
static void copy_faults(const struct router *r, struct audit *a)
{
	for (unsigned actor = 0; actor < r->actors; actor++) {
		const struct buffer_fault *f = &r->buffers.fault[actor];

		if (f->count && a->faults == 0)
			a->fault = *f;
		a->faults += f->count;
	}
}

static void copy_counters(const struct router *r, struct audit *a)
{
	for (unsigned port = 0; port < PORT_COUNT; port++) {
		if (port >= r->ports && port != CONTROL_PORT)
			continue;
		router_port_counters(r, port, &a->counters[port]);
		a->port[port].transmitted = router_transmitted(r, port);
	}
}

/* ---- book 1: the owner array ---- */

static void count_owner(struct audit_pool *p, uint8_t o, unsigned txqs)
{
	if (o == OWNER_HOME)
		p->home++;
	else if (o == OWNER_CONTROL)
		p->control++;
	else if (o == OWNER_HELD)
		p->held++;
	else if (o >= OWNER_OUTPUT(0) && o < OWNER_OUTPUT(txqs))
		p->output[o - OWNER_OUTPUT(0)]++;
	else
		p->other++;
}

static void count_owners(const struct router *r, struct audit *a)
{
	for (unsigned p = 0; p < r->buffers.pools; p++)
		for (unsigned i = 0; i < POOL_BUFS; i++)
			count_owner(&a->pool[p], owner[(p << POOL_SHIFT) + i], r->txqs);
}

/* ---- comparison ---- */

/* More owned than found: missing. More found than owned: in two places, or owned by another. */
static void find(struct audit *a, int difference, const char *owner_kind, const char *name)
{
	unsigned n = (unsigned)(difference > 0 ? difference : -difference);

	if (n == 0)
		return;
	if (difference > 0)
		a->missing += n;
	else
		a->extra += n;
	if (a->buffers_ok && difference > 0)
		snprintf(a->finding, sizeof a->finding, "%u missing, last owner %s%s", n,
			owner_kind, name);
	else if (a->buffers_ok)
		snprintf(a->finding, sizeof a->finding,
			"%u extra at %s%s: there twice, or with a wrong owner", n, owner_kind,
			name);
	a->buffers_ok = false;
}

static void compare_books(const struct router *r, struct audit *a)
{
	uint32_t control = 0, output[TXQ_MAX] = {0};

	a->buffers_ok = true;
	for (unsigned p = 0; p < r->buffers.pools; p++) {
		struct audit_pool *pool = &a->pool[p];
		const char *name = p == r->control_pool ? "control" : r->iface[r->rxq[p].port].name;
		uint32_t found = pool->free + pool->returning + pool->rx_ring + pool->spread;

		find(a, (int)pool->home - (int)found,
			p == r->control_pool ? "the pool of " : "the worker of ", name);
		find(a, (int)pool->held - (int)pool->waiting, "the fragments of ", name);
		find(a, (int)pool->other, "nobody, in pool ", name);
		control += pool->control;
		for (unsigned t = 0; t < r->txqs; t++)
			output[t] += pool->output[t];
	}
	find(a, (int)control - (int)(a->punted + a->control_held), "control core", "");
	for (unsigned t = 0; t < r->txqs; t++)
		find(a, (int)output[t] - (int)(a->voq[t] + a->tx_ring[t]), "output ",
			r->iface[r->txq[t].port].name);
	if (a->faults && a->buffers_ok) {
		snprintf(a->finding, sizeof a->finding,
			"%llu times a buffer was not as it should be, first %u at %s: owner %u, "
			"expected %u",
			(unsigned long long)a->faults, a->fault.index, a->fault.where,
			a->fault.found, a->fault.expected);
		a->buffers_ok = false;
	}
}

static void balance_port(const struct router *r, struct audit *a, unsigned port)
{
	struct audit_port *b = &a->port[port];
	const struct port_counters *c = &a->counters[port];

	b->received = c->rx_packets;
	b->delivered = c->delivered;
	for (unsigned i = 0; i < DROP_COUNT; i++)
		b->dropped += c->dropped[i];
	for (unsigned p = 0; p < r->buffers.pools; p++) {
		if (r->tables.pool_port[p] != port)
			continue;
		b->in_flight += a->pool[p].control;
		for (unsigned t = 0; t < r->txqs; t++)
			b->in_flight += a->pool[p].output[t];
	}
	b->balanced = b->received == b->transmitted + b->delivered + b->dropped + b->in_flight;
	if (b->balanced)
		return;
	if (a->balance_ok && a->buffers_ok)
		snprintf(a->finding, sizeof a->finding, "%s: packets do not balance",
			port == CONTROL_PORT ? "control" : r->iface[port].name);
	a->balance_ok = false;
}

void audit_take(struct router *r, struct audit *a)
{
	memset(a, 0, sizeof *a);
	uint64_t start = platform_now_us();

	if (!audit_park(r, &a->holdout)) {
		snprintf(a->finding, sizeof a->finding, "worker %u on core %u does not answer",
			a->holdout, r->worker[a->holdout]->core);
		return;
	}
	uint64_t parked = platform_now_us();

	memcpy(owner, r->buffers.owner, (size_t)r->buffers.pools << POOL_SHIFT);
	copy_queues(r, a);
	copy_counters(r, a);
	copy_faults(r, a);
	audit_release(r);
	a->parked_us = platform_now_us() - parked;
	a->wait_us = parked - start;
	a->parked = true;
	a->control_held = stack_held(&r->stack);

	count_owners(r, a);
	compare_books(r, a);
	a->balance_ok = true;
	for (unsigned port = 0; port < r->ports; port++)
		balance_port(r, a, port);
	balance_port(r, a, CONTROL_PORT);
}
