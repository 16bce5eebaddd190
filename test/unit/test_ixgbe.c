/* Unit tests: an ixgbe port comes up, or says why not; its link, its failures, its end. */
#include "test/unit/ixgbe_fixture.h"

#include "drivers/pci_regs.h"
#include "test/model/pci_model.h"

/* ---------------------------------------------------------------- bring-up */

static void test_every_kind_comes_up(void **state)
{
	static const struct {
		uint16_t id;
		enum ixgbe_model_media media;
	} kind[] = {
		{0x10fb, IXGBE_MODEL_SFP},
		{0x154d, IXGBE_MODEL_SFP},
		{0x1557, IXGBE_MODEL_SFP},
		{0x10f7, IXGBE_MODEL_KX4},
		{0x10f8, IXGBE_MODEL_KX4},
		{0x151c, IXGBE_MODEL_BASE_T},
		{0x1528, IXGBE_MODEL_BASE_T},
		{0x1563, IXGBE_MODEL_BASE_T},
		{0x15d1, IXGBE_MODEL_BASE_T},
	};

	for (unsigned i = 0; i < sizeof kind / sizeof *kind; i++) {
		options.device_id = kind[i].id;
		options.media = kind[i].media;
		memcpy(options.mac, "\x02\x11\x22\x33\x44\x55", 6);
		make_machine(1500);
		open_up(512);
		assert_memory_equal(dev->mac, "\x02\x11\x22\x33\x44\x55", 6);
		assert_int_equal(dev->rx_slots, 511);
		assert_int_equal(dev->mtu_max, 9000);
		assert_int_equal(dev->speed_mbps, 10000);
		assert_string_equal(dev->driver, "ixgbe");
		assert_string_equal(dev->location, "0000:03:00.0");
		assert_false(dev->failed);
		assert_int_equal(model_io.lines, 0);
		end_machine(state);
	}
	make_machine(1500);
}

/* Each wait that never ends is bounded, and one line names it. */
static void test_waits_end(void **state)
{
	static const struct {
		size_t option;
		const char *line;
	} stuck[] = {
		{offsetof(struct ixgbe_model_options, reset_stuck), "CTRL.RST"},
		{offsetof(struct ixgbe_model_options, autoread_stuck), "EEC.ARD"},
		{offsetof(struct ixgbe_model_options, eerd_stuck), "EERD.DONE"},
		{offsetof(struct ixgbe_model_options, checksum_bad), "checksum"},
		{offsetof(struct ixgbe_model_options, dma_init_stuck), "RDRXCTL.DMAIDONE"},
		{offsetof(struct ixgbe_model_options, rx_enable_stuck), "RXDCTL.ENABLE"},
		{offsetof(struct ixgbe_model_options, tx_enable_stuck), "TXDCTL.ENABLE"},
		{offsetof(struct ixgbe_model_options, gone), "as ones"},
	};

	for (unsigned i = 0; i < sizeof stuck / sizeof *stuck; i++) {
		*((bool *)&options + stuck[i].option) = true;
		make_machine(1500);
		assert_null(open_port(512));
		if (!strstr(refusal, stuck[i].line))
			fail_msg("\"%s\" is not in \"%s\"", stuck[i].line, refusal);
		assert_non_null(strstr(model_io.line, refusal));
		assert_int_equal(model_io.lines, 1);
		assert_true(model_io.now_us < 3000000);
		assert_true(cut);
		end_machine(state);
	}
	make_machine(1500);
}

/* Looks at what is written to one register on its way to the device. */
static struct {
	uint32_t at, set; /* bits that were ever written as 1, */
	uint32_t mask;    /* and writes with any of these */
	unsigned times;
} spy;

static uint64_t spy_read(void *ctx, uint64_t at, unsigned bytes)
{
	return ixgbe_model_read(model, spy.at + at, bytes);
}

static void spy_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	spy.set |= (uint32_t)v;
	spy.times += (v & spy.mask) != 0;
	ixgbe_model_write(model, spy.at + at, bytes, v);
}

static void spy_on(uint32_t at, uint32_t mask)
{
	memset(&spy, 0, sizeof spy);
	spy.at = at;
	spy.mask = mask;
	model_add_memory(BAR + at, 4, spy_read, spy_write, NULL);
}

