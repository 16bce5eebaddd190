/* Receive spreading: the flow hash, sorting a burst, and taking one's share. */
#include "net/path/spread.h"

#include <string.h>

#include "lib/byteorder.h"
#include "net/path/frame.h"

#define WORD_FLAGS_SHIFT 48u
#define AGE_MAX          0xff00u

/* Multiplication by an odd constant and folding: enough to spread, as the input is not hostile to
 * anything but its own balance (Steele et al., SplitMix, OOPSLA 2014). */
static inline uint32_t mix(uint64_t x)
{
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 29;
	x *= UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(x >> 32);
}

uint32_t spread_hash(const uint8_t *f, uint32_t len)
{
	if (len < ETH_HEADER + IPV4_HEADER || load_be16(f + ETH_TYPE) != ETH_TYPE_IPV4)
		return 0;
	uint32_t src = load_be32(f + IPV4_SOURCE), dst = load_be32(f + IPV4_DEST);
	uint32_t header = (f[IPV4_OFF] & 15u) * 4, protocol = f[IPV4_PROTOCOL];
	bool fragment = load_be16(f + IPV4_FRAGMENT) & (IPV4_MF | IPV4_OFFSET);
	/* Sum and exclusive or: both are symmetric, and together tell more pairs apart. */
	uint64_t key = (uint64_t)(src + dst) << 32 | (src ^ dst);

	if ((protocol == IPV4_TCP || protocol == IPV4_UDP) && !fragment &&
		len >= IPV4_OFF + header + 4) {
		const uint8_t *ports = f + IPV4_OFF + header;
		uint32_t a = load_be16(ports), b = load_be16(ports + 2);

		key += (uint64_t)((a + b) << 16 | (a ^ b)) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return mix(key + protocol);
}

/* The ring has no room: received, and dropped. */
static void spread_drop(struct lane *lane, const uint64_t *word, unsigned n)
{
	struct port_counters *counters = &lane->counters->port[lane->port];

	for (unsigned i = 0; i < n; i++) {
		counter_add(&counters->rx_packets, 1);
		counter_add(&counters->rx_bytes, packet_len(word[i]));
		path_drop(lane, lane->port, word[i], DROP_SPREAD_FULL);
	}
}

unsigned spread_burst(struct lane *lane, struct spread_sort *sort, struct ring *const *ring,
	unsigned ways, uint64_t *word, unsigned n)
{
	unsigned shares[SPREAD_MAX] = {0};
	uint64_t time = (lane->received >> SPREAD_TIME_SHIFT) << WORD_FLAGS_SHIFT;

	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(buffer_data(lane->buffers, packet_index(word[i])));
	for (unsigned i = 0; i < n; i++) {
		uint32_t len = packet_len(word[i]);
		uint32_t hash = spread_hash(buffer_data(lane->buffers, packet_index(word[i])), len);
		unsigned way = (unsigned)((uint64_t)hash * ways >> 32);

		sort->word[way][shares[way]++] = word[i];
	}
	for (unsigned way = 1; way < ways; way++) {
		for (unsigned i = 0; i < shares[way]; i++)
			sort->word[way][i] |= time;
		unsigned sent = ring_push(ring[way], sort->word[way], shares[way]);

		spread_drop(lane, sort->word[way] + sent, shares[way] - sent);
	}
	memcpy(word, sort->word[0], shares[0] * sizeof *word);
	return shares[0];
}

unsigned spread_take(
	struct lane *lane, struct ring *ring, uint64_t *word, unsigned max, uint64_t now)
{
	unsigned n = ring_pop(ring, word, max);

	if (n == 0)
		return 0;
	/* Of the oldest, for all; how long ago, modulo 2^16 units. */
	uint16_t age = (uint16_t)((now >> SPREAD_TIME_SHIFT) - packet_flags(word[0]));

	if (age > AGE_MAX) /* the other core's counter is a little ahead */
		age = 0;
	lane->received = now - ((uint64_t)age << SPREAD_TIME_SHIFT);
	for (unsigned i = 0; i < n; i++)
		word[i] = packet_word(packet_index(word[i]), packet_len(word[i]), 0);
	return n;
}

_Static_assert(BATCH_MAX <= SPREAD_SLOTS, "a burst fits an empty ring");
