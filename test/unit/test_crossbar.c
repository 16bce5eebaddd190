/* The whole router with several queues, helpers, classes and rates: who does what, order, books. */
#include "test/unit/router_fixture.h"

#include "net/path/spread.h"

/* Three workers, two queue pairs a port: six queues, two each. */
static int setup_queues(void **state)
{
	start(3, 2);
	return 0;
}

/* Five workers for three single queues: receiving is spread. */
static int setup_spread(void **state)
{
	start(5, 1);
	return 0;
}

static void test_dealt_evenly(void **state)
{
	unsigned rx[6] = {0}, tx[6] = {0};

	assert_int_equal(router.rxqs, 6);
	assert_int_equal(router.txqs, 6);
	assert_true(router.tx_depth * router.txqs <= POOL_BUFS / 4);
	for (unsigned w = 0; w < 3; w++) {
		const struct worker *worker = router.worker[w];

		assert_int_equal(worker->rxqs, 2);
		assert_int_equal(worker->txqs, 2);
		for (unsigned i = 0; i < 2; i++) {
			rx[worker->rxq[i]]++;
			tx[worker->txq[i]]++;
			assert_int_equal(router.rxq[worker->rxq[i]].worker, w);
			assert_int_equal(router.txq[worker->txq[i]].worker, w);
		}
	}
	for (unsigned g = 0; g < 6; g++) {
		assert_int_equal(rx[g], 1);
		assert_int_equal(tx[g], 1);
		assert_int_equal(router.tables.pool_port[g], g / 2);
	}
	assert_int_equal(router_control_lane(&router)->port, CONTROL_PORT);
	check_books();
}

/* A lane sends by the TX queue that its own worker drives, else by the port's first. */
static void test_own_txq(void **state)
{
	for (unsigned l = 0; l < router.lanes; l++) {
		const struct lane *lane = &router.lane[l];

		for (unsigned port = 0; port < PORTS; port++) {
			unsigned t = lane->txq[port], first = router.first_txq[port];
			bool any = false;

			assert_int_equal(router.txq[t].port, port);
			for (unsigned q = first; q < first + 2; q++)
				any |= router.txq[q].worker + 1u == lane->actor;
			if (any)
				assert_int_equal(router.txq[t].worker + 1, lane->actor);
			else
				assert_int_equal(t, first);
		}
	}
}

static void inject_on(unsigned port, unsigned q, const struct frame *f)
{
	assert_true(memdev_inject(dev[port], q, f->data, f->len));
}

static void test_forward_on_every_queue(void **state)
{
	struct frame in, out;

	learn_hosts();
	for (unsigned q = 0; q < 2; q++) {
		udp(&in, 0, HOST(1), 100 + q);
		inject_on(0, q, &in);
		turns(2);
		unsigned t = router.lane[router.first_rxq[0] + q].txq[1] - router.first_txq[1];

		assert_int_equal(sent_on(1, t, &out), in.len);
		assert_int_equal(sent(1, &out), 0);
	}
	udp(&in, 0, ROUTER(0), 10); /* punted from the second queue */
	inject_on(0, 1, &in);
	turns(2);
	assert_int_equal(drops(0, DROP_LOCAL_NO_PROTOCOL), 1);
	assert_int_not_equal(sent(0, &out), 0);
	check_books();
}

/* MTU and `disabled` hold on all queues of a port, and for helpers. */
static void test_settings_reach_all_lanes(void **state)
{
	struct config c = base_config();
	struct frame in;

	base_iface[0].mtu = 600;
	configure(&c, NULL);
	learn_hosts();
	for (unsigned q = 0; q < dev[0]->rx_queues; q++) {
		udp(&in, 0, HOST(1), 1000);
		inject_on(0, q, &in);
		turns(3);
		assert_int_equal(drops(0, DROP_RX_OVERSIZE), q + 1);
	}
	base_iface[0].disabled = true;
	configure(&c, NULL);
	for (unsigned q = 0; q < dev[0]->rx_queues; q++) {
		udp(&in, 0, HOST(1), 10);
		inject_on(0, q, &in);
		turns(3);
		assert_int_equal(drops(0, DROP_PORT_DISABLED), q + 1);
	}
	check_books();
}

