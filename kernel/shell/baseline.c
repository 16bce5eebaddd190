/* `clear counters`: a saved copy of all counters, and its subtraction. */
#include "kernel/shell/baseline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/vlans.h"

static struct baseline {
	struct audit_port port[PORT_COUNT];
	struct port_counters counters[PORT_COUNT];
	struct txq_counters txq[TXQ_MAX];
	struct vlan_counters vlan[VLAN_MAX];
	struct voq_counters *voq; /* by lane, TX queue and class; malloc'd; NULL: all zero */
	uint64_t doorbells[PORT_MAX];
	uint64_t statistic[PORT_MAX][NETDEV_STATISTICS_MAX];
	struct protocol_counters protocols;
} baseline;

/* The sum over actors; only the worker that drives the queue writes it. */
static struct txq_counters txq_now(const struct router *r, unsigned txq)
{
	struct txq_counters sum = {0};

	for (unsigned a = 0; a < r->actors; a++) {
		sum.packets += load_once(&r->counters[a]->txq[txq].packets);
		sum.bytes += load_once(&r->counters[a]->txq[txq].bytes);
	}
	return sum;
}

static struct voq_counters voq_now(
	const struct router *r, unsigned lane, unsigned txq, unsigned class)
{
	const struct crosspoint *x = r->lane[lane].cross[txq];

	return (struct voq_counters){.packets = load_once(&x->out[class].packets),
		.bytes = load_once(&x->out[class].bytes),
		.drops = load_once(&x->in.drops[class])};
}

static unsigned voq_index(const struct router *r, unsigned lane, unsigned txq, unsigned class)
{
	return (lane * r->txqs + txq) * VOQ_CLASSES + class;
}

static void take_voqs(const struct router *r)
{
	for (unsigned l = 0; l < r->lanes; l++)
		for (unsigned t = 0; t < r->txqs; t++)
			for (unsigned class = 0; class < VOQ_CLASSES; class ++)
				baseline.voq[voq_index(r, l, t, class)] = voq_now(r, l, t, class);
}

static uint64_t doorbells_now(const struct router *r, unsigned port)
{
	return r->dev[port]->ops->doorbells(r->dev[port]);
}

static unsigned statistics_now(const struct router *r, unsigned port, struct netdev_statistic *out)
{
	const struct netdev *dev = r->dev[port];

	return dev->ops->statistics ? dev->ops->statistics(dev, out, NETDEV_STATISTICS_MAX) : 0;
}

static void take_statistics(const struct router *r, unsigned port)
{
	struct netdev_statistic now[NETDEV_STATISTICS_MAX];
	unsigned n = statistics_now(r, port, now);

	for (unsigned i = 0; i < n; i++)
		baseline.statistic[port][i] = now[i].value;
}

static void punts_now(const struct router *r, struct protocol_counters *c)
{
	for (unsigned a = 0; a < r->actors; a++) {
		for (unsigned kind = 0; kind < POLICE_KINDS; kind++) {
			c->policed[kind] += load_once(&r->counters[a]->policed[kind]);
			c->handed[kind] += load_once(&r->counters[a]->handed[kind]);
		}
	}
}

static struct protocol_counters protocols_now(const struct router *r)
{
	const struct neighbor_table *arp = &r->stack.arp;
	const struct icmp_limit *icmp = &r->stack.icmp_limit;
	const struct neighbor_table *nd = &r->stack.nd;
	const struct nd_state *state = &r->stack.nd_state;
	const struct icmp_limit *icmp6 = &r->stack.icmp6_limit;
	const struct reassembly *fragments = &r->stack.reassembly;

	struct protocol_counters c = (struct protocol_counters){.arp_received = arp->received,
		.arp_requests_sent = arp->requests_sent,
		.arp_replies_sent = arp->replies_sent,
		.arp_failed = arp->failed,
		.arp_conflicts = arp->conflicts,
		.icmp_sent = icmp->sent,
		.icmp_echo_replies = icmp->echo_replies,
		.icmp_suppressed = icmp->suppressed,
		.icmp_suppressed_destination = icmp->suppressed_destination,
		.nd_received = nd->received,
		.nd_solicits_sent = nd->requests_sent,
		.nd_adverts_sent = nd->replies_sent,
		.nd_failed = nd->failed,
		.nd_conflicts = nd->conflicts,
		.nd_suppressed = state->suppressed,
		.nd_redirects = state->redirects,
		.ra_received = state->adverts_received,
		.ra_sent = state->adverts_sent,
		.mld_queries = r->stack.mld.queries,
		.mld_reports_sent = r->stack.mld.reports_sent,
		.mld_reports_heard = r->stack.mld.reports_heard,
		.icmp6_sent = icmp6->sent,
		.icmp6_echo_replies = icmp6->echo_replies,
		.icmp6_suppressed = icmp6->suppressed,
		.icmp6_suppressed_destination = icmp6->suppressed_destination,
		.too_big_heeded = r->stack.pmtu.heeded,
		.too_big_refused = r->stack.pmtu.refused,
		.lldp_sent = r->stack.lldp.sent,
		.lldp_received = r->stack.lldp.received,
		.lldp_aged = r->stack.lldp.aged,
		.lldp_refused = r->stack.lldp.refused,
		.fragments = fragments->fragments,
		.reassembled = fragments->completed,
		.fragments_expired = fragments->expired,
		.fragments_evicted = fragments->evicted,
		.fragments_refused = fragments->refused};

