/* Rings of front ends: chains, merged buffers, wrapping, resets, reconnection, calls, and lies. */
#include "test/unit/pktgen_fixture.h"

#define MODERN (VHOST_F_PROTOCOL_FEATURES | VHOST_BIT(VIRTIO_F_VERSION_1))
#define PACKED (MODERN | VHOST_BIT(VIRTIO_F_RING_PACKED))
#define MERGED VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF)

static const char *const lines[] = {
	"port 0 socket a address 10.0.0.2/24",
	"port 1 socket b address 10.0.1.2/24",
	"device route",
	"stream s from 0 to 198.18.0.0/16 via 10.0.1.2 flows 10 size 64,1518",
};

static struct trial t;

static void tidy_scenario(void)
{
	rig_scenario(lines, 4);
}

static void run_right(uint64_t packets)
{
	rig_run(packets, 0, &t);
	assert_int_equal(t.all.sent, packets);
	assert_int_equal(t.all.received, packets);
	assert_true(trial_clean(&t));
	assert_int_equal(t.all.reordered + t.all.duplicate, 0);
}

/* Both kinds of ring, sizes that wrap often; a packed ring's need not be a power of two. */
static void sizes(void **state)
{
	static const struct {
		uint64_t features;
		uint32_t size;
	} kind[] = {{MODERN, 8}, {MODERN, 64}, {MODERN, 1024}, {PACKED, 7}, {PACKED, 64},
		{PACKED, 100}, {PACKED, 1000}};

	for (unsigned i = 0; i < sizeof kind / sizeof *kind; i++) {
		tidy_scenario();
		rig.size = kind[i].size;
		rig_open();
		rig_start(kind[i].features);
		run_right(5000);
		rig_close();
	}
}

/* More frames than 65,536: the running indices of split rings wrap. */
static void indices_wrap(void **state)
{
	tidy_scenario();
	rig_open();
	rig_start(MODERN);
	run_right(70000);
	rig_close();
}

/* Frames sent in several descriptors. */
static void chains(void **state)
{
	for (unsigned k = 0; k < 2; k++)
		for (unsigned n = 2; n <= 5; n++) {
			tidy_scenario();
			rig.chain = n;
			rig.size = 512;
			rig_open();
			rig_start(k ? PACKED : MODERN);
			run_right(2000);
			rig_close();
		}
}

/* Large frames over small buffers. */
static void merged(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		tidy_scenario();
		rig.buffer = 300;
		rig_open();
		rig_start((k ? PACKED : MODERN) | MERGED);
		run_right(2000);
		rig_close();
	}
}

/* Without merging they do not fit: nothing is written, and the packets count as unplaced. */
static void too_small(void **state)
{
	struct order o = {.seconds = 0.05, .rate = 1e6, .drain_s = 0.01};

	tidy_scenario();
	rig.buffer = 300;
	rig_open();
	rig_start(MODERN);
	o.traffic = &rig.traffic;
	engine_order(&rig.engine, &o);
	while (!engine_done(&rig.engine)) {
		rig.engine.service_at = 0;
		engine_turn(&rig.engine);
		rig_forward();
	}
	trial_sum(&rig.engine, &o, &t);
	assert_true(t.all.unplaced > 0);
	assert_int_equal(t.all.sent, t.all.received);
	rig_close();
}

/* A header of ten bytes: neither VERSION_1 nor merging. */
static void legacy_header(void **state)
{
	tidy_scenario();
	rig.header = 10;
	rig_open();
	rig_start(VHOST_F_PROTOCOL_FEATURES);
	run_right(1000);
	rig_close();
}

/* A driver that stops its rings and begins again, as a guest that reboots. */
static void reset(void **state)
{
	uint32_t base;

	tidy_scenario();
	rig_open();
	rig_start(MODERN);
	run_right(1000);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned q = 0; q < 2; q++)
			assert_true(front_ring_stop(&rig.front[i], q, &base));
	rig_serve(NULL);
	assert_false(port_ready(&rig.engine.port[0]));
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned q = 0; q < 2; q++)
			assert_true(front_ring_start(&rig.front[i], q, rig.size));
		for (uint32_t id = 0; id < rig.size; id++)
			rig_offer_rx(i, (uint16_t)id);
		rig.tx_free[i] = (uint16_t)rig.size;
	}
	run_right(1000);
	rig_close();
}

