/* virtio-net against a modelled device: bring-up, refusals, link, failure and stop. */
#include "test/unit/virtio_fixture.h"

#define SLOTS 256u

static int set_up(void **state)
{
	make_machine(SLOTS, 1500);
	return 0;
}

/* The device is refused, with one line that says why, and is left without DMA. */
static void refused(const char *why)
{
	assert_null(probe());
	assert_int_equal(model_io.lines, 1);
	assert_non_null(strstr(model_io.line, "virtio-net 0000:00:03.0: refused: "));
	if (!strstr(model_io.line, why))
		fail_msg("\"%s\" is not in \"%s\"", why, model_io.line);
	assert_int_equal(pci_model_get(model.pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	assert_int_equal(model.starts, 0);
}

static void brings_the_device_up(void **state)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

	probe_ok();
	assert_int_equal(model.status, 0x0f);
	assert_int_equal(model.accepted, model.offered);
	assert_memory_equal(dev->mac, mac, 6);
	assert_string_equal(dev->driver, "virtio-net");
	assert_string_equal(dev->location, "0000:00:03.0");
	assert_int_equal(dev->mtu_max, 1500);
	assert_int_equal(dev->rx_slots, SLOTS);
	assert_int_equal(dev->tx_slots, SLOTS);
	assert_int_equal(dev->rx_queues, 1);
	assert_true(dev->link);
	assert_false(dev->failed);
	assert_int_equal(pci_model_get(model.pci, PCI_COMMAND, 2), 0x0406);
	assert_int_equal(dev->ops->doorbells(dev), 0);
	assert_int_equal(model_io.lines, 0);
	assert_int_equal(model_io.strays, 0);
}

static void accepts_nothing_it_does_not_know(void **state)
{
	model.offered = ~UINT64_C(0);
	probe_ok();
	assert_int_equal(model.accepted, VIRTIO_MODEL_F_MTU | VIRTIO_MODEL_F_MAC |
						 VIRTIO_MODEL_F_STATUS | VIRTIO_MODEL_F_VERSION_1 |
						 VIRTIO_MODEL_F_RING_PACKED);
}

/* Packed rings are taken where they are offered; their size need be no power of two. */
static void takes_packed_rings(void **state)
{
	static const uint16_t size[] = {64, 65, 100, 127, 128, 255, 1000, 1023, 1024, 32768};
	static const uint16_t used[] = {64, 64, 64, 64, 128, 128, 512, 512, 1024, 1024};

	probe_ok();
	assert_string_equal(dev->rings, "split");
	for (unsigned i = 0; i < sizeof size / sizeof *size; i++) {
		set_up(state);
		model.offered |= VIRTIO_MODEL_F_RING_PACKED;
		model.max_size[VIRTIO_MODEL_RX] = size[i];
		probe_ok();
		assert_string_equal(dev->rings, "packed");
		assert_int_equal(dev->rx_slots, used[i]);
		assert_int_equal(model.queue[VIRTIO_MODEL_RX].size, used[i]);
		assert_int_equal(dev->tx_slots, SLOTS);
		assert_null(model.complaint);
	}
	set_up(state);
	model.offered |= VIRTIO_MODEL_F_RING_PACKED;
	model.max_size[VIRTIO_MODEL_RX] = 63;
	refused("size");
}

static void does_without_what_is_not_offered(void **state)
{
	static const uint8_t mac[6] = {0x02, 0x62, 0x77, 0, 0, 0x18};

	model.offered = VIRTIO_MODEL_F_VERSION_1;
	memset(model.config, 0, sizeof model.config);
	probe_ok();
	assert_memory_equal(dev->mac, mac, 6);
	assert_int_equal(dev->mtu_max, 9000);
	assert_true(dev->link);
	dev->ops->poll(dev);
	assert_true(dev->link);
}

static void takes_the_smaller_ring(void **state)
{
	model.max_size[VIRTIO_MODEL_RX] = 4096;
	model.max_size[VIRTIO_MODEL_TX] = 64;
	probe_ok();
	assert_int_equal(dev->rx_slots, 1024);
	assert_int_equal(dev->tx_slots, 64);
	assert_int_equal(model.queue[VIRTIO_MODEL_RX].size, 1024);
}

/* Nobody may accept an MTU (5.1.4.2) for which the buffers are too small. */
static void honours_mtu(void **state)
{
	static const struct {
		uint16_t device;
		uint32_t buffers;
		unsigned most;
		bool accepted;
	} c[] = {{1500, 1500, 1500, true}, {1400, 1500, 1400, true}, {9000, 1500, 9000, false},
		{1501, 1500, 1501, false}, {9000, 9000, 9000, true}, {1500, 9000, 1500, true},
		{65535, 9000, 9000, false}, {1400, 576, 1400, true}, {576, 1500, 576, true}};

	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		make_machine(SLOTS, c[i].buffers);
		virtio_model_set_config(&model, 10, c[i].device);
		assert_int_equal(probe_ok()->mtu_max, c[i].most);
		assert_int_equal((model.accepted & VIRTIO_MODEL_F_MTU) != 0, c[i].accepted);
	}
	set_up(state);
	virtio_model_set_config(&model, 10, 68);
	refused("MTU");
}

