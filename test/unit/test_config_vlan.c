/* The lines about VLANs: what they print as, mean and must not say, and what shows of them. */
#include "test/unit/shell_fixture.h"

#include "kernel/shell/config.h"
#include "kernel/vlans.h"

static void test_canonical(void **state)
{
	static const char *const lines[][2] = {
		{"set i eth0 v 7 ad 10.5.0.1/24", "set interfaces eth0 vlan 7 address 10.5.0.1/24"},
		{"set interfaces eth0 vlan 4094 mtu 1400",
			"set interfaces eth0 vlan 4094 mtu 1400"},
		{"set interfaces eth0 vlan 1 dis", "set interfaces eth0 vlan 1 disabled"},
		{"set interfaces eth0 vlan 1 router-advert",
			"set interfaces eth0 vlan 1 router-advert"},
		{"set interfaces eth0 vlan 1 urpf l", "set interfaces eth0 vlan 1 urpf loose"},
		{"set interfaces eth0 urpf s", "set interfaces eth0 urpf strict"},
		{"set interfaces eth0 vlan 1 description \"a b\"",
			"set interfaces eth0 vlan 1 description \"a b\""},
		{"set routes 20.0.0.0/8 via 10.5.0.2 dev eth0.7",
			"set routes 20.0.0.0/8 via 10.5.0.2 dev eth0.7"},
		{"set neighbors eth0.7 10.5.0.2 02:00:00:00:00:01",
			"set neighbors eth0.7 10.5.0.2 02:00:00:00:00:01"},
		{"set queues eth0 class 3 pcp 6-7 weight 2",
			"set queues eth0 class 3 pcp 6-7 weight 2"},
	};

	expect_printed(lines, sizeof lines / sizeof *lines);
}

static void test_refused_words(void **state)
{
	static const char *const lines[][2] = {
		{"set interfaces eth0 vlan 0 disabled", "'0' is not a number from 1 to 4094"},
		{"set interfaces eth0 vlan 4095 disabled", "'4095' is not a number from 1 to 4094"},
		{"set interfaces eth0 vlan 5 mac 02:00:00:00:00:01", "unknown word 'mac'"},
		{"set interfaces eth0 vlan 5 rx-spread on", "unknown word 'rx-spread'"},
		{"set interfaces eth0 vlan 5", "incomplete command"},
		{"set interfaces eth0.5 disabled", "'eth0.5' is not an interface name"},
		{"set queues eth0.5 shape 1mbit", "'eth0.5' is not an interface name"},
		{"set routes 20.0.0.0/8 via 10.0.0.2 dev eth0.0",
			"'eth0.0' is not an interface name"},
		{"set routes 20.0.0.0/8 via 10.0.0.2 dev eth0.4095",
			"'eth0.4095' is not an interface name"},
		{"set routes 20.0.0.0/8 via 10.0.0.2 dev eth0.5.6",
			"'eth0.5.6' is not an interface name"},
		{"set routes 20.0.0.0/8 via 10.0.0.2 dev .5", "'.5' is not an interface name"},
		{"set routes 20.0.0.0/8 via 10.0.0.2 dev interface00.5",
			"'interface00.5' is not an interface name"},
		{"set queues eth0 class 1 pcp 8 priority", "'8' is not a number from 0 to 7"},
	};

	expect_refused(lines, sizeof lines / sizeof *lines);
}

