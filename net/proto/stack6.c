/* The stack's door for IPv6: routes, own addresses, own packets out. */
#include <string.h>

#include "net/proto/internal.h"

uint32_t stack_route6(const struct stack *s, struct ip6 dst, uint32_t flow)
{
	const struct route6 *r = rib6_match(s->rib6, dst, false);

	return r ? nexthop_pick(s->nexthops, r->nexthop, flow) : NEXTHOP_NONE;
}

const struct iface_addr6 *stack_own6(const struct stack *s, unsigned port, struct ip6 address)
{
	bool local = ip6_is_link_local(address);

	for (unsigned p = 0; p < s->ifaces; p++) {
		const struct iface_addr6 *a = iface6_own(&s->iface[p], address);

		if (a && a->state != ADDR6_DUPLICATE && s->iface[p].installed &&
			(!local || p == port))
			return a;
	}
	return NULL;
}

void ipv6_begin(uint8_t *frame, uint32_t payload_len, uint8_t next, uint8_t hops, struct ip6 src,
	struct ip6 dst)
{
	memset(frame, 0, ETH_HEADER + IPV6_HEADER);
	store_be16(frame + ETH_TYPE, ETH_TYPE_IPV6);
	frame[IPV6_OFF] = 0x60;
	store_be16(frame + IPV6_PAYLOAD, (uint16_t)payload_len);
	frame[IPV6_NEXT] = next;
	frame[IPV6_HOPS] = hops;
	ip6_store(frame + IPV6_SOURCE, src);
	ip6_store(frame + IPV6_DEST, dst);
}

/* A valid address beyond the link of some interface, for one that has none of its own; or NULL. */
static const struct iface_addr6 *any_source(const struct stack *s, struct ip6 peer)
{
	for (unsigned p = 0; p < s->ifaces; p++) {
		const struct iface_addr6 *a =
			s->iface[p].installed ? iface6_source(&s->iface[p], peer) : NULL;

		if (a && !ip6_is_link_local(a->address))
			return a;
	}
	return NULL;
}

/* RFC 6724 5, what of it makes a difference here: same scope, then the same network. */
static bool fill_source(const struct stack *s, uint8_t *frame, unsigned port, struct ip6 peer)
{
	const struct iface_addr6 *a = iface6_source(&s->iface[port], peer);

	if (!ip6_is_zero(ipv6_src(frame)))
		return true;
	if (!ip6_is_link_local(peer) && (!a || ip6_is_link_local(a->address)))
		a = any_source(s, peer);
	if (!a)
		return false;
	ip6_store(frame + IPV6_SOURCE, a->address);
	return true;
}

/* To a neighbour on the port's link. */
static enum err send_link(struct stack *s, uint64_t word, unsigned port, struct ip6 neighbor)
{
	uint8_t *frame = frame_of(s, word);
	struct ip6 dst = ipv6_dst(frame);
	uint32_t len = ipv6_total_len(frame), mtu = s->iface[port].mtu;

	if (!fill_source(s, frame, port, dst))
		return stack_refuse(s, word, DROP_NO_ROUTE, ERR_NOT_FOUND);
	transport6_finish(frame);
	if (len > MTU_MIN_IP6 && !ip6_is_link_local(dst))
		mtu = pmtu_for(s, dst, len, mtu);
	if (len > mtu)
		fragment6_send(s, port, neighbor, mtu, word);
	else
		nd_send(s, port, neighbor, word);
	return ERR_OK;
}

static enum err send_self(struct stack *s, uint64_t word)
{
	uint8_t *frame = frame_of(s, word);

	if (ip6_is_zero(ipv6_src(frame)))
		ip6_store(frame + IPV6_SOURCE, ipv6_dst(frame));
	transport6_finish(frame);
	return stack_loop(s, word);
}

/* By the route: what ends it, or how it leaves. */
static enum err send_routed(struct stack *s, uint64_t word, struct ip6 dst)
{
	const uint8_t *frame = frame_of(s, word);
	uint32_t flow = hash_flow6(frame + IPV6_OFF, packet_len(word) - ETH_HEADER);
	const struct nexthop *n = &s->nexthops->nexthop[stack_route6(s, dst, flow)];

	if (n->action == NEXTHOP_LOCAL)
		return send_self(s, word);
	if (n->action != NEXTHOP_RESOLVE)
		return stack_refuse(s, word, stack_reason(n->action), ERR_NOT_FOUND);
	return send_link(s, word, n->port, ip6_is_zero(n->gateway6) ? dst : n->gateway6);
}

enum err stack_send6(struct stack *s, uint64_t word, unsigned port)
{
	struct ip6 dst = ipv6_dst(frame_of(s, word));

	if (!ip6_is_unicast(dst))
		return stack_refuse(s, word, DROP_MARTIAN_DESTINATION, ERR_INVALID);
	if (!ip6_is_link_local(dst))
		return send_routed(s, word, dst);
	if (port >= s->ifaces)
		return stack_refuse(s, word, DROP_LINK_LOCAL, ERR_INVALID);
	return stack_own6(s, port, dst) ? send_self(s, word) : send_link(s, word, port, dst);
}

enum err stack_send_echo6(
	struct stack *s, struct ip6 dst, uint16_t id, uint16_t seq, uint32_t size, uint8_t hops)
{
	uint32_t index, len = ICMP6_HEADER + size;

	if (size > s->buffers->mtu - IPV6_HEADER - ICMP6_HEADER || !ip6_is_unicast(dst) ||
		ip6_is_link_local(dst))
		return ERR_INVALID;
	if (!s->ops->alloc(s->ctx, &index))
		return ERR_FULL;

	uint64_t word = packet_word(index, ETH_HEADER + IPV6_HEADER + len, 0);
	uint8_t *frame = frame_of(s, word), *icmp = frame + ETH_HEADER + IPV6_HEADER;

	ipv6_begin(frame, len, IPV6_ICMP, hops ? hops : IPV4_TTL_OWN, IP6_ANY, dst);
	memset(icmp, 0, ICMP6_HEADER);
	icmp[0] = ICMP6_ECHO_REQUEST;
	store_be16(icmp + 4, id);
	store_be16(icmp + 6, seq);
	for (uint32_t i = 0; i < size; i++)
		icmp[ICMP6_HEADER + i] = (uint8_t)i;
	return stack_send6(s, word, s->ifaces);
}