	punts_now(r, &c);
	return c;
}

const char *baseline_take(struct router *r)
{
	static struct audit audit;
	static char refusal[40];

	if (!baseline.voq)
		baseline.voq = calloc(voq_index(r, r->lanes, 0, 0) + 1, sizeof *baseline.voq);
	if (!baseline.voq)
		return "out of memory";
	audit_take(r, &audit);
	if (!audit.parked) {
		snprintf(refusal, sizeof refusal, "worker %u does not answer", audit.holdout);
		return refusal;
	}
	memcpy(baseline.port, audit.port, sizeof baseline.port);
	memcpy(baseline.counters, audit.counters, sizeof baseline.counters);
	baseline.protocols = protocols_now(r);
	for (unsigned port = 0; port < r->ports; port++) {
		baseline.doorbells[port] = doorbells_now(r, port);
		take_statistics(r, port);
	}
	for (unsigned t = 0; t < r->txqs; t++)
		baseline.txq[t] = txq_now(r, t);
	for (unsigned n = 0; n < VLAN_MAX; n++)
		vlans_counters(r, n, &baseline.vlan[n]);
	take_voqs(r);
	nexthop_clear_counts(&r->nexthops);
	filters_clear(r);
	flows_clear(r);
	nats_clear(r);
	router_clear_latency(r);
	return NULL;
}

void baseline_reset(void)
{
	free(baseline.voq);
	memset(&baseline, 0, sizeof baseline);
}

static void subtract_counters(struct port_counters *c, unsigned port)
{
	const struct port_counters *b = &baseline.counters[port];

	c->rx_packets -= b->rx_packets;
	c->rx_bytes -= b->rx_bytes;
	c->delivered -= b->delivered;
	c->policed.packets -= b->policed.packets;
	c->policed.bytes -= b->policed.bytes;
	for (unsigned i = 0; i < DROP_COUNT; i++)
		c->dropped[i] -= b->dropped[i];
}

void baseline_subtract(struct audit *a)
{
	for (unsigned i = 0; i < PORT_COUNT; i++) {
		struct audit_port *p = &a->port[i];
		const struct audit_port *b = &baseline.port[i];

		p->received -= b->received;
		p->received += b->in_flight;
		p->transmitted -= b->transmitted;
		p->delivered -= b->delivered;
		p->dropped -= b->dropped;
		subtract_counters(&a->counters[i], i);
	}
}

void baseline_port(const struct router *r, unsigned port, struct port_counters *sum)
{
	router_port_counters(r, port, sum);
	subtract_counters(sum, port);
}

void baseline_output(const struct router *r, unsigned port, uint64_t *packets, uint64_t *bytes)
{
	*packets = *bytes = 0;
	for (unsigned i = 0; i < r->dev[port]->tx_queues; i++) {
		unsigned t = r->first_txq[port] + i;
		struct txq_counters now = txq_now(r, t);

		*packets += now.packets - baseline.txq[t].packets;
		*bytes += now.bytes - baseline.txq[t].bytes;
	}
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void baseline_vlan(const struct router *r, unsigned number, struct vlan_counters *c)
{
	const struct vlan_counters *before = &baseline.vlan[number];
	const struct vlan_counters *start = &r->vlan_start[number];

	vlans_counters(r, number, c);
	c->rx_packets -= later(before->rx_packets, start->rx_packets);
	c->rx_bytes -= later(before->rx_bytes, start->rx_bytes);
	c->tx_packets -= later(before->tx_packets, start->tx_packets);
	c->tx_bytes -= later(before->tx_bytes, start->tx_bytes);
	c->policed.packets -= later(before->policed.packets, start->policed.packets);
	c->policed.bytes -= later(before->policed.bytes, start->policed.bytes);
}

uint64_t baseline_doorbells(const struct router *r, unsigned port)
{
	return doorbells_now(r, port) - baseline.doorbells[port];
}

unsigned baseline_statistics(const struct router *r, unsigned port, struct netdev_statistic *out)
{
	unsigned n = statistics_now(r, port, out);

	for (unsigned i = 0; i < n; i++)
		out[i].value -= baseline.statistic[port][i];
	return n;
}

void baseline_protocols(const struct router *r, struct protocol_counters *c)
{
	const uint64_t *before = (const uint64_t *)&baseline.protocols;
	uint64_t *now = (uint64_t *)c;

	*c = protocols_now(r);
	for (unsigned i = 0; i < sizeof *c / sizeof *now; i++)
		now[i] -= before[i];
}

void baseline_voq(
	const struct router *r, unsigned lane, unsigned txq, unsigned class, struct voq_counters *c)
{
	struct voq_counters before = {0};

	*c = voq_now(r, lane, txq, class);
	if (baseline.voq)
		before = baseline.voq[voq_index(r, lane, txq, class)];
	c->packets -= before.packets;
	c->bytes -= before.bytes;
	c->drops -= before.drops;
}
