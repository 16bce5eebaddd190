/* Policing of inputs through the whole router: rates, bursts, who shares what, and what counts. */
#include "test/unit/vlan_fixture.h"

#define FRAME 1000u /* bytes of a frame of the tests, as received */
#define BURST 15000u
#define HZ    UINT64_C(2595124000)

static void commit(void)
{
	configure(&config, NULL);
	turns(5);
	drain();
}

/* On `queue` of port 0, `burst` copies each millisecond; how many got past the policers. */
static unsigned pour(const struct frame *f, unsigned queue, unsigned burst, unsigned ms)
{
	uint64_t before = drops(0, DROP_INPUT_POLICED), n = (uint64_t)burst * ms;

	while (ms--) {
		for (unsigned i = 0; i < burst; i++)
			assert_true(memdev_inject(dev[0], queue, f->data, f->len));
		turns(1);
		drain();
	}
	turns(3);
	return (unsigned)(n - (drops(0, DROP_INPUT_POLICED) - before));
}

/* From host 0 to host 1, FRAME bytes. */
static void plain(struct frame *f)
{
	udp(f, 0, HOST(1), FRAME - 42);
	assert_int_equal(f->len, FRAME);
}

/* The same in a VLAN: FRAME bytes with the tag. */
static void tagged(struct frame *f, unsigned vid)
{
	v_udp(f, (uint16_t)vid, HOST(1), FRAME - 46);
	assert_int_equal(f->len, FRAME);
}

static uint64_t policed(unsigned port)
{
	struct port_counters c;

	router_port_counters(&router, port, &c);
	return c.policed.packets;
}

/* ---- */

/* Within 0.5 %, all queues together, for any limit and number of queues; and the burst. */
static void test_arithmetic(void **state)
{
	static const struct meter_limit limits[] = {{.rate = 8000}, {.rate = 64000},
		{.rate = 100000000, .burst = 1500}, {.rate = 1000000000000},
		{.rate = 1, .packets = true}, {.rate = 1000, .burst = 7, .packets = true},
		{.rate = METER_PACKETS_MAX, .packets = true}};
	static const uint32_t bursts[] = {
		15000, 15000, 1500, METER_BURST_MAX, 10, 7, METER_BURST_PACKETS_MAX};

	for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
		const struct meter_limit *l = &limits[i];
		uint64_t bytes = l->packets ? l->rate * 1000 : l->rate / 8;

		assert_int_equal(meter_burst_of(l), bursts[i]);
		for (unsigned queues = 1; queues <= 16; queues++) {
			struct meter_rate rate;

			meter_rate_set(&rate, l, queues, HZ);
			uint64_t sum = (uint64_t)((unsigned __int128)rate.fill.per_tick * HZ *
							  queues * 1000 >>
						  32);

			assert_in_range(sum, bytes * 995, bytes * 1005 + queues * 1000);
			assert_int_equal(rate.frame, l->packets ? 1000 : 0);
			assert_int_equal(rate.fill.depth >> 32,
				(uint64_t)bursts[i] * (l->packets ? 1000 : 1) / queues);
		}
	}
}

static void test_off(void **state)
{
	struct frame f;

	plain(&f);
	for (unsigned l = 0; l < router.lanes; l++)
		assert_null(router.lane[l].meter);
	assert_int_equal(pour(&f, 0, 50, 20), 1000);
	check_books();
}

/* The burst, then the rate: a frame a millisecond; all of it is counted. */
static void test_rate(void **state)
{
	struct frame f;

	plain(&f);
	ifaces[0].police = (struct meter_limit){.rate = 8000000, .burst = BURST};
	commit();
	assert_int_equal(pour(&f, 0, 60, 1), 15);
	assert_in_range(pour(&f, 0, 5, 1000), 1000, 1006);
	assert_int_equal(policed(0), drops(0, DROP_INPUT_POLICED));
	turns(1000);
	assert_int_equal(pour(&f, 0, 60, 1), 15);
	assert_int_equal(pour(&f, 0, 1, 500), 500); /* what keeps to the rate loses nothing */
	assert_int_equal(policed(1), 0);
	check_books();
}

/* A packet is a packet, whatever its length. */
static void test_packets(void **state)
{
	struct frame f;

	ifaces[0].police = (struct meter_limit){.rate = 1000, .burst = 20, .packets = true};
	commit();
	plain(&f);
	assert_int_equal(pour(&f, 0, 60, 1), 20);
	turns(100);
	udp(&f, 0, HOST(1), 18);
	assert_int_equal(pour(&f, 0, 60, 1), 20);
	assert_in_range(pour(&f, 0, 5, 200), 200, 206);
	check_books();
}

