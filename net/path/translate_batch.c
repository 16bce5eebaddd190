/* Translation of the packets of a batch that are plain TCP and UDP: nearly all of them. */
#include "net/path/translate.h"

#include <stddef.h>
#include <string.h>

#include "lib/byteorder.h"
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

/* Source and destination stand together, in the way and in the packet. */
_Static_assert(offsetof(struct way, new_dst) == offsetof(struct way, new_src) + 4, "one load");

static inline void translate_one(uint8_t *f, uint32_t *hop, const struct way *way)
{
	uint32_t udp = way->protocol != IPV4_TCP;
	uint8_t *at = f + (udp ? UDP_SUM : TCP_SUM);
	uint64_t addresses;
	uint16_t check;

	memcpy(&addresses, &way->new_src, sizeof addresses);
	addresses = __builtin_bswap64(addresses << 32 | addresses >> 32);
	memcpy(&check, at, sizeof check);
	memcpy(f + IPV4_SOURCE, &addresses, sizeof addresses);
	store_be32(f + PORTS, way->new_ports);
	uint32_t becomes = updated(check, way->delta_transport);

	/* UDP: 0 says that there is none, and is never a result. */
	becomes = udp & (becomes == 0) ? FOLDED16 : becomes;
	becomes = udp & (check == 0) ? 0 : becomes;
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
