/* What can change about the router's ports while it runs, and sums over its actors. */
#include "kernel/router.h"

#include <string.h>

#include "kernel/platform.h"
#include "kernel/vlans.h"

void router_set_frame_max(struct router *r, unsigned port, uint32_t bytes)
{
	if (port >= r->ports)
		vlans_refresh(r, &r->iface[port]);
	for (unsigned l = 0; l < r->lanes; l++)
		if (r->lane[l].port == port)
			store_once(&r->lane[l].max_frame, bytes);
}

void router_set_disabled(struct router *r, unsigned port, bool disabled)
{
	if (port >= r->ports)
		vlans_refresh(r, &r->iface[port]);
	for (unsigned l = 0; l < r->lanes; l++)
		if (r->lane[l].port == port)
			store_once(&r->lane[l].disabled, disabled);
}

void router_set_spread(struct router *r, unsigned port, enum rx_spread spread)
{
	bool on = spread == RX_SPREAD_ON || (spread == RX_SPREAD_AUTO && r->workers > r->rxqs);

	for (unsigned i = 0; i < r->dev[port]->rx_queues; i++) {
		struct rxq *q = &r->rxq[r->first_rxq[port] + i];

		store_once(&q->spread, on ? q->ways : 1);
	}
}

/* The TX queue of a port that an actor drives, or the port's first. */
static unsigned txq_for(const struct router *r, unsigned port, unsigned actor)
{
	unsigned first = r->first_txq[port];

	for (unsigned i = 0; i < r->dev[port]->tx_queues && !r->one_txq[port]; i++)
		if (r->txq[first + i].worker + 1u == actor)
			return first + i;
	return first;
}

void router_set_one_txq(struct router *r, unsigned port, bool one)
{
	r->one_txq[port] = one;
	for (unsigned l = 0; l < r->lanes; l++)
		store_once(&r->lane[l].txq[port], (uint8_t)txq_for(r, port, r->lane[l].actor));
}

void router_set_rate(struct router *r, unsigned port, uint64_t bps)
{
	struct shaper *shaper = &r->sched[r->first_txq[port]].shaper;
	const struct bucket_rate *now = shaper->rate;
	struct bucket_rate *spare = &r->rate[port][now == &r->rate[port][0]];

	if (bps)
		shaper_rate_set(
			spare, bps, platform_tsc_hz(), r->iface[port].mtu + 14 + PACKET_TAG);
	if (bps && now && memcmp(now, spare, sizeof *now) == 0)
		return;
	store_release(&shaper->rate, bps ? spare : NULL);
}

/* An interface's bucket at an RX queue of its port. */
static struct meter_bucket *bucket_of(struct router *r, unsigned rxq, unsigned iface)
{
	struct meter *m = r->meter[rxq];

	return iface < r->ports ? &m->port : &m->vlan[iface - r->ports];
}

void router_set_limit(struct router *r, unsigned iface, const struct meter_limit *limit)
{
	const struct iface *i = &r->iface[iface];
	unsigned first = r->first_rxq[i->parent], queues = r->dev[i->parent]->rx_queues;
	struct meter_rate *rate = NULL;

	if (meter_same(limit, &r->police[iface]))
		return;
	if (limit->rate) {
		rate = &r->meter_rate[iface]
				     [bucket_of(r, first, iface)->rate == &r->meter_rate[iface][0]];
		meter_rate_set(rate, limit, queues, platform_tsc_hz());
		rate->number = ++r->limits;
	}
	for (unsigned g = first; g < first + queues; g++)
		store_release(&bucket_of(r, g, iface)->rate, rate);
	r->police[iface] = *limit;
}

void router_set_metering(struct router *r, unsigned port, bool any, bool vlans)
{
	unsigned first = r->first_rxq[port];

	for (unsigned g = first; g < first + r->dev[port]->rx_queues; g++) {
		store_once(&r->meter[g]->vlans, vlans);
		store_once(&r->lane[g].meter, any ? r->meter[g] : NULL);
	}
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
		sum->policed.packets += load_once(&c->policed.packets);
		sum->policed.bytes += load_once(&c->policed.bytes);
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

void router_clear_latency(struct router *r)
{
	store_release(&r->clear_request, r->clear_request + 1);
}

void router_set_one_class(struct router *r, bool one)
{
	for (unsigned l = 0; l < r->lanes; l++)
		store_once(&r->lane[l].one_class, one);
}

void router_set_control_rates(struct router *r, const uint32_t rate[POLICE_KINDS])
{
	for (unsigned kind = 0; kind < POLICE_KINDS; kind++) {
		if (rate[kind] == r->control_rate[kind])
			continue;
		for (unsigned l = 0; l + 1 < r->lanes; l++)
			police_set_rate(&r->lane[l].police, kind, rate[kind], platform_tsc_hz());
		r->control_rate[kind] = rate[kind];
	}
}

void router_set_tracking(struct router *r, bool on)
{
	for (unsigned l = 0; l + 1 < r->lanes; l++)
		store_once(&r->lane[l].track, on);
}

void router_set_martians(struct router *r, unsigned permitted)
{
	for (unsigned l = 0; l < r->lanes; l++)
		store_once(&r->lane[l].martians, permitted);
}
