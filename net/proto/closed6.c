/* As closed.c, for IPv6: port unreachable, reset, and silence about what is damaged. */
#include "net/proto/internal.h"

void closed_udp6(struct stack *s, uint64_t word, uint32_t at)
{
	const uint8_t *frame = frame_of(s, word), *udp = frame + at;
	uint32_t said = udp_said(udp, ETH_HEADER + ipv6_total_len(frame) - at);

	/* RFC 8200 8.1: there is no UDP without a checksum. */
	if (said && load_be16(udp + UDP_CHECK) && ipv6_checksum(frame, IPV4_UDP, at, said) == 0)
		icmp6_send_error(s, word, ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE, 0);
	s->ops->drop(s->ctx, word, DROP_LOCAL_NO_PROTOCOL);
}

/* From the address that was asked, if that is a single interface's. */
static void tcp_send_reset6(struct stack *s, uint64_t request, const uint8_t *tcp, uint32_t len)
{
	const uint8_t *frame = frame_of(s, request);
	struct ip6 dst = ipv6_dst(frame);
	unsigned port = s->ops->ingress(s->ctx, request);
	uint32_t index;

	if (!stack_own6(s, port, dst) ||
		!icmp6_take(s, request, ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE) ||
		!s->ops->alloc(s->ctx, &index))
		return;

	uint64_t word = packet_word(index, ETH_HEADER + IPV6_HEADER + TCP_HEADER, 0);
	uint8_t *out = frame_of(s, word);

	ipv6_begin(out, TCP_HEADER, IPV4_TCP, IPV4_TTL_OWN, dst, ipv6_src(frame));
	ipv6_set_class(out, ipv6_class(frame) & 0xfc); /* the DSCP of the segment, not its ECN */
	tcp_write_reset(out + ETH_HEADER + IPV6_HEADER, tcp, len);
	(void)stack_send6(s, word, port);
}

void closed_tcp6(struct stack *s, uint64_t word, uint32_t at)
{
	const uint8_t *frame = frame_of(s, word), *tcp = frame + at;
	uint32_t len = ETH_HEADER + ipv6_total_len(frame) - at;

	if (tcp_wants_reset(tcp, len) && ipv6_checksum(frame, IPV4_TCP, at, len) == 0)
		tcp_send_reset6(s, word, tcp, len);
	s->ops->drop(s->ctx, word, DROP_LOCAL_NO_PROTOCOL);
}

void transport6_finish(uint8_t *frame)
{
	uint32_t at = ETH_HEADER + IPV6_HEADER;
	uint8_t protocol = frame[IPV6_NEXT];
	uint16_t check;

	if (protocol != IPV4_TCP && protocol != IPV4_UDP) {
		icmp6_finish(frame);
		return;
	}
	uint8_t *place = frame + at + (protocol == IPV4_TCP ? TCP_CHECK : UDP_CHECK);

	memset(place, 0, 2);
	check = ipv6_checksum(frame, protocol, at, load_be16(frame + IPV6_PAYLOAD));
	if (check == 0 &&
		protocol == IPV4_UDP) /* that would say that there is none, RFC 8200 8.1 */
		check = 0xffff;
	memcpy(place, &check, sizeof check);
}