/* DMA that does not end is no reason to refuse a port: it is reset twice. */
static void test_stuck_master(void **state)
{
	options.master_stuck = true;
	make_machine(1500);
	spy_on(IXGBE_CTRL, IXGBE_CTRL_RST);
	open_up(512);
	assert_true(model_io.now_us < 5000000);
	assert_int_equal(spy.times, 2);
}

/* Nobody's EEPROM is checked then, and the link comes as firmware has set it up, or not. */
static void test_stuck_semaphore(void **state)
{
	options.semaphore_stuck = true;
	make_machine(1500);
	assert_non_null(open_port(512));
	assert_int_equal(model_io.lines, 1);
	assert_non_null(strstr(model_io.line, "SW_FW_SYNC"));
	assert_true(model_io.now_us < 3000000);
	poll_for(60000000);
	assert_true(model_io.lines <= 2);
	assert_false(dev->failed);
}

/* Each allocation fails in its turn. */
static void test_no_memory(void **state)
{
	unsigned n;

	for (n = 0; n < 20; n++) {
		make_machine(1500);
		model_io.allocs_left = n;
		if (open_port(512))
			break;
		assert_non_null(strstr(refusal, "no memory"));
		end_machine(state);
	}
	assert_int_equal(n, 6);
}

/* As the kernel finds it: a PCI function. */
static void test_probe(void **state)
{
	static const struct pci_host host = {.ecam = (volatile void *)PCI_MODEL_ECAM,
		.bus_last = 255,
		.window = PCI_MODEL_LOW,
		.window_bytes = 0x10000000};
	static struct pci_model segment;
	static struct pci pci;
	struct pci_model_function *f;

	make_machine(1500);
	pci_model_init(&segment);
	f = pci_model_add(&segment, 0, 3, 0, 0x8086, 0x10fb);
	pci_model_bar(f, 0, IXGBE_MODEL_BAR_BYTES, 0, 4);
	pci_model_behind(
		f, 0, IXGBE_MODEL_BAR_BYTES, ixgbe_model_mmio_read, ixgbe_model_mmio_write, model);
	assert_int_equal(pci_scan(&pci, &host, &model_env), 1);
	assert_true(ixgbe_match(&pci.function[0]));
	dev = ixgbe_probe(&pci, &pci.function[0], &want, &model_env);
	assert_non_null(dev);
	assert_string_equal(dev->location, "0000:00:03.0");
	assert_int_equal(
		pci_model_get(f, PCI_COMMAND, 2) & 7, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	dev->ops->stop(dev);
	assert_int_equal(pci_model_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	pci.function[0].device_id = 0x10c6; /* an 82598 */
	assert_false(ixgbe_match(&pci.function[0]));
}

/* ---------------------------------------------------------------- link */

static void test_link_comes_and_goes(void **state)
{
	static const enum ixgbe_model_media media[] = {
		IXGBE_MODEL_SFP, IXGBE_MODEL_SFP_ODD, IXGBE_MODEL_KX4};

	for (unsigned i = 0; i < sizeof media / sizeof *media; i++) {
		options.media = media[i];
		options.no_cable = true;
		make_machine(1500);
		spy_on(IXGBE_AUTOC, IXGBE_AUTOC_RESTART);
		assert_non_null(open_port(512));
		poll_for(60000000);
		assert_false(dev->link);
		assert_in_range(spy.times, 10, 13); /* each five seconds */
		if (media[i] != IXGBE_MODEL_KX4)
			assert_true(spy.set & IXGBE_AUTOC_LMS_SERIAL);
		ixgbe_model_set_link(model, true);
		poll_for(25000000);
		assert_true(dev->link);
		ixgbe_model_set_link(model, false);
		poll_for(1000000);
		assert_false(dev->link);
		ixgbe_model_set_link(model, true);
		poll_for(25000000);
		assert_true(dev->link);
		assert_false(dev->failed);
		assert_int_equal(model_io.lines, media[i] == IXGBE_MODEL_SFP_ODD);
		if (media[i] == IXGBE_MODEL_SFP_ODD)
			assert_non_null(strstr(model_io.line, "none that is known"));
		end_machine(state);
	}
	make_machine(1500);
}

static void test_no_link(void **state)
{
	options.media = IXGBE_MODEL_SFP_ABSENT;
	make_machine(1500);
	assert_non_null(open_port(512));
	assert_true(model_io.now_us < 1000000);
	poll_for(60000000);
	assert_false(dev->link);
	assert_false(dev->failed);
	end_machine(state);
	options.link_stuck = true;
	make_machine(1500);
	assert_non_null(open_port(512));
	poll_for(60000000);
	assert_false(dev->link);
	assert_false(dev->failed);
}

/* ---------------------------------------------------------------- ends */

/* Frames in both rings, the device busy with them. */
static void load(unsigned slots)
{
	uint8_t frame[300];
	uint64_t word[BATCH_MAX];
	unsigned n;

	open_up(slots);
	refill_all();
	for (unsigned i = 0; i < slots / 2; i++) {
		make_frame(frame, sizeof frame, i);
		ixgbe_model_receive(model, frame, sizeof frame);
	}
	ixgbe_model_options(model)->tx_hang = true;
	while ((n = dev->ops->rx(dev, 0, word, 16)))
		assert_int_equal(dev->ops->tx(dev, 0, word, n), n);
	refill_all();
	assert_int_equal(dev->ops->tx_held(dev, 0), slots / 2);
	expect_none_lost();
}

static void test_stop_while_loaded(void **state)
{
	make_machine(1500);
	load(256);
	dev->ops->stop(dev);
	expect_failure("stopped");
	assert_false(dev->link);
	assert_true(cut);
	assert_int_equal(complete(0), 128);
	assert_int_equal(dev->ops->rx_room(dev, 0), 0);
	expect_none_lost();
	dev->ops->stop(dev); /* again, as a reboot after a failure does */
	poll_for(1000000);
	expect_failure("stopped");
}

static void test_gone(void **state)
{
	make_machine(1500);
	load(256);
	ixgbe_model_remove(model);
	poll_for(POLL_US);
	expect_failure("gone");
	assert_false(dev->link);
	assert_int_equal(complete(0), 128);
	assert_int_equal(dev->ops->rx(dev, 0, NULL, 0), 0);
	poll_for(10000000);
	expect_failure("gone");
	expect_none_lost();
	dev->ops->stop(dev);
	assert_true(cut);
}

/* The frames of a queue that stands still come back, those of others go on meanwhile. */
static void test_hang(void **state)
{
	uint8_t frame[300];
	uint64_t word[BATCH_MAX];

	make_machine(1500);
	load(256);
	poll_for(4000000);
	assert_false(dev->failed);
	while (!dev->failed && model_io.now_us < 60000000)
		poll_for(POLL_US);
	expect_failure("stands still");
	assert_false(dev->link);
	assert_int_equal(complete(0), 0); /* not before the device is reset, */
	poll_for(500000);
	assert_false(intel_of(dev)->halted); /* and that not before each core has seen it */
	assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 0);
	poll_for(1000000);
	assert_int_equal(complete(0), 128);
	ixgbe_model_options(model)->tx_hang = false;
	for (unsigned i = 0; i < 30 && dev->failed; i++) {
		poll_for(POLL_US);
		assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 0);
		complete(0);
	}
	assert_false(dev->failed);
	assert_false(cut);
	expect_none_lost();
	poll_for(3000000);
	assert_true(dev->link);
	assert_int_equal(statistic("resets"), 1);
	/* And it works: the buffers that were in the ring are still there. */
	refill_all();
	forget_sent();
	for (unsigned i = 0; i < 1000; i++) {
		make_frame(frame, sizeof frame, i);
		assert_true(ixgbe_model_receive(model, frame, sizeof frame));
		assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 1);
		assert_memory_equal(packet_frame(&buffers, word[0]), frame, sizeof frame);
		assert_int_equal(dev->ops->tx(dev, 0, word, 1), 1);
		ixgbe_model_poll(model);
		complete(0);
		refill_all();
		assert_int_equal(sents, i + 1);
	}
	expect_none_lost();
}

