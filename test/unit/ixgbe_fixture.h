/* An ixgbe port on the strict model, opened, for the units of drivers/ixgbe/. */
#ifndef TEST_UNIT_IXGBE_FIXTURE_H
#define TEST_UNIT_IXGBE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ixgbe/ixgbe.h"
#include "drivers/ixgbe/ixgbe_device.h"
#include "lib/packet.h"
#include "test/model/io.h"
#include "test/model/ixgbe_model.h"

#define BAR     UINT64_C(0xfe000000)
#define BUFFERS 4096u
#define SENT    8192u

#define POLL_US  100000u  /* between two polls of the control core */
#define COUNT_US 1000000u /* all counters have been read meanwhile */

static struct ixgbe_model *model;
static struct ixgbe_model_options options;
static struct buffers buffers;
static struct netdev *dev;
static struct netdev_request want;
static const char *refusal;
static bool cut; /* DMA was taken away for good */

/* Which buffers are ours, not the device's. */
static uint32_t spare[BUFFERS];
static unsigned spares;

/* What left on the wire. */
static uint8_t *sent[SENT];
static unsigned sent_bytes[SENT], sents;

/* ---------------------------------------------------------------- around the model */

#ifdef __SANITIZE_ADDRESS__
void *__asan_region_is_poisoned(void *begin, size_t bytes);
#else
#	define __asan_region_is_poisoned(begin, bytes) NULL
#endif

static inline void *wire_dma(void *ctx, uint64_t address, uint64_t bytes, bool write)
{
	void *p = (void *)(uintptr_t)address;

	return cut || !address || __asan_region_is_poisoned(p, bytes) ? NULL : p;
}

static inline void wire_transmit(void *ctx, const uint8_t *frame, unsigned bytes)
{
	assert_true(sents < SENT);
	sent[sents] = malloc(bytes ? bytes : 1);
	memcpy(sent[sents], frame, bytes);
	sent_bytes[sents++] = bytes;
}

static inline uint64_t wire_now(void *ctx)
{
	return model_io.now_us;
}

static inline void wire_broke(void *ctx, const char *rule, const char *what)
{
	fprintf(stderr, "rule broken: %s: %s\n", rule, what);
}

static inline void wire_interrupt(void *ctx, unsigned vector)
{
	fail_msg("an interrupt, vector %u", vector);
}

static inline void forget_sent(void)
{
	while (sents)
		free(sent[--sents]);
}

static inline void model_tick(void *ctx)
{
	ixgbe_model_poll(ctx);
}

static inline void cut_off(void *ctx)
{
	cut = true;
	ixgbe_model_gate_dma(model, false);
}

/* ---------------------------------------------------------------- the machine */

/* A machine with buffers for the MTU and the device that `options` says, not yet opened. */
static inline void make_machine(uint32_t mtu)
{
	static const struct ixgbe_model_wire wire = {.dma = wire_dma,
		.transmit = wire_transmit,
		.interrupt = wire_interrupt,
		.broke = wire_broke,
		.now_us = wire_now};

	model_io_reset();
	cut = false;
	dev = NULL;
	options.house = true;
	model = ixgbe_model_new(&options, &wire);
	assert_non_null(model);
	model_add_memory(
		BAR, IXGBE_MODEL_BAR_BYTES, ixgbe_model_mmio_read, ixgbe_model_mmio_write, model);
	model_io.tick = model_tick;
	model_io.tick_ctx = model;
	memset(&buffers, 0, sizeof buffers);
	buffers_shape(&buffers, mtu);
	pool_place(&buffers, 0, model_env.alloc(NULL, (size_t)BUFFERS * buffers.stride, 64), 0);
	for (spares = 0; spares < BUFFERS; spares++)
		spare[spares] = spares;
	want = (struct netdev_request){.queue_pairs = 1, .mtu = mtu};
}

static inline struct netdev *open_port(unsigned slots)
{
	const struct intel_place place = {.registers = (volatile uint8_t *)(uintptr_t)BAR,
		.device_id = ixgbe_model_device_id(model),
		.location = "0000:03:00.0",
		.slots = slots,
		.cut_off = cut_off};

	dev = ixgbe_create(&place, &want, &model_env, &refusal);
	if (dev)
		dev->buffers = &buffers;
	return dev;
}

