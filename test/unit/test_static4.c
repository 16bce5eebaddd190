/* Static routes: installed while they can be used, and nothing left when they go. */
#include "test/unit/static_fixture.h"

static struct rib4 rib;

/* eth0 10.0.0.1/24, eth1 10.0.1.1/24, both down. */
static int setup(void **state)
{
	model_nexthops_init(&t);
	model_rib4_init(&rib, MODEL_ROUTES);
	routes = &rib.rib;
	for (unsigned p = 0; p < 2; p++)
		iface[p] = (struct iface){.port = (uint16_t)p,
			.mtu = 1400,
			.mac = {2, 0, 0, 0, 0, (uint8_t)p},
			.addrs = 1,
			.addr = {{0x0a000001u + (p << 8), 24}}};
	return 0;
}

static void up(unsigned p)
{
	assert_int_equal(iface_install(&iface[p], &rib, &t), ERR_OK);
}

static void down(unsigned p)
{
	iface_withdraw(&iface[p], &rib, &t);
}

static const struct nexthop *hop(uint32_t prefix, unsigned length)
{
	const struct route4 *r = rib4_find(&rib, prefix, length, RIB_STATIC);

	return r ? &t.nexthop[r->nexthop] : NULL;
}

static void test_kinds(void **state)
{
	struct static_route s[] = {
		{.prefix = rib4_key(0xc0000000), .length = 24, .kind = STATIC_BLACKHOLE},
		{.prefix = rib4_key(0xc0000100), .length = 24, .kind = STATIC_UNREACHABLE},
		{.prefix = rib4_key(0xc0000200), .length = 24, .kind = STATIC_PROHIBIT}};

	assert_int_equal(refresh(s, 3), ERR_OK); /* they need no interface */
	assert_int_equal(hop(0xc0000000, 24)->action, NEXTHOP_BLACKHOLE);
	assert_int_equal(hop(0xc0000100, 24)->action, NEXTHOP_UNREACHABLE);
	assert_int_equal(hop(0xc0000200, 24)->action, NEXTHOP_PROHIBIT);
	uint64_t generation = rib.rib.generation;
	assert_int_equal(refresh(s, 3), ERR_OK);
	assert_true(rib.rib.generation == generation); /* nothing to do: nothing done */
	assert_nothing_left(s, 3);
}

static void test_via(void **state)
{
	struct static_route s = {.prefix = rib4_key(0),
		.length = 0,
		.gateway = rib4_key(0x0a000102),
		.kind = STATIC_VIA};
	const struct route4 *r;

	assert_int_equal(refresh(&s, 1), ERR_OK);
	assert_false(s.installed); /* waits */
	up(0);
	assert_int_equal(refresh(&s, 1), ERR_OK);
	assert_false(s.installed);
	up(1);
	assert_int_equal(refresh(&s, 1), ERR_OK);
	assert_true(s.installed);
	assert_int_equal(hop(0, 0)->action, NEXTHOP_RESOLVE);
	assert_int_equal(hop(0, 0)->port, 1);
	assert_int_equal(hop(0, 0)->gateway, 0x0a000102);
	r = rib4_find(&rib, 0, 0, RIB_STATIC);
	assert_int_equal(adjacency_mtu(t.adjacency[r->nexthop].out), 1400);
	assert_memory_equal(t.adjacency[r->nexthop].mac + 6, iface[1].mac, 6);
	down(1);
	assert_int_equal(refresh(&s, 1), ERR_OK);
	assert_false(s.installed);
	assert_null(hop(0, 0));
	assert_nothing_left(&s, 1);
}

/* An own address or a broadcast address is no gateway. */
static void test_bad_gateways(void **state)
{
	static const uint32_t bad[] = {0x0a000001, 0x0a000000, 0x0a0000ff, 0x0b000001};

	up(0);
	for (unsigned i = 0; i < 4; i++) {
		struct static_route s = {
			.length = 0, .gateway = rib4_key(bad[i]), .kind = STATIC_VIA};

		assert_int_equal(refresh(&s, 1), ERR_OK);
		assert_false(s.installed);
	}
}

