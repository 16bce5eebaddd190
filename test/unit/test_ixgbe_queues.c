/* Unit tests: queues, filters and counts of ixgbe against the strict model. */
#include "test/unit/ixgbe_fixture.h"

#define HASH_BYTES 36u /* of IPv6 addresses and ports */

/* The Toeplitz hash with a key that begins anew after so many bytes. */
static uint32_t toeplitz(
	const uint8_t *key, unsigned key_bytes, const uint8_t *input, unsigned bytes)
{
	uint32_t hash = 0;

	for (unsigned bit = 0; bit < bytes * 8; bit++) {
		uint32_t window = 0;

		if (!(input[bit / 8] >> (7 - bit % 8) & 1))
			continue;
		for (unsigned k = bit; k < bit + 32; k++)
			window = window << 1 | (key[k / 8 % key_bytes] >> (7 - k % 8) & 1);
		hash ^= window;
	}
	return hash;
}

/* With the key that the driver gives the device. */
static uint32_t our_hash(const uint8_t *input, unsigned bytes)
{
	return toeplitz((const uint8_t *)"\x6d\x5a", 2, input, bytes);
}

/* The published vectors of RSS ("Verifying the RSS hash calculation", NDIS), with their own key. */
static void test_toeplitz(void **state)
{
	static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
		0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
		0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac,
		0x01, 0xfa};
	static const uint8_t a[12] = {
		66, 9, 149, 187, 161, 142, 100, 80, 2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255};
	static const uint8_t b[12] = {
		199, 92, 111, 2, 65, 69, 140, 83, 14230 >> 8, 14230 & 255, 4739 >> 8, 4739 & 255};

	assert_int_equal(toeplitz(key, 40, a, 12), 0x51ccc178);
	assert_int_equal(toeplitz(key, 40, a, 8), 0x323e8fc2);
	assert_int_equal(toeplitz(key, 40, b, 12), 0xc626b0ea);
	assert_int_equal(toeplitz(key, 40, b, 8), 0xd718262a);
}

/* An IPv4 or IPv6 frame of UDP; its input to the hash. Returns the bytes of that. */
static unsigned make_flow(uint8_t *frame, bool six, uint32_t *seed, uint8_t *input)
{
	static const uint8_t type4[2] = {0x08, 0x00}, type6[2] = {0x86, 0xdd};
	static const uint8_t header4[] = {0x45, 0, 0, 86, 0, 0, 0, 0, 64, 17};
	static const uint8_t header6[] = {0x60, 0, 0, 0, 0, 46, 17, 64};
	unsigned addresses = six ? 32 : 8, ip = six ? 40 : 20;

	memset(frame, 0, 100);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	memcpy(frame + 12, six ? type6 : type4, 2);
	for (unsigned i = 0; i < addresses + 4; i++)
		input[i] = (uint8_t)draw(seed);
	if (six)
		memcpy(frame + 14, header6, sizeof header6);
	else
		memcpy(frame + 14, header4, sizeof header4);
	memcpy(frame + 14 + ip - addresses, input, addresses);
	memcpy(frame + 14 + ip, input + addresses, 4);
	frame[14 + ip + 5] = (uint8_t)(100 - 14 - ip);
	return addresses + 4;
}

/* Which queue a frame came to. */
static unsigned arrives_at(const uint8_t *frame, unsigned bytes)
{
	uint64_t word[2];
	unsigned where = 99;

	assert_true(ixgbe_model_receive(model, frame, bytes));
	for (unsigned q = 0; q < dev->rx_queues; q++) {
		unsigned n = dev->ops->rx(dev, q, word, 2);

		if (!n)
			continue;
		assert_int_equal(n, 1);
		assert_int_equal(where, 99);
		where = q;
		give_back(word, n);
		refill(q);
	}
	assert_true(where != 99);
	return where;
}

