/* Receive spreading: sorting a burst by flow, and taking one's share. */
#include "net/path/spread.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/hash.h"
#include "net/path/frame.h"

#define WORD_FLAGS_SHIFT 48u

uint32_t spread_hash(const uint8_t *f, uint32_t len)
{
	if (len > ETH_HEADER + PACKET_TAG && load_be16(f + ETH_TYPE) == ETH_TYPE_VLAN) {
		f += PACKET_TAG; /* a flow is one whatever its tag */
		len -= PACKET_TAG;
	}
	if (len < ETH_HEADER + IPV4_HEADER)
		return 0;
	if (load_be16(f + ETH_TYPE) == ETH_TYPE_IPV4)
		return hash_flow4(f + IPV4_OFF, len - ETH_HEADER);
	if (load_be16(f + ETH_TYPE) == ETH_TYPE_IPV6 && len >= ETH_HEADER + IPV6_HEADER)
		return hash_flow6(f + IPV6_OFF, len - ETH_HEADER);
	return 0;
}

/* The ring has no room: received, and dropped. */
static void spread_drop(struct lane *lane, const uint64_t *word, unsigned n)
{
	struct port_counters *counters = &lane->counters->port[lane->port];

	for (unsigned i = 0; i < n; i++) {
		counter_add(&counters->rx_packets, 1);
		counter_add(&counters->rx_bytes, packet_len(word[i]));
		/* Without the time: it stands where flags say what a frame is like. */
		path_drop(lane, lane->port,
			packet_word(packet_index(word[i]), packet_len(word[i]), 0),
			DROP_SPREAD_FULL);
	}
}

void spread_stamp(const struct lane *lane, uint64_t *word, unsigned n)
{
	uint64_t time = (lane->received >> SPREAD_TIME_SHIFT) << WORD_FLAGS_SHIFT;

	for (unsigned i = 0; i < n; i++)
		word[i] |= time;
}

unsigned spread_burst(struct lane *lane, struct spread_sort *sort, struct ring *const *ring,
	unsigned ways, uint64_t *word, unsigned n)
{
	unsigned shares[SPREAD_MAX] = {0};

	/* The helpers' VOQs are limited by what lies on the stack (voq.h): only we can collect. */
	(void)pool_free(lane->buffers, lane->pool, lane->actor, VOQ_SLOTS);
	for (unsigned i = 0; i < n; i++) {
		uint32_t len = packet_len(word[i]);
		uint32_t hash = spread_hash(buffer_data(lane->buffers, packet_index(word[i])), len);
		unsigned way = (unsigned)((uint64_t)hash * ways >> 32);

		sort->word[way][shares[way]++] = word[i];
	}
	for (unsigned way = 1; way < ways; way++) {
		spread_stamp(lane, sort->word[way], shares[way]);
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
	/* Of the oldest, for all. Below 0: it came in when `now` had been read already. */
	int16_t age = (int16_t)((now >> SPREAD_TIME_SHIFT) - packet_flags(word[0]));
	uint64_t received = now - ((uint64_t)(age > 0 ? age : 0) << SPREAD_TIME_SHIFT);

	/* Where a core is taken away for longer than ages reach they are wrong; but a lane's time
	 * never goes back: police_take would refuse all until it is where it was. */
	if (received > lane->received)
		lane->received = received;
	for (unsigned i = 0; i < n; i++) {
		word[i] = packet_word(packet_index(word[i]), packet_len(word[i]), 0);
		__builtin_prefetch(buffer_data(lane->buffers, packet_index(word[i])));
	}
	return n;
}

_Static_assert(BATCH_MAX <= SPREAD_SLOTS, "a burst fits an empty ring");
