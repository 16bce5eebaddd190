/* Applying configurations: addresses that move between ports, refusals that change nothing. */
#include "test/unit/router_fixture.h"

static unsigned routes_of(uint32_t prefix, unsigned length)
{
	return rib4_find(&router.rib, prefix, length, RIB_CONNECTED) != NULL;
}

/* The port that a network's connected route leads to. */
static unsigned port_of(uint32_t prefix)
{
	const struct route4 *r = rib4_find(&router.rib, prefix, 24, RIB_CONNECTED);

	assert_non_null(r);
	return router.nexthops.nexthop[r->nexthop].port;
}

static void test_networks_swap(void **state)
{
	struct config c = base_config();

	base_iface[0].addr[0].address = ROUTER(1);
	base_iface[1].addr[0].address = ROUTER(0);
	configure(&c, NULL);
	assert_int_equal(port_of(IP(10, 0, 1, 0)), 0);
	assert_int_equal(port_of(IP(10, 0, 0, 0)), 1);
	c = base_config();
	configure(&c, NULL);
	assert_int_equal(port_of(IP(10, 0, 0, 0)), 0);
	assert_int_equal(port_of(IP(10, 0, 1, 0)), 1);
	check_books();
}

static void test_network_moves_down(void **state)
{
	struct config c = base_config();

	base_iface[1].addrs = 0;
	base_iface[0].addr[0].address = ROUTER(1);
	configure(&c, NULL);
	assert_int_equal(port_of(IP(10, 0, 1, 0)), 0);
	assert_int_equal(routes_of(IP(10, 0, 0, 0), 24), 0);
	check_books();
}

/* A refusal after interfaces were moved: everything is as before. */
static void test_refusal_restores(void **state)
{
	struct config c = base_config();
	static struct config_neighbor many[NEIGHBOR_MAX / 2];

	for (unsigned i = 0; i < NEIGHBOR_MAX / 2; i++)
		many[i] = (struct config_neighbor){.iface = "eth0", .address = IP(10, 0, 0, 3) + i};
	configure(&c, NULL);
	base_iface[0].addr[0].address = ROUTER(1);
	base_iface[1].addr[0].address = ROUTER(0);
	base_route[0].dev[0] = 0;
	router.statics.max = 4;
	base_route[4].route = base_route[3].route;
	base_route[4].route.prefix = rib4_key(IP(33, 0, 0, 0));
	c.routes = 5;
	configure(&c, "5 static routes: 4 fit");
	router.statics.max = STATIC_MAX;
	c.routes = 4;
	c.neighbor = many;
	c.neighbors = NEIGHBOR_MAX / 2;
	uint32_t next = router.nexthops.used;

	router.nexthops.used = NEXTHOP_MAX; /* no next hop is left */
	base_route[0].route.gateway = rib4_key(IP(10, 0, 1, 77));
	configure(&c, "do not fit");
	router.nexthops.used = next;
	assert_int_equal(port_of(IP(10, 0, 0, 0)), 0);
	assert_int_equal(port_of(IP(10, 0, 1, 0)), 1);
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f)                                                                                    \
	cmocka_unit_test_setup_teardown(f, setup, teardown),                                       \
		cmocka_unit_test_setup_teardown(f, setup_workers, teardown)
		CASE(test_networks_swap),
		CASE(test_network_moves_down),
		CASE(test_refusal_restores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