static void swap(uint8_t *a, uint8_t *b, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		uint8_t t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

/* Each flow where the hash says, both its directions; all queues have some. */
static void check_rss(unsigned queues)
{
	uint8_t frame[100], input[HASH_BYTES];
	unsigned hits[16] = {0};
	uint32_t seed = queues;

	want.queue_pairs = queues;
	open_up(128);
	assert_int_equal(dev->rx_queues, queues);
	assert_int_equal(dev->tx_queues, queues);
	if (queues > 1)
		assert_string_equal(dev->steering, "rss");
	refill_all();
	for (unsigned i = 0; i < 400; i++) {
		bool six = i % 3 == 0;
		unsigned bytes = make_flow(frame, six, &seed, input), ip = six ? 40 : 20;
		unsigned a = six ? 16 : 4, entries = options.device_id == 0x1563 ? 512 : 128;
		unsigned expected = our_hash(input, bytes) % entries % queues;

		assert_int_equal(arrives_at(frame, 100), expected);
		hits[expected]++;
		swap(frame + 14 + ip - a, frame + 14 + ip - 2 * a, a);
		swap(frame + 14 + ip, frame + 14 + ip + 2, 2);
		assert_int_equal(arrives_at(frame, 100), expected);
	}
	for (unsigned q = 0; q < queues; q++)
		assert_true(hits[q] > 0);
	expect_none_lost();
}

static void test_rss(void **state)
{
	static const unsigned queues[] = {1, 2, 3, 4, 7, 8, 15, 16};

	for (unsigned i = 0; i < sizeof queues / sizeof *queues; i++) {
		make_machine(1500);
		check_rss(queues[i]);
		end_machine(state);
	}
	options.device_id = 0x1563;
	options.media = IXGBE_MODEL_BASE_T;
	make_machine(1500);
	check_rss(5);
}

/* Sixteen are the most; each queue sends. */
static void test_many_tx(void **state)
{
	uint64_t word;

	make_machine(1500);
	want.queue_pairs = 40;
	open_up(64);
	assert_int_equal(dev->tx_queues, 16);
	for (unsigned i = 0; i < 16 * 200; i++) {
		word = packet_word(spare[--spares], 60, 0);
		make_frame(packet_frame(&buffers, word), 60, i);
		assert_int_equal(dev->ops->tx(dev, i % 16, &word, 1), 1);
		ixgbe_model_poll(model);
		assert_int_equal(complete(i % 16), 1);
	}
	assert_int_equal(sents, 16 * 200);
	assert_int_equal(dev->ops->doorbells(dev), 16 * 200);
	expect_none_lost();
}

/* A queue without buffers drops; the others do not notice. */
static void test_drop_per_queue(void **state)
{
	uint8_t frame[100], input[HASH_BYTES];
	uint32_t seed = 1;
	unsigned lost = 0;

	make_machine(1500);
	want.queue_pairs = 4;
	open_up(64);
	for (unsigned q = 1; q < 4; q++)
		refill(q);
	for (unsigned i = 0; i < 200; i++) {
		unsigned bytes = make_flow(frame, false, &seed, input);

		if (our_hash(input, bytes) % 128 % 4 == 0)
			lost += !ixgbe_model_receive(model, frame, 100);
		else
			arrives_at(frame, 100);
	}
	assert_true(lost > 20);
	poll_for(COUNT_US);
	assert_int_equal(statistic("rx-no-descriptor"), lost);
	poll_for(COUNT_US);
	assert_int_equal(statistic("rx-no-descriptor"), lost);
	assert_int_equal(statistic("rx-missed"), 0);
}

/* With flow control nothing is dropped for lack of buffers, but waits; and without it again, as
 * before. */
static void test_flow_control(void **state)
{
	uint8_t frame[100];
	uint64_t word[BATCH_MAX];
	unsigned n, all = 0;

	make_machine(1500);
	open_up(64);
	assert_false(dev->flow_control);
	assert_true(dev->ops->flow_control(dev, true));
	assert_true(dev->flow_control);
	make_frame(frame, sizeof frame, 1);
	for (unsigned round = 0; round < 2; round++) { /* the second one after a reset */
		refill_all();
		for (unsigned i = 0; i < 100; i++)
			assert_true(ixgbe_model_receive(model, frame, sizeof frame));
		for (unsigned i = 0; i < 10; i++) {
			ixgbe_model_poll(model);
			n = dev->ops->rx(dev, 0, word, BATCH_MAX);
			give_back(word, n);
			refill_all();
			all += n;
		}
		assert_int_equal(all, 100 * (round + 1));
		intel_fail(intel_of(dev), "for a test", false);
		for (unsigned k = 0; k < 50 && (dev->failed || !dev->link); k++) {
			poll_for(POLL_US);
			assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 0);
			complete(0);
		}
	}
	poll_for(COUNT_US);
	assert_int_equal(statistic("rx-no-descriptor"), 0);
	assert_true(dev->ops->flow_control(dev, false));
	for (unsigned i = 0; i < 63; i++)
		assert_true(ixgbe_model_receive(model, frame, sizeof frame));
	assert_false(ixgbe_model_receive(model, frame, sizeof frame));
	expect_none_lost();
}

