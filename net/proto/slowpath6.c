/* The control core's decision on an IPv6 packet: the same as the workers', from the RIB. */
#include "net/proto/internal.h"

#define OPTIONS_BURST                                                                              \
	100u /* packets with hop-by-hop options in a tenth of a second, RFC 9288 4.2 */

/* Ends a packet that is refused: an ICMPv6 error to its source, and a drop. */
static void slowpath6_refuse(
	struct stack *s, uint64_t word, uint8_t type, uint8_t code, enum drop_reason reason)
{
	icmp6_send_error(s, word, type, code, 0);
	s->ops->drop(s->ctx, word, reason);
}

/* The same, for the byte at offset `at` of the frame. */
static void slowpath6_parameter(
	struct stack *s, uint64_t word, uint8_t code, uint32_t at, enum drop_reason reason)
{
	icmp6_send_error(s, word, ICMP6_PARAMETER, code, at - ETH_HEADER);
	s->ops->drop(s->ctx, word, reason);
}

/* Does what the options of a header ask for. false: the packet has ended. */
static bool slowpath6_options(struct stack *s, uint64_t word, const struct ext *e)
{
	const uint8_t *frame = frame_of(s, word);
	uint32_t pointer = 0;
	bool group = ip6_is_multicast(ipv6_dst(frame));

	switch (ext_options(frame, e, &pointer)) {
	case EXT_PASS:
		return true;
	case EXT_REPORT_ALONE:
		if (group)
			break;
		/* fall through */
	case EXT_REPORT:
		slowpath6_parameter(s, word, ICMP6_UNKNOWN_OPTION, pointer, DROP_IP6_OPTIONS);
		return false;
	case EXT_DROP:
		break;
	}
	s->ops->drop(s->ctx, word, DROP_IP6_OPTIONS);
	return false;
}

/* ---- in transit ---- */

/* Sends to the neighbour of a next hop; never in fragments (RFC 8200 5). Hop limit above 1. */
static void slowpath6_transmit(struct stack *s, uint64_t word, uint32_t index)
{
	const struct nexthop *n = &s->nexthops->nexthop[index];
	uint8_t *frame = frame_of(s, word);
	uint32_t mtu = adjacency_mtu(s->nexthops->adjacency[index].out);
	struct ip6 dst = ipv6_dst(frame);

	if (ipv6_total_len(frame) > mtu) {
		icmp6_send_error(s, word, ICMP6_TOO_BIG, 0, mtu);
		s->ops->drop(s->ctx, word, DROP_MTU_EXCEEDED);
		return;
	}
	frame[IPV6_HOPS]--;
	nd_send(s, n->port, ip6_is_zero(n->gateway6) ? dst : n->gateway6, word);
}

/* The hop-by-hop header, if there is one. false: the packet has ended. */
static bool slowpath6_hop_by_hop(struct stack *s, uint64_t word)
{
	struct ext e = ext_first(frame_of(s, word));

	if (e.type != IPV6_HOP_BY_HOP)
		return true;
	if (!pace_take(&s->options6, s->now_ms, OPTIONS_BURST)) {
		s->ops->drop(s->ctx, word, DROP_POLICED);
		return false;
	}
	return slowpath6_options(s, word, &e);
}

/* There is a way on; only then the hop limit counts, RFC 8200 3. */
static void slowpath6_pass_on(struct stack *s, uint64_t word, uint32_t index)
{
	if (!stack_may_leave(s, s->nexthops->nexthop[index].port, word))
		s->ops->drop(s->ctx, word, DROP_ACL_DENIED);
	else if (frame_of(s, word)[IPV6_HOPS] > 1)
		slowpath6_transmit(s, word, index);
	else
		slowpath6_refuse(s, word, ICMP6_TIME_EXCEEDED, 0, DROP_TTL_EXCEEDED);
}

