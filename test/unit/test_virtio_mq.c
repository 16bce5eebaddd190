/* virtio-net with several queue pairs: the control queue, RSS, falling back to one, queues on many
 * cores. */
#include "test/unit/virtio_rings.h"

#include "lib/byteorder.h"

#define SLOTS 64u
#define PAIRS 8u /* of the device */

/* A device with PAIRS pairs, of which 4 are wanted. */
static void again(void)
{
	make_rings(SLOTS);
	virtio_model_multiqueue(&model, PAIRS);
	want.queue_pairs = 4;
}

/* The device is used with one pair, and one line says why. */
static void expect_one_pair(const char *why)
{
	probe_ok();
	assert_int_equal(dev->rx_queues, 1);
	assert_int_equal(dev->tx_queues, 1);
	assert_null(dev->steering);
	assert_int_equal(model_io.lines, 1);
	assert_non_null(strstr(model_io.line, "virtio-net 0000:00:03.0: one queue pair: "));
	if (!strstr(model_io.line, why))
		fail_msg("\"%s\" is not in \"%s\"", why, model_io.line);
	assert_int_equal(model.pairs, 1);
	assert_int_equal(model.accepted & (VIRTIO_MODEL_F_CTRL_VQ | VIRTIO_MODEL_F_MQ), 0);
	assert_int_equal(model.queue[2].enable, 0);
	expect_traffic();
}

static void expect_pairs(unsigned n, const char *steering)
{
	probe_ok();
	assert_int_equal(dev->rx_queues, n);
	assert_int_equal(dev->tx_queues, n);
	assert_int_equal(model.pairs, n);
	assert_int_equal(model_io.lines, 0);
	if (steering)
		assert_string_equal(dev->steering, steering);
	else
		assert_null(dev->steering);
	assert_null(model.complaint);
}

/* ---------------------------------------------------------------- how many */

static void gets_the_pairs_it_asks_for(void **state)
{
	static const struct {
		unsigned wanted, device, got;
	} c[] = {{4, 8, 4}, {4, 4, 4}, {4, 3, 3}, {2, 20, 2}, {16, 20, 16}, {20, 20, 16},
		{UINT32_MAX, 20, 16}};

	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		again();
		virtio_model_multiqueue(&model, c[i].device);
		want.queue_pairs = c[i].wanted;
		expect_pairs(c[i].got, "device");
		assert_int_equal(model.commands, 1);
		assert_int_equal(model.queue[2 * c[i].got].enable,
			c[i].got == c[i].device); /* the control queue, or none */
		expect_traffic();
	}
}

/* One pair needs no control queue, whatever the device offers. */
static void asks_nothing_for_one_pair(void **state)
{
	static const unsigned wanted[] = {1, 0};

	for (unsigned i = 0; i < 2; i++) {
		again();
		virtio_model_offer_rss(&model);
		want.queue_pairs = wanted[i];
		expect_pairs(1, NULL);
		assert_int_equal(model.commands, 0);
		assert_int_equal(model.accepted & (VIRTIO_MODEL_F_CTRL_VQ | VIRTIO_MODEL_F_MQ |
							  VIRTIO_MODEL_F_RSS),
			0);
	}
}

static void one_pair_is_all_it_has(void **state)
{
	static const uint16_t pairs[] = {0, 1, 0x8001, 0xffff};

	for (unsigned i = 0; i < 4; i++) {
		again();
		virtio_model_set_config(&model, 8, pairs[i]);
		expect_pairs(1, NULL);
		expect_traffic();
	}
	again();
	model.offered &= ~VIRTIO_MODEL_F_CTRL_VQ;
	expect_pairs(1, NULL);
	again();
	model.offered &= ~VIRTIO_MODEL_F_MQ;
	expect_pairs(1, NULL);
	again();
	pci_model_set(model.pci, 0x64 + 12, 4, 8); /* the field is beyond the end */
	expect_pairs(1, NULL);
}

/* ---------------------------------------------------------------- RSS */

/* The Toeplitz hash as its inventors wrote it: a window of 32 key bits slides along the input. */
static uint32_t toeplitz(const uint8_t *key, const uint8_t *in, unsigned bytes)
{
	uint32_t window = load_be32(key), hash = 0;

	for (unsigned bit = 0; bit < 8 * bytes; bit++) {
		if (in[bit / 8] >> (7 - bit % 8) & 1)
			hash ^= window;
		window = window << 1 | (key[4 + bit / 8] >> (7 - bit % 8) & 1);
	}
	return hash;
}

static unsigned rss_queue(uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	uint8_t in[12];

	store_be32(in, src);
	store_be32(in + 4, dst);
	store_be16(in + 8, sport);
	store_be16(in + 10, dport);
	return model.rss.table[toeplitz(model.rss.key, in, sizeof in) & (model.rss.entries - 1)];
}