/* ---------------------------------------------------------------- filters, counts */

static bool comes_in(const uint8_t *to, int vid)
{
	uint8_t frame[64];
	uint64_t word;
	unsigned n;

	make_frame(frame, sizeof frame, 1);
	memcpy(frame, to, 6);
	if (vid >= 0) {
		frame[12] = 0x81;
		frame[13] = 0;
		frame[14] = (uint8_t)(vid >> 8);
		frame[15] = (uint8_t)vid;
	}
	ixgbe_model_receive(model, frame, sizeof frame);
	n = dev->ops->rx(dev, 0, &word, 1);
	give_back(&word, n);
	refill_all();
	return n;
}

static void check_filters(void)
{
	static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
	static const uint8_t group[6] = {0x33, 0x33, 0xff, 1, 2, 3}, other[6] = {2, 9, 9, 9, 9, 9};

	assert_true(comes_in(dev->mac, -1));
	assert_true(comes_in(all, -1));
	assert_true(comes_in(group, -1));
	assert_false(comes_in(other, -1));
	assert_true(comes_in(all, 0));
	assert_true(comes_in(all, 100));
	assert_true(comes_in(dev->mac, 4094));
	assert_false(comes_in(all, 101));
	assert_false(comes_in(all, 68)); /* the same bit of another word */
}

static void test_filters(void **state)
{
	static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
	uint64_t word[BATCH_MAX];

	make_machine(1500);
	open_up(64);
	refill_all();
	assert_true(dev->vlan_filter);
	assert_false(comes_in(all, 100));
	assert_true(dev->ops->vlan(dev, 100, true));
	assert_true(dev->ops->vlan(dev, 4094, true));
	assert_true(dev->ops->vlan(dev, 7, true));
	assert_true(comes_in(all, 7));
	assert_true(dev->ops->vlan(dev, 7, false));
	assert_false(comes_in(all, 7));
	check_filters();
	/* And the same after a reset. */
	intel_fail(intel_of(dev), "for a test", false);
	for (unsigned i = 0; i < 50 && (dev->failed || !dev->link); i++) {
		poll_for(POLL_US);
		assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 0);
		complete(0);
	}
	assert_true(dev->link);
	check_filters();
	expect_none_lost();
}

/* 64 bits of registers that have fewer and forget what was read. */
static void test_statistics(void **state)
{
	uint8_t frame[1000];
	uint64_t word[BATCH_MAX], bytes = 0, frames = 0;

	make_machine(1500);
	open_up(64);
	refill_all();
	for (unsigned i = 0; i < 3000; i++) {
		make_frame(frame, sizeof frame, i);
		assert_true(ixgbe_model_receive(model, frame, sizeof frame));
		assert_int_equal(dev->ops->rx(dev, 0, word, 1), 1);
		assert_int_equal(dev->ops->tx(dev, 0, word, 1), 1);
		ixgbe_model_poll(model);
		forget_sent();
		complete(0);
		refill_all();
		frames++;
		bytes += sizeof frame + 4; /* with FCS */
		if (i % 100 == 0)
			poll_for(POLL_US);
	}
	for (unsigned i = 0; i < 5; i++)
		ixgbe_model_receive_bad(model, 200, false);
	poll_for(COUNT_US);
	assert_int_equal(statistic("rx-frames"), frames);
	assert_int_equal(statistic("rx-bytes"), bytes);
	assert_int_equal(statistic("tx-frames"), frames);
	assert_int_equal(statistic("tx-bytes"), bytes);
	assert_int_equal(statistic("rx-crc"), 5);
	assert_int_equal(statistic("rx-no-descriptor"), 0);
}

