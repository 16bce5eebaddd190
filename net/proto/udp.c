/* UDP of the router itself: what it sends, and who gets what comes. */
#include "net/proto/internal.h"

void udp_open(struct stack *s, uint32_t peer, udp_fn *fn, void *ctx)
{
	/* RFC 6335 6: the dynamic ports; RFC 6056: not to be guessed. */
	uint16_t port = (uint16_t)(0xc000u + stack_random(s, 0x3fff));

	s->udp = (struct udp){.open = true, .peer = peer, .port = port, .fn = fn, .ctx = ctx};
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

enum err udp_send(struct stack *s, uint16_t port, const uint8_t *data, uint32_t n)
{
	uint32_t index, total = IPV4_HEADER + UDP_HEADER + n;

	if (!s->udp.open || n > s->buffers->mtu - IPV4_HEADER - UDP_HEADER)
		return ERR_INVALID;
	if (!s->ops->alloc(s->ctx, &index))
		return ERR_FULL;

	uint64_t word = packet_word(index, ETH_HEADER + total, 0);
	uint8_t *frame = frame_of(s, word), *udp = frame + ETH_HEADER + IPV4_HEADER;

	ipv4_begin(frame, total, IPV4_UDP, IPV4_TTL_OWN, 0, s->udp.peer);
	store_be16(udp + UDP_SOURCE, s->udp.port);
	store_be16(udp + UDP_DEST, port);
	store_be16(udp + UDP_LENGTH, (uint16_t)(UDP_HEADER + n));
	memcpy(udp + UDP_HEADER, data, n);
	return stack_send(s, word);
}