/* By port, then VLAN, each a number; a port before its VLANs. */
static void test_order(void **state)
{
	static const char *const lines[] = {"set interfaces eth10 mtu 1500",
		"set interfaces eth0 vlan 10 mtu 1400", "set interfaces eth0 vlan 9 mtu 1400",
		"set interfaces eth0 rx-spread off",
		"set neighbors eth0.10 10.0.0.4 02:00:00:00:00:01",
		"set neighbors eth0.9 10.0.0.4 02:00:00:00:00:01",
		"set neighbors eth10 10.0.0.4 02:00:00:00:00:01",
		"set neighbors eth0 10.0.0.4 02:00:00:00:00:01", NULL};

	run_all(lines);
	expect_in(run("show configuration candidate"),
		"set interfaces eth0 rx-spread off\n"
		"set interfaces eth0 vlan 9 mtu 1400\n"
		"set interfaces eth0 vlan 10 mtu 1400\n"
		"set interfaces eth10 mtu 1500\n"
		"set neighbors eth0 10.0.0.4 02:00:00:00:00:01\n"
		"set neighbors eth0.9 10.0.0.4 02:00:00:00:00:01\n"
		"set neighbors eth0.10 10.0.0.4 02:00:00:00:00:01\n"
		"set neighbors eth10 10.0.0.4 02:00:00:00:00:01");
	run_expect("discard", "");
}

static void test_meaning(void **state)
{
	static const char text[] = "set interfaces eth0 address 10.0.0.1/24\n"
				   "set interfaces eth0 vlan 5 address 10.5.0.1/24\n"
				   "set interfaces eth0 vlan 5 address fd00:5::1/64\n"
				   "set interfaces eth0 vlan 5 mtu 1400\n"
				   "set interfaces eth0 vlan 5 urpf strict\n"
				   "set interfaces eth0 vlan 6 disabled\n"
				   "set interfaces eth1 address 10.0.1.1/24\n"
				   "set queues eth0 class 3 pcp 6-7 weight 2\n";
	char error[160];
	struct config c;

	assert_true(shell_read_config(text, strlen(text), &c, error, sizeof error));
	assert_int_equal(c.ifaces, 4);
	assert_string_equal(c.iface[0].name, "eth0");
	assert_int_equal(c.iface[0].vid, 0);
	assert_int_equal(c.iface[0].addrs, 1);
	assert_string_equal(c.iface[1].name, "eth0.5");
	assert_string_equal(c.iface[1].parent, "eth0");
	assert_int_equal(c.iface[1].vid, 5);
	assert_int_equal(c.iface[1].addrs, 1);
	assert_int_equal(c.iface[1].addrs6, 1);
	assert_int_equal(c.iface[1].mtu, 1400);
	assert_int_equal(c.iface[0].urpf, URPF_OFF);
	assert_int_equal(c.iface[1].urpf, URPF_STRICT);
	assert_int_equal(c.iface[2].vid, 6);
	assert_true(c.iface[2].disabled);
	assert_string_equal(c.iface[3].name, "eth1");
	assert_true(c.class[0].pcp);
	assert_int_equal(c.class[0].first, 6);
	assert_int_equal(c.class[0].last, 7);
	config_free(&c);
}

static void test_contradictions(void **state)
{
	static const char *const first[] = {"set interfaces eth0 vlan 5 address 10.5.0.1/24",
		"set interfaces eth0 vlan 5 address fd00:5::1/64",
		"set queues eth0 class 1 pcp 3-5 weight 4", NULL};
	static const char *const second[][2] = {
		{"set interfaces eth0 vlan 6 address 10.5.0.2/16",
			"overlaps 10.5.0.1/24 on eth0.5"},
		{"set interfaces eth0 vlan 6 address 10.5.0.1/24",
			"overlaps 10.5.0.1/24 on eth0.5"},
		{"set interfaces eth0 vlan 6 address fd00:5::2/64",
			"overlaps fd00:5::1/64 on eth0.5"},
		{"set interfaces interface00 vlan 6 disabled", "too long for a subinterface"},
		{"set interfaces eth0 vlan 5 mtu 1501", "the MTU of eth0 is 1500"},
		{"set interfaces eth0 vlan 5 mtu 1279", "IPv6 needs an MTU of 1280"},
		{"set interfaces eth0 mtu 1279", "IPv6 needs an MTU of 1280"}, /* its VLAN's, too */
		{"set queues eth0 class 1 pcp 5-6 weight 4",
			"priority 5 is in another line of eth0"},
		{"set queues eth0 class 1 dscp 5-6 weight 3", "class 1 shares in two ways on eth0"},
	};

	run_all(first);
	run_expect("commit", "");
	expect_not_committed(second, sizeof second / sizeof *second);
	run_expect(
		"set queues eth0 class 1 dscp 3-5 weight 4", ""); /* not the same as priorities */
	run_expect("commit", "");
}