/* What GET_VRING_BASE tells is where the ring goes on. */
static void base(void **state)
{
	uint32_t at;

	tidy_scenario();
	rig_open();
	rig_start(MODERN);
	run_right(1000);
	assert_true(front_ring_stop(&rig.front[1], 1, &at));
	assert_int_equal(at, 1000);
	rig_close();

	tidy_scenario();
	rig_open();
	rig_start(PACKED);
	run_right(1000);
	assert_true(front_ring_stop(&rig.front[1], 1, &at));
	/* 1000 = 3 * 256 + 232: the fourth round, its wrap counter 0. */
	assert_int_equal(at, 232u | 232u << 16);
	rig_close();
}

static uint64_t rig_sent(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < rig.traffic.streams; i++)
		n += rig.traffic.stream[i].sent;
	return n;
}

/* With a window, what does not come back is waited for; then goes on. */
static void waits_for_its_window(void **state)
{
	struct order o = {.seconds = 1e6, .window = 40, .drain_s = 0.01};
	uint64_t sent;

	tidy_scenario();
	rig_open();
	rig_start(PACKED);
	o.traffic = &rig.traffic;
	engine_order(&rig.engine, &o);
	rig.engine.service_at = 0;
	for (unsigned i = 0; i < 50; i++)
		engine_turn(&rig.engine);
	sent = rig_sent();
	assert_in_range(sent, 40, 40 + rig.traffic.streams * RING_BATCH);
	rig_forward();
	for (unsigned i = 0; i < 50; i++)
		engine_turn(&rig.engine);
	assert_in_range(rig_sent(), sent + 1, sent + 40 + rig.traffic.streams * RING_BATCH);
	store_once(&rig.engine.stop, true);
	while (!engine_done(&rig.engine)) {
		rig.engine.service_at = 0;
		engine_turn(&rig.engine);
	}
	rig_close();
}

/* The front end dies in the middle of a trial; the trial ends as interrupted; another comes. */
static void reconnect(void **state)
{
	struct order o = {.seconds = 1e6, .drain_s = 0.01};
	int pair[2];

	tidy_scenario();
	rig_open();
	rig_start(PACKED);
	o.traffic = &rig.traffic;
	engine_order(&rig.engine, &o);
	for (unsigned i = 0; !engine_done(&rig.engine); i++) {
		rig.engine.service_at = 0;
		engine_turn(&rig.engine);
		if (i < 20)
			rig_forward();
		if (i == 20)
			front_close(&rig.front[1]);
		assert_true(i < 100);
	}
	assert_true(rig.engine.run.interrupted);
	assert_int_equal(rig.engine.port[1].vhost.fd, -1);
	assert_string_equal(rig.engine.port[1].vhost.reason, "");
	assert_int_equal(rig.engine.port[1].vhost.memory.count, 0);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	vhost_open(&rig.engine.port[1].vhost, pair[0], 1, VHOST_FEATURES);
	assert_true(front_memory(&rig.front[1], 4,
		(size_t)rig.size * RIG_BUFFER + (size_t)rig.size * RIG_FRAME + RIG_FRAME, false));
	rig.front[1].fd = pair[1];
	rig.front[1].serve = rig_serve;
	assert_true(front_start(&rig.front[1], PACKED, 2, rig.size));
	for (uint32_t id = 0; id < rig.size; id++)
		rig_offer_rx(1, (uint16_t)id);
	rig.tx_free[1] = (uint16_t)rig.size;
	while (rig_receive(0, &(struct rig_frame){.bytes = 0}))
		;
	run_right(1000);
	rig_close();
}

