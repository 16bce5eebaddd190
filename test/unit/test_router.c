/* The whole router in one thread: memory ports, every packet's fate, both books after each case. */
#include "test/unit/router_fixture.h"

static void test_forward(void **state)
{
	struct frame in, out;

	learn_hosts();
	udp(&in, 0, HOST(1), 100);
	inject(0, &in);
	turns(2);
	assert_int_equal(sent(1, &out), in.len);
	assert_memory_equal(out.data, host_mac[1], 6);
	assert_memory_equal(out.data + 6, dev[1]->mac, 6);
	assert_int_equal(out.data[22], 63);
	assert_int_equal(checksum(out.data + 14, 20), 0);
	assert_memory_equal(out.data + 26, in.data + 26, in.len - 26);
	check_books();
}

static void test_resolve_holds_the_newest(void **state)
{
	struct frame in, out, arp;

	udp(&in, 0, HOST(1), 10);
	inject(0, &in);
	udp(&in, 0, HOST(1), 20);
	inject(0, &in);
	turns(2);
	assert_int_equal(
		memdev_collect(dev[1], 0, arp.data, sizeof arp.data), 60); /* padded, RFC 894 */
	assert_int_equal(load_be16(arp.data + 20), 1);
	assert_int_equal(load_be32(arp.data + 38), HOST(1));
	assert_int_equal(drops(0, DROP_NEIGHBOR_PENDING), 1);
	check_books();

	frame_arp(&arp, 2, dev[1]->mac, host_mac[1], HOST(1), dev[1]->mac, ROUTER(1));
	inject(1, &arp);
	turns(3);
	assert_int_equal(sent(1, &out), in.len);
	assert_int_equal(out.data[22], 63);
	assert_int_equal(checksum(out.data + 14, 20), 0);
	inject(0, &in); /* now without the control core */
	turns(2);
	assert_int_equal(sent(1, &out), in.len);
	check_books();
}

static void test_neighbor_fails(void **state)
{
	struct frame in, out;

	frame_arp(&in, 1, all, host_mac[0], HOST(0), zero_mac, ROUTER(0));
	inject(0, &in);
	udp(&in, 0, HOST(1), 10);
	inject(0, &in);
	turns(5000); /* milliseconds */
	assert_int_equal(drops(0, DROP_NEIGHBOR_FAILED), 1);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(out.data[23], 1);
	assert_int_equal(out.data[34], 3);
	assert_int_equal(out.data[35], 1);
	check_books();
}

static void expect_icmp(unsigned port, unsigned type, unsigned code, const struct frame *cause)
{
	struct frame out;

	assert_int_not_equal(sent(port, &out), 0);
	assert_int_equal(out.data[34], type);
	assert_int_equal(out.data[35], code);
	assert_int_equal(load_be32(out.data + 26), ROUTER(port));
	assert_int_equal(load_be32(out.data + 30), HOST(port));
	assert_memory_equal(out.data + 42 + 12, cause->data + 26, 16); /* quotes addresses, ports */
}

static void test_drops_with_answers(void **state)
{
	static const struct {
		uint32_t dst;
		enum drop_reason reason;
		int type, code;
	} cases[] = {
		{IP(99, 0, 0, 1), DROP_NO_ROUTE, 3, 0},
		{IP(30, 0, 0, 1), DROP_BLACKHOLE, -1, 0},
		{IP(31, 0, 0, 1), DROP_UNREACHABLE, 3, 1},
		{IP(32, 0, 0, 1), DROP_PROHIBIT, 3, 13},
		{IP(10, 0, 1, 255), DROP_BROADCAST, -1, 0},
		{ROUTER(0), DROP_LOCAL_NO_PROTOCOL, 3, 3},
	};
	struct frame in, out;

	learn_hosts();
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		udp(&in, 0, cases[i].dst, 10);
		inject(0, &in);
		turns(2);
		assert_int_equal(drops(0, cases[i].reason), 1);
		if (cases[i].type >= 0)
			expect_icmp(0, (unsigned)cases[i].type, (unsigned)cases[i].code, &in);
		assert_int_equal(sent(0, &out), 0);
	}
	udp(&in, 0, HOST(1), 10);
	in.data[22] = 1;
	frame_fix_checksum(&in);
	inject(0, &in);
	turns(2);
	assert_int_equal(drops(0, DROP_TTL_EXCEEDED), 1);
	expect_icmp(0, 11, 0, &in);
	check_books();
}