/* ---- spread ---- */

static void udp_flow(struct frame *f, unsigned flow, uint32_t number)
{
	udp(f, 0, HOST(1), 20);
	store_be16(f->data + 34, (uint16_t)(1000 + flow));
	store_be32(f->data + 42, number);
}

/* Many flows into one queue: several workers process them, each flow keeps its order. */
static void test_spread_keeps_order(void **state)
{
	enum { FLOWS = 32 };
	static uint32_t in_number[FLOWS], out_number[FLOWS];
	unsigned processed = 0;
	struct frame f;

	memset(in_number, 0, sizeof in_number);
	memset(out_number, 0, sizeof out_number);
	srand(1);
	learn_hosts();
	assert_int_equal(router.rxq[0].spread, 5);
	for (unsigned i = 0; i < 3000; i++) {
		for (unsigned k = (unsigned)rand() % 40; k > 0; k--) {
			unsigned flow = (unsigned)rand() % FLOWS;

			udp_flow(&f, flow, in_number[flow]++);
			inject(0, &f);
		}
		turns(1);
		while (sent(1, &f)) {
			unsigned flow = load_be16(f.data + 34) - 1000u;

			assert_int_equal(load_be32(f.data + 42), out_number[flow]++);
		}
	}
	turns(2);
	while (sent(1, &f))
		out_number[load_be16(f.data + 34) - 1000u]++;
	for (unsigned flow = 0; flow < FLOWS; flow++)
		assert_int_equal(in_number[flow], out_number[flow]);
	for (unsigned way = 0; way < 5; way++)
		processed += router.lane[router.rxq[0].lane[way]].cross[1]->out[0].packets != 0;
	assert_true(processed >= 4);
	check_books();
}

/* Words in a spread ring are in the books, and lost when one is: taken out behind their back. */
static void test_spread_is_audited(void **state)
{
	struct ring *ring = router.rxq[0].ring[1];
	struct audit a;
	struct frame f;

	learn_hosts();
	for (unsigned flow = 0; flow < 40; flow++) {
		udp_flow(&f, flow, 0);
		inject(0, &f);
	}
	/* the receiving worker alone: the helpers have not had their turn */
	worker_turn(&router, router.worker[router.rxq[0].worker]);
	audit_take(&router, &a);
	assert_true(a.buffers_ok && a.balance_ok);
	assert_true(a.pool[0].spread > 10);
	uint64_t word;

	assert_int_equal(ring_pop(ring, &word, 1), 1);
	audit_take(&router, &a);
	assert_false(a.buffers_ok);
	assert_string_equal(a.finding, "1 missing, last owner the worker of eth0");
	assert_int_equal(a.missing, 1);
	ring_push(ring, &word, 1);
	check_books();
}

static void test_spread_is_switchable(void **state)
{
	struct config c = base_config();

	base_iface[0].rx_spread = RX_SPREAD_OFF;
	base_iface[1].rx_spread = RX_SPREAD_ON;
	configure(&c, NULL);
	assert_int_equal(router.rxq[0].spread, 1);
	assert_int_equal(router.rxq[1].spread, 5);
	assert_int_equal(router.rxq[2].spread, 5); /* auto: five workers, three queues */
	/* off while words are under way: they are processed nevertheless */
	struct frame f;

	base_iface[0].rx_spread = RX_SPREAD_ON;
	configure(&c, NULL);
	learn_hosts();
	for (unsigned flow = 0; flow < 40; flow++) {
		udp_flow(&f, flow, 0);
		inject(0, &f);
	}
	worker_turn(&router, router.worker[router.rxq[0].worker]);
	base_iface[0].rx_spread = RX_SPREAD_OFF;
	configure(&c, NULL);
	turns(2);
	unsigned n = 0;

	while (sent(1, &f))
		n++;
	assert_int_equal(n, 40);
	check_books();
}