static void toeplitz_is_right(void **state)
{
	/* The published example: 66.9.149.187:2794 to 161.142.100.80:1766. */
	static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
		0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
		0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac,
		0x01, 0xfa};
	static const uint8_t in[12] = {
		66, 9, 149, 187, 161, 142, 100, 80, 2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255};

	assert_int_equal(toeplitz(key, in, 12), 0x51ccc178);
}

static void configures_rss(void **state)
{
	static const unsigned wanted[] = {2, 3, 4, 7};

	for (unsigned i = 0; i < 4; i++) {
		unsigned n = wanted[i], entries[PAIRS] = {0};

		again();
		virtio_model_offer_rss(&model);
		want.queue_pairs = n;
		expect_pairs(n, "rss");
		assert_int_equal(model.commands, 1);
		assert_int_equal(model.rss.hash_types, 0x3f);
		assert_int_equal(model.rss.entries, 128);
		assert_int_equal(model.rss.tx_queues, n);
		assert_int_equal(model.rss.key_bytes, 40);
		for (unsigned e = 0; e < 128; e++)
			entries[model.rss.table[e]]++;
		for (unsigned q = 0; q < n; q++)
			assert_in_range(entries[q], 128 / n, (128 + n - 1) / n);
		expect_traffic();
	}
}

/* Both directions of a flow come to one queue, and flows spread evenly. */
static void rss_is_symmetric_and_even(void **state)
{
	unsigned flows[4] = {0};
	uint32_t seed = 1;

	virtio_model_offer_rss(&model);
	expect_pairs(4, "rss");
	for (unsigned i = 0; i < 10000; i++) {
		uint32_t src = 0x0a000000 | draw(&seed), dst = 0x0a000000 | draw(&seed);
		uint16_t sport = (uint16_t)draw(&seed), dport = (uint16_t)(i % 2 ? 80 : 53);
		unsigned q = rss_queue(src, dst, sport, dport);

		assert_int_equal(q, rss_queue(dst, src, dport, sport));
		flows[q]++;
	}
	for (unsigned q = 0; q < 4; q++)
		assert_in_range(flows[q], 2250, 2750);
	memset(flows, 0, sizeof flows);
	for (uint16_t port = 0; port < 4000; port++) /* between two hosts, ports differ */
		flows[rss_queue(0x0a000002, 0x0a000102, (uint16_t)(10000 + port), 5001)]++;
	for (unsigned q = 0; q < 4; q++)
		assert_in_range(flows[q], 800, 1200);
}

/* What a device of 5.1.4.1 has, or it spreads in its own way. */
static void rss_that_does_not_fit(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		again();
		virtio_model_offer_rss(&model);
		if (i == 0)
			model.config[17] = 39;
		if (i == 1)
			virtio_model_set_config(&model, 18, 127);
		if (i == 2)
			virtio_model_set_config(&model, 20, 0x3e); /* all but plain IPv4 */
		if (i == 3)
			pci_model_set(model.pci, 0x64 + 12, 4, 23); /* cut short */
		expect_pairs(4, "device");
		assert_int_equal(model.accepted & VIRTIO_MODEL_F_RSS, 0);
		again();
		virtio_model_offer_rss(&model);
		model.offered &= ~VIRTIO_MODEL_F_MQ;
		model.config[17] = 39;
		expect_pairs(1, NULL);
	}
}

static void rss_without_automatic_steering(void **state)
{
	virtio_model_offer_rss(&model);
	model.offered &= ~VIRTIO_MODEL_F_MQ;
	expect_pairs(4, "rss");
	again();
	virtio_model_offer_rss(&model);
	model.offered &= ~VIRTIO_MODEL_F_MQ;
	model.refuse_rss = true;
	expect_one_pair("refuses");
}

/* ---------------------------------------------------------------- refusals */

static void rss_refused(void **state)
{
	virtio_model_offer_rss(&model);
	model.refuse_rss = true;
	expect_pairs(4, "device");
	assert_int_equal(model.commands, 2);
	again();
	virtio_model_offer_rss(&model);
	model.refuse_rss = model.refuse_pairs = true;
	expect_one_pair("refuses more queue pairs");
	assert_int_equal(model.resets, 2);
}

static void pairs_refused(void **state)
{
	static const uint8_t refusal[] = {1, 2, 254};

	for (unsigned i = 0; i < 3; i++) {
		again();
		model.refuse_pairs = true;
		model.refusal = refusal[i];
		expect_one_pair("refuses more queue pairs");
	}
}

static void answers_late(void **state)
{
	model.control_slow = 5000;
	expect_pairs(4, "device");
	assert_in_range(model_io.now_us, 50000, 100000);
}