static void test_mtu(void **state)
{
	struct config c = base_config();
	struct frame in, out;

	base_iface[1].mtu = 600;
	configure(&c, NULL);
	learn_hosts();
	udp(&in, 0, HOST(1), 1000);
	in.data[20] = 0x40; /* don't fragment */
	frame_fix_checksum(&in);
	inject(0, &in);
	turns(2);
	assert_int_equal(drops(0, DROP_MTU_EXCEEDED), 1);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(out.data[34], 3);
	assert_int_equal(out.data[35], 4);
	assert_int_equal(load_be16(out.data + 40), 600);
	/* the port itself takes no more than its MTU */
	udp(&in, 1, HOST(0), 600);
	inject(1, &in);
	turns(2);
	assert_int_equal(drops(1, DROP_RX_OVERSIZE), 1);
	check_books();
}

static void test_static_route_and_link(void **state)
{
	struct frame in, out;

	learn_hosts();
	udp(&in, 0, IP(20, 1, 2, 3), 10);
	inject(0, &in);
	turns(3);
	assert_int_equal(sent(1, &out), in.len);
	assert_memory_equal(out.data, host_mac[1], 6);
	memdev_set_link(dev[1], false);
	turns(200);
	inject(0, &in);
	turns(3);
	assert_int_equal(drops(0, DROP_NO_ROUTE), 1); /* the gateway's network is gone */
	memdev_set_link(dev[1], true);
	turns(200);
	learn_hosts();
	inject(0, &in);
	turns(3);
	assert_int_equal(sent(1, &out), in.len);
	check_books();
}

static void test_echo(void **state)
{
	struct frame in, out;

	learn_hosts();
	frame_echo(&in, dev[0]->mac, host_mac[0], HOST(0), ROUTER(1), 7, 9);
	inject(0, &in);
	turns(2);
	assert_int_equal(sent(0, &out), in.len);
	assert_int_equal(out.data[34], 0);
	assert_int_equal(load_be32(out.data + 26), ROUTER(1));
	assert_int_equal(load_be16(out.data + 38), 7);
	assert_int_equal(checksum(out.data + 34, out.len - 34), 0);
	check_books();
}

/* An output that takes nothing fills its VOQ; another output goes on; all is counted. */
static void test_voq_full(void **state)
{
	struct frame in, out;

	learn_hosts();
	for (unsigned i = 0; i < 3000; i++) {
		udp(&in, 0, HOST(1), 10);
		inject(0, &in);
		turns(1);
	}
	assert_true(drops(0, DROP_VOQ_FULL) > 1000);
	udp(&in, 0, HOST(2), 10);
	inject(0, &in);
	turns(2);
	assert_int_equal(sent(2, &out), in.len);
	while (sent(1, &out))
		turns(1);
	check_books();
}

static unsigned policed(enum police_kind kind)
{
	unsigned n = 0;

	for (unsigned a = 0; a < router.actors; a++)
		n += (unsigned)router.counters[a]->policed[kind];
	return n;
}

/*
 * A flood of one kind is cut down before it reaches the punt ring: the port's own
 * ARP, other ports' echoes and what is forwarded do not notice.
 */
static void test_flood_is_policed(void **state)
{
	struct frame in, out;
	unsigned answered = 0, forwarded = 0;

	learn_hosts();
	for (unsigned ms = 0; ms < 100; ms++) {
		for (unsigned i = 0; i < 100; i++) {
			frame_echo(&in, dev[0]->mac, host_mac[0], HOST(0), ROUTER(0), 7, 9);
			inject(0, &in);
		}
		udp(&in, 0, HOST(1), 10);
		inject(0, &in);
		frame_echo(&in, dev[2]->mac, host_mac[2], HOST(2), ROUTER(2), 7, 9);
		inject(2, &in);
		frame_arp(&in, 1, all, host_mac[0], HOST(0), zero_mac, ROUTER(0));
		inject(0, &in);
		turns(8);
		while (sent(0, &out))
			;
		while (sent(1, &out))
			forwarded++;
		while (sent(2, &out))
			answered++;
	}
	assert_int_equal(forwarded, 100);
	assert_int_equal(answered, 100);
	assert_int_equal(policed(POLICE_ARP), 0);
	assert_true(policed(POLICE_ECHO) > 100);
	assert_int_equal(drops(0, DROP_POLICED), policed(POLICE_ECHO));
	assert_int_equal(drops(2, DROP_POLICED), 0);
	check_books();
}