/* In force after commit, shown, counted from zero again, gone after delete. */
static void test_commit(void **state)
{
	static const char *const lines[] = {"set interfaces eth0 address 10.0.0.1/24",
		"set interfaces eth0 vlan 5 address 10.5.0.1/24",
		"set interfaces eth0 vlan 5 description \"to five\"",
		"set interfaces eth0 urpf strict", "set interfaces eth0 vlan 5 urpf loose",
		"set routes 20.0.0.0/8 via 10.5.0.2 dev eth0.5", "commit", NULL};
	unsigned number;

	run_all(lines);
	turns(5);
	number = vlan_find(router.vlans, 0, 5);
	assert_int_equal(number, 0);
	expect_in(run("show interfaces eth0.5"), "to five");
	expect_in(run("show interfaces eth0.5"), "vlan                  5");
	expect_in(run("show interfaces eth0.5 | json"), "\"urpf\":\"loose\"");
	expect_in(run("show interfaces eth0 | json"), "\"urpf\":\"strict\"");
	expect_in(run("show interfaces"), "eth0.5");
	expect_in(run("show routes"), "eth0.5");
	run_expect("show interfaces eth0.6", "error: no interface 'eth0.6'");
	expect_in(run("show interfaces eth0.5 | json"), "\"tx\":{\"packets\":1,"); /* announced */
	run_expect("clear counters", "");
	expect_in(run("show interfaces eth0.5 | json"), "\"tx\":{\"packets\":0,");

	run_expect("set neighbors eth1.9 10.0.1.9 02:00:00:00:00:01", "");
	expect_in(run("commit"), "warning: interface eth1.9 is not present");
	run_expect("delete interfaces eth0 vlan 5", "");
	run_expect("delete neighbors", "");
	expect_in(run("commit"), "warning: interface eth0.5 is not present"); /* the route's */
	assert_int_equal(vlan_find(router.vlans, 0, 5), VLAN_NONE);
	run_expect("delete routes", "");
	run_expect("commit", "");

	for (unsigned vid = 6; vid < 9; vid++) { /* by the number of VLAN 5, counted anew */
		char line[80];

		snprintf(line, sizeof line, "set interfaces eth0 vlan %u address 10.6.0.1/24", vid);
		run_expect("delete interfaces eth0", "");
		run_expect("commit", "");
		run_expect(line, "");
		run_expect("commit", "");
		turns(5);
		assert_int_equal(vlan_find(router.vlans, 0, vid), 0);
		snprintf(line, sizeof line, "show interfaces eth0.%u | json", vid);
		expect_in(run(line), "\"tx\":{\"packets\":1,");
		run_expect("set interfaces eth0 address 10.0.0.1/24", "");
	}
	run_expect("discard", "");
}

static void test_completion(void **state)
{
	run_expect("set interfaces eth0 vlan 5 address 10.5.0.1/24", "");
	run_expect("commit", "");
	screen_n = 0;
	type("show interfaces eth0.\t");
	screen[screen_n] = 0;
	expect_in(screen, "eth0.5 ");
	run("");
	screen_n = 0;
	type("set queues eth0\t");
	screen[screen_n] = 0;
	expect_in(screen, "eth0 ");
	type("\003");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, start_shell, stop_shell)
		CASE(test_canonical),
		CASE(test_refused_words),
		CASE(test_order),
		CASE(test_meaning),
		CASE(test_contradictions),
		CASE(test_commit),
		CASE(test_completion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