/* Frames on their way when the link goes do not stay in the ring until it comes again. */
static void test_drain_without_link(void **state)
{
	uint64_t word[BATCH_MAX];

	make_machine(1500);
	load(256);
	ixgbe_model_set_link(model, false);
	for (unsigned i = 0; i < 30; i++) {
		poll_for(POLL_US);
		assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 0);
		complete(0);
	}
	assert_false(dev->link);
	assert_false(dev->failed);
	assert_int_equal(dev->ops->tx_held(dev, 0), 0);
	expect_none_lost();
	ixgbe_model_options(model)->tx_hang = false;
	ixgbe_model_set_link(model, true);
	poll_for(25000000);
	assert_true(dev->link);
}

/* A core that looks late is no hang. */
static void test_late_core(void **state)
{
	uint8_t frame[300];
	uint64_t word[BATCH_MAX];

	make_machine(1500);
	open_up(256);
	refill_all();
	make_frame(frame, sizeof frame, 1);
	assert_true(ixgbe_model_receive(model, frame, sizeof frame));
	assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 1);
	assert_int_equal(dev->ops->tx(dev, 0, word, 1), 1);
	poll_for(60000000);
	assert_false(dev->failed);
	/* One that has seen that all is sent, and has taken some of it. */
	for (unsigned i = 0; i < 40; i++) {
		word[1] = packet_word(spare[--spares], sizeof frame, 0);
		assert_int_equal(dev->ops->tx(dev, 0, word + 1, 1), 1);
	}
	assert_int_equal(dev->ops->tx_done(dev, 0, word, 5), 5);
	give_back(word, 5);
	intel_of(dev)->tx[0].ring[0].control = 0;
	poll_for(60000000);
	assert_false(dev->failed);
	assert_int_equal(complete(0), 36);
}