/* Registers at their end: what a poll adds is whole, and the sum goes on beyond 32 bits. */
static uint32_t full_register;

static uint64_t read_full(void *ctx, uint64_t at, unsigned bytes)
{
	return full_register;
}

static void ignore_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
}

static void test_statistics_beyond_32_bits(void **state)
{
	uint64_t before;

	make_machine(1500);
	open_up(64);
	poll_for(COUNT_US);
	before = statistic("rx-bytes");
	model_add_memory(BAR + IXGBE_CRCERRS, 4, read_full, ignore_write, NULL);
	model_add_memory(BAR + IXGBE_GORCL, 8, read_full, ignore_write, NULL);
	full_register = UINT32_MAX;
	for (unsigned i = 0; i < 3; i++) {
		intel_of(dev)->counted = 0;
		for (unsigned k = 0; k < 6;
			k++) /* three counters of seventeen each, and one again */
			dev->ops->poll(dev);
	}
	assert_int_equal(statistic("rx-crc"), 3 * (uint64_t)UINT32_MAX);
	assert_int_equal(statistic("rx-bytes") - before, 3 * 0xfffffffffull);
}

/* Tags of cores: told to the device, kept over a reset; the X550 has none. */
static void test_dca(void **state)
{
	make_machine(1500);
	want.queue_pairs = 2;
	open_up(64);
	assert_false(dev->dca);
	assert_true(ixgbe_read(ixgbe_of(dev), IXGBE_DCA_CTRL) & IXGBE_DCA_CTRL_OFF);
	assert_true(dev->ops->dca(dev, false, 1, 0x42));
	assert_true(dev->ops->dca(dev, true, 0, 0x17));
	assert_true(dev->dca);
	for (unsigned i = 0; i < 2; i++) {
		const struct ixgbe *x = ixgbe_of(dev);

		assert_int_equal(ixgbe_read(x, IXGBE_DCA_RXCTRL(1)) >> 24, 0x42);
		assert_true(ixgbe_read(x, IXGBE_DCA_RXCTRL(1)) & IXGBE_DCA_RX_DATA);
		assert_false(ixgbe_read(x, IXGBE_DCA_RXCTRL(1)) & IXGBE_DCA_RX_RESERVED);
		assert_int_equal(ixgbe_read(x, IXGBE_DCA_TXCTRL(0)) >> 24, 0x17);
		assert_false(ixgbe_read(x, IXGBE_DCA_CTRL) & IXGBE_DCA_CTRL_OFF);
		intel_fail(intel_of(dev), "for a test", false);
		for (unsigned k = 0; k < 50 && dev->failed; k++) {
			poll_for(POLL_US);
			for (unsigned q = 0; q < 2; q++) {
				dev->ops->rx(dev, q, NULL, 0);
				complete(q);
			}
		}
		assert_false(dev->failed);
	}
	end_machine(state);
	options.device_id = 0x1563;
	options.media = IXGBE_MODEL_BASE_T;
	make_machine(1500);
	open_up(64);
	assert_false(dev->ops->dca(dev, false, 0, 1));
	assert_false(dev->dca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_toeplitz),
		cmocka_unit_test_teardown(test_rss, end_machine),
		cmocka_unit_test_teardown(test_many_tx, end_machine),
		cmocka_unit_test_teardown(test_drop_per_queue, end_machine),
		cmocka_unit_test_teardown(test_flow_control, end_machine),
		cmocka_unit_test_teardown(test_filters, end_machine),
		cmocka_unit_test_teardown(test_statistics, end_machine),
		cmocka_unit_test_teardown(test_statistics_beyond_32_bits, end_machine),
		cmocka_unit_test_teardown(test_dca, end_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