static void waits_for_a_slow_reset(void **state)
{
	model.reset_slow = 1000;
	probe_ok();
}

static void matches_network_devices_only(void **state)
{
	struct pci_function f = {.vendor_id = 0x1af4, .device_id = 0x1041};

	assert_true(virtio_net_match(&f));
	f.device_id = 0x1042;
	assert_false(virtio_net_match(&f));
	f.device_id = 0x1000;
	assert_true(virtio_net_match(&f));
	f.vendor_id = 0x8086;
	assert_false(virtio_net_match(&f));
}

/* ---------------------------------------------------------------- refusals */

static void refuses_legacy_device(void **state)
{
	model.pci->config[PCI_STATUS] = 0;
	pci_model_set(model.pci, 2, 2, 0x1000);
	refused("legacy");
}

static void refuses_device_without_version_1(void **state)
{
	model.offered &= ~VIRTIO_MODEL_F_VERSION_1;
	refused("VERSION_1");
}

static void refuses_when_features_are_refused(void **state)
{
	model.features_sulk = true;
	refused("refuses the features");
}

static void refuses_endless_reset(void **state)
{
	model.reset_hangs = true;
	refused("reset");
	assert_in_range(model_io.now_us, 1000000, 1100000);
}

static void refuses_dead_device(void **state)
{
	model.dead = true;
	refused("reset");
}

static void refuses_odd_queue_sizes(void **state)
{
	static const uint16_t size[] = {0, 1, 32, 63, 100, 257, 65535};

	for (unsigned i = 0; i < sizeof size / sizeof *size; i++)
		for (unsigned q = 0; q < 2; q++) {
			set_up(state);
			model.max_size[q] = size[i];
			refused("size");
		}
	for (unsigned n = 0; n < 2; n++) {
		set_up(state);
		model.queues = (uint16_t)n;
		refused("size");
	}
	set_up(state);
	model.max_size[0] = 2048;
	model.size_sticks = true;
	refused("size of a queue");
}

static void refuses_config_that_never_stands_still(void **state)
{
	model.spins = true;
	refused("stands still");
}

static void refuses_group_and_zero_mac(void **state)
{
	model.config[0] |= 1;
	refused("MAC");
	set_up(state);
	memset(model.config, 0, 6);
	refused("MAC");
}

static void refuses_without_memory(void **state)
{
	for (unsigned left = 0; left < 10; left++) {
		set_up(state);
		model_io.allocs_left = left;
		refused("no memory");
	}
	set_up(state);
	model_io.allocs_left = 10; /* the device, its transport, four blocks a queue */
	probe_ok();
	for (unsigned left = 0; left < 12; left++) {
		set_up(state);
		model.offered |= VIRTIO_MODEL_F_RING_PACKED;
		model_io.allocs_left = left;
		refused("no memory");
	}
	set_up(state);
	model.offered |= VIRTIO_MODEL_F_RING_PACKED;
	model_io.allocs_left = 12; /* five blocks a packed queue */
	probe_ok();
	set_up(state);
	model_io.map_fails = true;
	refused("mapped");
}