/* The driver is called when it wants to be, and left alone when not. */
static void calls(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		uint64_t n = 0;
		struct front_ring *r;

		tidy_scenario();
		rig_open();
		rig_start(k ? PACKED : MODERN);
		r = &rig.front[0].ring[0];
		run_right(100);
		assert_int_equal(read(r->call, &n, 8), 8);
		if (k)
			r->driver_event->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
		else
			r->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
		run_right(100);
		assert_int_equal(read(r->call, &n, 8), -1);
		/* And it is told that kicks are not needed. */
		assert_int_equal(k ? r->device_event->flags : r->used->flags, 1);
		rig_close();
	}
}

/* ---- lies ---- */

/* Port 1 must have sent its front end away for this reason, and port 0 lives. */
static void expect_refused(const char *why)
{
	for (unsigned i = 0; i < 3; i++) {
		rig.engine.service_at = 0;
		engine_turn(&rig.engine);
	}
	assert_int_equal(rig.engine.port[1].vhost.fd, -1);
	if (!strstr(rig.engine.port[1].vhost.reason, why))
		fail_msg("'%s' is not '%s'", rig.engine.port[1].vhost.reason, why);
	assert_true(rig.engine.port[0].vhost.fd >= 0);
	assert_int_equal(rig.engine.port[1].rx_count + rig.engine.port[1].tx_count, 0);
}

static void begin_lie(uint64_t features)
{
	tidy_scenario();
	rig_open();
	rig_start(features);
}

static void offer_tx(uint64_t address, uint32_t bytes, bool write)
{
	struct front_piece p = {address, bytes, write};

	front_offer(&rig.front[1], 1, &p, 1, 0);
}

static void bad_addresses(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t bytes;
	} bad[] = {{0, 100}, {FRONT_GUEST - 1, 100}, {UINT64_MAX, 100}, {UINT64_MAX - 50, 100},
		{FRONT_GUEST, UINT32_MAX}};

	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
			begin_lie(k ? PACKED : MODERN);
			offer_tx(bad[i].address, bad[i].bytes, false);
			expect_refused("queue 1: a descriptor outside the shared memory");
			rig_close();
		}
		begin_lie(k ? PACKED : MODERN);
		offer_tx(FRONT_GUEST + rig.front[1].bytes - 99, 100, false);
		expect_refused("a descriptor outside the shared memory");
		rig_close();
		begin_lie(k ? PACKED : MODERN);
		offer_tx(FRONT_GUEST, 100, true);
		expect_refused("a descriptor of the wrong direction");
		rig_close();
	}
}

/* A receive buffer outside the memory, met while sending. */
static void bad_receive_buffer(void **state)
{
	struct order o = {.seconds = 1e6, .drain_s = 0.01};

	for (unsigned k = 0; k < 2; k++) {
		begin_lie(k ? PACKED : MODERN);
		for (unsigned i = 0; i < rig.size; i++)
			if (k)
				rig.front[0].ring[0].packed[i].addr ^= UINT64_C(1) << 40;
			else
				rig.front[0].ring[0].desc[i].addr ^= UINT64_C(1) << 40;
		o.traffic = &rig.traffic;
		engine_order(&rig.engine, &o);
		for (unsigned i = 0; !engine_done(&rig.engine); i++) {
			rig.engine.service_at = 0;
			engine_turn(&rig.engine);
			assert_true(i < 100);
		}
		assert_true(rig.engine.run.interrupted);
		assert_non_null(
			strstr(rig.engine.port[0].vhost.reason, "outside the shared memory"));
		rig_close();
	}
}

