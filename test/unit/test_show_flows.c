/* show flows: what it finds of the flow cache, its filters, and that clear forgets it. */
#include "test/unit/shell_fixture.h"

#include "lib/byteorder.h"
#include "test/model/frame.h"
#include "test/unit/json.h"

static const uint8_t host_mac[6] = {2, 1, 1, 1, 1, 0};

/* A packet from h0 with these ports; twice, so that the second is a hit. */
static void traffic(uint32_t to, uint16_t from_port, uint16_t to_port)
{
	struct frame f;

	frame_udp(&f, dev[0]->mac, host_mac, 0x0a000002, to, 20);
	store_be16(f.data + 34, from_port);
	store_be16(f.data + 36, to_port);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(memdev_inject(dev[0], 0, f.data, f.len));
		turns(2);
	}
}

/* A router with four flows, one of them denied. */
static void four_flows(void)
{
	static const char *const lines[] = {"set forwarding flow-table on shadow 2",
		"set acl A rule 10 deny proto udp to-port 666", "set acl A rule 20 permit",
		"set interfaces eth0 acl in A", "commit", NULL};

	configure();
	run_all(lines);
	traffic(0x14000001, 1000, 53);
	traffic(0x14000002, 1000, 54);
	traffic(0x1e000001, 53, 2000);
	traffic(0x14000003, 1000, 666);
}

static void test_filters(void **state)
{
	four_flows();
	expect_in(run("show flows | include ^flow"), "flow table: on");
	assert_true(strstr(run("show flows count 2 | json"), "\"matching\":4") != NULL);
	static const char *const some[][2] = {
		{"show flows port 53 | json", "\"matching\":2"},
		{"show flows to 20.0.0.0/8 | json", "\"matching\":3"},
		{"show flows to 20.0.0.0/8 port 53 | json", "\"matching\":1"},
		{"show flows from 10.0.0.2/32 proto udp | json", "\"matching\":4"},
		{"show flows from 10.0.0.3/32 | json", "\"matching\":0"},
		{"show flows proto tcp | json", "\"matching\":0"},
		{"show flows proto 17 | json", "\"matching\":4"},
		{"show flows from 2001:db8::/32 | json", "\"matching\":0"},
		{"show flows port 666 | json", "\"next_hop\":\"denied in\""},
		{"show flows to 30.0.0.0/8 | json", "\"next_hop\":\"blackhole\""},
		{"show flows port 54 | json", "\"next_hop\":\"10.0.1.2\""},
		{"show flows | json", "\"hits\":4,\"misses\":4,\"kept\":4"},
		{"show flows | json", "\"shadowed\":2,\"differed\":0"},
	};

	for (unsigned i = 0; i < sizeof some / sizeof *some; i++) {
		const char *json = run(some[i][0]);

		assert_true(json_valid(json));
		expect_in(json, some[i][1]);
	}
	expect_in(run("show flows port 70000"), "'70000' is not a number from 0 to 65535");
}

static void test_clear(void **state)
{
	four_flows();
	run_expect("clear flows", "");
	expect_in(run("show flows | json"), "\"flows\":0,\"hits\":4");
	run_expect("clear counters", "");
	expect_in(run("show flows | json"), "\"flows\":0,\"hits\":0,\"misses\":0");
	traffic(0x14000001, 1000, 53);
	expect_in(run("show flows | json"), "\"flows\":1,\"hits\":1,\"misses\":1");
}

/* By itself it is asked where access lists are, and nowhere else. */
static void test_auto(void **state)
{
	static const char *const bound[] = {
		"set acl A rule 10 permit", "set interfaces eth0 acl in A", "commit", NULL};
	static const char *const off[] = {"set forwarding flow-table off", "commit", NULL};

	configure();
	expect_in(run("show flows"), "flow table: off\nbecause: auto: no list is asked");
	run_all(bound);
	expect_in(run("show flows"), "flow table: on\nbecause: auto: a list has ");
	assert_non_null(router.lane[0].flow);
	assert_null(router.lane[1].flow);
	run_all(off);
	expect_in(run("show flows"), "flow table: off");
	assert_null(router.lane[0].flow);
}

/* Lanes that track do not ask it, whatever is configured. */
static void test_sessions_decide(void **state)
{
	static const char *const tracked[] = {"set acl A rule 10 permit established",
		"set acl A rule 20 permit", "set interfaces eth0 acl in A", "commit", NULL};
	static const char *const stateless[] = {"delete acl A rule 10", "commit", NULL};

	configure();
	run_all(tracked);
	expect_in(run("show flows"), "flow table: off, sessions decide");
	traffic(0x14000001, 1000, 53);
	expect_in(run("show flows | json"), "\"hits\":0,\"misses\":0");
	run_all(stateless);
	expect_in(run("show flows | include ^flow"), "flow table: on");
	traffic(0x14000001, 1000, 53);
	expect_in(run("show flows | json"), "\"hits\":1,\"misses\":1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_shell, stop_shell)
	const struct CMUnitTest tests[] = {
		TEST(test_filters),
		TEST(test_clear),
		TEST(test_auto),
		TEST(test_sessions_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