/* The wait is bounded; the device is reset, so that a late answer finds no queue. */
static void never_answers(void **state)
{
	model.control_mute = true;
	expect_one_pair("no sound answer on its control queue");
	assert_in_range(model_io.now_us, 1000000, 1100000);
	assert_int_equal(model.resets, 2);
	again();
	virtio_model_offer_rss(&model);
	model.control_mute = true;
	expect_one_pair("no sound answer on its control queue");
	assert_in_range(model_io.now_us, 1000000, 1100000); /* nothing more is asked of it */
	again();
	model.control_mute = true;
	model.reset_hangs = true;
	model.resets_good = 1;
	assert_null(probe());
	assert_non_null(strstr(model_io.line, "reset"));
	assert_int_equal(pci_model_get(model.pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
}

static void answers_nonsense(void **state)
{
	model.control_bad_id = true;
	expect_one_pair("no sound answer");
	again();
	model.control_no_ack = true;
	expect_one_pair("no sound answer");
	again();
	model.control_twice = true;
	if (rings)
		expect_pairs(4, "device"); /* the second is never looked at */
	else
		expect_one_pair("no sound answer");
}

static void queues_that_cannot_be_set_up(void **state)
{
	static const uint16_t bad[] = {0, 1, SLOTS - 1, SLOTS / 2};

	for (unsigned i = 0; i < 4; i++) {
		again();
		model.max_size[2 + i] = bad[i];
		expect_one_pair("differ in size");
	}
	for (unsigned i = 0; i < 2; i++) {
		again();
		model.max_size[2 * PAIRS] = (uint16_t)i;
		expect_one_pair("control queue is not usable");
	}
	again();
	model.queues = 2 * PAIRS; /* none at that number */
	expect_one_pair("control queue is not usable");
	again();
	virtio_model_set_config(&model, 8, 0x8000); /* its number has 17 bits */
	expect_one_pair("control queue is not usable");
	again();
	pci_model_set(model.pci, 0x50 + 12, 4, 8); /* doorbells of the first pair alone */
	expect_one_pair("doorbell");
}

static void control_queues_of_any_size(void **state)
{
	static const uint16_t size[] = {2, 4, 16, 64, 1024, 3, 5, 100};

	for (unsigned i = 0; i < (rings ? 8u : 5u); i++) {
		again();
		virtio_model_offer_rss(&model);
		model.max_size[2 * PAIRS] = size[i];
		model.refuse_rss = true; /* so that there are two commands */
		expect_pairs(4, "device");
		assert_int_equal(model.commands, 2);
		assert_in_range(model.queue[2 * PAIRS].size, 2, 16);
	}
}

/* Memory for the device, for some of it, for one pair only after the others: no crash, and it says
 * so. */
static void memory_that_does_not_suffice(void **state)
{
	unsigned pairs = 0, refused = 0;

	for (unsigned left = 0; left < 80; left++) {
		again();
		model_io.allocs_left = left;
		if (probe()) {
			assert_true(dev->rx_queues == 4 || model_io.lines == 1);
			pairs += dev->rx_queues;
			expect_traffic();
		} else {
			assert_non_null(strstr(model_io.line, "no memory"));
			refused++;
		}
	}
	assert_in_range(refused, 20, 60);
	assert_in_range(pairs, 80, 240);
}

/* What a queue's doorbell makes the device go on with may wait behind another queue's
 * frame. */
static void reminds_the_device(void **state)
{
	unsigned before[PAIRS];

	again();
	expect_pairs(4, "device");
	for (unsigned q = 0; q < 4; q++)
		before[q] = model.queue[2 * q].doorbells;
	uint64_t counted = dev->ops->doorbells(dev);

	dev->ops->poll(dev);
	assert_false(dev->failed);
	for (unsigned q = 0; q < 4; q++)
		assert_int_equal(model.queue[2 * q].doorbells, before[q] + 1);
	assert_int_equal(dev->ops->doorbells(dev), counted);

	again();
	want.queue_pairs = 1;
	probe_ok();
	dev->ops->poll(dev);
	assert_int_equal(model.queue[0].doorbells, 0);
}

int main(void)
{
#define SPLIT(f)                                                                                   \
	{                                                                                          \
#		f " (split)", f, set_up_split, end_machine, NULL                                  \
	}
#define PACKED(f)                                                                                  \
	{                                                                                          \
#		f " (packed)", f, set_up_packed, end_machine, NULL                                \
	}
#define CASE(f) SPLIT(f), PACKED(f)
	const struct CMUnitTest tests[] = {
		CASE(gets_the_pairs_it_asks_for),
		CASE(asks_nothing_for_one_pair),
		CASE(one_pair_is_all_it_has),
		cmocka_unit_test(toeplitz_is_right),
		CASE(configures_rss),
		CASE(rss_is_symmetric_and_even),
		CASE(rss_that_does_not_fit),
		CASE(rss_without_automatic_steering),
		CASE(rss_refused),
		CASE(pairs_refused),
		CASE(answers_late),
		CASE(never_answers),
		CASE(answers_nonsense),
		CASE(queues_that_cannot_be_set_up),
		CASE(control_queues_of_any_size),
		CASE(memory_that_does_not_suffice),
		CASE(reminds_the_device),
	};

	return cmocka_run_group_tests_name("virtio_mq", tests, NULL, NULL);
}
