/* The stack's door: punted packets in, own packets out, timers, links. */
#include "net/proto/stack.h"

#include <string.h>

#include "net/proto/internal.h"

#define TICK_ENTRIES 256u /* ARP entries looked at in one tick */

void stack_init(struct stack *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	s->ip_id = (uint16_t)hash_mix(s->seed);
	s->ip6_id = (uint32_t)hash_mix(s->seed + 1);
	s->draws = 0;
	s->loops = 0;
	s->looping = false;
	arp_init(s);
	nd_init(s);
	mld_init(s);
	memset(&s->pmtu, 0, sizeof s->pmtu);
	s->gateways = (struct gateways){0, now_ms, {now_ms, 0}};
	reassembly_init(s);
	lldp_init(s);
	s->udp.open = false;
	icmp_limit_init(&s->icmp_limit, now_ms);
	icmp_limit_init(&s->icmp6_limit, now_ms);
	s->options6 = (struct pace){now_ms, 0};
}

void stack_input(struct stack *s, uint64_t word, uint64_t now_ms)
{
	uint32_t reason = packet_flags(word) & PACKET_FLAG_PUNT;

	s->now_ms = now_ms;
	bool final = packet_flags(word) & PACKET_FLAG_FINAL;

	word = packet_retake(word, packet_len(word), packet_flags(word) & PACKET_FLAGS_TRACKED);
	if (final && reason != PUNT_LOCAL)
		slowpath_final(s, word, reason);
	else if (reason == PUNT_ARP)
		arp_input(s, word);
	else if (reason == PUNT_LLDP)
		lldp_input(s, word);
	else if (packet_len(word) >= ETH_HEADER &&
		 load_be16(frame_of(s, word) + ETH_TYPE) == ETH_TYPE_IPV6)
		slowpath6_input(s, word);
	else
		slowpath_input(s, word);
}

void stack_tick(struct stack *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	gateways_tick(s);
	arp_tick(s, TICK_ENTRIES);
	nd_tick(s, TICK_ENTRIES);
	reassembly_tick(s);
	lldp_tick(s);
}

uint32_t stack_held(const struct stack *s)
{
	return s->arp.held + s->nd.held + s->reassembly.held;
}

void stack_link_changed(struct stack *s, unsigned port, bool up, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (up) {
		arp_announce(s, port);
		nd_start_port(s, port);
	} else {
		arp_flush_port(s, port);
		nd_flush_port(s, port);
		mld_stop(s, port);
		reassembly_flush_port(s, port);
	}
}

void stack_farewell6(struct stack *s, unsigned port, uint64_t now_ms)
{
	s->now_ms = now_ms;
	ra_farewell(s, port);
	mld_farewell(s, port);
}

void stack_farewell(struct stack *s, unsigned port, uint64_t now_ms)
{
	stack_farewell6(s, port, now_ms);
	lldp_farewell(s, port);
}

void stack_configured(struct stack *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	neighbor_follow(s, &s->arp);
	neighbor_follow(s, &s->nd);
}

void stack_addresses_changed(struct stack *s, unsigned port, bool four, bool six, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (four)
		arp_announce(s, port);
	if (six)
		nd_addresses_changed(s, port);
}

void stack_removed(struct stack *s, unsigned port, uint64_t now_ms)
{
	s->now_ms = now_ms;
	neighbor_remove_port(s, &s->arp, port);
	neighbor_remove_port(s, &s->nd, port);
}

uint32_t stack_route(const struct stack *s, uint32_t dst, uint32_t flow)
{
	const struct route4 *r = rib4_match(s->rib, dst, false);

	return r ? nexthop_pick(s->nexthops, r->nexthop, flow) : NEXTHOP_NONE;
}

bool stack_is_own(const struct stack *s, uint32_t address)
{
	return s->nexthops->nexthop[stack_route(s, address, 0)].action == NEXTHOP_LOCAL;
}

void ipv4_begin(uint8_t *frame, uint32_t total_len, uint8_t protocol, uint8_t ttl, uint32_t src,
	uint32_t dst)
{
	memset(frame, 0, ETH_HEADER + IPV4_HEADER);
	store_be16(frame + ETH_TYPE, ETH_TYPE_IPV4);
	frame[IPV4_OFF] = 0x45;
	store_be16(frame + IPV4_LENGTH, (uint16_t)total_len);
	frame[IPV4_TTL] = ttl;
	frame[IPV4_PROTOCOL] = protocol;
	store_be32(frame + IPV4_SOURCE, src);
	store_be32(frame + IPV4_DEST, dst);
}

/*
 * A packet to ourselves. What it causes to ourselves in turn (an echo reply)
 * waits for the outermost call, so that no chain of packets grows the stack.
 */
