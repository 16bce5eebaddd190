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

/* The same with an IPv6 address: its routes are there again. */
static void test_refusal_restores6(void **state)
{
	struct config c = base_config();
	struct ip6 first = {0xfd00000000000000ull, 1}, second = {0xfd00000000010000ull, 1};

	base_iface[0].addrs6 = 1;
	base_iface[0].addr6[0] = (struct iface_addr6){.address = first, .length = 64};
	configure(&c, NULL);
	turns(2500);
	base_iface[0].addr6[0].address = second;
	base_route[0].route.gateway = rib4_key(IP(10, 0, 1, 77));
	uint32_t next = router.nexthops.used;

	router.nexthops.used = NEXTHOP_MAX; /* no next hop is left */
	configure(&c, "do not fit");
	router.nexthops.used = next;
	assert_non_null(rib6_find(&router.rib6, first, 128, RIB_LOCAL));
	assert_null(rib6_find(&router.rib6, second, 128, RIB_LOCAL));
	assert_int_equal(router.iface[0].addr6[0].state, ADDR6_VALID);
	check_books();
}

/* RFC 4862 5.4: an address that comes to others does not have them probed again. */
static void test_address_comes_to_others(void **state)
{
	struct config c = base_config();
	const struct iface *i = &router.iface[0];
	struct ip6 first = {0xfd00000000000000ull, 1}, second = {0xfd00000000010000ull, 1};

	base_iface[0].addrs6 = 1;
	base_iface[0].addr6[0] = (struct iface_addr6){.address = first, .length = 64};
	configure(&c, NULL);
	assert_int_equal(i->addr6[0].state, ADDR6_TENTATIVE);
	turns(2500);
	assert_int_equal(i->addr6[0].state, ADDR6_VALID);
	base_iface[0].addrs6 = 2;
	base_iface[0].addr6[1] = (struct iface_addr6){.address = second, .length = 64};
	configure(&c, NULL);
	assert_int_equal(i->addrs6, 3);
	assert_int_equal(i->addr6[0].state, ADDR6_VALID);
	assert_int_equal(i->addr6[1].state, ADDR6_TENTATIVE);
	assert_int_equal(i->addr6[2].state, ADDR6_VALID);
	turns(2500);
	assert_int_equal(i->addr6[1].state, ADDR6_VALID);
	/* A port that was disabled starts anew. */
	base_iface[0].disabled = true;
	configure(&c, NULL);
	base_iface[0].disabled = false;
	configure(&c, NULL);
	for (unsigned k = 0; k < 3; k++)
		assert_int_equal(i->addr6[k].state, ADDR6_TENTATIVE);
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
		CASE(test_refusal_restores6),
		CASE(test_address_comes_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
