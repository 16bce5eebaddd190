/* Neighbour discovery: what is particular to IPv6 of the neighbour table, and messages heard. */
#include "net/proto/nd.h"

#include <string.h>

#include "net/proto/internal.h"

/* ---- the family ---- */

static void ask(struct stack *s, const struct neighbor *e)
{
	const struct iface_addr6 *own = iface6_source(&s->iface[e->port], e->address);
	bool probe = e->state == NEIGHBOR_PROBE;

	if (!own) /* not yet: its own addresses are being probed */
		return;
	/* RFC 6583 7.2: a scan makes no storm. What is known, or is a gateway, is asked meanwhile.
	 */
	if (!probe && !nexthop_is_gateway6(s->nexthops, e->port, e->address) &&
		!pace_take(&s->nd_state.solicits, s->now_ms, ND_SOLICIT_BURST)) {
		s->nd_state.suppressed++;
		return;
	}
	nd_send_solicit(s, e->port, own->address, e->address, probe ? e->mac : NULL);
}

static bool may_be(const struct stack *s, const struct neighbor *e)
{
	return iface6_neighbor(&s->iface[e->port], e->address);
}

static bool is_connected(const struct stack *s, const struct neighbor *e)
{
	const struct route6 *r =
		ip6_is_link_local(e->address) ? NULL : rib6_match(s->rib6, e->address, true);

	return r && r->source == RIB_CONNECTED && s->nexthops->nexthop[r->nexthop].port == e->port;
}

static bool add_route(struct stack *s, const struct neighbor *e)
{
	const struct iface *i = &s->iface[e->port];
	struct route6 route = {.prefix = e->address, .length = 128, .source = RIB_NEIGHBOR};

	if (nexthop_get6(s->nexthops, NEXTHOP_RESOLVE, e->port, e->address, i->mac, i->mtu,
		    &route.nexthop) != ERR_OK)
		return false;
	if (rib6_add(s->rib6, &route) == ERR_OK)
		return true;
	nexthop_put(s->nexthops, route.nexthop);
	return false;
}

static void remove_route(struct stack *s, const struct neighbor *e)
{
	struct route6 removed;

	if (rib6_remove(s->rib6, e->address, 128, RIB_NEIGHBOR, &removed) == ERR_OK)
		nexthop_put(s->nexthops, removed.nexthop);
}

static void set_mac(struct stack *s, const struct neighbor *e)
{
	nexthop_set_mac6(s->nexthops, e->port, e->address, e->mac, s->iface[e->port].txq);
}

static void clear_mac(struct stack *s, const struct neighbor *e)
{
	nexthop_clear_mac6(s->nexthops, e->port, e->address);
}

static void silence(struct stack *s, const struct neighbor *e)
{
	nexthop_silence6(s->nexthops, e->port, e->address);
}

static void transmit(struct stack *s, const struct neighbor *e, uint32_t mtu, uint64_t word)
{
	ethernet_finish(s, frame_of(s, word), e->port, e->mac, ETH_TYPE_IPV6);
	s->ops->transmit(s->ctx, e->port, word);
}

/* RFC 4861 7.2.2: address unreachable. */
static void refuse(struct stack *s, uint64_t word)
{
	icmp6_send_error(s, word, ICMP6_UNREACHABLE, ICMP6_ADDRESS_UNREACHABLE, 0);
	s->ops->drop(s->ctx, word, DROP_NEIGHBOR_FAILED);
}

static uint64_t generation(const struct stack *s)
{
	return s->rib6->rib.generation;
}

static const struct neighbor_family family = {
	.retry_ms = ND_RETRY_MS,
	.tries = ND_TRIES,
	.reachable_ms = ND_REACHABLE_MS,
	.stale_ms = ND_STALE_MS,
	.ask = ask,
	.may_be = may_be,
	.is_connected = is_connected,
	.add_route = add_route,
	.remove_route = remove_route,
	.set_mac = set_mac,
	.clear_mac = clear_mac,
	.silence = silence,
	.transmit = transmit,
	.refuse = refuse,
	.generation = generation,
};

