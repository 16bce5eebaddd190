/* The lines that limit what comes in: what they print as, mean and must not say; what shows of
 * them. */
#include "test/unit/shell_fixture.h"

#include "kernel/shell/config.h"

static void test_canonical(void **state)
{
	static const char *const lines[][2] = {
		{"set i eth0 pol 20mbit", "set interfaces eth0 police 20mbit"},
		{"set i eth0 pol 1gbit burst 2m", "set interfaces eth0 police 1gbit burst 2m"},
		{"set i eth0 pol 64kbit b 64k", "set interfaces eth0 police 64kbit burst 64k"},
		{"set i eth0 pol 64kbit b 1500", "set interfaces eth0 police 64kbit burst 1500"},
		{"set i eth0 pol p 1000", "set interfaces eth0 police packets 1000"},
		{"set i eth0 v 5 pol p 7 b 1",
			"set interfaces eth0 vlan 5 police packets 7 burst 1"},
		{"set i eth0 v 5 pol 8kbit", "set interfaces eth0 vlan 5 police 8kbit"},
	};

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		run_expect(lines[i][0], "");
		run_expect("show configuration candidate", lines[i][1]);
		run_expect("discard", "");
	}
}

static void test_refused_words(void **state)
{
	static const char *const lines[][2] = {
		{"set interfaces eth0 police", "incomplete command"},
		{"set interfaces eth0 police packets", "incomplete command"},
		{"set interfaces eth0 police 7kbit",
			"'7kbit' is not a rate from 8kbit to 1000gbit"},
		{"set interfaces eth0 police 1mbit burst 1499",
			"'1499' is not a size from 1500 to 1000000000 bytes: 15000, 64k, 2m"},
		{"set interfaces eth0 police 1mbit burst 1001m",
			"'1001m' is not a size from 1500 to 1000000000 bytes: 15000, 64k, 2m"},
		{"set interfaces eth0 police 1mbit burst 4294967295m",
			"'4294967295m' is not a size from 1500 to 1000000000 bytes: 15000, 64k, "
			"2m"},
		{"set interfaces eth0 police 1mbit burst 2g",
			"'2g' is not a size from 1500 to 1000000000 bytes: 15000, 64k, 2m"},
		{"set interfaces eth0 police 1mbit burst 2mm",
			"'2mm' is not a size from 1500 to 1000000000 bytes: 15000, 64k, 2m"},
		{"set interfaces eth0 police 1mbit burst k",
			"'k' is not a size from 1500 to 1000000000 bytes: 15000, 64k, 2m"},
		{"set interfaces eth0 police packets 0", "'0' is not a number from 1 to 100000000"},
		{"set interfaces eth0 police packets 5 burst 2k",
			"'2k' is not a number from 1 to 1000000"},
	};

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		char want[160];

		snprintf(want, sizeof want, "error: %s", lines[i][1]);
		run_expect(lines[i][0], want);
	}
}

static void expect_limit(const struct meter_limit *l, uint64_t rate, uint32_t burst, bool packets)
{
	assert_int_equal(l->rate, rate);
	assert_int_equal(l->burst, burst);
	assert_int_equal(l->packets, packets);
}

static void test_meaning(void **state)
{
	static const char text[] = "set interfaces eth0 police 20mbit burst 64k\n"
				   "set interfaces eth0 vlan 5 police packets 100 burst 9\n"
				   "set interfaces eth0 vlan 6 police packets 200\n"
				   "set interfaces eth1 police 1gbit\n"
				   "set interfaces eth2 mtu 1400\n";
	char error[160];
	struct config c;

	assert_true(shell_read_config(text, strlen(text), &c, error, sizeof error));
	expect_limit(&c.iface[0].police, 20000000, 64000, false);
	expect_limit(&c.iface[1].police, 100, 9, true);
	expect_limit(&c.iface[2].police, 200, 0, true);
	expect_limit(&c.iface[3].police, 1000000000, 0, false);
	expect_limit(&c.iface[4].police, 0, 0, false);
	config_free(&c);
}

/* One line an interface: each replaces what was there. In force, shown, undone. */
static void test_commit(void **state)
{
	static const char *const lines[] = {"set interfaces eth0 address 10.0.0.1/24",
		"set interfaces eth0 vlan 5 address 10.5.0.1/24",
		"set interfaces eth0 police 20mbit", "set interfaces eth0 police packets 9",
		"set interfaces eth0 police 1500kbit burst 64k",
		"set interfaces eth0 vlan 5 police packets 50", "commit", NULL};

	expect_in(run("show interfaces eth0 | json"), "\"name\":\"eth0\"");
	assert_null(strstr(run("show interfaces | json"), "\"police\""));
	run_all(lines);
	turns(5);
	run_expect("show configuration | include police",
		"set interfaces eth0 police 1500kbit burst 64k\n"
		"set interfaces eth0 vlan 5 police packets 50");
	expect_in(run("show interfaces eth0 | json"),
		"\"police\":{\"rate\":\"1500kbit\",\"burst_bytes\":64000,"
		"\"dropped_packets\":0,\"dropped_bytes\":0}");
	expect_in(run("show interfaces eth0.5 | json"),
		"\"police\":{\"rate\":\"50 packets\",\"burst_packets\":10,"
		"\"dropped_packets\":0,\"dropped_bytes\":0}");
	expect_in(run("show interfaces eth0"), "police rate           1500kbit");
	assert_non_null(router.lane[0].meter);
	run_expect("delete interfaces eth0 police", "");
	run_expect("commit", "");
	assert_int_equal(router.police[0].rate, 0);
	assert_int_equal(router.police[PORTS].rate, 50);
	run_expect("rollback 1", "");
	run_expect("commit", "");
	expect_limit(&router.police[0], 1500000, 64000, false);
}

/* A frame of 100 bytes on port 0. */
static void frames(unsigned n)
{
	static const uint8_t frame[100] = {2};
	uint8_t out[200];

	while (n--)
		assert_true(memdev_inject(dev[0], 0, frame, sizeof frame));
	turns(2);
	while (memdev_collect(dev[0], 0, out, sizeof out))
		;
}

/* Shown as long as there is something to show, and counted from zero on request. */
static void test_counters(void **state)
{
	run_expect("set interfaces eth0 police packets 1 burst 5", "");
	run_expect("commit", "");
	turns(5);
	frames(25);
	expect_in(run("show interfaces eth0 | json"),
		"\"dropped_packets\":20,\"dropped_bytes\":2000}");
	expect_in(run("show interfaces eth0 | json"), "\"input-policed\":20");
	expect_in(run("show drops"), "input-policed");
	run_expect("delete interfaces eth0 police", "");
	run_expect("commit", "");
	expect_in(run("show interfaces eth0 | json"),
		"\"police\":{\"rate\":\"none\",\"dropped_packets\":20,\"dropped_bytes\":2000}");
	run_expect("clear counters", "");
	assert_null(strstr(run("show interfaces eth0 | json"), "\"police\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, start_shell, stop_shell)
		CASE(test_canonical),
		CASE(test_refused_words),
		CASE(test_meaning),
		CASE(test_commit),
		CASE(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
