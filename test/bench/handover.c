/*
 * Linked in place of path_forward where only the way around it is measured: a burst goes from its
 * RX queue to the VOQ of the other of two ports, owner and counters as ever, and no look at a
 * packet.
 */
#include "lib/words.h"
#include "net/path/lane.h"

static void drop(struct lane *lane, const uint64_t *word, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		path_drop(lane, lane->port, word[i], DROP_VOQ_FULL);
}

void __wrap_path_forward(struct lane *lane, const uint64_t *word, unsigned n);
void __wrap_path_forward(struct lane *lane, const uint64_t *word, unsigned n)
{
	struct port_counters *counters = &lane->counters->port[lane->port];
	unsigned t = lane->txq[lane->port ^ 1];
	uint32_t limit = pool_free(lane->buffers, lane->pool, lane->actor, VOQ_SLOTS);
	uint64_t *to = voq_room(lane->cross[t], 0, limit);
	uint8_t *owner = lane->buffers->owner;

	counter_add(&counters->rx_packets, n);
	if (!to) {
		counter_add(&counters->rx_bytes, words_bytes(word, n));
		drop(lane, word, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		owner[packet_index(word[i])] = (uint8_t)OWNER_OUTPUT(t);
	counter_add(&counters->rx_bytes, words_copy(to, word, n));
	voq_wrap(lane->cross[t], 0, n);
	voq_publish(lane->cross[t], lane->received);
}
