/* Fragmentation: in transit (RFC 791 3.2, RFC 1812 5.2.6), and of our own (RFC 1122 3.3.3). */
#include "net/proto/internal.h"

#define FRAGMENT_MAX 128u

/* Enough for the longest packet over MTU_MIN, with all the options a header can have. */
_Static_assert(65535u - IPV4_HEADER_MAX <= FRAGMENT_MAX * ((MTU_MIN - IPV4_HEADER_MAX) & ~7u),
	"every packet can be cut");

/* A packet being cut. */
struct cut {
	const uint8_t *frame; /* the original */
	uint32_t header;      /* its header, bytes */
	uint32_t payload;     /* its payload, bytes */
	uint16_t flags;       /* its flags and offset */
	uint8_t later[IPV4_HEADER_MAX];
	uint32_t later_header; /* header of the fragments after the first, bytes */
	uint64_t word[FRAGMENT_MAX];
	unsigned n;
};

/* Payload bytes from `at` that fit one fragment: a multiple of 8 but for the last. */
static uint32_t cut_size(const struct cut *c, uint32_t at, uint32_t mtu)
{
	uint32_t header = at == 0 ? c->header : c->later_header;
	uint32_t room = mtu > header ? mtu - header : 0;

	return c->payload - at <= room ? c->payload - at : room & ~7u;
}

static void cut_build(struct cut *c, uint8_t *out, uint32_t at, uint32_t size)
{
	uint32_t header = at == 0 ? c->header : c->later_header;
	const uint8_t *ip = at == 0 ? c->frame + IPV4_OFF : c->later;
	uint16_t more = at + size < c->payload ? IPV4_MF : 0;

	memcpy(out, c->frame, ETH_HEADER);
	memcpy(out + IPV4_OFF, ip, header);
	memcpy(out + IPV4_OFF + header, c->frame + IPV4_OFF + c->header + at, size);
	store_be16(out + IPV4_LENGTH, (uint16_t)(header + size));
	/* The original may itself be a fragment: its offset adds, its MF stays. */
	store_be16(out + IPV4_FRAGMENT, (uint16_t)((c->flags | more) + at / 8));
	ipv4_finish(out);
}

/* Makes all fragments; false if one cannot be made. */
static bool cut_all(struct stack *s, struct cut *c, uint32_t mtu)
{
	for (uint32_t at = 0; at < c->payload;) {
		uint32_t size = cut_size(c, at, mtu), index;
		uint32_t header = at == 0 ? c->header : c->later_header;

		if (size == 0 || c->n == FRAGMENT_MAX || !s->ops->alloc(s->ctx, &index))
			return false;
		c->word[c->n] = packet_word(index, ETH_HEADER + header + size, 0);
		cut_build(c, frame_of(s, c->word[c->n]), at, size);
		c->n++;
		at += size;
	}
	return true;
}

/* Makes the fragments of a frame. false: it cannot be, and the packet has ended. */
static bool cut(struct stack *s, struct cut *c, uint32_t mtu, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word);

	c->frame = frame;
	c->header = ipv4_header_len(frame);
	c->payload = ipv4_total_len(frame) - c->header;
	c->flags = load_be16(frame + IPV4_FRAGMENT);
	c->later_header = options_fragment_header(frame, c->later);
	c->n = 0;
	/* A fragment that would end beyond 65,535 cannot be cut: its offset would overflow. */
	if ((c->flags & IPV4_OFFSET) * 8u + c->payload <= 0xffff && cut_all(s, c, mtu))
		return true;
	for (unsigned i = 0; i < c->n; i++)
		s->ops->drop(s->ctx, c->word[i], DROP_MTU_EXCEEDED);
	s->ops->drop(s->ctx, word, DROP_MTU_EXCEEDED);
	return false;
}

void fragment_send(struct stack *s, unsigned port, uint32_t mtu, uint64_t word)
{
	struct cut c;

	if (!cut(s, &c, mtu, word))
		return;
	for (unsigned i = 0; i < c.n; i++)
		s->ops->transmit(s->ctx, port, c.word[i]);
	/* Its bytes live on in the fragments, which are the control core's packets. */
	s->ops->deliver(s->ctx, word);
}

void fragment_send_whole(
	struct stack *s, unsigned port, uint32_t neighbor, uint32_t mtu, uint64_t word)
{
	struct cut c;

	if (!cut(s, &c, mtu, word))
		return;
	for (unsigned i = 0; i < c.n; i++)
		arp_send(s, port, neighbor, mtu, c.word[i]);
	s->ops->deliver(s->ctx, word);
}
