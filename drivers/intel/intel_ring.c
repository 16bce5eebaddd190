/*
 * The data path: receive (7.1), refill, transmit (7.2), complete.
 *
 * A batch is one run of slots, or two where the ring ends within it, so that loops
 * mask nothing. They work on copies of what they need of their queue, because a store
 * into a ring could alias the original and the compiler would load it again.
 */
#include <string.h>

#include "drivers/intel/intel_port.h"
#include "lib/packet.h"

#define REPORT_EVERY 32u /* a descriptor in as many reports, and the last one of a batch */

#define TX_COMMAND (INTEL_TX_DATA | INTEL_TX_EOP | INTEL_TX_IFCS | INTEL_TX_DEXT)

bool intel_rings_make(struct intel_port *p, unsigned q)
{
	const struct io_env *env = &p->env;
	struct intel_rxq *rx = &p->rx[q];
	struct intel_txq *tx = &p->tx[q];

	rx->mask = tx->mask = p->slots - 1;
	rx->good = INTEL_RX_GOOD;
	rx->fate = INTEL_RX_GOOD | p->driver->rx_error;
	rx->tail = p->registers + p->driver->rdt + q * INTEL_QUEUE_STRIDE;
	tx->tail = p->registers + p->driver->tdt + q * INTEL_QUEUE_STRIDE;
	rx->ring = env->alloc(env->ctx, p->slots * sizeof *rx->ring, 128);
	tx->ring = env->alloc(env->ctx, p->slots * sizeof *tx->ring, 128);
	rx->held = env->alloc(env->ctx, p->slots * sizeof *rx->held, CACHE_LINE);
	tx->held = env->alloc(env->ctx, p->slots * sizeof *tx->held, CACHE_LINE);
	tx->report = env->alloc(env->ctx, p->slots * sizeof *tx->report, CACHE_LINE);
	return rx->ring && tx->ring && rx->held && tx->held && tx->report;
}

/* Where buffer 0 would have its frame, were it of the same pool as `index`: see buffers.origin. */
static uintptr_t frames_of(const struct buffers *b, uint32_t index)
{
	return b->origin[index >> POOL_SHIFT];
}

/* How many of n slots from `slot` on lie before the end of the ring. */
static unsigned before_end(unsigned n, uint32_t slot, uint32_t mask)
{
	return n < mask + 1 - slot ? n : mask + 1 - slot;
}

/* ---------------------------------------------------------------- receive */

/*
 * Takes up to n frames from a slot on, which lie in one piece.
 *
 * A descriptor whose status is not `good` is not yet written back, or it is no whole
 * frame: the MAC found it bad, or it spans buffers, which cannot be as MAXFRS is less
 * than a buffer. Such have no length, and nor has what follows until a frame ends: `good`
 * is then what no status is. The checksums that the device has verified are not looked
 * at: the parser finds the same, and counts it under its reason.
 */
static unsigned rx_run(struct intel_rxq *queue, const struct buffers *buffers, uint32_t slot,
	uint64_t *word, unsigned n)
{
	const struct intel_rx_desc *desc = &queue->ring[slot];
	const uint32_t *held = &queue->held[slot], room = buffers->room, fate = queue->fate;
	const uint64_t stride = buffers->stride;
	const uintptr_t frames = frames_of(buffers, *held);
	uint32_t good = queue->good;
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t status = load_acquire(&desc[i].status); /* before the length */
		uint64_t bytes = load_once(&desc[i].bytes), index = held[i];

		if (__builtin_expect((status & fate) != good, 0)) {
			if (!(status & INTEL_RX_DD))
				break;
			good = queue->good = status & INTEL_RX_EOP ? INTEL_RX_GOOD : 0;
			bytes = 0;
		}
		if (__builtin_expect(bytes > room, 0))
			bytes = 0;
		__builtin_prefetch((const void *)(frames + index * stride));
		word[i] = bytes << 32 | index;
	}
	return (unsigned)i;
}

/* One descriptor beyond those posted still has its old status, hence the bound. */
unsigned intel_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct intel_rxq *rx = &intel_of(dev)->rx[q];
	unsigned n = rx->posted - rx->taken, first, done;
	uint32_t slot = rx->taken & rx->mask;

	if (load_once(&dev->failed)) {
		intel_answer_rx(intel_of(dev), q);
		return 0;
	}
	if (n > max)
		n = max;
	if (!n)
		return 0;
	first = before_end(n, slot, rx->mask);
	done = rx_run(rx, dev->buffers, slot, word, first);
	if (done == first && n > first)
		done += rx_run(rx, dev->buffers, 0, word + first, n - first);
	rx->taken += done;
	return done;
}

unsigned intel_rx_room(struct netdev *dev, unsigned q)
{
	const struct intel_rxq *rx = &intel_of(dev)->rx[q];

	return load_once(&dev->failed) ? 0 : rx->mask - (rx->posted - rx->taken);
}

/* No header buffer (7.1.6.1), and so no status either. */
static void fill_run(const struct intel_rxq *queue, const struct buffers *buffers, uint32_t slot,
	const uint32_t *index, unsigned n)
{
	struct intel_rx_desc *desc = &queue->ring[slot];
	uint32_t *held = &queue->held[slot];
	const uintptr_t frames = frames_of(buffers, index[0]);
	const uint64_t stride = buffers->stride;

	for (size_t i = 0; i < n; i++) {
		uint32_t buffer = index[i];

		desc[i] = (struct intel_rx_desc){.address = frames + buffer * stride};
		held[i] = buffer;
	}
}

