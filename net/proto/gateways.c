/* Gateways of equal-cost paths are asked whether they are there, with or without packets for them.
 */
#include "net/proto/gateways.h"

#include "net/proto/internal.h"

#define LOOKS 256u /* places of groups looked at in one tick */

/* A new entry costs no confirmed one its place, and its timer asks. */
static void begin(struct stack *s, struct neighbor_table *t, unsigned port, struct ip6 address)
{
	bool room = t->free || t->unresolved_n >= NEIGHBOR_UNRESOLVED_MIN;

	if (room && pace_take(&s->gateways.begun, s->now_ms, GATEWAY_BURST))
		(void)neighbor_make(s, t, port, address);
}

static void look_at(struct stack *s, const struct nexthop *n)
{
	bool six = !ip6_is_zero(n->gateway6);
	struct neighbor_table *t = six ? &s->nd : &s->arp;
	struct ip6 address = nexthop_gateway(n);

	if (n->port >= s->ifaces || !s->iface[n->port].installed ||
		(six && !iface6_source(&s->iface[n->port], address))) /* nobody to ask */
		return;

	struct neighbor *e = neighbor_find(t, n->port, address);

	if (!e)
		begin(s, t, n->port, address);
	else if ((e->state == NEIGHBOR_REACHABLE || e->state == NEIGHBOR_STALE) &&
		 s->now_ms - e->since_ms >= GATEWAY_CONFIRM_MS)
		neighbor_enter(s, t, e, NEIGHBOR_PROBE, s->now_ms);
}

void gateways_tick(struct stack *s)
{
	struct gateways *g = &s->gateways;

	if (g->at == 0 && s->now_ms - g->round_ms < GATEWAY_ROUND_MS)
		return;
	if (g->at == 0)
		g->round_ms = s->now_ms;
	for (unsigned k = 0; k < LOOKS; k++) {
		uint32_t index;

		if (!nexthop_shared(s->nexthops, g->at, &index)) {
			g->at = 0;
			return;
		}
		g->at++;
		if (index != NEXTHOP_NONE)
			look_at(s, &s->nexthops->nexthop[index]);
	}
}