void nd_init(struct stack *s)
{
	neighbor_init(&s->nd, &family);
	memset(&s->nd_state, 0, sizeof s->nd_state);
}

void nd_send(struct stack *s, unsigned port, struct ip6 neighbor, uint64_t word)
{
	neighbor_send(s, &s->nd, port, neighbor, 0, word);
}

void nd_tick(struct stack *s, unsigned max)
{
	for (unsigned port = 0; port < s->ifaces; port++) {
		mld_tick(s, port); /* RFC 4862 5.4.2: before an address is probed */
		dad_tick(s, port);
		ra_tick(s, port);
	}
	neighbor_tick(s, &s->nd, max);
}

void nd_flush_port(struct stack *s, unsigned port)
{
	neighbor_flush_port(s, &s->nd, port);
}

void nd_flush(struct stack *s)
{
	neighbor_flush(s, &s->nd);
}

enum err nd_set_static(struct stack *s, unsigned port, struct ip6 address, const uint8_t *mac)
{
	return neighbor_set_static(s, &s->nd, port, address, mac);
}

void nd_clear_static(struct stack *s, unsigned port, struct ip6 address)
{
	neighbor_clear_static(s, &s->nd, port, address);
}

/* ---- messages heard ---- */

/* Somebody says he is at `mac`, unasked: RFC 4861 7.2.3. */
static void heard_from(struct stack *s, unsigned port, struct ip6 address, const uint8_t *mac)
{
	struct neighbor *e = neighbor_find(&s->nd, port, address);

	if (!e)
		e = neighbor_make(s, &s->nd, port, address);
	if (!e || e->state == NEIGHBOR_STATIC ||
		(neighbor_is_usable(e) && memcmp(e->mac, mac, 6) == 0))
		return;
	memcpy(e->mac, mac, 6);
	neighbor_enter(s, &s->nd, e, NEIGHBOR_STALE, s->now_ms + ND_STALE_MS);
	neighbor_resolved(s, &s->nd, e);
}

/* Somebody uses our address: never believed, always counted, and told now and then. */
static void conflict(struct stack *s, unsigned port, struct iface_addr6 *own, const uint8_t *frame)
{
	if (own->state == ADDR6_TENTATIVE)
		dad_conflict(s, port, own, frame + 6);
	else if (own->state == ADDR6_VALID && neighbor_conflict(s, &s->nd, port))
		s->ops->address_conflict6(s->ctx, port, own->address, frame + 6, false);
}

/* RFC 4861 7.2.3 and 7.2.4. */
static void solicit_input(
	struct stack *s, unsigned port, const uint8_t *frame, const struct nd_message *m)
{
	struct iface *i = &s->iface[port];
	struct iface_addr6 *own = iface6_own(i, m->target);
	bool anycast = !own && iface6_is_anycast(i, m->target), probe = ip6_is_zero(m->src);
	uint32_t flags = ND_FLAG_ROUTER | (anycast ? 0 : ND_FLAG_OVERRIDE);

	if (own && own->state != ADDR6_VALID) {
		if (probe && own->state == ADDR6_TENTATIVE) /* RFC 4862 5.4.3 */
			dad_conflict(s, port, own, frame + 6);
		return;
	}
	if (!own && !anycast)
		return;
	if (probe) {
		nd_send_advert(s, port, IP6_ALL_NODES, m->target, flags, NULL);
		return;
	}
	if (iface6_own(i, m->src)) {
		conflict(s, port, iface6_own(i, m->src), frame);
		return;
	}
	if (m->mac && iface6_neighbor(i, m->src))
		heard_from(s, port, m->src, m->mac);
	nd_send_advert(
		s, port, m->src, m->target, flags | ND_FLAG_SOLICITED, m->mac ? m->mac : frame + 6);
}