/* One of each, when the bucket is empty: nothing comes out, and each has one reason. */
static void test_whatever_it_is(void **state)
{
	struct frame f[7], out;
	struct port_counters c;
	uint64_t before, rx;

	memset(f, 0, sizeof f);
	udp(&f[0], 0, HOST(1), 20);
	frame_echo(&f[1], dev[0]->mac, host_mac[0], HOST(0), ROUTER(0), 1, 1);
	frame_arp(&f[2], 1, all, host_mac[0], HOST(0), zero_mac, ROUTER(0));
	f[3] = f[0]; /* not IPv6, but it says so */
	store_be16(f[3].data + 12, 0x86dd);
	f[4] = f[0];
	store_be16(f[4].data + 12, 0x88cc);
	f[5] = f[0];
	memset(f[5].data, 0x22, 6); /* another station's */
	f[6] = f[0];
	f[6].len = 20; /* ends inside the IP header */
	ifaces[0].police = (struct meter_limit){.rate = 8000, .burst = 1500};
	commit();
	plain(&f[0]);
	assert_int_equal(pour(&f[0], 0, 10, 1), 2);
	router_port_counters(&router, 0, &c);
	rx = c.rx_packets;
	before = drops(0, DROP_INPUT_POLICED);
	for (unsigned i = 0; i < 7; i++) {
		inject(0, &f[i]);
		turns(1);
		for (unsigned port = 0; port < PORTS; port++)
			assert_int_equal(
				memdev_collect(dev[port], 0, out.data, sizeof out.data), 0);
		assert_int_equal(drops(0, DROP_INPUT_POLICED) - before, i + 1);
	}
	router_port_counters(&router, 0, &c);
	assert_int_equal(c.rx_packets - rx, 7);
	check_books();
}

/* A VLAN's bucket comes first, and what it refuses takes nothing from the port's. */
static void test_vlans(void **state)
{
	struct vlan_counters five, seven;
	struct frame f;

	ifaces[0].police = (struct meter_limit){.rate = 8000, .burst = 39500};
	ifaces[PORTS].police = (struct meter_limit){.rate = 8000, .burst = 9500};
	commit();
	five = counted(0);
	seven = counted(1);
	tagged(&f, 5);
	assert_int_equal(pour(&f, 0, 60, 1), 10);
	assert_int_equal(counted(0).rx_packets - five.rx_packets, 60);
	assert_int_equal(counted(0).policed.packets - five.policed.packets, 50);
	assert_int_equal(counted(0).policed.bytes - five.policed.bytes, 50 * FRAME);
	assert_int_equal(policed(0), 0);
	store_be16(f.data + 14, 7); /* 30 more, by another VLAN's that has no limit */
	assert_int_equal(pour(&f, 0, 50, 1), 30);
	assert_int_equal(counted(1).rx_packets - seven.rx_packets, 50);
	assert_int_equal(counted(1).policed.packets, 0);
	assert_int_equal(policed(0), 20);
	plain(&f);
	assert_int_equal(pour(&f, 0, 10, 1), 0);
	assert_int_equal(drops(0, DROP_INPUT_POLICED), 50 + 20 + 10);
	check_books();
}

/* Whose a frame is: a priority tag's is the port's, and so are tags of no VLAN, or of two. */
static void test_tags(void **state)
{
	struct frame f, priority, unknown, two, cut;

	ifaces[PORTS].police = (struct meter_limit){.rate = 8000, .burst = 1500};
	commit();
	tagged(&f, 5);
	assert_int_equal(pour(&f, 0, 10, 1), 2);
	priority = unknown = two = cut = f;
	store_be16(priority.data + 14, 5 << TAG_PCP_SHIFT);
	store_be16(unknown.data + 14, 6);
	put_tag(&two, 0x8100, 5);
	cut.len = 17;
	assert_int_equal(pour(&priority, 0, 10, 1), 10);
	assert_int_equal(pour(&unknown, 0, 10, 1), 10);
	assert_int_equal(pour(&two, 0, 10, 1), 10);
	assert_int_equal(pour(&cut, 0, 10, 1), 10);
	plain(&f);
	assert_int_equal(pour(&f, 0, 10, 1), 10);
	check_books();
}

/* Each queue of a port has its part, whatever comes by the others. */
static void test_queues(void **state)
{
	struct frame f;

	with_vlans();
	ifaces[0].police = (struct meter_limit){.rate = 8000000, .burst = 30000};
	commit();
	plain(&f);
	assert_int_equal(router.dev[0]->rx_queues, 2);
	assert_in_range(pour(&f, 0, 5, 1000), 515, 518);
	assert_in_range(pour(&f, 1, 5, 1000), 515, 518);
	assert_in_range(pour(&f, 0, 5, 1000), 515, 518); /* nothing is lent */
	check_books();
}

