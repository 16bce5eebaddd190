/* Fragmentation of what the router itself says by IPv6 (RFC 8200 4.5, 5); in transit there is none.
 */
#include "net/proto/internal.h"

#define FRAGMENT6_HEADER 8u
#define FRAGMENT6_MAX    64u

/* Enough for the longest packet over the smallest link. */
_Static_assert(65535u <= FRAGMENT6_MAX * ((MTU_MIN_IP6 - IPV6_HEADER - FRAGMENT6_HEADER) & ~7u),
	"every packet can be cut");

/* Fragment of `size` bytes of the payload from `at` on. */
static void build(uint8_t *out, const uint8_t *frame, uint32_t at, uint32_t size, uint32_t id)
{
	uint8_t *header = out + ETH_HEADER + IPV6_HEADER;
	uint32_t payload = load_be16(frame + IPV6_PAYLOAD);

	memcpy(out, frame, ETH_HEADER + IPV6_HEADER);
	store_be16(out + IPV6_PAYLOAD, (uint16_t)(FRAGMENT6_HEADER + size));
	out[IPV6_NEXT] = IPV6_FRAGMENT;
	header[0] = frame[IPV6_NEXT];
	header[1] = 0;
	store_be16(header + 2, (uint16_t)(at | (at + size < payload)));
	store_be32(header + 4, id);
	memcpy(header + FRAGMENT6_HEADER, frame + ETH_HEADER + IPV6_HEADER + at, size);
}

/* Makes all fragments; *n: how many were made. false: no buffers. */
static bool cut_all(struct stack *s, const uint8_t *frame, uint32_t mtu, uint32_t id,
	uint64_t word[FRAGMENT6_MAX], unsigned *n)
{
	uint32_t payload = load_be16(frame + IPV6_PAYLOAD), index;
	uint32_t room = (mtu - IPV6_HEADER - FRAGMENT6_HEADER) & ~7u;

	for (uint32_t at = 0; at < payload; at += room) {
		uint32_t size = payload - at < room ? payload - at : room;
		uint32_t len = ETH_HEADER + IPV6_HEADER + FRAGMENT6_HEADER + size;

		if (*n == FRAGMENT6_MAX || !s->ops->alloc(s->ctx, &index))
			return false;
		word[*n] = packet_word(index, len, 0);
		build(frame_of(s, word[*n]), frame, at, size, id);
		++*n;
	}
	return true;
}

/* RFC 7739 5.3: each number once, in an order that cannot be guessed. */
static uint32_t next_id(struct stack *s)
{
	uint32_t x = s->ip6_id++ ^ (uint32_t)s->seed;

	x = (x ^ x >> 16) * 0x85ebca6bu; /* every step can be undone, so no two give the same */
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

void fragment6_send(
	struct stack *s, unsigned port, struct ip6 neighbor, uint32_t mtu, uint64_t word)
{
	uint64_t piece[FRAGMENT6_MAX];
	unsigned n = 0;
	bool ok = mtu >= MTU_MIN_IP6 && cut_all(s, frame_of(s, word), mtu, next_id(s), piece, &n);

	for (unsigned i = 0; i < n; i++) {
		if (ok)
			nd_send(s, port, neighbor, piece[i]);
		else
			s->ops->drop(s->ctx, piece[i], DROP_MTU_EXCEEDED);
	}
	/* Its bytes live on in the fragments. */
	if (ok)
		s->ops->deliver(s->ctx, word);
	else
		s->ops->drop(s->ctx, word, DROP_MTU_EXCEEDED);
}