/* The gateway's network moves to another port: the route follows. */
static void test_moves(void **state)
{
	struct static_route s = {.length = 0, .gateway = rib4_key(0x0a000002), .kind = STATIC_VIA};

	up(0);
	assert_int_equal(refresh(&s, 1), ERR_OK);
	assert_int_equal(hop(0, 0)->port, 0);
	down(0);
	iface[0].addr[0].address = 0x0b000001;
	iface[1].addr[0].address = 0x0a000001;
	up(0);
	up(1);
	assert_int_equal(refresh(&s, 1), ERR_OK);
	assert_int_equal(hop(0, 0)->port, 1);
	assert_nothing_left(&s, 1);
}

/* Two lines for one prefix share its flows by weight; if one goes, the other has them all. */
static void test_twice(void **state)
{
	struct static_route s[] = {{.prefix = rib4_key(0xc0000000),
					   .length = 24,
					   .gateway = rib4_key(0x0a000002),
					   .kind = STATIC_VIA},
		{.prefix = rib4_key(0xc0000000),
			.length = 24,
			.gateway = rib4_key(0x0a000102),
			.kind = STATIC_VIA}};

	up(0);
	up(1);
	s[0].weight = 3;
	assert_int_equal(refresh(s, 2), ERR_OK);
	assert_true(s[0].installed && s[1].installed);
	const struct nexthop *n = hop(0xc0000000, 24);

	assert_int_equal(n->action, NEXTHOP_GROUP);
	assert_int_equal(t.group[n->group].members, 2);
	assert_int_equal(t.group[n->group].member[0].weight, 3);
	assert_int_equal(t.group[n->group].member[1].weight, 1);
	uint64_t generation = rib.rib.generation;
	assert_int_equal(refresh(s, 2), ERR_OK);
	assert_true(rib.rib.generation == generation); /* nothing to do: nothing done */
	down(0);
	assert_int_equal(refresh(s, 2), ERR_OK);
	assert_true(!s[0].installed && s[1].installed);
	assert_int_equal(hop(0xc0000000, 24)->port, 1);
	up(0);
	assert_int_equal(refresh(s, 2), ERR_OK);
	assert_int_equal(hop(0xc0000000, 24)->action, NEXTHOP_GROUP);
	static_withdraw(s, 1, &rib.rib, &t); /* the other line stays, once it is looked at again */
	assert_int_equal(refresh(s + 1, 1), ERR_OK);
	assert_int_equal(hop(0xc0000000, 24)->port, 1);
	assert_nothing_left(s, 2);
}

static void test_full(void **state)
{
	static struct static_route s[MODEL_ROUTES + 2];

	for (uint32_t i = 0; i < MODEL_ROUTES + 2; i++)
		s[i] = (struct static_route){
			.prefix = rib4_key(i << 8), .length = 24, .kind = STATIC_BLACKHOLE};
	assert_int_equal(refresh(s, MODEL_ROUTES + 2), ERR_FULL);
	assert_int_equal(rib.rib.count, MODEL_ROUTES);
	assert_true(s[MODEL_ROUTES - 1].installed && !s[MODEL_ROUTES].installed);
	static_withdraw(s, 1, &rib.rib, &t);
	s[0].length = 0; /* elsewhere */
	s[0].kind = STATIC_VIA;
	assert_int_equal(refresh(s, MODEL_ROUTES + 2), ERR_FULL);
	assert_true(s[MODEL_ROUTES].installed && !s[MODEL_ROUTES + 1].installed);
	assert_nothing_left(s, MODEL_ROUTES + 2);
}

/* Where packets for the prefix go in the end: a gateway, or 0. */
static uint32_t leads_to(uint32_t prefix, unsigned length)
{
	const struct route4 *r = rib4_find(&rib, prefix, length, RIB_STATIC);
	uint32_t index = r ? nexthop_pick(&t, r->nexthop, 0) : NEXTHOP_NONE;

	return t.nexthop[index].action == NEXTHOP_RESOLVE ? t.nexthop[index].gateway : 0;
}