/* What police lets through a control core that stands still cannot take: counted as such. */
static void test_punt_ring_full(void **state)
{
	struct frame in;

	learn_hosts();
	for (unsigned l = 0; l < router.lanes; l++)
		police_init(&router.lane[l].police, 0); /* no limits */
	for (unsigned i = 0; i < PUNT_SLOTS + 100; i++) {
		udp(&in, 0, ROUTER(0), 10);
		inject(0, &in);
		for (unsigned w = 0; w < router.workers; w++)
			worker_turn(&router, router.worker[w]);
	}
	assert_int_equal(drops(0, DROP_CONTROL_QUEUE_FULL), 100);
	turns(PUNT_SLOTS);
	check_books();
}

static void test_config_is_all_or_nothing(void **state)
{
	struct config c = base_config();
	struct frame in, out;

	learn_hosts();
	base_iface[2].mtu = 65000;
	base_iface[0].addr[0].address = IP(10, 9, 9, 9);
	configure(&c, "mtu");
	udp(&in, 0, HOST(1), 10);
	inject(0, &in);
	turns(2);
	assert_int_equal(sent(1, &out), in.len);
	/* 'dev' must be where the gateway is */
	c = base_config();
	memcpy(base_route[0].dev, "eth2", 5);
	configure(&c, "no network of eth2");
	memcpy(base_route[0].dev, "eth1", 5);
	configure(&c, NULL);
	check_books();
}

/* A route by both eth1 and eth2: every flow keeps to one of them, and they share. */
static void test_equal_cost(void **state)
{
	struct nexthop_member member[2] = {{.weight = 1}, {.weight = 1}};
	struct route4 route = {.prefix = IP(40, 0, 0, 0), .length = 8, .source = RIB_STATIC};
	struct nexthop_table *t = &router.nexthops;
	unsigned count[PORTS] = {0};
	struct frame in, out;

	learn_hosts();
	for (unsigned m = 0; m < 2; m++) {
		uint32_t index;

		assert_int_equal(nexthop_get(t, NEXTHOP_RESOLVE, m + 1, HOST(m + 1),
					 router.iface[m + 1].mac, 1500, &index),
			ERR_OK);
		nexthop_set_mac(t, m + 1, HOST(m + 1), host_mac[m + 1], m + 1);
		member[m].index = (uint16_t)index;
	}
	assert_int_equal(nexthop_get_group(t, member, 2, &route.nexthop), ERR_OK);
	assert_int_equal(rib4_add(&router.rib, &route), ERR_OK);
	turns(3);
	for (unsigned flow = 0; flow < 64; flow++) {
		unsigned by = 0;

		for (unsigned i = 0; i < 3; i++) {
			udp(&in, 0, IP(40, 0, 0, flow), 10 + i);
			inject(0, &in);
			turns(2);
			for (unsigned port = 1; port < PORTS; port++) {
				if (!sent(port, &out))
					continue;
				assert_true(!by || by == port);
				assert_memory_equal(out.data, host_mac[port], 6);
				by = port;
			}
			assert_true(by);
		}
		count[by]++;
	}
	assert_true(count[1] > 16 && count[2] > 16);
	check_books();
}

