/* Translation of the packets of a batch that are plain TCP and UDP: nearly all of them. */
#include "net/path/translate.h"

#include "net/path/frame.h"

#define PORTS    (IPV4_OFF + IPV4_HEADER)
#define TCP_SUM  (PORTS + 16u)
#define UDP_SUM  (PORTS + 6u)
#define FOLDED16 0xffffu

/* RFC 1624 eqn 3: ~(~check + delta), all of 16 bits. */
static inline uint32_t updated(uint32_t check, uint32_t delta)
{
	uint32_t sum = (check ^ FOLDED16) + delta;

	return ((sum + (sum >> 16)) & FOLDED16) ^ FOLDED16;
}

static inline void translate_one(uint8_t *f, uint32_t *hop, const struct way *way)
{
	uint32_t tcp = way->protocol == IPV4_TCP;
	uint8_t *at = f + (tcp ? TCP_SUM : UDP_SUM);
	/* Put together in a register: what is written by halves is not soon read as a whole. */
	uint64_t addresses =
		__builtin_bswap32(way->new_src) | (uint64_t)__builtin_bswap32(way->new_dst) << 32;
	uint32_t ports = __builtin_bswap32(way->new_ports);
	uint16_t check;

	memcpy(&check, at, sizeof check);
	memcpy(f + IPV4_SOURCE, &addresses, sizeof addresses);
	memcpy(f + PORTS, &ports, sizeof ports); /* without options */
	uint32_t becomes = updated(check, way->delta_transport), none = (check == 0) & ~tcp;

	/* UDP: 0 says that there is none, and is never a result. */
	becomes |= (becomes == 0) & ~tcp ? FOLDED16 : 0;
	becomes &= none ? 0 : FOLDED16;
	check = (uint16_t)becomes;
	memcpy(at, &check, sizeof check);
	*hop = (*hop & FOLDED16) | updated(*hop >> 16, way->delta_ip) << 16;
}

void translate_batch(struct batch *b, const struct way *const *way, uint64_t mask)
{
	if (mask == batch_all(b)) {
		unsigned n = b->n;

		for (unsigned i = 0; i < n; i++)
			translate_one(b->data[i], &b->hop[i], way[i]);
		return;
	}
	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		translate_one(b->data[i], &b->hop[i], way[i]);
	}
}