enum err stack_loop(struct stack *s, uint64_t word)
{
	/* A whole one would be written over by the answer to it. */
	if (s->loops == STACK_LOOP || (packet_flags(word) & PACKET_FLAG_WHOLE)) {
		s->ops->drop(s->ctx, word, DROP_CONTROL_QUEUE_FULL);
		return ERR_FULL;
	}
	s->loop[s->loops++] = word;
	if (s->looping)
		return ERR_OK;
	s->looping = true;
	for (unsigned i = 0; i < s->loops; i++) {
		if (load_be16(frame_of(s, s->loop[i]) + ETH_TYPE) == ETH_TYPE_IPV6)
			slowpath6_local(s, s->loop[i]);
		else
			slowpath_local(s, s->loop[i]);
	}
	s->loops = 0;
	s->looping = false;
	return ERR_OK;
}

enum err stack_refuse(struct stack *s, uint64_t word, enum drop_reason reason, enum err result)
{
	s->ops->drop(s->ctx, word, reason);
	return result;
}

enum drop_reason stack_reason(enum nexthop_action action)
{
	switch (action) {
	case NEXTHOP_BROADCAST:
		return DROP_BROADCAST;
	case NEXTHOP_BLACKHOLE:
		return DROP_BLACKHOLE;
	case NEXTHOP_UNREACHABLE:
	case NEXTHOP_RECURSIVE: /* nothing leads to its gateway now */
	case NEXTHOP_GROUP:     /* nor to any of its gateways */
		return DROP_UNREACHABLE;
	case NEXTHOP_PROHIBIT:
		return DROP_PROHIBIT;
	default:
		return DROP_NO_ROUTE;
	}
}

/* Fills in what only the route can tell, and sends: to ourselves (n is NULL) or to a neighbour. */
static enum err stack_send_from(
	struct stack *s, uint64_t word, const struct nexthop *n, uint32_t mtu, uint32_t src)
{
	uint8_t *frame = frame_of(s, word);

	if (load_be32(frame + IPV4_SOURCE) == 0)
		store_be32(frame + IPV4_SOURCE, src);
	store_be16(frame + IPV4_ID, s->ip_id++);
	if (frame[IPV4_PROTOCOL] == IPV4_UDP)
		udp_finish(frame);
	ipv4_finish(frame);
	if (!n)
		return stack_loop(s, word);
	uint32_t neighbor = n->gateway ? n->gateway : load_be32(frame + IPV4_DEST);

	if (packet_flags(word) & PACKET_FLAG_WHOLE)
		fragment_send_whole(s, n->port, neighbor, mtu, word);
	else
		arp_send(s, n->port, neighbor, mtu, word);
	return ERR_OK;
}

enum err stack_send(struct stack *s, uint64_t word)
{
	uint8_t *frame = frame_of(s, word);
	uint32_t dst = load_be32(frame + IPV4_DEST);
	uint32_t flow = hash_flow4(frame + IPV4_OFF, packet_len(word) - ETH_HEADER);
	uint32_t index = stack_route(s, dst, flow);
	const struct nexthop *n = &s->nexthops->nexthop[index];
	uint32_t mtu = adjacency_mtu(s->nexthops->adjacency[index].out);
	const struct iface_addr *src;

	if (!ipv4_is_unicast(dst))
		return stack_refuse(s, word, DROP_MARTIAN_DESTINATION, ERR_INVALID);
	if (n->action == NEXTHOP_LOCAL)
		return stack_send_from(s, word, NULL, 0, dst);
	if (n->action != NEXTHOP_RESOLVE)
		return stack_refuse(s, word, stack_reason(n->action),
			n->action == NEXTHOP_BROADCAST ? ERR_INVALID : ERR_NOT_FOUND);
	if (ipv4_total_len(frame) > mtu && (load_be16(frame + IPV4_FRAGMENT) & IPV4_DF))
		return stack_refuse(s, word, DROP_MTU_EXCEEDED, ERR_INVALID);
	src = iface_source(&s->iface[n->port], n->gateway ? n->gateway : dst);
	if (!src)
		return stack_refuse(s, word, DROP_NO_ROUTE, ERR_NOT_FOUND);
	return stack_send_from(s, word, n, mtu, src->address);
}

enum err stack_send_echo(
	struct stack *s, uint32_t dst, uint16_t id, uint16_t seq, uint32_t size, uint8_t ttl)
{
	uint32_t index, total = IPV4_HEADER + ICMP_HEADER + size;

	if (size > s->buffers->mtu - IPV4_HEADER - ICMP_HEADER || !ipv4_is_unicast(dst))
		return ERR_INVALID;
	if (!s->ops->alloc(s->ctx, &index))
		return ERR_FULL;

	uint64_t word = packet_word(index, ETH_HEADER + total, 0);
	uint8_t *frame = frame_of(s, word), *icmp = frame + ETH_HEADER + IPV4_HEADER;

	ipv4_begin(frame, total, IPV4_ICMP, ttl ? ttl : IPV4_TTL_OWN, 0, dst);
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = ICMP_ECHO_REQUEST;
	store_be16(icmp + 4, id);
	store_be16(icmp + 6, seq);
	for (uint32_t i = 0; i < size; i++)
		icmp[ICMP_HEADER + i] = (uint8_t)i;
	icmp_finish(icmp, ICMP_HEADER + size);
	return stack_send(s, word);
}
