/* Routes by the shell and by a table given at boot: what is in force, shown and verified. */
#include "test/unit/shell_fixture.h"

#include "kernel/publish.h"
#include "kernel/routefile.h"
#include "test/unit/json.h"

/* Counters are columns of their own, there only if it is counted. */
static void test_counters(void **state)
{
	static const char *const lines[] = {"set interfaces eth0 address 10.0.0.1/24",
		"set routes 20.0.0.0/8 via 10.0.0.2", "set routes 30.0.0.0/8 blackhole",
		"set routes 40.0.0.0/8 via 20.0.0.9", "set routes 50.0.0.0/8 via 99.0.0.9",
		"commit", NULL};

	run_all(lines);
	turns(5);
	expect_in(run("show next-hops"), "10.0.0.2                 eth0       unresolved");
	expect_in(run("show next-hops"), "20.0.0.9                 -          recursive");
	expect_in(run("show next-hops"), "blackhole                -          final");
	assert_null(strstr(run("show next-hops | json"), "packets"));
	assert_null(strstr(run("show routes | json"), "packets"));
	run_expect("set f cou n", "");
	expect_in(run("show configuration candidate"), "set forwarding counters next-hop");
	run_expect("commit", "");
	expect_in(run("show next-hops | json"), "\"packets\":0,\"bytes\":0");
	expect_in(run("show routes 30.0.0.0/8 | json"), "\"packets\":0,\"bytes\":0");
	expect_in(run("show routes"), "packets            bytes");
	expect_in(run("show routes 40.0.0.0/8 | json"), "\"state\":\"active\",\"packets\":0");
	run_expect("clear counters", "");
	run_expect("delete forwarding", "");
	run_expect("delete routes", "");
	run_expect("delete interfaces", "");
	run_expect("commit", "");
	assert_null(strstr(run("show next-hops | json"), "packets"));
}

static void test_what_is_a_table(void **state)
{
	assert_true(routefile_is("x.routes", "set system hostname a", 21));
	assert_true(routefile_is("/a/x.routes loader words", "", 0));
	assert_true(routefile_is("x", "\n# y\n10.0.0.0/8 via 1.0.0.1\nrubbish", 36));
	assert_false(routefile_is("x", "set routes 10.0.0.0/8 blackhole", 31));
	assert_false(routefile_is("x", "\n", 1));
	assert_false(routefile_is("routes", "", 0));
}

/* ---- in force ---- */

static struct routefile_result load(const char *text)
{
	return routefile_load(&router, "table", text, strlen(text));
}

static void test_table(void **state)
{
	configure();
	struct routefile_result result =
		load("60.0.0.0/8 via 10.0.1.2\n"
		     "20.0.0.0/8 via 10.0.0.2 # the configuration's is preferred\n"
		     "61.0.0.0/8 via 10.9.9.9\n"
		     "61.0.0.0/8 via 10.9.9.8 weight 2\n"
		     "bad\n"
		     "62.0.0.0/8 via 10.0.1.2 dev eth1\n"
		     "63.0.0.0/8 via 10.0.1.2 dev eth0\n"
		     "64.0.0.0/8 via 10.0.1.2 dev eth16\n"
		     "60.0.0.0/8 via 10.0.0.2\n"
		     "2001:db8::/32 via fd01::1\n"
		     "2001:db8:1::/48 via fd01::2\n"
		     "2001:db8:2::/48 via fe80::2\n"
		     "2001:db8:3::/48 via fe80::2 dev eth1");

	turns(5);
	assert_int_equal(result.routes4, 5);
	assert_int_equal(result.routes6, 2);
	assert_int_equal(result.wrong, 5);
	routefile_report(&router);
	const char *log = run("show log");

	expect_in(log, "routes table: line 5: no prefix");
	expect_in(log, "routes table: line 8: there is no such interface");
	expect_in(log, "routes table: line 9: this prefix stands further up");
	expect_in(log, "routes via 10.0.1.2 dev eth0 are unreachable: it is on no network of eth0");
	expect_in(log, "routes table: line 12: a link-local gateway");
	expect_in(run("show routes 60.1.2.3"),
		"file       60.0.0.0/8         10.0.1.2         eth1       active");
	const char *text = run("show routes 20.0.0.0/8");

	expect_in(text, "static     20.0.0.0/8         10.0.1.2         eth1       active");
	expect_in(text, "file       20.0.0.0/8         10.0.0.2         eth0       shadowed");
	expect_in(run("show routes 62.0.0.1"), "10.0.1.2         eth1       active");
	expect_in(run("show routes 63.0.0.1"), "10.0.1.2         -          unreachable");
	text = run("show routes 61.0.0.1");
	expect_in(text, "10.9.9.9         -          unreachable");
	expect_in(text, "10.9.9.8         -          unreachable");
	expect_in(run("show routes 2001:db8:1::5"),
		"file       2001:db8:1::/48    fd01::2          -          unreachable");
	expect_in(run("show routes 2001:db8::/32"),
		"file       2001:db8::/32      fd01::1          -          unreachable");
	expect_last_line(run("show fib verify"), "verify: ok");
	/* The way to a gateway appears and goes: no route changes, but where its packets go. */
	run_expect("set routes 10.9.0.0/16 via 10.0.0.2", "");
	run_expect("commit", "");
	text = run("show routes 61.0.0.1");
	expect_in(text, "10.9.9.9         eth0       active");
	expect_in(text, "10.9.9.8         eth0       active");
	run_expect("delete routes", "");
	run_expect("commit", "");
	expect_in(run("show routes 61.0.0.1"), "unreachable");
	expect_in(run("show routes 20.0.0.1"), "file       20.0.0.0/8         10.0.0.2");
	expect_last_line(run("show fib verify"), "verify: ok");
}

