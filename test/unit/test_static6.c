/* IPv6 addresses, static routes and next hops: what is installed, found, and gone afterwards. */
#include "test/unit/static_fixture.h"

#include "net/table/resolve.h"

#define NET(p, x) ((struct ip6){0xfd00000000000000ull | (p), (x)})
#define TO(x)     ((struct ip6){0x20010db800000000ull | (uint64_t)(x) << 16, 0})
#define LINK(x)   ((struct ip6){0xfe80000000000000ull, (x)})

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xaa}, mac_b[6] = {2, 0, 0, 0, 0, 0xbb};

static struct rib6 rib;

/* eth0 fd00::1/64, eth1 fd00:0:0:1::1/64, both down. */
static int setup(void **state)
{
	model_nexthops_init(&t);
	model_rib6_init(&rib, MODEL_ROUTES);
	routes = &rib.rib;
	for (unsigned p = 0; p < 2; p++) {
		iface[p] = (struct iface){.port = (uint16_t)p,
			.mtu = 1400,
			.mac = {2, 0, 0, 0, 0, (uint8_t)p},
			.addrs6 = 2};
		iface[p].addr6[0] = (struct iface_addr6){
			.address = NET(p, 1), .length = 64, .state = ADDR6_VALID};
		iface[p].addr6[1] = (struct iface_addr6){
			.address = LINK(1), .length = 64, .state = ADDR6_VALID};
	}
	return 0;
}

static void up(unsigned p)
{
	iface[p].installed = true;
	assert_int_equal(iface6_install(&iface[p], &rib, &t), ERR_OK);
}

static void down(unsigned p)
{
	iface6_withdraw(&iface[p], &rib, &t);
	iface[p].installed = false;
}

static const struct nexthop *hop(struct ip6 prefix, unsigned length)
{
	const struct route6 *r = rib6_find(&rib, prefix, length, RIB_STATIC);

	return r ? &t.nexthop[r->nexthop] : NULL;
}

static void test_addresses(void **state)
{
	up(0);
	assert_int_equal(rib.rib.count, 3); /* network, address, anycast; nothing link-local */
	assert_int_equal(
		t.nexthop[rib6_match(&rib, NET(0, 1), false)->nexthop].action, NEXTHOP_LOCAL);
	assert_int_equal(
		t.nexthop[rib6_match(&rib, NET(0, 0), false)->nexthop].action, NEXTHOP_LOCAL);
	assert_int_equal(
		t.nexthop[rib6_match(&rib, NET(0, 9), false)->nexthop].action, NEXTHOP_RESOLVE);
	assert_null(rib6_match(&rib, LINK(1), false));
	up(0); /* once more changes nothing */
	assert_int_equal(rib.rib.count, 3);
	assert_true(iface6_neighbor(&iface[0], NET(0, 9)) && iface6_neighbor(&iface[0], LINK(9)));
	assert_false(iface6_neighbor(&iface[0], NET(0, 1)));
	assert_false(iface6_neighbor(&iface[0], NET(0, 0)));
	assert_false(iface6_neighbor(&iface[0], NET(1, 9)));
	assert_ptr_equal(iface6_source(&iface[0], NET(5, 5)), &iface[0].addr6[0]);
	assert_ptr_equal(iface6_source(&iface[0], LINK(5)), &iface[0].addr6[1]);
	assert_ptr_equal(iface6_to(iface, 2, NET(0, 9)), &iface[0]);
	assert_null(iface6_to(iface, 2, NET(1, 9))); /* not installed */
	/* one that is somebody else's: of its routes only the network stays, if another is in it */
	iface[0].addr6[2] =
		(struct iface_addr6){.address = NET(0, 3), .length = 64, .state = ADDR6_VALID};
	iface[0].addrs6 = 3;
	up(0);
	assert_int_equal(rib.rib.count, 4);
	iface6_disown(&iface[0], &iface[0].addr6[0], &rib, &t);
	assert_int_equal(rib.rib.count, 3);
	assert_int_equal(
		t.nexthop[rib6_match(&rib, NET(0, 1), false)->nexthop].action, NEXTHOP_RESOLVE);
	iface6_disown(&iface[0], &iface[0].addr6[2], &rib, &t);
	assert_int_equal(rib.rib.count, 0);
	assert_nothing_left(NULL, 0);
	assert_int_equal(iface[0].addr6[0].state, ADDR6_TENTATIVE); /* a new chance */
}