/* With as many queues as workers there is nobody to help. */
static void test_auto_is_off_with_enough_queues(void **state)
{
	for (unsigned g = 0; g < router.rxqs; g++)
		assert_int_equal(router.rxq[g].spread, 1);
}

/* ---- classes and rates ---- */

static struct config_class classes[] = {
	{.iface = "eth1", .class = 1, .first = 46, .last = 46, .strict = true, .weight = 1},
	{.iface = "eth1", .class = 2, .first = 10, .last = 14, .weight = 4},
};
static struct config_shape shape = {.iface = "eth1", .bps = 8000000};

static void udp_dscp(struct frame *f, unsigned dscp)
{
	udp(f, 0, HOST(1), 958); /* 1000 bytes of frame */
	f->data[15] = (uint8_t)(dscp << 2);
	frame_fix_checksum(f);
}

static void test_classes(void **state)
{
	struct config c = base_config();
	struct frame in;

	c.class = classes;
	c.classes = 2;
	configure(&c, NULL);
	learn_hosts();
	static const struct {
		unsigned dscp, class;
	} cases[] = {{0, 0}, {9, 0}, {10, 2}, {12, 2}, {14, 2}, {15, 0}, {46, 1}, {47, 0}, {63, 0}};
	struct crosspoint *x = router.lane[0].cross[router.first_txq[1]];

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t before = x->out[cases[i].class].packets;

		udp_dscp(&in, cases[i].dscp);
		in.data[15] |= 3; /* ECN is no part of it */
		frame_fix_checksum(&in);
		inject(0, &in);
		turns(2);
		assert_int_equal(x->out[cases[i].class].packets, before + 1);
	}
	/* another port is not concerned */
	udp(&in, 0, HOST(2), 10);
	in.data[15] = 46 << 2;
	frame_fix_checksum(&in);
	inject(0, &in);
	turns(2);
	assert_int_equal(router.lane[0].cross[router.first_txq[2]]->out[1].packets, 0);
	/* gone with the configuration */
	c = base_config();
	configure(&c, NULL);
	udp_dscp(&in, 46);
	uint64_t before = x->out[0].packets;

	inject(0, &in);
	turns(2);
	assert_int_equal(x->out[0].packets, before + 1);
	assert_int_equal(router.sched[router.first_txq[1]].policy.strict, 0);
	check_books();
}

/* What the control core sends has the class of its DSCP; ARP that of network control. */
static void test_control_has_a_class(void **state)
{
	static struct config_class control = {.iface = "eth1",
		.class = 3,
		.first = DSCP_CS6,
		.last = DSCP_CS6,
		.strict = true,
		.weight = 1};
	struct config c = base_config();
	struct frame in;

	c.class = &control;
	c.classes = 1;
	configure(&c, NULL);
	struct crosspoint *x = router_control_lane(&router)->cross[router.first_txq[1]];
	uint64_t before = x->out[3].packets;

	udp(&in, 0, HOST(1), 10);
	inject(0, &in);
	turns(2); /* asks for the neighbour */
	assert_int_equal(x->out[3].packets, before + 1);
	frame_echo(&in, dev[1]->mac, host_mac[1], HOST(1), ROUTER(1), 1, 1);
	inject(1, &in);
	learn_hosts();
	assert_true(x->out[0].packets > 0); /* the echo reply */
	check_books();
}

/* Where several queues would each have a scheduler of their own, one serves all lanes. */
static void test_classes_need_one_txq(void **state)
{
	struct config c = base_config();

	c.class = classes;
	c.classes = 2;
	configure(&c, NULL);
	for (unsigned l = 0; l < router.lanes; l++) {
		assert_int_equal(router.lane[l].txq[1], router.first_txq[1]);
		if (l < 2)
			assert_int_equal(
				router.txq[router.lane[l].txq[0]].worker + 1, router.lane[l].actor);
	}
	c.classes = 0;
	configure(&c, NULL);
	test_own_txq(state);
}