/* One path of two is not resolved yet: its flows wait for the neighbour, the others go. */
static void test_equal_cost_resolves(void **state)
{
	struct nexthop_member member[2] = {{.weight = 1}, {.weight = 1}};
	struct route4 route = {.prefix = IP(40, 0, 0, 0), .length = 8, .source = RIB_STATIC};
	struct nexthop_table *t = &router.nexthops;
	unsigned asked = 0, went = 0;
	struct frame in, out;

	learn_hosts();
	for (unsigned m = 0; m < 2; m++) {
		uint32_t index;

		assert_int_equal(nexthop_get(t, NEXTHOP_RESOLVE, m + 1, HOST(m + 1) + m * 50,
					 router.iface[m + 1].mac, 1500, &index),
			ERR_OK);
		member[m].index = (uint16_t)index;
	}
	nexthop_set_mac(t, 1, HOST(1), host_mac[1], 1);
	assert_int_equal(nexthop_get_group(t, member, 2, &route.nexthop), ERR_OK);
	assert_int_equal(rib4_add(&router.rib, &route), ERR_OK);
	turns(3);
	drain();
	for (unsigned flow = 0; flow < 16; flow++) {
		udp(&in, 0, IP(40, 0, 0, flow), 10);
		inject(0, &in);
		turns(2);
		went += sent(1, &out) != 0;
		out.len = memdev_collect(dev[2], 0, out.data, sizeof out.data);
		asked += out.len && load_be16(out.data + 12) == 0x0806 &&
			 load_be32(out.data + 38) == HOST(2) + 50;
	}
	assert_true(asked > 0 && went > 0);
	turns(10000);
	check_books();
}

/* A gateway behind another: traffic follows when the nearer route moves to another port. */
static void test_recursive_route(void **state)
{
	struct config c = base_config();
	struct frame in, out;

	base_route[4].route = (struct static_route){.prefix = rib4_key(IP(50, 0, 0, 0)),
		.length = 8,
		.gateway = rib4_key(IP(20, 0, 0, 1))};
	c.routes = 5;
	configure(&c, NULL);
	learn_hosts();
	udp(&in, 0, IP(50, 0, 0, 1), 10);
	inject(0, &in);
	turns(3);
	assert_int_equal(sent(1, &out), in.len);
	assert_memory_equal(out.data, host_mac[1], 6);
	base_route[0].route.gateway = rib4_key(HOST(2)); /* of 20/8 */
	configure(&c, NULL);
	turns(3);
	learn_hosts();
	drain();
	inject(0, &in);
	turns(3);
	assert_int_equal(sent(2, &out), in.len);
	assert_memory_equal(out.data, host_mac[2], 6);
	check_books();
}

/* Frames that were valid once, mutated at random: nothing is lost, nothing is left. */
static void test_garbage(void **state)
{
	struct frame in;

	learn_hosts();
	srand(1);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned port = (unsigned)rand() % PORTS;

		if (i % 4 == 0)
			frame_arp(&in, 1 + i % 2, all, host_mac[port], HOST(port), zero_mac,
				ROUTER(port));
		else if (i % 4 == 1)
			frame_echo(&in, dev[port]->mac, host_mac[port], HOST(port), ROUTER(port), 1,
				1);
		else
			udp(&in, port, (uint32_t)rand(), (size_t)rand() % 1000);
		for (int k = rand() % 4; k > 0; k--)
			in.data[(size_t)rand() % (in.len < 60 ? in.len : 60)] = (uint8_t)rand();
		if (rand() % 2)
			in.len = (size_t)rand() % (in.len + 1) + 1;
		if (rand() % 2 && (in.data[14] & 15) >= 5)
			frame_fix_checksum(&in);
		(void)memdev_inject(dev[port], 0, in.data, in.len);
		if (i % 16 == 0) {
			turns(1);
			drain();
		}
	}
	turns(10000); /* what is held gives up */
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f)                                                                                    \
	cmocka_unit_test_setup_teardown(f, setup, teardown),                                       \
		cmocka_unit_test_setup_teardown(f, setup_workers, teardown)
		CASE(test_forward),
		CASE(test_resolve_holds_the_newest),
		CASE(test_neighbor_fails),
		CASE(test_drops_with_answers),
		CASE(test_mtu),
		CASE(test_static_route_and_link),
		CASE(test_echo),
		CASE(test_voq_full),
		CASE(test_flood_is_policed),
		CASE(test_punt_ring_full),
		CASE(test_config_is_all_or_nothing),
		CASE(test_equal_cost),
		CASE(test_equal_cost_resolves),
		CASE(test_recursive_route),
		CASE(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