/* RFC 4861 7.2.5, for an entry with a MAC. */
static void advert_update(struct stack *s, struct neighbor *e, const struct nd_message *m)
{
	bool other = m->mac && memcmp(e->mac, m->mac, 6) != 0;

	if (other && !(m->flags & ND_FLAG_OVERRIDE)) {
		if (e->state == NEIGHBOR_REACHABLE)
			neighbor_enter(s, &s->nd, e, NEIGHBOR_STALE, s->now_ms + ND_STALE_MS);
		return;
	}
	if (m->mac)
		memcpy(e->mac, m->mac, 6);
	e->is_router = (m->flags & ND_FLAG_ROUTER) != 0;
	if (m->flags & ND_FLAG_SOLICITED)
		neighbor_prove(&s->nd, e);
	if (m->flags & ND_FLAG_SOLICITED)
		neighbor_enter(s, &s->nd, e, NEIGHBOR_REACHABLE, s->now_ms + ND_REACHABLE_MS);
	else if (other)
		neighbor_enter(s, &s->nd, e, NEIGHBOR_STALE, s->now_ms + ND_STALE_MS);
	if (other)
		neighbor_resolved(s, &s->nd, e);
}

/* RFC 4861 7.2.5. */
static void advert_input(
	struct stack *s, unsigned port, const uint8_t *frame, const struct nd_message *m)
{
	struct iface_addr6 *own = iface6_own(&s->iface[port], m->target);
	struct neighbor *e = neighbor_find(&s->nd, port, m->target);

	if (own) {
		conflict(s, port, own, frame);
		return;
	}
	if (!e || e->state == NEIGHBOR_STATIC)
		return;
	if (neighbor_is_usable(e)) {
		advert_update(s, e, m);
		return;
	}
	if (!m->mac)
		return;
	bool solicited = m->flags & ND_FLAG_SOLICITED;

	memcpy(e->mac, m->mac, 6);
	e->is_router = (m->flags & ND_FLAG_ROUTER) != 0;
	if (solicited)
		neighbor_prove(&s->nd, e);
	neighbor_enter(s, &s->nd, e, solicited ? NEIGHBOR_REACHABLE : NEIGHBOR_STALE,
		s->now_ms + (solicited ? ND_REACHABLE_MS : ND_STALE_MS));
	neighbor_resolved(s, &s->nd, e);
}

/* RFC 4861 6.2.6. */
static void router_solicit_input(
	struct stack *s, unsigned port, const uint8_t *frame, const struct nd_message *m)
{
	if (m->mac && iface6_neighbor(&s->iface[port], m->src))
		heard_from(s, port, m->src, m->mac);
	ra_solicited(s, port, m->src, m->mac ? m->mac : frame + 6);
}

static void message_input(
	struct stack *s, unsigned port, const uint8_t *frame, const struct nd_message *m)
{
	if (!s->iface[port].installed || memcmp(frame + 6, s->iface[port].mac, 6) == 0)
		return; /* not in use; or an echo of our own */
	s->nd.received++;
	switch ((enum nd_type)m->type) {
	case ND_SOLICIT:
		solicit_input(s, port, frame, m);
		break;
	case ND_ADVERT:
		advert_input(s, port, frame, m);
		break;
	case ND_ROUTER_SOLICIT:
		router_solicit_input(s, port, frame, m);
		break;
	case ND_ROUTER_ADVERT: /* a router configures itself from none */
		s->nd_state.adverts_received++;
		break;
	case ND_REDIRECT:
		break;
	}
}

void nd_input(struct stack *s, uint64_t word, uint32_t at)
{
	const uint8_t *frame = frame_of(s, word);
	unsigned port = s->ops->ingress(s->ctx, word);
	uint32_t end = ETH_HEADER + ipv6_total_len(frame);
	struct nd_message m;

	if (port >= s->ifaces || !nd_parse(frame, at, end - at, &m)) {
		s->ops->drop(s->ctx, word, DROP_ND_MALFORMED);
		return;
	}
	if (m.type == ND_REDIRECT) {
		s->nd_state.redirects++;
		s->ops->drop(s->ctx, word, DROP_ND_REDIRECT);
		return;
	}
	message_input(s, port, frame, &m);
	s->ops->deliver(s->ctx, word);
}
