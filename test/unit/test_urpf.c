/* uRPF through the whole router: which sources pass, by interface, route and family. */
#include "test/unit/vlan_fixture.h"

#include "net/path/frame.h"

#define SIX(net, host) ((struct ip6){0xfd00000000000000ull | (net), (host)})
#define FAR6(host)     ((struct ip6){0x20010db800000000ull, (host)})

static struct config_route routes[12], routes6[2];
static struct config_neighbor neighbors[PORTS];

static void add_route(uint8_t first, enum static_kind kind, uint32_t gateway)
{
	routes[config.routes++].route =
		(struct static_route){.prefix = rib4_key(IP(first, 0, 0, 0)),
			.length = first ? 8 : 0,
			.kind = (uint8_t)kind,
			.gateway = rib4_key(gateway),
			.weight = 1};
}

/* In order of prefix: all kinds of routes; 0/0 if a kind is given. */
static void set_routes(bool with_default, enum static_kind kind)
{
	config.route = routes;
	config.routes = 0;
	memset(routes, 0, sizeof routes);
	if (with_default)
		add_route(0, kind, kind == STATIC_VIA ? HOST(1) : 0);
	add_route(20, STATIC_VIA, HOST(1));
	add_route(30, STATIC_BLACKHOLE, 0);
	add_route(31, STATIC_UNREACHABLE, 0);
	add_route(32, STATIC_PROHIBIT, 0);
	add_route(40, STATIC_VIA, HOST(1));
	add_route(40, STATIC_VIA, HOST(2));
	add_route(50, STATIC_VIA, IP(20, 0, 0, 9));
	add_route(51, STATIC_VIA, IP(40, 0, 0, 9));
	add_route(60, STATIC_VIA, IP(30, 0, 0, 9));
}

static void set_modes(enum urpf eth0, enum urpf eth1, enum urpf eth2)
{
	ifaces[0].urpf = eth0;
	ifaces[1].urpf = eth1;
	ifaces[2].urpf = eth2;
}

static void commit(void)
{
	configure(&config, NULL);
	turns(5);
	drain();
}

/* A router with both families and VLANs 5 and 7; hosts are known. */
static int setup_urpf(void **state)
{
	setup_vlans(state);
	config.neighbor = neighbors;
	config.neighbors = PORTS;
	memset(neighbors, 0, sizeof neighbors);
	for (unsigned port = 0; port < PORTS; port++) {
		ifaces[port].addr6[0] = (struct iface_addr6){.address = SIX(port, 1), .length = 64};
		ifaces[port].addrs6 = 1;
		neighbors[port] = (struct config_neighbor){.six = true, .address6 = SIX(port, 2)};
		memcpy(neighbors[port].iface, ifaces[port].name, IFACE_NAME_MAX);
		memcpy(neighbors[port].mac, host_mac[port], 6);
	}
	set_routes(false, STATIC_VIA);
	config.route6 = routes6;
	config.routes6 = 1;
	memset(routes6, 0, sizeof routes6);
	routes6[0].route = (struct static_route){
		.prefix = FAR6(0), .length = 48, .gateway = SIX(1, 2), .weight = 1};
	commit();
	turns(20);
	drain();
	return 0;
}

/* IPv6/UDP from a host to a port's host. */
static void udp6(struct frame *f, unsigned port, struct ip6 src, struct ip6 dst)
{
	memset(f->data, 0, 14 + 48);
	memcpy(f->data, dev[port]->mac, 6);
	memcpy(f->data + 6, host_mac[port], 6);
	store_be16(f->data + 12, 0x86dd);
	f->data[14] = 0x60;
	store_be16(f->data + IPV6_PAYLOAD, 8);
	f->data[IPV6_NEXT] = 17;
	f->data[IPV6_HOPS] = 64;
	ip6_store(f->data + IPV6_SOURCE, src);
	ip6_store(f->data + IPV6_DEST, dst);
	store_be16(f->data + 58, 8);
	f->len = 14 + 48;
}

/* It is dropped for its source and nothing is said; or not. */
static void expect(unsigned port, const struct frame *in, bool passes)
{
	uint64_t before = drops(port, DROP_URPF);
	struct frame out;
	unsigned left = 0;

	inject(port, in);
	turns(3);
	for (unsigned p = 0; p < PORTS; p++)
		left += sent(p, &out) != 0;
	assert_int_equal(drops(port, DROP_URPF) - before, !passes);
	assert_int_equal(left, passes);
}

static void expect4(unsigned port, uint32_t src, bool passes)
{
	struct frame f;

	frame_udp(&f, dev[port]->mac, host_mac[port], src, HOST(port == 1 ? 2 : 1), 20);
	expect(port, &f, passes);
}

