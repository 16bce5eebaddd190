/* Packets counted by next hop, through the whole router. */
#include "test/unit/router_fixture.h"

static struct config config;
static struct config_route routes[8];

static void add_route(uint8_t first, enum static_kind kind, uint32_t gateway)
{
	routes[config.routes++].route =
		(struct static_route){.prefix = rib4_key(IP(first, 0, 0, 0)),
			.length = 8,
			.kind = (uint8_t)kind,
			.gateway = rib4_key(gateway),
			.weight = 1};
}

static void commit(bool counts)
{
	config.count_nexthops = counts;
	configure(&config, NULL);
	turns(5);
	drain();
}

static int setup_count(void **state)
{
	start(2, 1);
	learn_hosts();
	config = base_config();
	config.route = routes;
	config.routes = 0;
	memset(routes, 0, sizeof routes);
	add_route(20, STATIC_VIA, HOST(1));
	add_route(30, STATIC_BLACKHOLE, 0);
	add_route(40, STATIC_VIA, HOST(1));
	add_route(40, STATIC_VIA, HOST(2));
	add_route(50, STATIC_VIA, IP(20, 0, 0, 9));
	commit(true);
	return 0;
}

/* What the next hop of an address has counted; of a group, itself. */
static struct nexthop_count counted(uint32_t dst)
{
	struct nexthop_count c;
	uint32_t nh;

	fib4_lookup(router.tables.fib4, &dst, &nh, 1);
	nexthop_counted(&router.nexthops, nh, &c);
	return c;
}

static void send_to(uint32_t dst, unsigned n, size_t payload)
{
	struct frame f;

	for (unsigned i = 0; i < n; i++) {
		udp(&f, 0, dst, payload);
		store_be16(f.data + 34, (uint16_t)(1000 + i)); /* flows of their own */
		inject(0, &f);
	}
	turns(4);
}

static void test_counts(void **state)
{
	struct frame f;

	send_to(IP(20, 1, 1, 1), 3, 100);
	assert_int_equal(counted(IP(20, 1, 1, 1)).packets, 3);
	assert_int_equal(counted(IP(20, 1, 1, 1)).bytes, 3 * (14 + 28 + 100));
	assert_int_equal(counted(IP(30, 1, 1, 1)).packets, 0);
	assert_int_equal(counted(HOST(1)).packets, 3); /* the same neighbour */

	send_to(IP(30, 1, 1, 1), 2, 0);
	assert_int_equal(counted(IP(30, 1, 1, 1)).packets, 2);

	udp(&f, 0, IP(20, 1, 1, 1), 10); /* not sent, but led there */
	f.data[22] = 1;
	frame_fix_checksum(&f);
	inject(0, &f);
	f.data[24] ^= 1; /* a bad one is led nowhere */
	inject(0, &f);
	turns(3);
	assert_int_equal(counted(IP(20, 1, 1, 1)).packets, 4);
	check_books();
}

/* A group counts, and its members share; a recursive one counts, and what it stands for. */
static void test_groups(void **state)
{
	send_to(IP(40, 1, 1, 1), 100, 10);
	assert_int_equal(counted(IP(40, 1, 1, 1)).packets, 100);
	uint64_t one = counted(HOST(1)).packets, two = counted(HOST(2)).packets;
	struct frame f;
	unsigned by_one = 0;

	while (sent(1, &f))
		by_one++;
	assert_int_equal(one + two, 100);
	assert_int_equal(one, by_one); /* the member that it was sent by */
	assert_int_not_equal(one, 0);
	assert_int_not_equal(two, 0);

	send_to(IP(50, 1, 1, 1), 7, 10);
	assert_int_equal(counted(IP(50, 1, 1, 1)).packets, 7);
	assert_int_equal(counted(HOST(1)).packets, one + 7);
	check_books();
}

static void test_off_and_cleared(void **state)
{
	send_to(IP(20, 1, 1, 1), 3, 10);
	nexthop_clear_counts(&router.nexthops);
	assert_int_equal(counted(IP(20, 1, 1, 1)).packets, 0);
	assert_int_equal(counted(IP(20, 1, 1, 1)).bytes, 0);
	send_to(IP(20, 1, 1, 1), 2, 10);
	assert_int_equal(counted(IP(20, 1, 1, 1)).packets, 2);
	commit(false);
	assert_null(router.lane[0].count);
	send_to(IP(20, 1, 1, 1), 2, 10);
	assert_int_equal(counted(IP(20, 1, 1, 1)).packets, 2);
	check_books();
}

/* An index that is given to another next hop counts from zero. */
static void test_index_reused(void **state)
{
	uint32_t dst = IP(50, 1, 1, 1), before, after = 0;

	fib4_lookup(router.tables.fib4, &dst, &before, 1);
	send_to(dst, 5, 10);
	config.routes = 4;
	commit(true);
	turns(50);
	for (unsigned i = 0; i < 8 && after != before; i++) { /* until it is that index's turn */
		config.routes = 4;
		commit(true);
		turns(20);
		add_route(50, STATIC_VIA, IP(20, 0, 0, (uint8_t)(20 + i)));
		commit(true);
		turns(20);
		fib4_lookup(router.tables.fib4, &dst, &after, 1);
	}
	assert_int_equal(after, before);
	assert_int_equal(counted(dst).packets, 0);
	send_to(dst, 1, 10);
	assert_int_equal(counted(dst).packets, 1);
	check_books();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_count, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_counts),
		TEST(test_groups),
		TEST(test_off_and_cleared),
		TEST(test_index_reused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