/* Each structure in turn: outside the BAR, too short, in a BAR that is not there or is I/O. */
static void refuses_structures_outside_bars(void **state)
{
	static const uint8_t cap[] = {0x40, 0x50, 0x64};
	static const struct {
		unsigned at, bytes;
		uint32_t v;
	} bad[] = {
		{4, 1, 6},           /* BAR 6 */
		{4, 1, 0},           /* a BAR that is absent */
		{4, 1, 5},           /* the upper half of another */
		{8, 4, 0x3004},      /* ends 4 bytes beyond */
		{8, 4, 0xfffff000},  /* wraps in 32 bits */
		{8, 4, 2},           /* not aligned */
		{12, 4, 0},          /* empty */
		{12, 4, 0xffffffff}, /* larger than the BAR */
		{2, 1, 12},          /* a capability cut short */
		{2, 1, 255},         /* one that ends outside config space */
		{3, 1, 9},           /* of an unknown type */
	};

	for (unsigned c = 0; c < 3; c++)
		for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
			set_up(state);
			pci_model_set(model.pci, cap[c] + bad[i].at, bad[i].bytes, bad[i].v);
			refused("incomplete");
		}
	set_up(state);
	pci_model_set(model.pci, 0x40 + 12, 4, 0x37);
	refused("incomplete");
	set_up(state);
	model.pci->bar_writable[4] = model.pci->bar_writable[5] = 0;
	pci_model_set(model.pci, PCI_BAR0 + 16, 4, 0);
	refused("incomplete");
}

static void survives_capability_loops(void **state)
{
	model.pci->config[0x51] = 0x40; /* the device structure is never reached */
	refused("incomplete");
	set_up(state);
	model.pci->config[0x65] = 0x40; /* a loop after all is found does no harm */
	probe_ok();
}

/* A bad first capability of a type does not hide a good second one. */
static void passes_bad_capability_by(void **state)
{
	uint8_t again[20];

	memcpy(again, model.pci->config + 0x40, 16);
	model.pci->config[0x44] = 6;
	pci_model_capability(model.pci, 0x80, again, 16);
	probe_ok();
}

static void refuses_doorbells_outside(void **state)
{
	pci_model_set(model.pci, 0x50 + 16, 4, 0x1000);
	refused("doorbell");
	set_up(state);
	pci_model_set(model.pci, 0x50 + 16, 4, 0xffffffff);
	refused("doorbell");
	set_up(state);
	pci_model_set(model.pci, 0x50 + 16, 4, 3);
	refused("doorbell");
	set_up(state);
	pci_model_set(model.pci, 0x50 + 12, 4, 4); /* room for queue 0's alone */
	refused("doorbell");
}

/* A short device structure: the fields beyond its end are not asked for. */
static void reads_no_config_beyond_its_end(void **state)
{
	pci_model_set(model.pci, 0x64 + 12, 4, 8);
	probe_ok();
	assert_int_equal(model.accepted & VIRTIO_MODEL_F_MTU, 0);
	assert_int_equal(model.accepted & VIRTIO_MODEL_F_MAC, VIRTIO_MODEL_F_MAC);
	set_up(state);
	pci_model_set(model.pci, 0x64 + 12, 4, 7);
	probe_ok();
	assert_int_equal(model.accepted, VIRTIO_MODEL_F_VERSION_1);
}

/* ---------------------------------------------------------------- link, failure, stop */

static void follows_the_link(void **state)
{
	probe_ok();
	virtio_model_set_config(&model, 6, 0);
	dev->ops->poll(dev);
	assert_false(dev->link);
	virtio_model_set_config(&model, 6, 1);
	dev->ops->poll(dev);
	assert_true(dev->link);
	virtio_model_set_config(&model, 6, 2); /* announce: not negotiated, says nothing */
	dev->ops->poll(dev);
	assert_false(dev->link);
}

