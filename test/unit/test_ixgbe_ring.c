/* Unit tests: the data path of ixgbe against the strict model: its rings. */
#include "test/unit/ixgbe_fixture.h"

/* ---------------------------------------------------------------- frames through */

/*
 * Frames of drawn lengths in, out again, in drawn batches, as a worker does it: each as it was, in
 * order, no buffer lost, every ring round at least `rounds` times.
 */
static void run_through(unsigned slots, unsigned rounds, unsigned longest)
{
	static uint8_t frame[9216];
	uint64_t word[BATCH_MAX];
	uint32_t seed = slots, in = 0, out = 0, lost = 0;

	open_up(slots);
	refill_all();
	while (out < slots * rounds) {
		unsigned burst = draw(&seed) % (BATCH_MAX + 1), n;

		for (unsigned i = 0; i < burst; i++, in++) {
			unsigned bytes = 60 + (in * 97u) % (longest - 59);

			make_frame(frame, bytes, in);
			if (!ixgbe_model_receive(model, frame, bytes)) {
				lost++;
				break;
			}
		}
		n = dev->ops->rx(dev, 0, word, BATCH_MAX);
		if (draw(&seed) % 4 || dev->ops->tx_held(dev, 0) + n >= slots)
			complete(0);
		assert_int_equal(dev->ops->tx(dev, 0, word, n), n);
		ixgbe_model_poll(model);
		if (draw(&seed) % 4)
			refill_all();
		for (unsigned i = 0; i < sents; i++, out++) {
			unsigned bytes = 60 + (out * 97u) % (longest - 59);

			make_frame(frame, bytes, out);
			assert_int_equal(sent_bytes[i], bytes);
			assert_memory_equal(sent[i], frame, bytes);
		}
		forget_sent();
		expect_none_lost();
	}
	complete(0);
	assert_int_equal(dev->ops->tx_held(dev, 0), 0);
	expect_none_lost();
	poll_for(COUNT_US);
	assert_int_equal(statistic("rx-no-descriptor"), lost);
}

static void test_wrap(void **state)
{
	make_machine(1500);
	run_through(64, 1000, 1514);
}

static void test_sizes(void **state)
{
	for (unsigned slots = 64; slots < 4096; slots *= 2) {
		make_machine(1500);
		run_through(slots, 4, 1514);
		end_machine(state);
	}
	make_machine(1500);
	run_through(4096, 3, 400);
}

static void test_jumbo(void **state)
{
	make_machine(9000);
	run_through(256, 4, 9018);
}

static void test_other_chips(void **state)
{
	static const uint16_t id[] = {0x1528, 0x1563};

	for (unsigned i = 0; i < 2; i++) {
		options.device_id = id[i];
		options.media = IXGBE_MODEL_BASE_T;
		make_machine(1500);
		run_through(128, 10, 1514);
		end_machine(state);
	}
	make_machine(1500);
}

/* The largest frame comes in, tagged too; one that would not fit a buffer does not, and is counted.
 */
static void test_longest(void **state)
{
	static const uint32_t mtu[] = {1500, 2022, 2023, 4070, 9000};
	static const uint8_t tagged[] = {0x81, 0, 0, 0, 0x88, 0xb5};
	static uint8_t frame[12000];
	uint64_t word[BATCH_MAX];

	for (unsigned i = 0; i < sizeof mtu / sizeof *mtu; i++) {
		make_machine(mtu[i]);
		open_up(64);
		refill_all();
		for (unsigned tags = 0; tags < 2; tags++) {
			unsigned bytes = mtu[i] + 14 + 4 * tags;

			make_frame(frame, bytes, i);
			if (tags)
				memcpy(frame + 12, tagged, sizeof tagged);
			assert_true(ixgbe_model_receive(model, frame, bytes));
			assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 1);
			assert_int_equal(packet_len(word[0]), bytes);
			assert_memory_equal(packet_frame(&buffers, word[0]), frame, bytes);
			give_back(word, 1);
		}
		make_frame(frame, buffers.room + 1, i);
		assert_false(ixgbe_model_receive(model, frame, buffers.room + 1));
		assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 0);
		poll_for(COUNT_US);
		assert_int_equal(statistic("rx-over-buffer"), 1);
		expect_none_lost();
		end_machine(state);
	}
	make_machine(1500);
}

