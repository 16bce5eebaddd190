/* ARP's part of the neighbour table: what is particular to IPv4. */
#include "net/proto/arp.h"

#include <string.h>

#include "net/proto/internal.h"

static uint32_t address_of(const struct neighbor *e)
{
	return (uint32_t)(e->address.hi >> 32);
}

static void ask(struct stack *s, const struct neighbor *e)
{
	arp_send_request(s, e->port, address_of(e), e->state == NEIGHBOR_PROBE ? e->mac : NULL);
}

static bool may_be(const struct stack *s, const struct neighbor *e)
{
	return iface_neighbor(&s->iface[e->port], address_of(e)) != NULL;
}

static bool is_connected(const struct stack *s, const struct neighbor *e)
{
	const struct route4 *r = rib4_match(s->rib, address_of(e), true);

	return r && r->source == RIB_CONNECTED && s->nexthops->nexthop[r->nexthop].port == e->port;
}

static bool add_route(struct stack *s, const struct neighbor *e)
{
	const struct iface *i = &s->iface[e->port];
	struct route4 route = {.prefix = address_of(e), .length = 32, .source = RIB_NEIGHBOR};

	if (nexthop_get(s->nexthops, NEXTHOP_RESOLVE, e->port, route.prefix, i->mac, i->mtu,
		    &route.nexthop) != ERR_OK)
		return false;
	if (rib4_add(s->rib, &route) == ERR_OK)
		return true;
	nexthop_put(s->nexthops, route.nexthop);
	return false;
}

static void remove_route(struct stack *s, const struct neighbor *e)
{
	struct route4 removed;

	if (rib4_remove(s->rib, address_of(e), 32, RIB_NEIGHBOR, &removed) == ERR_OK)
		nexthop_put(s->nexthops, removed.nexthop);
}

static void set_mac(struct stack *s, const struct neighbor *e)
{
	nexthop_set_mac(s->nexthops, e->port, address_of(e), e->mac, s->iface[e->port].txq);
}

static void clear_mac(struct stack *s, const struct neighbor *e)
{
	nexthop_clear_mac(s->nexthops, e->port, address_of(e));
}

static void silence(struct stack *s, const struct neighbor *e)
{
	nexthop_silence(s->nexthops, e->port, address_of(e));
}

/* Fills in the Ethernet header and hands over to the port, in fragments if it must be. */
static void transmit(struct stack *s, const struct neighbor *e, uint32_t mtu, uint64_t word)
{
	uint8_t *frame = frame_of(s, word);

	ethernet_finish(s, frame, e->port, e->mac, ETH_TYPE_IPV4);
	if (ipv4_total_len(frame) > mtu)
		fragment_send(s, e->port, mtu, word);
	else
		s->ops->transmit(s->ctx, e->port, word);
}

/* RFC 1812 4.3.3.1: host unreachable. */
static void refuse(struct stack *s, uint64_t word)
{
	icmp_send_error(s, word, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0);
	s->ops->drop(s->ctx, word, DROP_NEIGHBOR_FAILED);
}

static uint64_t generation(const struct stack *s)
{
	return s->rib->rib.generation;
}

static const struct neighbor_family family = {
	.retry_ms = ARP_RETRY_MS,
	.tries = ARP_TRIES,
	.reachable_ms = ARP_REACHABLE_MS,
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

void arp_init(struct stack *s)
{
	neighbor_init(&s->arp, &family);
}

uint32_t arp_held(const struct stack *s)
{
	return s->arp.held;
}

void arp_learn(struct stack *s, unsigned port, uint32_t address, const uint8_t *mac, bool make)
{
	struct neighbor *e = neighbor_find(&s->arp, port, rib4_key(address));

	if (!e && make)
		e = neighbor_make(s, &s->arp, port, rib4_key(address));
	if (e)
		neighbor_confirm(s, &s->arp, e, mac);
}

void arp_send(struct stack *s, unsigned port, uint32_t neighbor, uint32_t mtu, uint64_t word)
{
	neighbor_send(s, &s->arp, port, rib4_key(neighbor), mtu, word);
}

void arp_tick(struct stack *s, unsigned max)
{
	neighbor_tick(s, &s->arp, max);
}

void arp_announce(struct stack *s, unsigned port)
{
	const struct iface *i = &s->iface[port];

	for (unsigned k = 0; k < i->addrs; k++)
		arp_send_announcement(s, port, i->addr[k].address);
	neighbor_port_up(s, &s->arp, port);
}

void arp_flush_port(struct stack *s, unsigned port)
{
	neighbor_flush_port(s, &s->arp, port);
}

void arp_flush(struct stack *s)
{
	neighbor_flush(s, &s->arp);
}

enum err arp_set_static(struct stack *s, unsigned port, uint32_t address, const uint8_t *mac)
{
	return neighbor_set_static(s, &s->arp, port, rib4_key(address), mac);
}

void arp_clear_static(struct stack *s, unsigned port, uint32_t address)
{
	neighbor_clear_static(s, &s->arp, port, rib4_key(address));
}
