/* Duplicate address detection (RFC 4862 5.4): a random delay, one probe, a second of silence, then
 * an announcement. */
#include <string.h>

#include "net/proto/internal.h"

/* RFC 4862 5.4.2: many stations of a link may have come up in the same moment. */
static uint64_t first_delay_ms(const struct stack *s, unsigned port)
{
	return s->seed ? hash_mix(s->seed + s->now_ms + port) % DAD_DELAY_MS : 0;
}

void nd_start_port(struct stack *s, unsigned port)
{
	struct iface *i = &s->iface[port];

	uint64_t due_ms = s->now_ms + first_delay_ms(s, port);

	for (unsigned k = 0; k < i->addrs6; k++) {
		if (i->addr6[k].state == ADDR6_VALID)
			continue; /* it was before its neighbours in the configuration changed */
		i->addr6[k].state = ADDR6_TENTATIVE;
		i->addr6[k].probed = false;
		i->addr6[k].due_ms = due_ms;
	}
	s->nd_state.ra[port] = (struct ra_port){.due_ms = s->now_ms};
	neighbor_port_up(s, &s->nd, port);
	mld_tick(s, port);
	dad_tick(s, port);
}

void nd_addresses_changed(struct stack *s, unsigned port)
{
	struct ra_port *ra = &s->nd_state.ra[port];

	ra->sent = 0; /* RFC 4861 6.2.4: what they say has changed */
	ra->due_ms = s->now_ms;
	mld_tick(s, port);
	dad_tick(s, port);
}

void dad_conflict(struct stack *s, unsigned port, struct iface_addr6 *a, const uint8_t *mac)
{
	s->nd.conflicts++;
	iface6_disown(&s->iface[port], a, s->rib6, s->nexthops);
	s->ops->routes_changed(s->ctx);
	s->ops->address_conflict6(s->ctx, port, a->address, mac, true);
}

void dad_tick(struct stack *s, unsigned port)
{
	struct iface *i = &s->iface[port];

	for (unsigned k = 0; i->installed && k < i->addrs6; k++) {
		struct iface_addr6 *a = &i->addr6[k];

		if (a->state != ADDR6_TENTATIVE || a->due_ms > s->now_ms)
			continue;
		if (!a->probed) {
			nd_send_solicit(s, port, IP6_ANY, a->address, NULL);
			a->probed = true;
			a->due_ms = s->now_ms + ND_RETRY_MS;
			continue;
		}
		a->state = ADDR6_VALID;
		/* RFC 4861 7.2.6: who knew another MAC for it learns. */
		nd_send_advert(s, port, IP6_ALL_NODES, a->address,
			ND_FLAG_ROUTER | ND_FLAG_OVERRIDE, NULL);
	}
}