/* A full ring takes no more; what is over stays with the caller. */
static void test_full_tx(void **state)
{
	uint64_t word[BATCH_MAX];
	unsigned posted = 0;

	options.tx_by_poll = true;
	make_machine(1500);
	open_up(64);
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		word[i] = packet_word(spare[--spares], 60, 0);
		make_frame(packet_frame(&buffers, word[i]), 60, i);
	}
	posted = dev->ops->tx(dev, 0, word, BATCH_MAX);
	assert_int_equal(posted, 63);
	for (unsigned i = 0; i < 63; i++) /* each 32nd reports, and the last one */
		assert_int_equal(
			!!(intel_of(dev)->tx[0].ring[i].control & INTEL_TX_RS), i == 31 || i == 62);
	assert_int_equal(dev->ops->tx(dev, 0, word + 63, 1), 0);
	assert_int_equal(complete(0), 0);
	give_back(word + 63, 1);
	expect_none_lost();
	ixgbe_model_poll(model);
	assert_int_equal(sents, 63);
	assert_int_equal(dev->ops->tx_done(dev, 0, word, 10), 10); /* as many as are asked for */
	give_back(word, 10);
	assert_int_equal(complete(0), 53);
	expect_none_lost();
}

/* A frame whose tag was taken off, or put on: it begins elsewhere in its buffer. */
static void test_shifted(void **state)
{
	uint64_t word;
	uint8_t frame[64];

	make_machine(1500);
	open_up(64);
	make_frame(frame, sizeof frame, 7);
	for (int shift = -1; shift <= 1; shift++) {
		word = packet_word(spare[--spares], 64, 0);
		word = shift < 0 ? packet_push(word) : shift > 0 ? packet_pop(word) : word;
		word = packet_retake(word, 64, 0);
		memcpy(packet_frame(&buffers, word), frame, 64);
		assert_int_equal(dev->ops->tx(dev, 0, &word, 1), 1);
		ixgbe_model_poll(model);
		assert_int_equal(complete(0), 1);
	}
	assert_int_equal(sents, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_memory_equal(sent[i], frame, 64);
}

/* ---------------------------------------------------------------- what a device may not do */

/* Lengths beyond the buffer, or of none: the frame has no length, its buffer comes back. */
static void test_lies(void **state)
{
	uint8_t frame[100];
	uint64_t word[BATCH_MAX];

	options.rx_lies = true;
	make_machine(1500);
	open_up(64);
	refill_all();
	make_frame(frame, sizeof frame, 1);
	assert_true(ixgbe_model_receive(model, frame, sizeof frame));
	assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 1);
	assert_int_equal(packet_len(word[0]), 0);
	give_back(word, 1);
	expect_none_lost();
}

/* Writes a descriptor back as the device would. */
static void write_back(unsigned slot, uint32_t status, unsigned bytes)
{
	struct intel_rx_desc *desc = &intel_of(dev)->rx[0].ring[slot];

	*desc = (struct intel_rx_desc){0x1234, status, (uint16_t)bytes, 5};
}