/* Not for us and not a silent end: the checks in the workers' order (net/path/forward.c). */
static void slowpath6_forward(struct stack *s, uint64_t word, uint32_t index)
{
	const uint8_t *frame = frame_of(s, word);

	if (ip6_is_link_local(ipv6_src(frame))) {
		slowpath6_refuse(s, word, ICMP6_UNREACHABLE, ICMP6_BEYOND_SCOPE, DROP_LINK_LOCAL);
		return;
	}
	if (!slowpath6_hop_by_hop(s, word))
		return;
	switch (s->nexthops->nexthop[index].action) {
	case NEXTHOP_RESOLVE:
		slowpath6_pass_on(s, word, index);
		return;
	case NEXTHOP_UNREACHABLE:
	case NEXTHOP_RECURSIVE: /* nothing leads to its gateway now */
	case NEXTHOP_GROUP:     /* nor to any of its gateways */
		slowpath6_refuse(s, word, ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, DROP_UNREACHABLE);
		return;
	case NEXTHOP_PROHIBIT:
		slowpath6_refuse(s, word, ICMP6_UNREACHABLE, ICMP6_ADMIN_PROHIBITED, DROP_PROHIBIT);
		return;
	default:
		slowpath6_refuse(s, word, ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, DROP_NO_ROUTE);
		return;
	}
}

/* ---- to ourselves ---- */

/* A neighbour solicitation or advertisement. */
static bool is_discovery(const uint8_t *frame)
{
	struct ext e;

	return ext_transport(frame, &e) && e.type == IPV6_ICMP && e.at < e.end &&
	       (frame[e.at] == ND_SOLICIT || frame[e.at] == ND_ADVERT);
}

/* RFC 4862 5.4: to an address being probed only neighbour discovery is heard. */
static bool is_too_early(const struct stack *s, uint64_t word, const uint8_t *frame)
{
	const struct iface_addr6 *own =
		stack_own6(s, s->ops->ingress(s->ctx, word), ipv6_dst(frame));

	return own && own->state == ADDR6_TENTATIVE && !is_discovery(frame);
}

/*
 * An extension header on the way to the transport header; moves *e behind it.
 * false: the packet has ended.
 */
static bool local_header(struct stack *s, uint64_t word, struct ext *e)
{
	const uint8_t *frame = frame_of(s, word);
	struct ext this = *e;

	if (this.type == IPV6_HOP_BY_HOP &&
		this.named != IPV6_NEXT) { /* RFC 8200 4.1: only first */
		slowpath6_parameter(s, word, ICMP6_UNKNOWN_NEXT, this.named, DROP_IP6_OPTIONS);
		return false;
	}
	if (!ext_next(frame, e)) {
		s->ops->drop(s->ctx, word, DROP_IP6_OPTIONS);
		return false;
	}
	switch (this.type) {
	case IPV6_ROUTING: /* RFC 8200 4.4, RFC 5095: no type is known */
		if (frame[this.at + 3] == 0)
			return true;
		slowpath6_parameter(s, word, ICMP6_ERRONEOUS_FIELD, this.at + 2, DROP_IP6_ROUTING);
		return false;
	case IPV6_FRAGMENT: /* RFC 6946: the whole in one */
		return true;
	default:
		return slowpath6_options(s, word, &this);
	}
}

/* A fragment header of what is not the whole. */
static bool is_part(const uint8_t *frame, const struct ext *e)
{
	return e->type == IPV6_FRAGMENT && e->at + 8 <= e->end &&
	       (load_be16(frame + e->at + 2) & 0xfff9u);
}

void slowpath6_local(struct stack *s, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word);
	struct ext e = ext_first(frame);

	if (is_too_early(s, word, frame)) {
		s->ops->drop(s->ctx, word, DROP_TENTATIVE);
		return;
	}
	while (ext_is_known(e.type)) {
		if (!is_part(frame, &e)) {
			if (!local_header(s, word, &e))
				return;
			continue;
		}
		if (!reassembly_add6(s, &word, &e))
			return;
		frame = frame_of(s, word);
		e = ext_first(frame);
	}
	switch (e.type) {
	case IPV6_ICMP:
		icmp6_input(s, word, e.at);
		return;
	case IPV6_NONE: /* RFC 8200 4.7 */
		s->ops->deliver(s->ctx, word);
		return;
	case IPV4_UDP:
		closed_udp6(s, word, e.at);
		return;
	case IPV4_TCP:
		closed_tcp6(s, word, e.at);
		return;
	default: /* RFC 8200 4 */
		slowpath6_parameter(s, word, ICMP6_UNKNOWN_NEXT, e.named, DROP_LOCAL_NO_PROTOCOL);
		return;
	}
}

