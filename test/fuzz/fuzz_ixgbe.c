/*
 * An ixgbe device that answers and writes what it likes: bring-up, the polls, and the
 * descriptors of both directions, while the router receives, refills, sends and completes.
 *
 * Input: a byte of flags (hostile from the start or once it runs, queues); then steps of
 * a byte each, with what the device writes or answers in it behind them.
 */
#include <stdlib.h>

#include "drivers/ixgbe/ixgbe_device.h"
#include "lib/packet.h"
#include "test/fuzz/fuzz.h"
#include "test/model/io.h"

#define BAR      UINT64_C(0xfe000000)
#define SLOTS    64u
#define BUFFERS  300u
#define QUEUES   2u
#define TICK_US  500u /* each look at the clock: waits end soon */
#define EARLY    0x80u
#define FRAME    60u
#define LONG_US  3000000u
#define POLLS_UP 200u

static struct fuzz_input in;
static struct buffers buffers;
static struct netdev *dev;
static bool hostile; /* registers read as the input says */
static uint32_t last_written, nvm_word;
static uint32_t spare[BUFFERS];
static unsigned spares;

/* A friendly device has always done what it was told. */
static uint32_t friendly(uint32_t at)
{
	switch (at) {
	case IXGBE_STATUS:
	case IXGBE_CTRL:
	case IXGBE_SYNC:
		return 0;
	case IXGBE_EEC:
		return IXGBE_EEC_ARD;
	case IXGBE_EEMNGCTL:
		return IXGBE_EEMNGCTL_DONE(0);
	case IXGBE_RDRXCTL:
		return IXGBE_RDRXCTL_DMAIDONE;
	case IXGBE_SECRXSTAT:
		return IXGBE_SECRXSTAT_READY;
	case IXGBE_SWSM:
		return last_written & IXGBE_SWSM_SWESMBI;
	case IXGBE_EERD:
		return IXGBE_EERD_DONE | (nvm_word == 0x3f ? 0xbabau << 16 : 0);
	case IXGBE_RAL(0):
		return 2;
	case IXGBE_RAH(0):
		return IXGBE_RAH_AV;
	case IXGBE_LINKS:
		return IXGBE_LINKS_UP;
	default:
		return IXGBE_RXDCTL_ENABLE;
	}
}

static uint64_t read_register(void *ctx, uint64_t at, unsigned bytes)
{
	uint32_t v = 0;

	(void)ctx;
	(void)bytes;
	if (!hostile)
		return friendly((uint32_t)at);
	fuzz_take(&in, &v, sizeof v);
	return v;
}

static void write_register(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	(void)ctx;
	(void)bytes;
	last_written = (uint32_t)v;
	if (at == IXGBE_EERD)
		nvm_word = (uint32_t)v >> 2 & 0x3fff;
}

static void tick(void *ctx)
{
	(void)ctx;
	model_io.now_us += TICK_US;
}

static void cut_off(void *ctx)
{
	(void)ctx;
}

static bool open_port(unsigned queues)
{
	const struct intel_place place = {.registers = (volatile uint8_t *)(uintptr_t)BAR,
		.device_id = 0x10fb,
		.location = "0000:03:00.0",
		.slots = SLOTS,
		.cut_off = cut_off};
	const struct netdev_request want = {.queue_pairs = queues, .mtu = 1500};
	const char *refusal;

	model_io_reset();
	model_io.tick = tick;
	model_add_memory(BAR, INTEL_BAR_BYTES, read_register, write_register, NULL);
	memset(&buffers, 0, sizeof buffers);
	buffers_shape(&buffers, 1500);
	pool_place(&buffers, 0, model_env.alloc(NULL, (size_t)BUFFERS * buffers.stride, 64), 0);
	for (spares = 0; spares < BUFFERS; spares++)
		spare[spares] = spares;
	dev = ixgbe_create(&place, &want, &model_env, &refusal);
	CLAIM(!dev == !!refusal);
	if (dev)
		dev->buffers = &buffers;
	return dev;
}

/* ---------------------------------------------------------------- the router */

static void receive(unsigned q)
{
	uint64_t word[BATCH_MAX];
	struct netdev_frame last[BATCH_MAX];
	unsigned n = dev->ops->rx(dev, q, word, BATCH_MAX);

	CLAIM(n <= BATCH_MAX && n + spares <= BUFFERS);
	for (unsigned i = 0; i < n; i++) {
		CLAIM(packet_len(word[i]) <= buffers.room && !packet_flags(word[i]));
		spare[spares++] = packet_index(word[i]);
	}
	n = dev->ops->rx_last(dev, q, last, BATCH_MAX);
	for (unsigned i = 0; i < n; i++)
		CLAIM(last[i].bytes <= buffers.room && last[i].at >= buffer_data(&buffers, 0) &&
			last[i].at <= buffer_data(&buffers, BUFFERS - 1));
}