static void expect6(unsigned port, struct ip6 src, bool passes)
{
	struct frame f;

	udp6(&f, port, src, SIX(port == 1 ? 2 : 1, 2));
	expect(port, &f, passes);
}

/* Sources that no mode takes. */
static void expect_nowhere(unsigned port)
{
	expect4(port, IP(30, 1, 1, 1), false);
	expect4(port, IP(31, 1, 1, 1), false);
	expect4(port, IP(32, 1, 1, 1), false);
	expect4(port, IP(60, 1, 1, 1), false); /* by a blackhole */
	expect4(port, ROUTER(port), false);
	expect4(port, IP(10, 0, port, 255), false);
}

static void test_off(void **state)
{
	assert_false(router.lane[0].urpf);
	expect4(0, IP(99, 1, 1, 1), true);
	expect4(0, IP(30, 1, 1, 1), true);
	expect6(0, SIX(9, 9), true);
	check_books();
}

static void test_strict(void **state)
{
	set_modes(URPF_OFF, URPF_STRICT, URPF_STRICT);
	commit();
	assert_false(router.lane[0].urpf);
	expect4(1, HOST(1), true);
	expect4(1, IP(10, 0, 1, 77), true); /* a neighbour that is not known */
	expect4(1, IP(20, 1, 1, 1), true);
	expect4(2, IP(20, 1, 1, 1), false); /* asymmetric */
	expect4(1, HOST(0), false);
	expect4(1, V_HOST(5), false);
	expect4(1, IP(99, 1, 1, 1), false);
	expect_nowhere(1);
	expect_nowhere(2);
	expect4(0, IP(99, 1, 1, 1), true);
	check_books();
}

/* One of several next hops is enough; a recursive one is what it stands for. */
static void test_strict_by_groups(void **state)
{
	set_modes(URPF_STRICT, URPF_STRICT, URPF_STRICT);
	commit();
	expect4(1, IP(40, 1, 1, 1), true);
	expect4(2, IP(40, 1, 1, 1), true);
	expect4(0, IP(40, 1, 1, 1), false);
	expect4(1, IP(50, 1, 1, 1), true);
	expect4(2, IP(50, 1, 1, 1), false);
	expect4(1, IP(51, 1, 1, 1), true);
	expect4(2, IP(51, 1, 1, 1), true);
	expect4(0, IP(51, 1, 1, 1), false);
	check_books();
}

static void test_loose(void **state)
{
	set_modes(URPF_OFF, URPF_OFF, URPF_LOOSE);
	commit();
	expect4(2, HOST(2), true);
	expect4(2, HOST(0), true);
	expect4(2, V_HOST(5), true);
	for (unsigned first = 20; first <= 50; first += first == 20 ? 20 : 10)
		expect4(2, IP(first, 1, 1, 1), true);
	expect4(2, IP(99, 1, 1, 1), false);
	expect_nowhere(2);
	check_books();
}

/* A default route is a route; one that refuses is none. */
static void test_default_route(void **state)
{
	set_modes(URPF_LOOSE, URPF_STRICT, URPF_STRICT);
	set_routes(true, STATIC_VIA);
	commit();
	expect4(0, IP(99, 1, 1, 1), true);
	expect4(1, IP(99, 1, 1, 1), true);
	expect4(2, IP(99, 1, 1, 1), false);
	expect4(0, IP(30, 1, 1, 1), false);
	set_routes(true, STATIC_BLACKHOLE);
	commit();
	expect4(0, IP(99, 1, 1, 1), false);
	expect4(1, IP(99, 1, 1, 1), false);
	check_books();
}

static void test_ipv6(void **state)
{
	struct frame f;

	set_modes(URPF_OFF, URPF_STRICT, URPF_LOOSE);
	commit();
	expect6(1, SIX(1, 2), true);
	expect6(1, FAR6(7), true);
	expect6(1, SIX(0, 2), false);
	expect6(1, SIX(9, 9), false);
	expect6(2, SIX(0, 2), true);
	expect6(2, FAR6(7), true);
	expect6(2, SIX(9, 9), false);
	expect6(2, SIX(2, 1), false); /* our own */
	expect6(0, SIX(9, 9), true);

	uint64_t before = drops(1, DROP_LINK_LOCAL);

	udp6(&f, 1, (struct ip6){0xfe80000000000000ull, 9}, SIX(2, 2));
	inject(1, &f);
	turns(3);
	assert_int_equal(drops(1, DROP_LINK_LOCAL) - before, 1);
	check_books();
}

