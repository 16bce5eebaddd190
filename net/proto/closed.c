/* What is said to those who want UDP or TCP of the router: nobody listens here, but for udp.c. */
#include "net/proto/internal.h"

#define TCP_SEQ    4u /* offsets in the header, RFC 9293 3.1 */
#define TCP_ACK    8u
#define TCP_OFFSET 12u
#define TCP_BITS   13u

#define TCP_FIN     0x01u
#define TCP_SYN     0x02u
#define TCP_RST     0x04u
#define TCP_ACK_BIT 0x10u

uint16_t transport_checksum(const uint8_t *frame, const uint8_t *body, uint32_t len)
{
	uint8_t tail[4] = {0, frame[IPV4_PROTOCOL]};
	uint64_t sum;

	store_be16(tail + 2, (uint16_t)len);
	sum = checksum_add(0, frame + IPV4_SOURCE, 8);
	sum = checksum_add(sum, tail, sizeof tail);
	return checksum_finish(checksum_add(sum, body, len));
}

uint32_t udp_said(const uint8_t *udp, uint32_t len)
{
	if (len < UDP_HEADER)
		return 0;

	uint32_t said = load_be16(udp + UDP_LENGTH);

	return said < UDP_HEADER || said > len ? 0 : said;
}

/* RFC 768; RFC 1122 4.1.3.4: what is damaged is discarded in silence. */
static bool udp_is_sound(const uint8_t *frame, const uint8_t *udp, uint32_t len)
{
	uint32_t said = udp_said(udp, len);

	if (said == 0)
		return false;
	return load_be16(udp + UDP_CHECK) == 0 || transport_checksum(frame, udp, said) == 0;
}

void closed_udp(struct stack *s, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word);
	uint32_t header = ipv4_header_len(frame);
	const uint8_t *udp = frame + IPV4_OFF + header;
	bool sound = udp_is_sound(frame, udp, ipv4_total_len(frame) - header);

	if (sound &&
		udp_take(s, load_be32(frame + IPV4_SOURCE), udp, load_be16(udp + UDP_LENGTH))) {
		s->ops->deliver(s->ctx, word);
		return;
	}
	if (sound) /* RFC 1122 4.1.3.1 */
		icmp_send_error(s, word, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0);
	s->ops->drop(s->ctx, word, DROP_LOCAL_NO_PROTOCOL);
}

bool tcp_wants_reset(const uint8_t *tcp, uint32_t len)
{
	if (len < TCP_HEADER)
		return false;

	uint32_t header = (tcp[TCP_OFFSET] >> 4) * 4u;

	return header >= TCP_HEADER && header <= len && !(tcp[TCP_BITS] & TCP_RST);
}

void tcp_write_reset(uint8_t *reset, const uint8_t *tcp, uint32_t len)
{
	uint8_t bits = tcp[TCP_BITS];

	memset(reset, 0, TCP_HEADER);
	memcpy(reset, tcp + 2, 2); /* the ports change places */
	memcpy(reset + 2, tcp, 2);
	reset[TCP_OFFSET] = TCP_HEADER / 4 << 4;
	reset[TCP_BITS] = TCP_RST;
	if (bits & TCP_ACK_BIT) {
		memcpy(reset + TCP_SEQ, tcp + TCP_ACK, 4);
		return;
	}
	len -= (tcp[TCP_OFFSET] >> 4) * 4u;
	len += (bits & TCP_SYN) != 0;
	len += (bits & TCP_FIN) != 0;
	store_be32(reset + TCP_ACK, load_be32(tcp + TCP_SEQ) + len);
	reset[TCP_BITS] |= TCP_ACK_BIT;
}

static void tcp_send_reset(struct stack *s, const uint8_t *frame, const uint8_t *tcp, uint32_t len)
{
	uint32_t index, total = IPV4_HEADER + TCP_HEADER;
	uint16_t check;

	if (!icmp_may_answer(s, frame) ||
		!icmp_limit_take(s, &s->icmp_limit, rib4_key(load_be32(frame + IPV4_SOURCE))) ||
		!s->ops->alloc(s->ctx, &index))
		return;

	uint64_t word = packet_word(index, ETH_HEADER + total, 0);
	uint8_t *out = frame_of(s, word), *reset = out + ETH_HEADER + IPV4_HEADER;

	ipv4_begin(out, total, IPV4_TCP, IPV4_TTL_OWN, load_be32(frame + IPV4_DEST),
		load_be32(frame + IPV4_SOURCE));
	out[IPV4_TOS] = frame[IPV4_TOS] & 0xfc; /* the DSCP of the segment, but not its ECN */
	store_be16(out + IPV4_FRAGMENT, IPV4_DF);
	tcp_write_reset(reset, tcp, len);
	check = transport_checksum(out, reset, TCP_HEADER);
	memcpy(reset + TCP_CHECK, &check, sizeof check);
	(void)stack_send(s, word);
}

void closed_tcp(struct stack *s, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word);
	uint32_t header = ipv4_header_len(frame), len = ipv4_total_len(frame) - header;
	const uint8_t *tcp = frame + IPV4_OFF + header;

	if (tcp_wants_reset(tcp, len) && transport_checksum(frame, tcp, len) == 0)
		tcp_send_reset(s, frame, tcp, len);
	s->ops->drop(s->ctx, word, DROP_LOCAL_NO_PROTOCOL);
}
