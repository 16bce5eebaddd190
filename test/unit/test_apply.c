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

/* ---- IPv6 addresses ---- */

#define NET6(x) ((struct ip6){0xfd00000000000000ull, (x)})

/* What base_config has, with this address of fd00::/64 on eth0. */
static struct config config6(unsigned x)
{
	struct config c = base_config();

	base_iface[0].addrs6 = 1;
	base_iface[0].addr6[0] = (struct iface_addr6){.address = NET6(x), .length = 64};
	return c;
}

static void pass_ms(unsigned ms)
{
	for (unsigned i = 0; i < ms; i += 100) {
		model_platform.now_us += 100000;
		turns(2);
	}
	drain();
}

static unsigned state_of(struct ip6 address)
{
	const struct iface_addr6 *a = iface6_own(&router.iface[0], address);

	assert_non_null(a);
	return a->state;
}

static const struct neighbor *learn6(struct ip6 address)
{
	struct neighbor *e = neighbor_make(&router.stack, &router.stack.nd, 0, address);

	assert_non_null(e);
	neighbor_confirm(&router.stack, &router.stack.nd, e, host_mac[0]);
	turns(3);
	return e;
}

static void expect_neighbor6(struct ip6 address, bool known)
{
	const struct neighbor *e = neighbor_find(&router.stack.nd, 0, address);

	assert_int_equal(e != NULL, known);
	assert_int_equal(e && neighbor_is_usable(e), known);
	assert_int_equal(rib6_find(&router.rib6, address, 128, RIB_NEIGHBOR) != NULL, known);
}

/* Addresses that stay are not probed again, and neighbours in their networks stay known. */
static void test_addresses_stay(void **state)
{
	struct ip6 own = ip6_link_local(router.iface[0].mac);
	struct config c = config6(1);

	configure(&c, NULL);
	assert_int_equal(state_of(NET6(1)), ADDR6_TENTATIVE);
	pass_ms(1500);
	assert_int_equal(state_of(NET6(1)), ADDR6_VALID);
	assert_int_equal(state_of(own), ADDR6_VALID);
	(void)learn6(NET6(9));
	expect_neighbor6(NET6(9), true);
	/* IPv4's change, another IPv6 address, a route, another length. */
	base_iface[0].addr[0].address = IP(10, 9, 0, 1);
	configure(&c, NULL);
	assert_int_equal(state_of(NET6(1)), ADDR6_VALID);
	base_iface[0].addrs6 = 2;
	base_iface[0].addr6[1] =
		(struct iface_addr6){.address = {0xfd77ull << 48, 1}, .length = 64};
	base_iface[0].addr6[0].length = 60;
	c.routes = 2;
	configure(&c, NULL);
	assert_int_equal(state_of(NET6(1)), ADDR6_VALID);
	assert_int_equal(state_of(own), ADDR6_VALID);
	assert_int_equal(state_of((struct ip6){0xfd77ull << 48, 1}), ADDR6_TENTATIVE);
	expect_neighbor6(NET6(9), true);
	pass_ms(1500);
	assert_int_equal(state_of((struct ip6){0xfd77ull << 48, 1}), ADDR6_VALID);
	/* A network that goes takes its neighbours along. */
	base_iface[0].addr6[0].address = (struct ip6){0xfd55ull << 48, 1};
	configure(&c, NULL);
	expect_neighbor6(NET6(9), false);
	/* Switched off and on it begins anew. */
	base_iface[0].disabled = true;
	configure(&c, NULL);
	base_iface[0].disabled = false;
	configure(&c, NULL);
	assert_int_equal(state_of(own), ADDR6_TENTATIVE);
	pass_ms(1500);
	assert_int_equal(state_of(own), ADDR6_VALID);
	check_books();
}

/* What is refused leaves the states of addresses as they were. */
static void test_refusal_keeps_states(void **state)
{
	struct config c = config6(1);
	uint32_t next;

	configure(&c, NULL);
	pass_ms(1500);
	(void)learn6(NET6(9));
	next = router.nexthops.used;
	router.nexthops.used = NEXTHOP_MAX;
	base_iface[0].addr6[0].address = NET6(2);
	base_route[0].route.gateway = rib4_key(IP(10, 0, 1, 77));
	configure(&c, "do not fit");
	router.nexthops.used = next;
	assert_int_equal(state_of(NET6(1)), ADDR6_VALID);
	expect_neighbor6(NET6(9), true);
	check_books();
}

/* ---- workers ---- */

/* Whether a commit made the workers stand still. */
static bool stood_still(struct config *c)
{
	uint32_t was = router.park_request;

	configure(c, NULL);
	return router.park_request != was;
}

/* They do only for what one store a family cannot change. */
static void test_standing_still(void **state)
{
	struct config c = base_config();
	struct config_shape shape = {.iface = "eth1", .bps = 1000000};
	bool workers = router.rcu.readers > 0;

	configure(&c, NULL);
	c.routes = 3;
	base_iface[0].addr[0].address = IP(10, 9, 0, 1);
	assert_false(stood_still(&c));
	base_iface[0].mtu = 1400;
	assert_int_equal(stood_still(&c), workers);
	assert_false(stood_still(&c));
	c.shape = &shape;
	c.shapes = 1;
	assert_int_equal(stood_still(&c), workers);
	assert_false(stood_still(&c));
	/* 40.0.0.0/8 by way of 20.0.0.0/8, which then leads elsewhere. */
	base_route[3].route = (struct static_route){.prefix = rib4_key(IP(40, 0, 0, 0)),
		.length = 8,
		.gateway = rib4_key(IP(20, 0, 0, 1))};
	c.routes = 4;
	assert_false(stood_still(&c));
	base_route[0].route.gateway = rib4_key(HOST(2));
	assert_int_equal(stood_still(&c), workers);
	assert_false(stood_still(&c));
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
		CASE(test_addresses_stay),
		CASE(test_refusal_keeps_states),
		CASE(test_standing_still),
		CASE(test_refusal_restores6),
		CASE(test_address_comes_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
