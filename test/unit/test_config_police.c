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
		{"set f con ec r 50", "set forwarding control-plane echo rate 50"},
		{"set f con lldp rate 1000000", "set forwarding control-plane lldp rate 1000000"},
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

	run_expect("set forwarding control-plane bgp rate 5", "error: unknown word 'bgp'");
	run_expect("set forwarding control-plane arp", "error: incomplete command");
	run_expect("set forwarding control-plane arp rate 0",
		"error: '0' is not a number from 1 to 1000000");
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

/* Every class by its name, in all lanes, until its line is deleted. */
static void test_control_plane(void **state)
{
	const uint64_t hz = platform_tsc_hz();

	for (unsigned k = 0; k < POLICE_KINDS; k++) {
		char line[80];

		snprintf(line, sizeof line, "set forwarding control-plane %s rate %u",
			police_name(k), 7u);
		run_expect(line, "");
		snprintf(line, sizeof line, "set forwarding control-plane %s rate %u",
			police_name(k), k + 1);
		run_expect(line, "");
	}
	run_expect("show configuration candidate | count", "8");
	run_expect("commit", "");
	for (unsigned l = 0; l + 1 < router.lanes; l++)
		for (unsigned k = 0; k < POLICE_KINDS; k++)
			assert_int_equal(router.lane[l].police.interval[k], hz / (k + 1));
	expect_in(run("show control-plane | include echo"), "echo            4 yes      64");
	run_expect("delete forwarding control-plane echo", "");
	run_expect("commit", "");
	assert_int_equal(
		router.lane[0].police.interval[POLICE_ECHO], hz / police_default_rate(POLICE_ECHO));
	assert_int_equal(router.lane[0].police.interval[POLICE_ARP], hz);
	expect_in(run("show control-plane | include echo"), "echo        10000 no       64");
	run_expect("rollback 1", "");
	run_expect("commit", "");
	assert_int_equal(router.lane[0].police.interval[POLICE_ECHO], hz / 4);
}

/* What is handed up and what is not, together all that came; from zero again. */
static void test_control_counters(void **state)
{
	uint8_t arp[60] = {255, 255, 255, 255, 255, 255, 2, 1, 1, 1, 1, 1, 8, 6};

	run_expect("set forwarding control-plane arp rate 1", "");
	run_expect("commit", "");
	turns(5);
	for (unsigned i = 0; i < 100; i++)
		assert_true(memdev_inject(dev[0], 0, arp, sizeof arp));
	turns(3);
	expect_in(run("show control-plane | json"),
		"{\"class\":\"arp\",\"rate\":1,\"set\":true,\"burst\":64,\"handed_up\":64,"
		"\"policed\":36}");
	expect_in(run("show protocols | json"), "\"policed\":{\"arp\":36,");
	expect_in(run("show control-plane | json"), "{\"lanes\":2,");
	run_expect("clear counters", "");
	expect_in(run("show control-plane | json"), "\"handed_up\":0,\"policed\":0}");
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
		CASE(test_control_plane),
		CASE(test_control_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
