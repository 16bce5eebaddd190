/* Access lists: what is never filtered, what the control core forwards, commits, counters, the log.
 */
#include "test/unit/filter_fixture.h"

#include "kernel/log.h"

/* It is denied; or not, and leaves by a port (PORTS: does not matter). */
static void expect(unsigned port, const struct frame *in, bool passes, unsigned to)
{
	uint64_t before = drops(port, DROP_ACL_DENIED);
	struct frame out;

	inject(port, in);
	turns(3);
	assert_int_equal(drops(port, DROP_ACL_DENIED) - before, !passes);
	for (unsigned p = 0; p < PORTS; p++)
		if (to < PORTS)
			assert_int_equal(sent(p, &out) != 0, passes && p == to);
	drain();
}

static void permit_all(unsigned i)
{
	rules[i] = (struct config_rule){.permit = true, .number = 10 * (i + 1)};
	match[i] = (struct acl_rule){.any_protocol = true};
}

static void deny_all(unsigned i)
{
	permit_all(i);
	rules[i].permit = false;
}

static void icmp6(struct frame *f, uint8_t type, uint8_t hops, struct ip6 src, struct ip6 dst)
{
	memset(f->data, 0, sizeof f->data);
	memcpy(f->data, dev[0]->mac, 6);
	memcpy(f->data + 6, host_mac[0], 6);
	if (ip6_is_multicast(dst)) {
		store_be16(f->data, 0x3333);
		store_be32(f->data + 2, (uint32_t)dst.lo);
	}
	store_be16(f->data + 12, 0x86dd);
	f->data[14] = 0x60;
	store_be16(f->data + IPV6_PAYLOAD, 24);
	f->data[IPV6_NEXT] = IPV6_ICMP;
	f->data[IPV6_HOPS] = hops;
	ip6_store(f->data + IPV6_SOURCE, src);
	ip6_store(f->data + IPV6_DEST, dst);
	f->data[54] = type;
	ip6_store(f->data + 62, dst);
	f->len = 54 + 24;
}

static void test_off(void **state)
{
	struct frame f;

	deny_all(0);
	add_list("A", 1);
	commit();
	for (unsigned l = 0; l < router.lanes; l++)
		assert_int_equal(router.lane[l].filter, 0);
	udp(&f, 0, HOST(1), 20);
	expect(0, &f, true, 1);
	bind(1, "", "A");
	commit();
	for (unsigned l = 0; l < router.ports; l++)
		assert_int_equal(router.lane[l].filter, FILTER_OUT);
	expect(0, &f, false, 1);
	bind(1, "A", "");
	commit();
	assert_int_equal(router.lane[0].filter, 0);
	assert_int_equal(router.lane[1].filter, FILTER_IN);
	expect(0, &f, true, 1);
	udp(&f, 1, HOST(0), 20);
	expect(1, &f, false, 0);
	bind(1, "", "");
	config.acls = config.rules = 0;
	commit();
	assert_int_equal(router.lane[1].filter, 0);
	expect(1, &f, true, 0);
	check_books();
}

/* ARP and neighbour discovery to us pass any list; what only looks like it does not. */
static void test_discovery(void **state)
{
	struct ip6 group = {0xff02000000000000ull, 1};
	struct frame f, out;

	deny_all(0);
	add_list("A", 1);
	bind(0, "A", "A");
	commit();
	for (uint8_t type = 132; type <= 138; type++) {
		bool nd = type >= 133 && type <= 137;

		icmp6(&f, type, 255, SIX(0, 2), SIX(0, 1));
		expect(0, &f, nd, PORTS);
		icmp6(&f, type, 255, SIX(0, 2), group);
		expect(0, &f, nd, PORTS);
		icmp6(&f, type, 64, SIX(0, 2), SIX(0, 1));
		expect(0, &f, false, PORTS);
		icmp6(&f, type, 255, SIX(0, 2), TO6(1)); /* in transit */
		expect(0, &f, false, 1);
	}
	frame_arp(&f, 1, all, host_mac[0], HOST(0), zero_mac, ROUTER(0));
	inject(0, &f);
	turns(3);
	assert_int_not_equal(memdev_collect(dev[0], 0, out.data, sizeof out.data), 0);
	frame_echo(&f, dev[0]->mac, host_mac[0], HOST(0), ROUTER(0), 1, 1);
	expect(0, &f, false, 0);
	check_books();
}

/* What the router itself says passes any list: an answer to what another interface let in. */
static void test_own(void **state)
{
	struct frame f;

	deny_all(0);
	add_list("A", 1);
	bind(1, "", "A");
	commit();
	frame_echo(&f, dev[1]->mac, host_mac[1], HOST(1), ROUTER(1), 1, 1);
	expect(1, &f, true, 1);
	udp(&f, 1, IP(99, 9, 9, 9), 20); /* no route: an error to the source */
	expect(1, &f, true, 1);
	udp(&f, 0, HOST(1), 20);
	f.data[IPV4_TTL] = 1; /* denied before its time is looked at: nothing is said */
	frame_fix_checksum(&f);
	expect(0, &f, false, 0);
	check_books();
}

/* More extension headers than are passed: nobody can tell what it is. */
static void test_many_headers(void **state)
{
	permit_all(0);
	add_list("A", 1);
	bind(0, "A", "");
	commit();
	for (unsigned n = 7; n <= 10; n++) {
		struct frame f;

		icmp6(&f, IPV6_OPTIONS, 64, FROM6(1), TO6(1));
		f.data[IPV6_NEXT] = IPV6_OPTIONS;
		for (unsigned i = 0; i < n; i++) {
			memset(f.data + 54 + 8 * i, 0, 8);
			f.data[54 + 8 * i] = i + 1 < n ? IPV6_OPTIONS : IPV4_UDP;
		}
		store_be16(f.data + IPV6_PAYLOAD, (uint16_t)(8 * n + 24));
		f.len = 54 + 8 * n + 24;
		expect(0, &f, n <= 8, 1);
	}
	check_books();
}