static void fails_when_the_device_does(void **state)
{
	probe_ok();
	model.status |= 64;
	dev->ops->poll(dev);
	assert_true(dev->failed);
	assert_non_null(strstr(dev->failure, "reset"));

	set_up(state);
	probe_ok();
	model.status = 0;
	dev->ops->poll(dev);
	assert_true(dev->failed);

	set_up(state);
	probe_ok();
	model.dead = true;
	for (unsigned i = 0; i < 5; i++)
		dev->ops->poll(dev);
	assert_true(dev->failed);
	assert_false(dev->link);
	assert_non_null(strstr(dev->failure, "answer"));
}

/* After a failure the device is reset, and only then its TX buffers come back. */
static void gives_tx_buffers_back_after_a_failure(void **state)
{
	uint64_t word[8], done[8];
	uint32_t index[] = {100, 101};

	probe_ok();
	for (unsigned i = 0; i < 8; i++)
		word[i] = packet_word(i, 60, 0);
	dev->ops->rx_fill(dev, 0, index, 2);
	assert_int_equal(dev->ops->tx(dev, 0, word, 8), 8);
	model.status |= 64;
	model.reset_slow = 2;
	dev->ops->poll(dev); /* sees it */
	assert_int_equal(dev->ops->tx(dev, 0, word, 1), 0);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 8), 0);
	dev->ops->poll(dev); /* asks for the reset */
	dev->ops->poll(dev);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 8), 0);
	assert_int_equal(dev->ops->tx_held(dev, 0), 8);
	dev->ops->poll(dev);
	dev->ops->poll(dev); /* done */
	assert_int_equal(pci_model_get(model.pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 5), 5);
	assert_int_equal(dev->ops->tx_done(dev, 0, done + 5, 8), 3);
	assert_memory_equal(done, word, sizeof word);
	assert_int_equal(dev->ops->tx_held(dev, 0), 0);
	assert_int_equal(dev->ops->rx_room(dev, 0), 0);
	assert_int_equal(dev->ops->rx_held(dev, 0), 2);
	assert_int_equal(dev->ops->rx(dev, 0, done, 8), 0);
}

static void stops(void **state)
{
	uint64_t word = packet_word(1, 60, 0), done;

	probe_ok();
	assert_int_equal(dev->ops->tx(dev, 0, &word, 1), 1);
	dev->ops->stop(dev);
	assert_int_equal(model.status, 0);
	assert_int_equal(pci_model_get(model.pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	assert_int_equal(dev->ops->tx_done(dev, 0, &done, 1), 1);
	assert_int_equal(done, word);

	set_up(state);
	probe_ok();
	model.reset_hangs = true;
	dev->ops->stop(dev);
	assert_int_equal(pci_model_get(model.pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, end_machine)
	const struct CMUnitTest tests[] = {
		CASE(brings_the_device_up),
		CASE(accepts_nothing_it_does_not_know),
		CASE(does_without_what_is_not_offered),
		CASE(takes_the_smaller_ring),
		CASE(takes_packed_rings),
		CASE(honours_mtu),
		CASE(waits_for_a_slow_reset),
		CASE(matches_network_devices_only),
		CASE(refuses_legacy_device),
		CASE(refuses_device_without_version_1),
		CASE(refuses_when_features_are_refused),
		CASE(refuses_endless_reset),
		CASE(refuses_dead_device),
		CASE(refuses_odd_queue_sizes),
		CASE(refuses_config_that_never_stands_still),
		CASE(refuses_group_and_zero_mac),
		CASE(refuses_without_memory),
		CASE(refuses_structures_outside_bars),
		CASE(survives_capability_loops),
		CASE(passes_bad_capability_by),
		CASE(refuses_doorbells_outside),
		CASE(reads_no_config_beyond_its_end),
		CASE(follows_the_link),
		CASE(fails_when_the_device_does),
		CASE(gives_tx_buffers_back_after_a_failure),
		CASE(stops),
	};

	return cmocka_run_group_tests_name("virtio_net", tests, NULL, NULL);
}