/* The reset of a hung device ends in nothing: it is out of use, no buffer is lost. */
static void test_hang_for_good(void **state)
{
	uint64_t word[BATCH_MAX];

	make_machine(1500);
	load(256);
	ixgbe_model_options(model)->reset_stuck = true;
	for (unsigned i = 0; i < 100; i++) {
		poll_for(POLL_US);
		dev->ops->rx(dev, 0, word, BATCH_MAX);
		complete(0);
	}
	expect_failure("CTRL.RST");
	assert_true(cut);
	assert_int_equal(dev->ops->tx_held(dev, 0), 0);
	expect_none_lost();
	end_machine(state);

	make_machine(1500);
	load(256);
	ixgbe_model_options(model)->rx_enable_stuck = true;
	for (unsigned i = 0; i < 100; i++) {
		poll_for(POLL_US);
		dev->ops->rx(dev, 0, word, BATCH_MAX);
		complete(0);
	}
	expect_failure("RXDCTL.ENABLE");
	assert_true(cut);
	expect_none_lost();
	end_machine(state);

	/* And one that goes away while it is being reset. */
	make_machine(1500);
	load(256);
	while (!dev->failed)
		poll_for(POLL_US);
	ixgbe_model_remove(model);
	for (unsigned i = 0; i < 100; i++) {
		poll_for(POLL_US);
		dev->ops->rx(dev, 0, word, BATCH_MAX);
		complete(0);
	}
	assert_true(dev->failed);
	assert_true(cut);
	assert_int_equal(dev->ops->tx_held(dev, 0), 0);
	expect_none_lost();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_every_kind_comes_up, end_machine),
		cmocka_unit_test_teardown(test_waits_end, end_machine),
		cmocka_unit_test_teardown(test_stuck_master, end_machine),
		cmocka_unit_test_teardown(test_stuck_semaphore, end_machine),
		cmocka_unit_test_teardown(test_no_memory, end_machine),
		cmocka_unit_test_teardown(test_probe, end_machine),
		cmocka_unit_test_teardown(test_link_comes_and_goes, end_machine),
		cmocka_unit_test_teardown(test_no_link, end_machine),
		cmocka_unit_test_teardown(test_stop_while_loaded, end_machine),
		cmocka_unit_test_teardown(test_gone, end_machine),
		cmocka_unit_test_teardown(test_hang, end_machine),
		cmocka_unit_test_teardown(test_drain_without_link, end_machine),
		cmocka_unit_test_teardown(test_late_core, end_machine),
		cmocka_unit_test_teardown(test_hang_for_good, end_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