/*
 * To ourselves from a port. What has our own address as its source is no host's
 * (RFC 4291 2.1: an address is one interface's); of neighbour discovery that is
 * for nd.c to see.
 */
static void from_wire(struct stack *s, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word);
	const struct iface_addr6 *own =
		stack_own6(s, s->ops->ingress(s->ctx, word), ipv6_src(frame));

	if (own && own->state == ADDR6_VALID && !is_discovery(frame))
		s->ops->drop(s->ctx, word, DROP_MARTIAN_SOURCE);
	else
		slowpath6_local(s, word);
}

/* To a group on the link: of the solicited-node groups those of our addresses are ours. */
static void slowpath6_group(struct stack *s, uint64_t word, struct ip6 group)
{
	unsigned port = s->ops->ingress(s->ctx, word);
	bool ours = ip6_is_routers_group(group);

	if (port < s->ifaces) {
		const struct iface *i = &s->iface[port];

		for (unsigned k = 0; k < i->addrs6; k++) {
			const struct iface_addr6 *a = &i->addr6[k];
			struct ip6 any = ip6_first(a->address, a->length);

			ours |= ip6_equal(group, ip6_solicited_node(a->address)) ||
				ip6_equal(group, ip6_solicited_node(any));
		}
		ours &= i->addrs6 > 0;
	}
	if (ours)
		from_wire(s, word);
	else
		s->ops->drop(s->ctx, word, DROP_MULTICAST);
}

/* ---- the door ---- */

/*
 * The worker has validated the header; all that follows indexes by its lengths,
 * so they are looked at once more.
 */
static bool slowpath6_lengths(const uint8_t *frame, uint32_t frame_len, enum drop_reason *reason)
{
	*reason = DROP_IP_TRUNCATED;
	if (frame_len < ETH_HEADER + IPV6_HEADER)
		return false;
	*reason = DROP_IP6_LENGTH;
	return ETH_HEADER + ipv6_total_len(frame) <= frame_len;
}

static void slowpath6_routed(struct stack *s, uint64_t word, struct ip6 dst)
{
	const uint8_t *frame = frame_of(s, word);
	uint32_t flow = hash_flow6(frame + IPV6_OFF, packet_len(word) - ETH_HEADER);
	uint32_t index = stack_route6(s, dst, flow);

	switch (s->nexthops->nexthop[index].action) {
	case NEXTHOP_LOCAL:
		from_wire(s, word);
		return;
	case NEXTHOP_BLACKHOLE:
		s->ops->drop(s->ctx, word, DROP_BLACKHOLE);
		return;
	default:
		slowpath6_forward(s, word, index);
		return;
	}
}

void slowpath6_input(struct stack *s, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word);
	enum drop_reason reason;

	if (!slowpath6_lengths(frame, packet_len(word), &reason)) {
		s->ops->drop(s->ctx, word, reason);
		return;
	}
	/* Link-layer padding ends here. */
	word = packet_retake(
		word, ETH_HEADER + ipv6_total_len(frame), packet_flags(word) & PACKET_FLAG_KNOWN);

	struct ip6 dst = ipv6_dst(frame);

	if (ip6_is_multicast(dst))
		slowpath6_group(s, word, dst);
	else if (!ip6_is_link_local(dst))
		slowpath6_routed(s, word, dst);
	else if (stack_own6(s, s->ops->ingress(s->ctx, word), dst))
		from_wire(s, word);
	else
		s->ops->drop(s->ctx, word, DROP_LINK_LOCAL);
}