static void test_lengths(void **state)
{
	static const struct {
		uint8_t length;
		unsigned routes;
	} c[] = {{1, 3}, {126, 3}, {127, 2}, {128, 1}};

	iface[0].addrs6 = 1;
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		iface[0].addr6[0].length = c[i].length;
		up(0);
		assert_int_equal(rib.rib.count, c[i].routes);
		down(0);
		assert_int_equal(rib.rib.count, 0);
	}
}

static void test_static(void **state)
{
	struct static_route s[] = {
		{.prefix = TO(0), .length = 48, .gateway = NET(0, 9)},
		{.prefix = TO(1), .length = 48, .gateway = NET(0, 9)},
		{.prefix = TO(1), .length = 48, .gateway = NET(1, 9), .weight = 2},
		{.prefix = TO(2), .length = 48, .gateway = LINK(9), .port = 1},
		{.prefix = TO(3), .length = 48, .gateway = TO(0)}, /* by way of the first */
		{.prefix = TO(4), .length = 48, .kind = STATIC_PROHIBIT},
		{.prefix = TO(5), .length = 48, .gateway = LINK(9), .port = PORT_MAX},
	};
	enum { N = sizeof s / sizeof *s };

	assert_int_equal(refresh(s, N), ERR_OK);
	assert_int_equal(rib.rib.count, 1);
	assert_int_equal(hop(TO(4), 48)->action, NEXTHOP_PROHIBIT);
	up(0);
	assert_int_equal(refresh(s, N), ERR_OK);
	assert_true(ip6_equal(hop(TO(0), 48)->gateway6, NET(0, 9)));
	assert_ptr_equal(hop(TO(0), 48), hop(TO(1), 48)); /* one path: shared */
	assert_null(hop(TO(2), 48));
	assert_int_equal(hop(TO(3), 48)->action, NEXTHOP_RECURSIVE);
	assert_ptr_equal(
		&t.nexthop[nexthop_pick(&t, rib6_find(&rib, TO(3), 48, RIB_STATIC)->nexthop, 7)],
		hop(TO(0), 48));
	up(1);
	assert_int_equal(refresh(s, N), ERR_OK);
	assert_int_equal(hop(TO(1), 48)->action, NEXTHOP_GROUP);
	assert_int_equal(hop(TO(2), 48)->port, 1);
	assert_null(hop(TO(5), 48));
	down(0);
	assert_int_equal(refresh(s, N), ERR_OK);
	assert_null(hop(TO(0), 48));
	assert_null(hop(TO(3), 48));
	assert_true(ip6_equal(hop(TO(1), 48)->gateway6, NET(1, 9)));
	assert_nothing_left(s, N);
}

/* Next hops of both families and of two ports do not meet. */
static void test_nexthops(void **state)
{
	uint32_t four, six, other, again, link0, link1;

	assert_int_equal(nexthop_get(&t, NEXTHOP_RESOLVE, 0, 0x0a000009, mac_a, 1500, &four), 0);
	assert_int_equal(nexthop_get6(&t, NEXTHOP_RESOLVE, 0, NET(0, 9), mac_a, 1500, &six), 0);
	assert_int_equal(nexthop_get6(&t, NEXTHOP_RESOLVE, 0, NET(0, 8), mac_a, 1500, &other), 0);
	assert_int_equal(nexthop_get6(&t, NEXTHOP_RESOLVE, 0, NET(0, 9), mac_a, 1500, &again), 0);
	assert_int_equal(nexthop_get6(&t, NEXTHOP_RESOLVE, 0, LINK(9), mac_a, 1500, &link0), 0);
	assert_int_equal(nexthop_get6(&t, NEXTHOP_RESOLVE, 1, LINK(9), mac_a, 1500, &link1), 0);
	assert_int_equal(again, six);
	assert_true(four != six && six != other && link0 != link1);
	/* the IPv4 gateway with the number that stands for the IPv6 one */
	assert_int_equal(
		nexthop_get(&t, NEXTHOP_RESOLVE, 0, t.nexthop[six].gateway, mac_a, 1500, &again),
		0);
	assert_int_not_equal(again, six);
	nexthop_set_mac6(&t, 0, NET(0, 9), mac_b, 3);
	assert_int_equal(adjacency_target(t.adjacency[six].out), 3);
	assert_memory_equal(t.adjacency[six].mac, mac_b, 6);
	assert_int_equal(adjacency_target(t.adjacency[other].out), NEXTHOP_RESOLVE);
	assert_int_equal(adjacency_target(t.adjacency[again].out), NEXTHOP_RESOLVE);
	nexthop_clear_mac6(&t, 0, NET(0, 9));
	assert_int_equal(adjacency_target(t.adjacency[six].out), NEXTHOP_RESOLVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_static, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nexthops, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