static void test_odd_descriptors(void **state)
{
	static const struct {
		uint32_t status, bytes, expected;
	} odd[] = {
		{INTEL_RX_DD | INTEL_RX_EOP, 64, 64}, {INTEL_RX_DD, 2048, 0}, /* begins, */
		{INTEL_RX_DD, 2048, 0},                                       /* goes on, */
		{INTEL_RX_DD | INTEL_RX_EOP, 100, 0},                         /* ends */
		{INTEL_RX_DD | INTEL_RX_EOP, 65, 65},                         /* whole again */
		{INTEL_RX_DD | INTEL_RX_EOP | IXGBE_RX_ERROR, 66, 0}, /* the MAC found it bad */
		{INTEL_RX_DD | INTEL_RX_EOP, 0, 0}, {INTEL_RX_DD | INTEL_RX_EOP, 2048, 2048},
		{INTEL_RX_DD | INTEL_RX_EOP, 2049, 0}, {INTEL_RX_DD | INTEL_RX_EOP, 65535, 0},
		{INTEL_RX_DD | INTEL_RX_EOP | 0xdffffffcu, 67, 67}, /* checksums bad, and more */
	};
	enum { N = sizeof odd / sizeof *odd };

	for (unsigned step = 1; step <= N; step++) { /* in bursts of any size */
		uint64_t word[N];

		make_machine(1500);
		open_up(64);
		refill_all();
		for (unsigned i = 0; i < N; i++)
			write_back(i, odd[i].status, odd[i].bytes);
		for (unsigned i = 0, n; i < N; i += n) {
			n = dev->ops->rx(dev, 0, word, step);
			assert_true(n);
			for (unsigned k = 0; k < n; k++) {
				assert_int_equal(packet_len(word[k]), odd[i + k].expected);
				assert_int_equal(packet_flags(word[k]), 0);
			}
			give_back(word, n);
		}
		assert_int_equal(dev->ops->rx(dev, 0, word, N), 0);
		expect_none_lost();
		end_machine(state);
	}
	make_machine(1500);
}

/* The old status of descriptors that were taken but not posted again means nothing. */
static void test_stale_status(void **state)
{
	uint8_t frame[100];
	uint64_t word[BATCH_MAX];
	unsigned all = 0, n;

	make_machine(1500);
	open_up(64);
	refill_all();
	make_frame(frame, sizeof frame, 1);
	for (unsigned i = 0; i < 63; i++)
		assert_true(ixgbe_model_receive(model, frame, sizeof frame));
	assert_false(ixgbe_model_receive(model, frame, sizeof frame));
	for (unsigned i = 0; i < 10; i++) {
		n = dev->ops->rx(dev, 0, word, 20);
		give_back(word, n);
		all += n;
	}
	assert_int_equal(all, 63);
	expect_none_lost();
}

static void test_last_frames(void **state)
{
	struct netdev_frame last[BATCH_MAX];
	uint8_t frame[100];
	uint64_t word[BATCH_MAX];

	make_machine(1500);
	open_up(64);
	assert_int_equal(dev->ops->rx_last(dev, 0, last, BATCH_MAX), 0);
	refill_all();
	for (unsigned i = 0; i < 200; i++) {
		make_frame(frame, 60 + i % 40, i);
		assert_true(ixgbe_model_receive(model, frame, 60 + i % 40));
		assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 1);
		assert_true(dev->ops->rx_last(dev, 0, last, 3) >= 1);
		assert_int_equal(last[0].bytes, 60 + i % 40);
		assert_memory_equal(last[0].at, frame, 60 + i % 40);
		give_back(word, 1);
		if (i % 8 == 7)
			refill_all();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_wrap, end_machine),
		cmocka_unit_test_teardown(test_sizes, end_machine),
		cmocka_unit_test_teardown(test_jumbo, end_machine),
		cmocka_unit_test_teardown(test_other_chips, end_machine),
		cmocka_unit_test_teardown(test_longest, end_machine),
		cmocka_unit_test_teardown(test_full_tx, end_machine),
		cmocka_unit_test_teardown(test_shifted, end_machine),
		cmocka_unit_test_teardown(test_lies, end_machine),
		cmocka_unit_test_teardown(test_odd_descriptors, end_machine),
		cmocka_unit_test_teardown(test_stale_status, end_machine),
		cmocka_unit_test_teardown(test_last_frames, end_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