/* Spread over workers, the one queue has all of it. */
static void test_spread(void **state)
{
	struct frame f[8];
	uint64_t before;

	with_vlans();
	ifaces[0].rx_spread = RX_SPREAD_ON;
	ifaces[0].police = (struct meter_limit){.rate = 80000000, .burst = 20000};
	commit();
	assert_int_equal(router.rxq[0].spread, 2);
	before = drops(0, DROP_INPUT_POLICED);
	for (unsigned i = 0; i < 8; i++) {
		plain(&f[i]);
		store_be16(f[i].data + 34, (uint16_t)(1000 + 77 * i));
	}
	for (unsigned ms = 0; ms < 500; ms++) {
		for (unsigned i = 0; i < 40; i++)
			inject(0, &f[i % 8]);
		turns(1);
		drain();
	}
	turns(3);
	before = 20000 - (drops(0, DROP_INPUT_POLICED) - before);
	assert_in_range(before, 5000 + 20 - 10, 5000 + 20 + 10);
	assert_int_equal(drops(0, DROP_SPREAD_FULL), 0);
	check_books();
}

/* In force from its commit to the one that takes it away; others leave the bucket as it is. */
static void test_commits(void **state)
{
	static struct config_match match;
	struct frame f;

	plain(&f);
	ifaces[0].police = (struct meter_limit){.rate = 8000, .burst = 9500};
	commit();
	assert_int_equal(pour(&f, 0, 20, 1), 10);
	ifaces[1].police = (struct meter_limit){.rate = 8000};
	commit();
	assert_int_equal(pour(&f, 0, 20, 1), 0);
	ifaces[0].police.rate = 16000000;
	commit();
	turns(5);
	assert_int_equal(pour(&f, 0, 20, 1), 10);
	assert_in_range(pour(&f, 0, 5, 200), 400, 408);
	configure(&config, NULL);
	config_match(&match, &router, &config);
	assert_false(config_meters_change(&router, &match));
	ifaces[0].police.burst = 0;
	assert_true(config_meters_change(&router, &match));
	ifaces[0].police = (struct meter_limit){0};
	commit();
	assert_int_equal(pour(&f, 0, 50, 10), 500);
	for (unsigned l = 0; l < router.lanes; l++)
		assert_int_equal(router.lane[l].meter != NULL, router.lane[l].port == 1);
	ifaces[0].police = (struct meter_limit){.rate = 8000, .burst = 9500};
	commit();
	assert_int_equal(pour(&f, 0, 20, 1), 10);
	ifaces[0].police = (struct meter_limit){0};
	commit();
	ifaces[0].police = (struct meter_limit){.rate = 8000, .burst = 9500};
	commit();
	assert_int_equal(pour(&f, 0, 20, 1), 10); /* full again, though it was just used up */
	check_books();
}

/* The next VLAN by the number of one that is gone has no limit of its own. */
static void test_number_again(void **state)
{
	struct frame f;

	ifaces[PORTS + 1].police = (struct meter_limit){.rate = 8000, .burst = 1500};
	commit();
	tagged(&f, 7);
	assert_int_equal(pour(&f, 0, 10, 1), 2);
	config.ifaces--;
	commit();
	assert_null(router.lane[0].meter);
	add_vlan(9);
	commit();
	assert_int_equal(vlan_find(router.vlans, 0, 9), 1);
	assert_int_equal(router.police[PORTS + 1].rate, 0);
	store_be16(f.data + 14, 9);
	assert_int_equal(pour(&f, 0, 50, 4), 200);
	check_books();
}

/* A port that is switched off drops all for that. */
static void test_disabled(void **state)
{
	struct frame f;

	plain(&f);
	ifaces[0].police = (struct meter_limit){.rate = 8000, .burst = 1500};
	ifaces[0].disabled = true;
	commit();
	uint64_t before = drops(0, DROP_PORT_DISABLED);

	assert_int_equal(pour(&f, 0, 50, 1), 50);
	assert_int_equal(drops(0, DROP_PORT_DISABLED) - before, 50);
	check_books();
}

static int setup_queues(void **state)
{
	start(2, 2);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_vlans, teardown)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arithmetic),
		TEST(test_off),
		TEST(test_rate),
		TEST(test_packets),
		TEST(test_whatever_it_is),
		TEST(test_vlans),
		TEST(test_tags),
		cmocka_unit_test_setup_teardown(test_queues, setup_queues, teardown),
		cmocka_unit_test_setup_teardown(test_spread, setup_workers, teardown),
		TEST(test_commits),
		TEST(test_number_again),
		TEST(test_disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