/* What the control core would decide, or answer, is looked at all the same. */
static void test_slow_path(void **state)
{
	struct frame f;

	set_modes(URPF_OFF, URPF_STRICT, URPF_STRICT);
	commit();
	for (unsigned good = 0; good < 2; good++) {
		uint32_t src = good ? HOST(1) : HOST(0);

		frame_udp(&f, dev[1]->mac, host_mac[1], src, HOST(2), 20);
		f.data[22] = 1; /* TTL: an error goes back, or nothing does */
		frame_fix_checksum(&f);
		expect(1, &f, good);

		frame_udp(&f, dev[1]->mac, host_mac[1], src, HOST(2), 20);
		memmove(f.data + 38, f.data + 34, f.len - 34);
		memset(f.data + 34, 1, 4); /* no-operation */
		f.data[14] = 0x46;
		store_be16(f.data + 16, (uint16_t)(load_be16(f.data + 16) + 4));
		memset(f.data + 24, 0, 2);
		uint16_t sum = checksum(f.data + 14, 24);

		memcpy(f.data + 24, &sum, 2);
		f.len += 4;
		expect(1, &f, good);

		frame_echo(&f, dev[1]->mac, host_mac[1], src, ROUTER(1), 1, 1);
		expect(1, &f, good);

		udp6(&f, 1, SIX(good, 2), SIX(2, 2));
		f.data[IPV6_NEXT] = 0; /* hop-by-hop: PadN */
		memcpy(f.data + 54, (const uint8_t[]){59, 0, 1, 4, 0, 0, 0, 0}, 8);
		expect(1, &f, good);
	}
	check_books();
}

/* Each VLAN has its own mode, and the port's is that of what comes without a tag. */
static void test_vlans(void **state)
{
	struct frame f;

	ifaces[PORTS].urpf = URPF_STRICT; /* VLAN 5 */
	commit();
	for (unsigned port = 0; port < 2; port++)
		assert_int_equal(router.lane[port].urpf, port == 0);
	v_udp(&f, 5, HOST(1), 20);
	expect(0, &f, true);
	v_udp(&f, 7, HOST(1), 20);
	store_be16(f.data + 14, 5); /* VLAN 7's host by VLAN 5 */
	expect(0, &f, false);
	v_udp(&f, 5, HOST(1), 20);
	store_be16(f.data + 14, 7);
	expect(0, &f, true);
	expect4(0, IP(99, 1, 1, 1), true);

	set_modes(URPF_STRICT, URPF_OFF, URPF_OFF);
	ifaces[PORTS].urpf = URPF_LOOSE;
	commit();
	v_udp(&f, 7, HOST(1), 20);
	store_be16(f.data + 14, 5);
	expect(0, &f, true);
	expect4(0, V_HOST(5), false);
	udp(&f, 0, HOST(1), 20);
	put_tag(&f, 0x8100, 3 << TAG_PCP_SHIFT); /* only a priority: the port's own */
	expect(0, &f, true);

	config.ifaces = PORTS; /* no VLANs */
	set_modes(URPF_OFF, URPF_OFF, URPF_OFF);
	commit();
	assert_false(router.lane[0].urpf);
	expect4(0, IP(99, 1, 1, 1), true);
	check_books();
}

/* Good and bad of both families in one burst: the good of each leave in order, the bad are counted.
 */
static void test_mixed_burst(void **state)
{
	uint64_t before = drops(1, DROP_URPF);
	struct frame f;

	set_modes(URPF_OFF, URPF_STRICT, URPF_OFF);
	commit();
	for (unsigned i = 0; i < 48; i++) {
		bool good = i % 3 == 0;

		if (i & 1)
			udp6(&f, 1, SIX(good, 2), SIX(2, 2));
		else
			frame_udp(&f, dev[1]->mac, host_mac[1], good ? HOST(1) : HOST(0), HOST(2),
				20);
		f.data[f.len - 1] = (uint8_t)i;
		inject(1, &f);
	}
	turns(3);
	unsigned next[2] = {0, 3}; /* by family */

	for (unsigned i = 0; i < 16; i++) {
		assert_int_not_equal(sent(2, &f), 0);
		unsigned six = load_be16(f.data + ETH_TYPE) == ETH_TYPE_IPV6;

		assert_int_equal(f.data[f.len - 1], next[six]);
		next[six] += 6;
	}
	assert_int_equal(sent(2, &f), 0);
	assert_int_equal(drops(1, DROP_URPF) - before, 32);
	check_books();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_urpf, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_off),
		TEST(test_strict),
		TEST(test_strict_by_groups),
		TEST(test_loose),
		TEST(test_default_route),
		TEST(test_ipv6),
		TEST(test_slow_path),
		TEST(test_vlans),
		TEST(test_mixed_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
