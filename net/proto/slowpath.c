/* The control core's decision on an IPv4 packet: the same as the workers', from the RIB. */
#include "net/proto/internal.h"

/* Ends a transit packet that is refused: an ICMP error to its source, and a drop. */
static void slowpath_refuse(
	struct stack *s, uint64_t word, uint8_t type, uint8_t code, enum drop_reason reason)
{
	icmp_send_error(s, word, type, code, 0);
	s->ops->drop(s->ctx, word, reason);
}

/* False if the packet ended because of its options (RFC 1812 4.3.3.5; source routes in silence). */
static bool slowpath_options(struct stack *s, uint64_t word)
{
	struct options o;

	if (options_check(frame_of(s, word), &o))
		return true;
	if (o.pointer)
		icmp_send_error(s, word, ICMP_PARAMETER_PROBLEM, 0, (uint32_t)o.pointer << 24);
	s->ops->drop(s->ctx, word, o.reason);
	return false;
}

/* Sends to the neighbour of a next hop, in fragments if it must be (RFC 1812 5.2.6). */
static void slowpath_transmit(struct stack *s, uint64_t word, uint32_t index)
{
	const struct nexthop *n = &s->nexthops->nexthop[index];
	uint8_t *frame = frame_of(s, word);
	uint32_t mtu = adjacency_mtu(s->nexthops->adjacency[index].out);
	uint32_t neighbor = n->gateway ? n->gateway : load_be32(frame + IPV4_DEST);
	const struct iface_addr *from = iface_source(&s->iface[n->port], neighbor);
	uint16_t old, new, check;

	if (ipv4_total_len(frame) > mtu && (load_be16(frame + IPV4_FRAGMENT) & IPV4_DF)) {
		icmp_send_error(s, word, ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, mtu);
		s->ops->drop(s->ctx, word, DROP_MTU_EXCEEDED);
		return;
	}
	/* TTL and protocol are one 16-bit word of the header: RFC 1624. */
	memcpy(&old, frame + IPV4_TTL, sizeof old);
	frame[IPV4_TTL]--;
	memcpy(&new, frame + IPV4_TTL, sizeof new);
	memcpy(&check, frame + IPV4_CHECKSUM, sizeof check);
	check = checksum_update16(check, old, new);
	memcpy(frame + IPV4_CHECKSUM, &check, sizeof check);
	if (ipv4_header_len(frame) > IPV4_HEADER && from)
		options_write(s, frame, from->address);

	arp_send(s, n->port, neighbor, mtu, word);
}

/* There is a way on. */
static void slowpath_pass_on(struct stack *s, uint64_t word, uint32_t index)
{
	if (!stack_may_leave(s, s->nexthops->nexthop[index].port, word))
		s->ops->drop(s->ctx, word, DROP_ACL_DENIED);
	else if (frame_of(s, word)[IPV4_TTL] > 1)
		slowpath_transmit(s, word, index);
	else
		slowpath_refuse(s, word, ICMP_TIME_EXCEEDED, 0, DROP_TTL_EXCEEDED);
}

/* Not for us and not a silent end: the checks in the workers' order (net/path/forward.c). */
static void slowpath_forward(struct stack *s, uint64_t word, uint32_t index)
{
	if (!slowpath_options(s, word))
		return;
	switch (s->nexthops->nexthop[index].action) {
	case NEXTHOP_RESOLVE:
		slowpath_pass_on(s, word, index);
		return;
	case NEXTHOP_UNREACHABLE:
	case NEXTHOP_RECURSIVE: /* nothing leads to its gateway now */
	case NEXTHOP_GROUP:     /* nor to any of its gateways */
		slowpath_refuse(s, word, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, DROP_UNREACHABLE);
		return;
	case NEXTHOP_PROHIBIT:
		slowpath_refuse(s, word, ICMP_UNREACHABLE, ICMP_ADMIN_PROHIBITED, DROP_PROHIBIT);
		return;
	default:
		slowpath_refuse(s, word, ICMP_UNREACHABLE, ICMP_NET_UNREACHABLE, DROP_NO_ROUTE);
		return;
	}
}