/* Buffers are taken even after a failure, so that none is lost between two calls. */
void intel_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
{
	struct intel_rxq *rx = &intel_of(dev)->rx[q];
	uint32_t slot = rx->posted & rx->mask;
	unsigned first = before_end(n, slot, rx->mask);

	if (!n)
		return;
	fill_run(rx, dev->buffers, slot, index, first);
	if (n > first)
		fill_run(rx, dev->buffers, 0, index + first, n - first);
	rx->posted += n;
	dma_wmb(); /* descriptors before the tail */
	mmio_write32(rx->tail, rx->posted & rx->mask);
	counter_add(&rx->doorbells, 1);
}

/* ---------------------------------------------------------------- transmit */

/* packet_len, by a load of its own: less than to take it out of the word. */
static uint64_t bytes_of(const uint64_t *word)
{
	uint16_t bytes;

	memcpy(&bytes, (const uint8_t *)word + 4, sizeof bytes);
	return bytes;
}

static void tx_run(const struct intel_txq *queue, const struct buffers *buffers, uint32_t slot,
	const uint64_t *word, unsigned n)
{
	struct intel_tx_desc *desc = &queue->ring[slot];
	uint64_t *held = &queue->held[slot];
	const uint64_t stride = buffers->stride;

	for (size_t i = 0; i < n; i++) {
		uint64_t frame = word[i];
		uint32_t index = packet_index(frame);

		/* packet_frame, with a stride that is not loaded again and again. */
		desc[i].address =
			frames_of(buffers, index) + index * stride + (uint64_t)packet_shift(frame);
		desc[i].control = bytes_of(&word[i]) * INTEL_TX_LENGTHS + TX_COMMAND;
		held[i] = frame;
	}
}

/* Makes the descriptor at a position of a batch not yet shown to the device report. */
static void report_at(struct intel_txq *tx, uint32_t position)
{
	tx->ring[position & tx->mask].control |= INTEL_TX_RS;
	tx->report[tx->reports++ & tx->mask] = position;
}

/*
 * Shorter frames than 60 bytes are padded by the device; of less than 17 bytes it
 * takes none, and the router sends none (7.2.1.1).
 */
unsigned intel_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	struct intel_txq *tx = &intel_of(dev)->tx[q];
	uint32_t slot = tx->posted & tx->mask;
	unsigned room = tx->mask - (tx->posted - tx->taken), first;

	if (n > room)
		n = room;
	if (!n || load_once(&dev->failed))
		return 0;
	first = before_end(n, slot, tx->mask);
	tx_run(tx, dev->buffers, slot, word, first);
	if (n > first)
		tx_run(tx, dev->buffers, 0, word + first, n - first);
	for (unsigned i = REPORT_EVERY; i < n; i += REPORT_EVERY)
		report_at(tx, tx->posted + i - 1);
	report_at(tx, tx->posted + n - 1);
	tx->posted += n;
	dma_wmb(); /* descriptors before the tail */
	mmio_write32(tx->tail, tx->posted & tx->mask);
	counter_add(&tx->doorbells, 1);
	return n;
}

/* Only descriptors that report are written back, since WTHRESH is 0 (7.2.3.5.1). */
static void learn_done(struct intel_txq *tx)
{
	while (tx->reported != tx->reports) {
		uint32_t position = tx->report[tx->reported & tx->mask];

		if (!(load_once(&tx->ring[position & tx->mask].control) & INTEL_TX_DD))
			break;
		tx->done = position + 1;
		tx->reported++;
	}
}

/* Two at a time. */
static void copy_words(uint64_t *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		memcpy(to + i, from + i, 2 * sizeof *to);
	if (n % 2)
		to[n - 1] = from[n - 1];
}

unsigned intel_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct intel_txq *tx = &intel_of(dev)->tx[q];
	uint32_t slot = tx->taken & tx->mask;
	unsigned n, first;

	if (load_once(&dev->failed))
		return intel_answer_tx(intel_of(dev), q, word, max);
	learn_done(tx);
	n = tx->done - tx->taken;
	if (n > max)
		n = max;
	first = before_end(n, slot, tx->mask);
	copy_words(word, tx->held + slot, first);
	copy_words(word + first, tx->held, n - first);
	tx->taken += n;
	return n;
}

/* ---------------------------------------------------------------- books */

unsigned intel_rx_held(const struct netdev *dev, unsigned q)
{
	const struct intel_rxq *rx = &((const struct intel_port *)dev)->rx[q];

	return rx->posted - rx->taken;
}

unsigned intel_tx_held(const struct netdev *dev, unsigned q)
{
	const struct intel_txq *tx = &((const struct intel_port *)dev)->tx[q];

	return tx->posted - tx->taken;
}

uint64_t intel_doorbells(const struct netdev *dev)
{
	const struct intel_port *p = (const struct intel_port *)dev;
	uint64_t n = 0;

	for (unsigned q = 0; q < dev->rx_queues; q++)
		n += load_once(&p->rx[q].doorbells) + load_once(&p->tx[q].doorbells);
	return n;
}

/* A slot keeps its buffer and the device's words until it is filled again. */
unsigned intel_rx_last(
	const struct netdev *dev, unsigned q, struct netdev_frame *frame, unsigned max)
{
	const struct intel_rxq *rx = &((const struct intel_port *)dev)->rx[q];
	unsigned n = 0, left = rx->mask + 1 - (rx->posted - rx->taken);

	if (left > rx->taken)
		left = rx->taken;
	for (; n < left && n < max; n++) {
		uint32_t slot = (rx->taken - 1 - n) & rx->mask;
		uint32_t bytes = load_once(&rx->ring[slot].bytes);

		if (bytes > dev->buffers->room)
			break;
		frame[n] = (struct netdev_frame){buffer_data(dev->buffers, rx->held[slot]), bytes};
	}
	return n;
}
