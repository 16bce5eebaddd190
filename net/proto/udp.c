/* UDP of the router itself: what it sends, and who gets what comes. */
#include "net/proto/internal.h"

uint16_t udp_port(struct stack *s)
{
	/* RFC 6335 6: the dynamic ports; RFC 6056: not to be guessed. */
	return (uint16_t)(0xc000u + stack_random(s, 0x3fff));
}

void udp_open(struct stack *s, uint32_t peer, udp_fn *fn, void *ctx)
{
	s->udp =
		(struct udp){.open = true, .peer = peer, .port = udp_port(s), .fn = fn, .ctx = ctx};
}

void udp_close(struct stack *s)
{
	s->udp.open = false;
}

bool udp_take(struct stack *s, uint32_t src, const uint8_t *udp, uint32_t len)
{
	if (!s->udp.open || src != s->udp.peer || load_be16(udp + UDP_DEST) != s->udp.port)
		return false;
	s->udp.fn(s->udp.ctx, load_be16(udp + UDP_SOURCE), udp + UDP_HEADER, len - UDP_HEADER);
	return true;
}

void udp_finish(uint8_t *frame)
{
	uint8_t *udp = frame + ETH_HEADER + IPV4_HEADER;
	uint16_t check;

	memset(udp + UDP_CHECK, 0, 2);
	check = transport_checksum(frame, udp, load_be16(udp + UDP_LENGTH));
	if (check == 0) /* that would say that there is none */
		check = 0xffff;
	memcpy(udp + UDP_CHECK, &check, sizeof check);
}

static void write_datagram(
	uint8_t *udp, uint16_t from, uint16_t to, const uint8_t *data, uint32_t n)
{
	store_be16(udp + UDP_SOURCE, from);
	store_be16(udp + UDP_DEST, to);
	store_be16(udp + UDP_LENGTH, (uint16_t)(UDP_HEADER + n));
	store_be16(udp + UDP_CHECK, 0);
	memcpy(udp + UDP_HEADER, data, n);
}

uint32_t udp_post_max(const struct stack *s, bool six)
{
	return s->buffers->room - ETH_HEADER - (six ? IPV6_HEADER : IPV4_HEADER) - UDP_HEADER;
}

enum err udp_post(
	struct stack *s, uint32_t dst, uint16_t from, uint16_t to, const uint8_t *data, uint32_t n)
{
	uint32_t index, total = IPV4_HEADER + UDP_HEADER + n;

	if (n > udp_post_max(s, false) || !ipv4_is_unicast(dst))
		return ERR_INVALID;
	if (!s->ops->alloc(s->ctx, &index))
		return ERR_FULL;

	uint64_t word = packet_word(index, ETH_HEADER + total, 0);
	uint8_t *frame = frame_of(s, word);

	ipv4_begin(frame, total, IPV4_UDP, IPV4_TTL_OWN, 0, dst);
	write_datagram(frame + ETH_HEADER + IPV4_HEADER, from, to, data, n);
	return stack_send(s, word);
}

enum err udp_post6(struct stack *s, struct ip6 dst, uint16_t from, uint16_t to, const uint8_t *data,
	uint32_t n)
{
	uint32_t index, len = UDP_HEADER + n;

	if (n > udp_post_max(s, true) || !ip6_is_unicast(dst) || ip6_is_link_local(dst))
		return ERR_INVALID;
	if (!s->ops->alloc(s->ctx, &index))
		return ERR_FULL;

	uint64_t word = packet_word(index, ETH_HEADER + IPV6_HEADER + len, 0);
	uint8_t *frame = frame_of(s, word);

	ipv6_begin(frame, len, IPV4_UDP, IPV4_TTL_OWN, IP6_ANY, dst);
	write_datagram(frame + ETH_HEADER + IPV6_HEADER, from, to, data, n);
	return stack_send6(s, word, s->ifaces);
}

enum err udp_send(struct stack *s, uint16_t port, const uint8_t *data, uint32_t n)
{
	if (!s->udp.open || n > s->buffers->mtu - IPV4_HEADER - UDP_HEADER)
		return ERR_INVALID;
	return udp_post(s, s->udp.peer, s->udp.port, port, data, n);
}