void slowpath_local(struct stack *s, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word);

	if (!slowpath_options(s, word))
		return;
	if (ipv4_is_fragment(frame)) {
		if (!reassembly_add(s, &word))
			return;
		frame = frame_of(s, word);
	}
	switch (frame[IPV4_PROTOCOL]) {
	case IPV4_ICMP:
		icmp_input(s, word);
		return;
	case IPV4_UDP:
		closed_udp(s, word);
		return;
	case IPV4_TCP:
		closed_tcp(s, word);
		return;
	default: /* RFC 1122 3.2.2.1 */
		slowpath_refuse(s, word, ICMP_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE,
			DROP_LOCAL_NO_PROTOCOL);
		return;
	}
}

/*
 * The worker has validated the header; all that follows indexes by its lengths,
 * so they are looked at once more.
 */
static bool slowpath_lengths(const uint8_t *frame, uint32_t frame_len, enum drop_reason *reason)
{
	if (frame_len < ETH_HEADER + IPV4_HEADER) {
		*reason = DROP_IP_TRUNCATED;
		return false;
	}
	if (ipv4_header_len(frame) < IPV4_HEADER) {
		*reason = DROP_IP_HEADER_LENGTH;
		return false;
	}
	if (ipv4_total_len(frame) < ipv4_header_len(frame) ||
		ETH_HEADER + ipv4_total_len(frame) > frame_len) {
		*reason = DROP_IP_TOTAL_LENGTH;
		return false;
	}
	return true;
}

/* RFC 1812 5.3.7, 4.2.2.11: our own address, or the broadcast of a network we are on. */
static bool is_from_no_host(const struct stack *s, uint32_t src)
{
	uint16_t action = s->nexthops->nexthop[stack_route(s, src, 0)].action;

	return action == NEXTHOP_LOCAL || action == NEXTHOP_BROADCAST;
}

void slowpath_input(struct stack *s, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word);
	enum drop_reason reason;

	if (!slowpath_lengths(frame, packet_len(word), &reason)) {
		s->ops->drop(s->ctx, word, reason);
		return;
	}
	/* Link-layer padding ends here. */
	word = packet_retake(word, ETH_HEADER + ipv4_total_len(frame),
		packet_flags(word) & PACKET_FLAGS_TRACKED);

	uint32_t flow = hash_flow4(frame + IPV4_OFF, packet_len(word) - ETH_HEADER);
	uint32_t index = stack_route(s, load_be32(frame + IPV4_DEST), flow);

	switch (s->nexthops->nexthop[index].action) {
	case NEXTHOP_LOCAL:
		if (is_from_no_host(s, load_be32(frame + IPV4_SOURCE)))
			s->ops->drop(s->ctx, word, DROP_MARTIAN_SOURCE);
		else
			slowpath_local(s, word);
		return;
	case NEXTHOP_BROADCAST:
		s->ops->drop(s->ctx, word, DROP_BROADCAST);
		return;
	case NEXTHOP_BLACKHOLE:
		s->ops->drop(s->ctx, word, DROP_BLACKHOLE);
		return;
	default:
		slowpath_forward(s, word, index);
		return;
	}
}

void slowpath_final(struct stack *s, uint64_t word, uint32_t reason)
{
	const uint8_t *frame = frame_of(s, word);
	enum drop_reason wrong;

	if (!slowpath_lengths(frame, packet_len(word), &wrong)) {
		s->ops->drop(s->ctx, word, wrong);
		return;
	}
	uint32_t mtu = punt_noted_mtu(frame);

	word = packet_retake(word, ETH_HEADER + ipv4_total_len(frame), 0);
	if (!slowpath_options(s, word))
		return;
	switch (reason) {
	case PUNT_MTU:
		icmp_send_error(s, word, ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, mtu);
		s->ops->drop(s->ctx, word, DROP_MTU_EXCEEDED);
		return;
	case PUNT_NO_ROUTE:
		slowpath_refuse(s, word, ICMP_UNREACHABLE, ICMP_NET_UNREACHABLE, DROP_NO_ROUTE);
		return;
	case PUNT_PROHIBIT:
		slowpath_refuse(s, word, ICMP_UNREACHABLE, ICMP_ADMIN_PROHIBITED, DROP_PROHIBIT);
		return;
	default:
		break;
	}
	/* One with options comes for them, whatever its end. */
	if (reason == PUNT_TTL || frame[IPV4_TTL] <= 1)
		slowpath_refuse(s, word, ICMP_TIME_EXCEEDED, 0, DROP_TTL_EXCEEDED);
	else
		slowpath_refuse(s, word, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, DROP_UNREACHABLE);
}
