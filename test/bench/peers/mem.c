/* The perfect NIC's driver on our side: as a driver of rings of descriptors would be. */
#include "test/bench/peers/mem.h"

#include <stdlib.h>

#include "lib/packet.h"
#include "lib/vec_words.h"
#include "lib/words.h"
#include "test/bench/peers/run.h"
#include "test/bench/rings.h"

#define SLOT(n)   ((n) & (PERFECT_SLOTS - 1))
#define BURST_MAX 256u

struct mem {
	struct ring_nic nic;
	/* What the driver keeps of each slot, and the descriptor. */
	alignas(64) uint32_t rx_index[PERFECT_SLOTS];
	alignas(64) struct perfect_desc rx_ring[PERFECT_SLOTS];
	alignas(64) uint64_t tx_word[PERFECT_SLOTS];
	alignas(64) struct perfect_desc tx_ring[PERFECT_SLOTS];
};

static struct mem *mem_of(const struct netdev *dev)
{
	return (struct mem *)dev;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* ---- receive ---- */

/*
 * Whole vectors of descriptors as words: how many. The compiler's own vectors leave the last
 * sixteen to a loop. *done: all of them are.
 */
static unsigned take_vectors(const struct perfect_desc *desc, const uint32_t *index, uint64_t *word,
	unsigned n, bool *done)
{
	unsigned i = 0;

#if VEC_BYTES == 64
	vec_words all = (vec_words){0} + PERFECT_DONE;

	for (; i + VEC_WORDS <= n; i += VEC_WORDS) {
		vec_words a = vec_words_load(&desc[i].address);
		vec_words b = vec_words_load(&desc[i + 4].address);
		vec_words control = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);

		vec_words_store(word + i, vec_words_widen(index + i) | (control & 0xffff) << 32);
		all &= control;
	}
	*done = vec_words_set(all) == 0xff;
#endif
	return i;
}

/* Frames that the NIC has written, as words; all n unless it left a descriptor undone. */
static unsigned take(struct mem *mem, unsigned at, uint64_t *word, unsigned n)
{
	const struct perfect_desc *desc = mem->rx_ring + at;
	const uint32_t *index = mem->rx_index + at;
	bool done = true;

	for (unsigned i = take_vectors(desc, index, word, n, &done); i < n; i++) {
		done &= desc[i].control / PERFECT_DONE & 1;
		word[i] = index[i] | (desc[i].control & 0xffff) << 32;
	}
	return done ? n : 0;
}

static unsigned mem_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct mem *mem = mem_of(dev);
	unsigned n = 0, held = mem->nic.rx_given - mem->nic.rx_taken;

	max = run.source.flow ? least(max, held) : 0;
	while (n < max) { /* twice where the ring ends */
		unsigned at = SLOT(mem->nic.rx_taken), some = least(max - n, PERFECT_SLOTS - at);

		perfect_deliver(&run.source, mem->nic.number, mem->rx_ring + at, some);
		if (take(mem, at, word + n, some) != some)
			abort();
		mem->nic.rx_taken += some;
		n += some;
	}
	return n;
}

static void mem_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
{
	struct mem *mem = mem_of(dev);
	const struct buffers *buffers = dev->buffers;
	uint64_t stride = buffers->stride;

	while (n) {
		unsigned at = SLOT(mem->nic.rx_given), some = least(n, PERFECT_SLOTS - at);
		uint64_t origin = buffers->origin[index[0] >> POOL_SHIFT];
		struct perfect_desc *restrict desc = mem->rx_ring + at;
		uint32_t *restrict kept = mem->rx_index + at;

		for (unsigned i = 0; i < some; i++) {
			kept[i] = index[i];
			desc[i] = (struct perfect_desc){origin + index[i] * stride, 0};
		}
		mem->nic.rx_given += some;
		index += some;
		n -= some;
	}
}

/* ---- transmit ---- */

static void verify(const struct mem *mem, const uint64_t *word, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		run_verify(mem->nic.number, packet_frame(mem->nic.dev.buffers, word[i]),
			packet_len(word[i]));
}

/* Words of one pool; the frames lie where packet_frame says. */
static void post(struct mem *mem, unsigned at, const uint64_t *restrict word, unsigned n)
{
	const struct buffers *buffers = mem->nic.dev.buffers;
	uint64_t origin = buffers->origin[packet_pool(word[0])];
	uint64_t stride = buffers->stride;
	struct perfect_desc *restrict desc = mem->tx_ring + at;
	uint64_t *restrict kept = mem->tx_word + at;

	for (unsigned i = 0; i < n; i++) {
		kept[i] = word[i];
		desc[i].address = origin + packet_index(word[i]) * stride + packet_shift(word[i]);
		desc[i].control = packet_len(word[i]) | PERFECT_SEND;
	}
}

static unsigned mem_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	struct mem *mem = mem_of(dev);

	if (__builtin_expect(run.verifying, 0))
		verify(mem, word, n);
	for (unsigned done = 0; done < n;) {
		unsigned at = SLOT(mem->nic.tx_given), some = least(n - done, PERFECT_SLOTS - at);

		some = words_one_pool(word + done, some);
		post(mem, at, word + done, some);
		mem->nic.tx_given += some;
		done += some;
	}
	run_sent(n);
	return n;
}

/* Sent is what stands where the next burst of BURST_MAX will. */
static unsigned mem_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct mem *mem = mem_of(dev);
	unsigned held = mem->nic.tx_given - mem->nic.tx_taken;
	unsigned n = held > PERFECT_SLOTS - BURST_MAX ? held - (PERFECT_SLOTS - BURST_MAX) : 0;

	n = least(n, max);
	for (unsigned done = 0; done < n;) {
		unsigned at = SLOT(mem->nic.tx_taken), some = least(n - done, PERFECT_SLOTS - at);

		memcpy(word + done, mem->tx_word + at, some * sizeof *word);
		mem->nic.tx_taken += some;
		done += some;
	}
	return n;
}

/* ---- the rest ---- */

static const struct netdev_ops ops = {
	.rx = mem_rx,
	.rx_room = ring_nic_rx_room,
	.rx_fill = mem_rx_fill,
	.tx = mem_tx,
	.tx_done = mem_tx_done,
	.rx_held = ring_nic_rx_held,
	.tx_held = ring_nic_tx_held,
	.doorbells = ring_nic_doorbells,
	.poll = ring_nic_nothing,
	.stop = ring_nic_nothing,
};

struct netdev *mem_create(unsigned number)
{
	struct mem *mem = aligned_alloc(64, sizeof *mem);
	uint8_t mac[6];

	if (!mem)
		abort();
	memset(mem, 0, sizeof *mem);
	run_port_mac(number, mac);
	ring_nic_init(&mem->nic, &ops, number, mac, PERFECT_SLOTS);
	return &mem->nic.dev;
}