/* Polls for so long, as the control core does. */
static inline void poll_for(uint64_t us)
{
	for (uint64_t end = model_io.now_us + us; model_io.now_us < end;) {
		model_io.now_us += POLL_US;
		ixgbe_model_poll(model);
		dev->ops->poll(dev);
	}
}

static inline struct netdev *open_up(unsigned slots)
{
	if (!open_port(slots))
		fail_msg("refused: %s", refusal);
	poll_for(3000000);
	assert_true(dev->link);
	return dev;
}

/* Ends a test: no rule was broken, nothing was touched that is not there. */
static inline int end_machine(void **state)
{
	if (!model) /* it has ended before, and failed */
		return 0;
	const char *what, *rule = ixgbe_model_first_broken(model, &what);
	unsigned strays = model_io.strays;

	ixgbe_model_free(model);
	model = NULL;
	forget_sent();
	model_io_reset();
	memset(&options, 0, sizeof options);
	if (rule)
		fail_msg("rule broken: %s", rule); /* wire_broke has said more */
	assert_int_equal(strays, 0);
	return 0;
}

/* ---------------------------------------------------------------- a worker's hands */

/* Fills RX queue q up, with all that it lacks or all that there is. */
static inline void refill(unsigned q)
{
	unsigned n = dev->ops->rx_room(dev, q);

	if (n > spares)
		n = spares;
	spares -= n;
	dev->ops->rx_fill(dev, q, spare + spares, n);
}

static inline void refill_all(void)
{
	for (unsigned q = 0; q < dev->rx_queues; q++)
		refill(q);
}

static inline void give_back(const uint64_t *word, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		spare[spares++] = packet_index(word[i]);
}

static inline unsigned complete(unsigned q)
{
	uint64_t word[BATCH_MAX];
	unsigned n, all = 0;

	while ((n = dev->ops->tx_done(dev, q, word, BATCH_MAX))) {
		give_back(word, n);
		all += n;
	}
	return all;
}

/* Every buffer is spare or in a ring, once. */
static inline void expect_none_lost(void)
{
	static uint8_t seen[BUFFERS];
	unsigned all = spares;

	memset(seen, 0, sizeof seen);
	for (unsigned i = 0; i < spares; i++)
		seen[spare[i]]++;
	for (unsigned q = 0; q < dev->rx_queues; q++) {
		const struct intel_rxq *rx = &intel_of(dev)->rx[q];
		const struct intel_txq *tx = &intel_of(dev)->tx[q];

		all += dev->ops->rx_held(dev, q) + dev->ops->tx_held(dev, q);
		for (uint32_t i = rx->taken; i != rx->posted; i++)
			seen[rx->held[i & rx->mask]]++;
		for (uint32_t i = tx->taken; i != tx->posted; i++)
			seen[packet_index(tx->held[i & tx->mask])]++;
	}
	assert_int_equal(all, BUFFERS);
	for (unsigned i = 0; i < BUFFERS; i++)
		if (seen[i] != 1)
			fail_msg("buffer %u is in %u places", i, seen[i]);
}

static inline uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A broadcast frame whose every byte depends on `number`. */
static inline void make_frame(uint8_t *frame, unsigned bytes, uint32_t number)
{
	for (unsigned i = 0; i < bytes; i++)
		frame[i] = (uint8_t)(number * 31 + i * 7 + (i >> 8));
	memset(frame, 0xff, 6);
	frame[6] = 2;
	frame[12] = 0x88; /* an EtherType without meaning: 88b5, for experiments */
	frame[13] = 0xb5;
}

/* What the device has counted under a name. */
static inline uint64_t statistic(const char *name)
{
	struct netdev_statistic s[NETDEV_STATISTICS_MAX];
	unsigned n = dev->ops->statistics(dev, s, NETDEV_STATISTICS_MAX);

	for (unsigned i = 0; i < n; i++)
		if (strcmp(s[i].name, name) == 0)
			return s[i].value;
	fail_msg("no statistic '%s'", name);
	return 0;
}

static inline void expect_failure(const char *why)
{
	assert_true(dev->failed);
	if (!strstr(dev->failure, why))
		fail_msg("\"%s\" is not in \"%s\"", why, dev->failure);
}

#endif