static void refill(unsigned q)
{
	unsigned n = dev->ops->rx_room(dev, q);

	CLAIM(n < SLOTS);
	if (n > spares)
		n = spares;
	spares -= n;
	dev->ops->rx_fill(dev, q, spare + spares, n);
}

static void transmit(unsigned q, unsigned n)
{
	uint64_t word[BATCH_MAX] = {0};
	unsigned posted;

	if (n > spares)
		n = spares;
	for (unsigned i = 0; i < n; i++)
		word[i] = packet_word(spare[--spares], FRAME, 0);
	posted = dev->ops->tx(dev, q, word, n);
	CLAIM(posted <= n);
	for (unsigned i = posted; i < n; i++)
		spare[spares++] = packet_index(word[i]);
}

static void complete(unsigned q)
{
	uint64_t word[BATCH_MAX];
	unsigned n = dev->ops->tx_done(dev, q, word, BATCH_MAX);

	CLAIM(n <= BATCH_MAX && n + spares <= BUFFERS);
	for (unsigned i = 0; i < n; i++)
		spare[spares++] = packet_index(word[i]);
}

/* Every buffer is spare or in a ring, once. */
static void check_books(void)
{
	uint8_t seen[BUFFERS] = {0};

	for (unsigned i = 0; i < spares; i++)
		seen[spare[i]]++;
	for (unsigned q = 0; q < dev->rx_queues; q++) {
		const struct intel_rxq *rx = &intel_of(dev)->rx[q];
		const struct intel_txq *tx = &intel_of(dev)->tx[q];

		CLAIM(dev->ops->rx_held(dev, q) < SLOTS && dev->ops->tx_held(dev, q) < SLOTS);
		for (uint32_t i = rx->taken; i != rx->posted; i++)
			seen[rx->held[i & rx->mask]]++;
		for (uint32_t i = tx->taken; i != tx->posted; i++)
			seen[packet_index(tx->held[i & tx->mask])]++;
	}
	for (unsigned i = 0; i < BUFFERS; i++)
		CLAIM(seen[i] == 1);
}

/* ---------------------------------------------------------------- the device */

/* Writes into a ring: what it likes, or what a good device would, where it likes. */
static void scribble(unsigned q, bool tx, bool good)
{
	struct intel_port *p = intel_of(dev);
	unsigned slot = fuzz_byte(&in) % SLOTS;

	if (tx && good)
		p->tx[q].ring[slot].control |= INTEL_TX_DD;
	else if (tx)
		fuzz_take(&in, &p->tx[q].ring[slot], sizeof p->tx[q].ring[slot]);
	else if (good)
		p->rx[q].ring[p->rx[q].taken & (SLOTS - 1)] =
			(struct intel_rx_desc){.status = INTEL_RX_GOOD, .bytes = FRAME};
	else
		fuzz_take(&in, &p->rx[q].ring[slot], sizeof p->rx[q].ring[slot]);
}

static void step(uint8_t what)
{
	unsigned q = what >> 3 & 1 ? dev->rx_queues - 1u : 0;
	bool good = what >> 4 & 1;

	switch (what & 7) {
	case 0:
		receive(q);
		break;
	case 1:
		refill(q);
		break;
	case 2:
		transmit(q, fuzz_byte(&in) % (BATCH_MAX + 1));
		break;
	case 3:
		complete(q);
		break;
	case 4:
		scribble(q, false, good);
		break;
	case 5:
		scribble(q, true, good);
		break;
	case 6:
		hostile = !good;
		dev->ops->poll(dev);
		hostile = false;
		break;
	default:
		model_io.now_us += LONG_US;
	}
}

/* A device that behaves from now on is used again, unless it was given up. */
static void recover(void)
{
	for (unsigned i = 0; i < POLLS_UP && load_once(&dev->failed); i++) {
		dev->ops->poll(dev);
		for (unsigned q = 0; q < dev->rx_queues; q++) {
			receive(q);
			complete(q);
		}
	}
	CLAIM(!dev->failed || intel_of(dev)->over);
	for (unsigned q = 0; dev->failed && q < dev->rx_queues; q++)
		CLAIM(dev->ops->rx_room(dev, q) == 0 && dev->ops->tx_held(dev, q) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	in = (struct fuzz_input){data, bytes};
	uint8_t head = fuzz_byte(&in);

	hostile = head & EARLY;
	if (open_port(1 + head % QUEUES)) {
		hostile = false;
		while (in.left) {
			step(fuzz_byte(&in));
			check_books();
		}
		recover();
		check_books();
		dev->ops->stop(dev);
		check_books();
	}
	hostile = false;
	model_io_reset();
	return 0;
}