static void test_paths(void **state)
{
	configure();
	run_expect("set routes 70.0.0.0/8 via 10.0.1.2 weight 3", "");
	run_expect("set routes 70.0.0.0/8 via 10.0.0.2", "");
	run_expect("set routes 70.0.0.0/8 via 99.0.0.1", ""); /* nothing leads there */
	run_expect("commit", "");
	const char *text = run("show routes 70.0.0.0/8");

	expect_in(text, "static     70.0.0.0/8         10.0.0.2         eth0       active");
	expect_in(text, "static     70.0.0.0/8         10.0.1.2         eth1       active");
	expect_in(text, "static     70.0.0.0/8         99.0.0.1         -          waiting");
	expect_in(run("show configuration"), "\nset routes 70.0.0.0/8 via 10.0.0.2\n"
					     "set routes 70.0.0.0/8 via 10.0.1.2 weight 3\n");
	uint32_t group = rib4_find(&router.rib, 70u << 24, 8, RIB_STATIC)->nexthop;
	unsigned eth1 = 0;

	assert_int_equal(router.nexthops.nexthop[group].action, NEXTHOP_GROUP);
	for (uint32_t i = 0; i < 1000; i++)
		eth1 += router.nexthops.nexthop[nexthop_pick(&router.nexthops, group, i)].port == 1;
	assert_true(eth1 > 700 && eth1 < 800);
	/* A path that goes leaves the other one. */
	memdev_set_link(dev[0], false);
	turns(300);
	assert_null(strstr(run("show routes 70.0.0.1"), "10.0.0.2"));
	expect_in(run("show routes 70.0.0.1"), "10.0.1.2");
	memdev_set_link(dev[0], true);
	turns(300);
	expect_in(run("show routes 70.0.0.1"), "10.0.0.2");
	run_expect("delete routes 70.0.0.0/8 via 10.0.1.2", "");
	run_expect("commit", "");
	assert_null(strstr(run("show routes 70.0.0.1"), "10.0.1.2"));
	expect_in(run("show routes 70.0.0.1"), "10.0.0.2         eth0       active");
	expect_last_line(run("show fib verify"), "verify: ok");
}

static void test_ipv6(void **state)
{
	run_expect("set routes 2001:DB8:0::/32 blackhole", "");
	run_expect("set routes 2001:db8:1::/48 via FE80::1 dev eth0", "");
	run_expect("set routes ::/0 prohibit", "");
	run_expect("commit", "");
	run_expect("show configuration", "set routes ::/0 prohibit\n"
					 "set routes 2001:db8::/32 blackhole\n"
					 "set routes 2001:db8:1::/48 via fe80::1 dev eth0");
	expect_in(run("show routes"),
		"static     2001:db8:1::/48    fe80::1          -          waiting");
	expect_in(run("show routes 2001:db8:1::1"), "static     2001:db8::/32      blackhole");
	expect_in(run("show routes 5::"), "static     ::/0               prohibit");
	assert_null(strstr(run("show routes 2001:db8::/32"), "::/0"));
	expect_last_line(run("show fib verify"), "verify: ok");
	run_expect("delete routes 2001:db8::/32", "");
	run_expect("commit", "");
	expect_in(run("show routes 2001:db8:1::1"), "static     ::/0               prohibit");
	expect_last_line(run("show fib verify"), "verify: ok");
}

static void test_summary(void **state)
{
	char text[40000], *end = text;

	for (unsigned i = 0; i < 1200; i++)
		end += sprintf(end, "60.%u.%u.0/24 via 9.9.9.9\n", i / 256, i % 256);
	configure();
	assert_null(strstr(run("show routes"), "family"));
	expect_in(run("show routes summary"), "IPv4    connected          2\n");
	assert_int_equal(load(text).routes4, 1200);
	turns(50);
	const char *summary = run("show routes");

	expect_in(summary, "IPv4    file            1200\n");
	expect_in(summary, "IPv4        24          1202\n");
	assert_true(json_valid(run("show routes | json")));
	run_expect("show routes 60.0.0.0/8 | count", "1201");
}

/* A route that goes behind the FIB's back: its range is named, and the FIB repaired. */
static void test_verify_finds(void **state)
{
	struct route4 *route;

	configure();
	run_expect("set routes 80.1.0.0/16 blackhole", "");
	run_expect("commit", "");
	turns(10);
	expect_last_line(run("show fib verify"), "verify: ok");
	route = (struct route4 *)rib4_find(&router.rib, 80u << 24 | 1 << 16, 16, RIB_STATIC);
	uint32_t old;

	assert_int_equal(rib4_replace(&router.rib, route->prefix, 16, RIB_STATIC,
				 rib4_match(&router.rib, 20u << 24, false)->nexthop, &old),
		ERR_OK);
	router.rib.rib.change_tail = router.rib.rib.change_head; /* nobody shall follow */
	const char *text = run("show fib verify");

	expect_in(text, "first mismatch: 80.1.0.0 - 80.1.255.255: next hop ");
	expect_last_line(text, "verify: 1 ranges differed, 1 repaired");
	expect_last_line(run("show fib verify"), "verify: ok");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_a_table),
		cmocka_unit_test_setup_teardown(test_table, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_paths, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_ipv6, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_summary, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_counters, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_verify_finds, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