#define VIA(p, l, g)                                                                               \
	{                                                                                          \
		.prefix = rib4_key((p)), .length = (l), .gateway = rib4_key((g)),                  \
		.kind = STATIC_VIA                                                                 \
	}

/* A gateway behind a gateway, in lines of any order; it follows when the nearer one moves. */
static void test_recursive(void **state)
{
	struct static_route s[] = {VIA(0x60000000, 8, 0x50000001), VIA(0x50000000, 8, 0x40000001),
		VIA(0x40000000, 8, 0x0a000002), VIA(0, 0, 0x0a000003)};

	up(0);
	assert_int_equal(refresh(s, 4), ERR_OK);
	assert_true(s[0].installed && s[1].installed);
	assert_int_equal(hop(0x60000000, 8)->action, NEXTHOP_RECURSIVE);
	assert_int_equal(hop(0x60000000, 8)->gateway, 0x50000001);
	assert_int_equal(leads_to(0x60000000, 8), 0x0a000002);
	assert_int_equal(leads_to(0x50000000, 8), 0x0a000002);

	struct static_route closer[] = {s[0], s[1], s[2], s[3], VIA(0x40000000, 24, 0x0a000004)};

	assert_int_equal(refresh(closer, 5), ERR_OK);
	assert_int_equal(leads_to(0x60000000, 8), 0x0a000004);
	static_withdraw(&closer[4], 1, &rib.rib, &t);
	assert_int_equal(refresh(closer, 4), ERR_OK);
	assert_int_equal(leads_to(0x60000000, 8), 0x0a000002);
	static_withdraw(&closer[2], 1, &rib.rib, &t); /* the default route does not count */
	closer[2].kind = STATIC_BLACKHOLE;
	closer[2].length = 30; /* not where 40.0.0.1 is */
	closer[2].prefix = rib4_key(0x40000010);
	assert_int_equal(refresh(closer, 4), ERR_OK);
	assert_false(closer[0].installed || closer[1].installed);
	assert_true(closer[3].installed);
	assert_nothing_left(closer, 4);
}

/* Routes that lead to each other's gateways lead nowhere; with a way out they take it. */
static void test_recursive_loop(void **state)
{
	struct static_route s[] = {VIA(0x60000000, 8, 0x50000001), VIA(0x50000000, 8, 0x60000001),
		VIA(0x70000000, 8, 0x70000001), VIA(0x50000000, 7, 0x0a000002)};

	up(0);
	assert_int_equal(refresh(s, 3), ERR_OK);
	assert_false(s[0].installed || s[1].installed || s[2].installed);
	assert_int_equal(refresh(s, 4), ERR_OK);
	assert_true(s[0].installed && s[1].installed && !s[2].installed);
	assert_int_equal(leads_to(0x60000000, 8), 0x0a000002);
	assert_int_equal(leads_to(0x50000000, 8), 0x0a000002);
	down(0); /* the way out goes: the two do not keep each other alive */
	assert_int_equal(refresh(s, 4), ERR_OK);
	for (unsigned i = 0; i < 4; i++)
		assert_false(s[i].installed);
	assert_nothing_left(s, 4);
}

/* A gateway in a network of another route's kind: what that says of packets holds. */
static void test_recursive_to_blackhole(void **state)
{
	struct static_route s[] = {VIA(0x60000000, 8, 0xc0000201),
		{.prefix = rib4_key(0xc0000200), .length = 24, .kind = STATIC_BLACKHOLE}};
	const struct route4 *r;

	assert_int_equal(refresh(s, 2), ERR_OK);
	r = rib4_find(&rib, 0x60000000, 8, RIB_STATIC);
	assert_int_equal(t.nexthop[nexthop_pick(&t, r->nexthop, 0)].action, NEXTHOP_BLACKHOLE);
	assert_nothing_left(s, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_via, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_gateways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recursive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recursive_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recursive_to_blackhole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