/* The control core decides by the list of where it sends, though no worker has. */
static void test_slow_path(void **state)
{
	struct frame f;
	struct filter_hits hits;

	deny_all(0);
	add_list("A", 1);
	bind(1, "", "A");
	commit();
	udp(&f, 0, HOST(1), 20);
	assert_false(filter_may_leave(router_control_lane(&router), 1, f.data, 62, false));
	assert_true(filter_may_leave(router_control_lane(&router), 2, f.data, 62, false));
	icmp6(&f, 128, 64, FROM6(1), TO6(1));
	assert_false(filter_may_leave(router_control_lane(&router), 1, f.data, 62, false));
	filters_counted(&router, 0, &hits);
	assert_int_equal(hits.packets, 2);
	assert_int_equal(hits.bytes, 124);
	bind(1, "", "");
	commit();
	for (unsigned l = 0; l < router.lanes; l++) /* as if a worker had seen another next hop */
		router.lane[l].filter = 0;
	bind(1, "", "A");
	commit();
	for (unsigned l = 0; l < router.lanes; l++)
		router.lane[l].filter = 0;
	udp(&f, 0, IP(10, 0, 1, 77), 20); /* to be resolved */
	expect(0, &f, false, 1);
	check_books();
}

/* ---- commits ---- */

static uint64_t counted_at(uint32_t i)
{
	struct filter_hits hits;

	filters_counted(&router, i, &hits);
	return hits.packets;
}

static void test_counters_stay(void **state)
{
	struct frame f;

	deny_all(0);
	match[0].protocol = 99;
	match[0].any_protocol = false;
	permit_all(1);
	add_list("A", 2);
	bind(0, "A", "");
	commit();
	udp(&f, 0, HOST(1), 20);
	expect(0, &f, true, 1);
	expect(0, &f, true, 1);
	assert_int_equal(counted_at(1), 2);
	match[0].protocol = 98; /* another rule; the other stays */
	commit();
	assert_int_equal(counted_at(0), 0);
	assert_int_equal(counted_at(1), 2);
	bind(1, "", "A"); /* only what they are bound to */
	commit();
	expect(0, &f, true, 1);
	assert_int_equal(counted_at(1), 4);
	rules[1].permit = false;
	commit();
	assert_int_equal(counted_at(1), 0);
	expect(0, &f, false, 1);
	assert_int_equal(counted_at(1), 1);
	filters_clear(&router);
	assert_int_equal(counted_at(1), 0);
	check_books();
}

/* What does not fit is refused, and what was in force stays. */
static void test_refused(void **state)
{
	struct frame f;

	deny_all(0);
	add_list("A", 1);
	bind(0, "A", "");
	commit();
	router.filters.rules_max = 1;
	permit_all(0);
	permit_all(1);
	config.acls = config.rules = 0;
	add_list("A", 1);
	add_list("B", 1);
	configure(&config, "acl B: 2 rules in all lists; 1 fit");
	udp(&f, 0, HOST(1), 20);
	expect(0, &f, false, 1);
	router.filters.rules_max = ACL_FEW;
	size_t bytes = router.filters.memory_bytes;

	router.filters.memory_bytes = 32768;
	configure(&config, "do not fit 32 KiB compiled");
	expect(0, &f, false, 1);
	router.filters.memory_bytes = bytes;
	ifaces[0].mtu = 10000; /* refused for something else */
	configure(&config, "mtu 10000");
	expect(0, &f, false, 1);
	ifaces[0].mtu = 0;
	commit();
	expect(0, &f, true, 1);
	check_books();
}

static char found[200];

static void on_line(void *ctx, uint64_t us, const char *line)
{
	if (strncmp(line, "acl ", 4) == 0 || strncmp(line, "acl:", 4) == 0) {
		snprintf(found, sizeof found, "%s", line);
		++*(unsigned *)ctx;
	}
}

static void test_log(void **state)
{
	struct frame f;
	unsigned lines = 0;

	deny_all(0);
	rules[0].log = true;
	add_list("A", 1);
	bind(0, "A", "");
	bind(1, "", "A");
	commit();
	udp(&f, 0, HOST(1), 20);
	expect(0, &f, false, 1);
	turns(20);
	log_walk(on_line, &lines);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(found, "acl A rule 10: deny in eth0, udp 10.0.0.2:"));
	assert_non_null(strstr(found, " > 10.0.1.2:"));
	bind(0, "", "");
	commit();
	icmp6(&f, 128, 64, FROM6(1), TO6(1));
	expect(0, &f, false, 1);
	turns(20);
	log_walk(on_line, &lines);
	assert_string_equal(
		found, "acl A rule 10: deny out eth1, icmp6 128/0 2001:db8:5::1 > 2001:db8:6::1");
	for (unsigned i = 0; i < 200; i++) {
		inject(0, &f);
		turns(1);
	}
	turns(11000);
	lines = 0;
	log_walk(on_line, &lines);
	assert_true(lines < 80);
	assert_non_null(strstr(found, "packets more met rules with 'log'"));
	check_books();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_filter, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_off),
		TEST(test_discovery),
		TEST(test_own),
		TEST(test_many_headers),
		TEST(test_slow_path),
		TEST(test_counters_stay),
		TEST(test_refused),
		TEST(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