static void split_lies(void **state)
{
	struct front_ring *r;

	begin_lie(MODERN); /* more offered than there can be */
	rig.front[1].ring[1].avail->idx = (uint16_t)(rig.size + 1);
	expect_refused("more buffers offered than the ring has");
	rig_close();

	begin_lie(MODERN); /* a number that is none */
	r = &rig.front[1].ring[1];
	r->avail->ring[0] = (uint16_t)rig.size;
	r->avail->idx = 1;
	expect_refused("a buffer whose number the ring does not have");
	rig_close();

	begin_lie(MODERN); /* a chain that bites its tail */
	r = &rig.front[1].ring[1];
	r->desc[0] = (struct vring_desc){FRONT_GUEST, 64, VRING_DESC_F_NEXT, 0};
	r->avail->idx = 1;
	expect_refused("a chain without end");
	rig_close();

	begin_lie(MODERN); /* a chain out of the ring */
	r = &rig.front[1].ring[1];
	r->desc[0] = (struct vring_desc){FRONT_GUEST, 64, VRING_DESC_F_NEXT, (uint16_t)rig.size};
	r->avail->idx = 1;
	expect_refused("a chain that leads out of the ring");
	rig_close();

	begin_lie(MODERN); /* indirect, not agreed on */
	r = &rig.front[1].ring[1];
	r->desc[0] = (struct vring_desc){FRONT_GUEST, 64, VRING_DESC_F_INDIRECT, 0};
	r->avail->idx = 1;
	expect_refused("an indirect descriptor");
	rig_close();
}

static void packed_lies(void **state)
{
	struct front_ring *r;

	begin_lie(PACKED); /* all descriptors are one chain */
	r = &rig.front[1].ring[1];
	for (unsigned i = 0; i < rig.size; i++)
		r->packed[i] = (struct vring_packed_desc){
			FRONT_GUEST, 64, 0, VRING_DESC_F_NEXT | 1u << VRING_PACKED_DESC_F_AVAIL};
	expect_refused("a chain without end");
	rig_close();

	begin_lie(PACKED);
	r = &rig.front[1].ring[1];
	r->packed[0] = (struct vring_packed_desc){
		FRONT_GUEST, 64, 0, VRING_DESC_F_INDIRECT | 1u << VRING_PACKED_DESC_F_AVAIL};
	expect_refused("queue 1: a");
	rig_close();
}

/* Frames of no length, and of more than any: counted, and the port goes on. */
static void odd_frames(void **state)
{
	static const uint32_t bytes[] = {0, 1, 11, 12, 13, 25, 26, 60, 71, 9000, 60000};

	for (unsigned k = 0; k < 2; k++) {
		begin_lie(k ? PACKED : MODERN);
		for (unsigned i = 0; i < sizeof bytes / sizeof *bytes; i++) {
			struct front_piece p = {
				FRONT_GUEST + rig.front[1].buffers, bytes[i], false};

			front_offer(&rig.front[1], 1, &p, 1, (uint16_t)i);
		}
		for (unsigned i = 0; i < 3; i++)
			engine_turn(&rig.engine);
		assert_int_equal(rig.engine.port[1].sink.shortest, 4);
		assert_int_equal(rig.engine.port[1].sink.foreign, 7);
		assert_true(rig.engine.port[1].vhost.fd >= 0);
		rig_close();
	}
}

/* A front end that takes its memory away costs itself its connection, and nobody else anything. */
static void memory_goes_away(void **state)
{
	tidy_scenario();
	rig_open();
	rig_start(MODERN);
	rig.front[0].serve = rig.front[1].serve = NULL; /* a thread does it from here on */
	assert_true(engine_start(&rig.engine, -1));
	assert_int_equal(ftruncate(rig.front[1].memfd, 0), 0);
	for (unsigned i = 0; i < 10000 && load_once(&rig.engine.port[1].vhost.fd) >= 0; i++)
		trial_pause(0.002);
	engine_join(&rig.engine);
	assert_int_equal(rig.engine.port[1].vhost.fd, -1);
	assert_string_equal(rig.engine.port[1].vhost.reason, "its memory went away");
	assert_true(rig.engine.port[0].vhost.fd >= 0 && rig.engine.port[0].rx_count == 1);
	rig_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(indices_wrap),
		cmocka_unit_test(chains),
		cmocka_unit_test(merged),
		cmocka_unit_test(too_small),
		cmocka_unit_test(legacy_header),
		cmocka_unit_test(reset),
		cmocka_unit_test(base),
		cmocka_unit_test(waits_for_its_window),
		cmocka_unit_test(reconnect),
		cmocka_unit_test(calls),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(bad_receive_buffer),
		cmocka_unit_test(split_lies),
		cmocka_unit_test(packed_lies),
		cmocka_unit_test(odd_frames),
		cmocka_unit_test(memory_goes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
