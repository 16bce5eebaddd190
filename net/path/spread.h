/*
 * Receive spreading in software: one RX queue, processed by several workers.
 *
 * The worker that drives the RX queue sorts each burst by a hash of the flow and
 * hands every other worker its share over a ring of packet words, one ring per
 * (RX queue, worker). All packets of a flow, and of its way back, go to the same
 * worker, so their order is kept. Fragments are told apart by their addresses
 * alone, since only the first carries ports. A word in the ring still belongs to
 * the buffer's home and has not been counted as received.
 */
#ifndef NET_PATH_SPREAD_H
#define NET_PATH_SPREAD_H

#include <stdint.h>

#include "lib/limits.h"
#include "lib/ring.h"
#include "net/path/lane.h"

/* The flags of a word in the ring: when its burst was received, in units of 2^9 TSC ticks, modulo
 * 2^16. Half of that is past, half is to come: some 6 ms each at 2.5 GHz, far more than a ring is
 * left alone by a core that is its worker's own. */
#define SPREAD_TIME_SHIFT 9u

/* Room to sort a burst in; each worker has its own. Of a share: a burst, and as much before it. */
#define SPREAD_SORT (2 * BATCH_MAX)

struct spread_sort {
	uint64_t word[SPREAD_MAX + 1][SPREAD_SORT];
};

/* An equal number for all packets of a flow in both directions; 0 if it is not IP. A VLAN tag is
 * passed over. */
uint32_t spread_hash(const uint8_t *frame, uint32_t len_bytes);

/*
 * Sorts n received words (n <= BATCH_MAX) over `ways` workers (2 to SPREAD_MAX). What way 0, the
 * caller, shall process itself is left in word[], its number returned; the rest went into ring[1]
 * and up, or, if one is full, was dropped as spread-full. lane: the caller's own for this RX
 * queue; its `received` is the time noted. The lane's actor only.
 */
unsigned spread_burst(struct lane *lane, struct spread_sort *sort, struct ring *const *ring,
	unsigned ways, uint64_t *word, unsigned n);

/* Notes the lane's time in words that go into a ring. */
void spread_stamp(const struct lane *lane, uint64_t *word, unsigned n);

/* Takes up to max words that were sorted for this lane and sets its `received`, which never goes
 * back. The lane's actor only; now: TSC, read at any time before. Returns how many. */
unsigned spread_take(
	struct lane *lane, struct ring *ring, uint64_t *word, unsigned max, uint64_t now);

#endif
