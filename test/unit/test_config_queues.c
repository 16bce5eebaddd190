/* The lines about queues, spreading, idleness, martians and LLDP: what they print as, mean, and
 * must not say. */
#include "test/unit/shell_fixture.h"

#include "kernel/shell/config.h"

/* Both ways of one line: what is typed, and how it is printed. */
static void test_canonical(void **state)
{
	static const char *const lines[][2] = {
		{"set q eth1 cl 1 d 46 p", "set queues eth1 class 1 dscp 46 priority"},
		{"set queues eth1 class 2 dscp 10-14 weight 4",
			"set queues eth1 class 2 dscp 10-14 weight 4"},
		{"set queues eth1 class 3 dscp 7-7 weight 256",
			"set queues eth1 class 3 dscp 7 weight 256"},
		{"set queues eth1 shape 1000mbit", "set queues eth1 shape 1000mbit"},
		{"set system idle r", "set system idle relaxed"},
		{"set interfaces eth0 rx-spread of", "set interfaces eth0 rx-spread off"},
		{"set f m 240.0.0.0/4 p", "set forwarding martians 240.0.0.0/4 permit"},
		{"set p l", "set protocols lldp"},
		{"set forwarding flow-table au", "set forwarding flow-table auto"},
		{"set f fl on s 100", "set forwarding flow-table on shadow 100"},
	};

	expect_printed(lines, sizeof lines / sizeof *lines);
}

static void test_refused_words(void **state)
{
	static const char *const lines[][2] = {
		{"set queues eth1 class 8 dscp 1 priority", "'8' is not a number from 0 to 7"},
		{"set queues eth1 class 1 dscp 64 priority", "'64' is not a number from 0 to 63"},
		{"set queues eth1 class 1 dscp 14-10 priority",
			"'14-10' is not a number or range from 0 to 63"},
		{"set queues eth1 class 1 dscp 1-64 priority",
			"'1-64' is not a number or range from 0 to 63"},
		{"set queues eth1 class 1 dscp -4 priority",
			"'-4' is not a number or range from 0 to 63"},
		{"set queues eth1 class 1 dscp 4- priority",
			"'4-' is not a number or range from 0 to 63"},
		{"set queues eth1 class 1 dscp 4 weight 0", "'0' is not a number from 1 to 256"},
		{"set queues eth1 class 1 dscp 4", "incomplete command"},
		{"set queues eth1 shape 7kbit", "'7kbit' is not a rate from 8kbit to 1000gbit"},
		{"set queues eth1 shape 1001gbit",
			"'1001gbit' is not a rate from 8kbit to 1000gbit"},
		{"set queues eth1 shape 10", "'10' is not a rate from 8kbit to 1000gbit"},
		{"set queues eth1 shape mbit", "'mbit' is not a rate from 8kbit to 1000gbit"},
		{"set queues eth1 shape 99999999999999999999kbit",
			"'99999999999999999999kbit' is not a rate from 8kbit to 1000gbit"},
		{"set system idle sleepy", "unknown word 'sleepy'"},
		{"set forwarding flow-table", "incomplete command"},
		{"set forwarding flow-table on shadow 0", "'0' is not a number from 1 to 1000000"},
		{"set forwarding martians 127.0.0.1 permit", "'127.0.0.1' is not an IPv4 prefix"},
	};

	expect_refused(lines, sizeof lines / sizeof *lines);
}

/* One class per DSCP, one way of sharing per class; ports are independent. */
static void test_contradictions(void **state)
{
	static const char *const first[] = {"set queues eth0 class 1 dscp 10-14 weight 4",
		"set queues eth0 class 2 dscp 46 priority",
		"set queues eth1 class 1 dscp 14-20 priority", NULL};
	static const char *const second[][2] = {
		{"set queues eth0 class 3 dscp 14-20 weight 1",
			"DSCP 14 is in another line of eth0"},
		{"set queues eth0 class 1 dscp 8-11 weight 4",
			"DSCP 10 is in another line of eth0"},
		{"set queues eth0 class 1 dscp 20 weight 5", "class 1 shares in two ways on eth0"},
		{"set queues eth0 class 2 dscp 20 weight 1", "class 2 shares in two ways on eth0"},
	};

	run_all(first);
	run_expect("commit", "");
	expect_not_committed(second, sizeof second / sizeof *second);
	/* a second range of the same class is no contradiction; the same range again replaces */
	run_expect("set queues eth0 class 1 dscp 20 weight 4", "");
	run_expect("set queues eth0 class 1 dscp 20 priority", "");
	run_expect("set queues eth0 class 1 dscp 20 weight 4", "");
	run_expect("commit", "");
}

static void test_meaning(void **state)
{
	static const char text[] = "set queues eth1 class 1 dscp 46 priority\n"
				   "set queues eth1 class 2 dscp 10-14 weight 4\n"
				   "set queues eth0 shape 64kbit\nset queues eth1 shape 25gbit\n"
				   "set system idle relaxed\n"
				   "set interfaces eth0 rx-spread on\n"
				   "set interfaces eth1 rx-spread off\n";
	char error[160];
	struct config c;

	assert_true(shell_read_config(text, strlen(text), &c, error, sizeof error));
	assert_int_equal(c.classes, 2);
	assert_string_equal(c.class[0].iface, "eth1");
	assert_int_equal(c.class[0].class, 1);
	assert_int_equal(c.class[0].first, 46);
	assert_int_equal(c.class[0].last, 46);
	assert_true(c.class[0].strict);
	assert_int_equal(c.class[1].class, 2);
	assert_int_equal(c.class[1].first, 10);
	assert_int_equal(c.class[1].last, 14);
	assert_false(c.class[1].strict);
	assert_int_equal(c.class[1].weight, 4);
	assert_int_equal(c.shapes, 2);
	assert_int_equal(c.shape[0].bps, 64000);
	assert_true(c.shape[1].bps == 25000000000);
	assert_true(c.relaxed);
	assert_int_equal(c.iface[0].rx_spread, RX_SPREAD_ON);
	assert_int_equal(c.iface[1].rx_spread, RX_SPREAD_OFF);
	config_free(&c);
}

/* In force after commit, gone after delete. */
static void test_commit(void **state)
{
	const struct sched *s = &router.sched[router.first_txq[1]];

	run_expect("set queues eth1 class 1 dscp 46 priority", "");
	run_expect("set queues eth1 class 2 dscp 10-14 weight 4", "");
	run_expect("set queues eth1 shape 20mbit", "");
	run_expect(
		"set queues eth9 shape 20mbit", ""); /* absent: kept, warned about, of no effect */
	run_expect("set system idle relaxed", "");
	expect_in(run("commit"), "eth9");
	assert_int_equal(router.classes[1].of_dscp[46], 1);
	assert_int_equal(router.classes[1].of_dscp[12], 2);
	assert_int_equal(router.classes[0].of_dscp[46], 0);
	assert_int_equal(s->policy.strict, 1 << 1);
	assert_int_equal(s->policy.inverse[2], 16384);
	assert_non_null(s->shaper.rate);
	assert_true(router.relaxed);
	run_expect("delete queues", "");
	run_expect("delete system idle", "");
	run_expect("commit", "");
	assert_int_equal(router.classes[1].of_dscp[46], 0);
	assert_int_equal(s->policy.strict, 0);
	assert_int_equal(s->policy.inverse[2], 65536);
	assert_null(s->shaper.rate);
	assert_false(router.relaxed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, start_shell, stop_shell)
		CASE(test_canonical),
		CASE(test_refused_words),
		CASE(test_contradictions),
		CASE(test_meaning),
		CASE(test_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