/* The strict class alone gets through an overload of a shaped output; the rate is as told. */
static void test_shaped_overload(void **state)
{
	struct config c = base_config();
	struct frame in, out;
	uint64_t bytes = 0, strict_in = 0, strict_out = 0;

	c.class = classes;
	c.classes = 2;
	c.shape = &shape;
	c.shapes = 1;
	configure(&c, NULL);
	learn_hosts();
	uint64_t start_us = model_platform.now_us;

	for (unsigned ms = 0; ms < 4000; ms++) {
		for (unsigned k = 0; k < 4; k++) {
			bool strict = k == 0 && ms % 10 == 0;

			udp_dscp(&in, strict ? 46 : 0);
			strict_in += strict;
			(void)memdev_inject(dev[0], 0, in.data, in.len);
		}
		turns(1);
		while (sent(1, &out)) {
			bytes += out.len;
			strict_out += out.data[15] == 46 << 2;
		}
	}
	uint64_t want = (model_platform.now_us - start_us) * shape.bps / 8000000;

	assert_in_range(bytes, want - want / 100, want + want / 100 + 6000);
	assert_in_range(strict_out, strict_in - 1, strict_in);
	assert_true(drops(0, DROP_VOQ_FULL) > 1000);
	/* the rate goes, the queue empties at once */
	c.shapes = 0;
	configure(&c, NULL);
	turns(40);
	check_books();
}

/* A port without link empties its queues whatever its rate. */
static void test_shaped_link_down(void **state)
{
	struct config c = base_config();
	struct frame in;

	c.shape = &shape;
	c.shapes = 1;
	configure(&c, NULL);
	learn_hosts();
	for (unsigned i = 0; i < 200; i++) {
		udp_dscp(&in, 0);
		inject(0, &in);
	}
	turns(1);
	memdev_set_link(dev[1], false);
	turns(200);
	assert_true(drops(0, DROP_LINK_DOWN) > 100);
	memdev_set_link(dev[1], true);
	turns(200);
	check_books();
}

/* ---- latency ---- */

static void test_latency_is_counted(void **state)
{
	struct histogram *h = router.latency[0][router.first_txq[1]];
	struct frame in;

	learn_hosts();
	histogram_clear(h);
	for (unsigned i = 0; i < 500; i++) {
		udp(&in, 0, HOST(1), 10);
		inject(0, &in);
		turns(1);
		drain();
	}
	assert_int_equal(histogram_total(h), 500);
	/* from the look that did not find it to the one that did: a turn of a millisecond, or two
	 * where the output's worker had its turn before */
	assert_in_range(histogram_quantile(h, 500000), 1000000, 2100000);
	assert_in_range(router.worker[0]->gap[GAP_WORK], 1000000, 2000000);
	router_clear_latency(&router);
	turns(PORTS + 1);
	assert_int_equal(histogram_total(h), 0);
	/* what was longest after the clearing: a turn in which nothing was done */
	turns(2);
	for (unsigned w = 0; w < 2; w++) {
		assert_int_equal(router.worker[w]->gap[GAP_WORK], 0);
		assert_int_equal(router.worker[w]->gap[GAP_NONE], 1000000);
	}
	/* sending alone is work, too */
	udp(&in, 0, HOST(1), 10);
	inject(0, &in);
	turns(3);
	assert_int_equal(router.worker[1]->gap[GAP_WORK], 1000000);
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(setup, f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(setup_queues, test_dealt_evenly),
		CASE(setup_queues, test_own_txq),
		CASE(setup_queues, test_forward_on_every_queue),
		CASE(setup_queues, test_settings_reach_all_lanes),
		CASE(setup_spread, test_settings_reach_all_lanes),
		CASE(setup_spread, test_spread_keeps_order),
		CASE(setup_spread, test_spread_is_audited),
		CASE(setup_spread, test_spread_is_switchable),
		CASE(setup_queues, test_auto_is_off_with_enough_queues),
		CASE(setup_workers, test_classes),
		CASE(setup_workers, test_control_has_a_class),
		CASE(setup_queues, test_classes_need_one_txq),
		CASE(setup_workers, test_shaped_overload),
		CASE(setup_workers, test_shaped_link_down),
		CASE(setup_workers, test_latency_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
