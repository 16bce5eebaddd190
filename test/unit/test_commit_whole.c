/*
 * A commit is whole: workers see all of it or nothing, at every moment of it; and
 * whatever it is refused by, the one before stays in force, wholly.
 */
#include "test/unit/shell_fixture.h"

#include <time.h>

#include "test/unit/state_dump.h"

/* ---- each call of these can be made to fail (the linker's --wrap) ---- */

static unsigned calls, fail_at; /* 0: none fails */

static bool fails(void)
{
	return fail_at && ++calls == fail_at;
}

#define WRAP(type, failure, name, parameters, arguments)                                           \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		if (fails())                                                                       \
			return (failure);                                                          \
		return __real_##name arguments;                                                    \
	}

WRAP(void *, NULL, malloc, (size_t n), (n))
WRAP(void *, NULL, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, NULL, realloc, (void *p, size_t n), (p, n))
WRAP(enum err, ERR_FULL, rib_add, (struct rib * rib, struct ip6 key, const struct route *r),
	(rib, key, r))
WRAP(enum err, ERR_FULL, rib4_add, (struct rib4 * rib, const struct route4 *r), (rib, r))
WRAP(enum err, ERR_FULL, rib6_add, (struct rib6 * rib, const struct route6 *r), (rib, r))
WRAP(enum err, ERR_FULL, nexthop_get,
	(struct nexthop_table * t, enum nexthop_action action, unsigned port, uint32_t gateway,
		const uint8_t *mac, uint32_t mtu, uint32_t *index),
	(t, action, port, gateway, mac, mtu, index))
WRAP(enum err, ERR_FULL, nexthop_get_group,
	(struct nexthop_table * t, const struct nexthop_member *m, unsigned n, uint32_t *index),
	(t, m, n, index))
WRAP(enum err, ERR_FULL, nexthop_get6,
	(struct nexthop_table * t, enum nexthop_action action, unsigned port, struct ip6 gateway,
		const uint8_t *mac, uint32_t mtu, uint32_t *index),
	(t, action, port, gateway, mac, mtu, index))
WRAP(enum err, ERR_FULL, nexthop_get_key,
	(struct nexthop_table * t, unsigned bits, enum nexthop_action action, unsigned port,
		struct ip6 gateway, const uint8_t *mac, uint32_t mtu, uint32_t *index),
	(t, bits, action, port, gateway, mac, mtu, index))
WRAP(enum err, ERR_FULL, nexthop_get_recursive_key,
	(struct nexthop_table * t, unsigned bits, struct ip6 gateway, unsigned port,
		uint32_t *index),
	(t, bits, gateway, port, index))

/* ---- what is committed ---- */

static const char *const before[] = {"set interfaces eth0 address 10.0.0.1/24",
	"set interfaces eth1 address 10.0.1.1/24", "set interfaces eth1 mtu 1400",
	"set neighbors eth0 10.0.0.2 02:00:00:00:00:01", "set routes 20.0.0.0/16 via 10.0.0.2",
	"set routes 20.1.0.0/16 via 10.0.1.2", "set routes 20.1.0.0/16 via 10.0.1.3",
	"set routes 30.0.0.0/16 via 20.0.0.7", "set routes 40.0.0.0/16 blackhole",
	"set routes 2001:db8::/48 prohibit", "set interfaces eth0 address fd00::1/64",
	"set interfaces eth1 address fd00:0:0:1::1/64",
	"set neighbors eth1 fd00:0:0:1::2 02:00:00:00:01:01",
	"set routes 2001:db8:2::/48 via fd00:0:0:1::2", "set routes 2001:db8:3::/48 via fd00::2",
	"set routes 2001:db8:3::/48 via fd00:0:0:1::3",
	"set routes 2001:db8:4::/48 via 2001:db8:3::7",
	"set routes 2001:db8:5::/48 via fe80::9 dev eth0", "set queues eth1 shape 10mbit",
	"set acl a rule 10 deny proto tcp to-port 80", "set interfaces eth0 acl in a", "commit",
	NULL};

/* The networks change places, the recursive route another way, and something of everything. */
static const char *const change[] = {"delete interfaces", "delete routes 20.0.0.0/16",
	"delete routes 20.1.0.0/16 via 10.0.1.3", "set interfaces eth0 address 10.0.1.1/24",
	"set interfaces eth1 address 10.0.0.1/24", "set interfaces eth0 mtu 1300",
	"set routes 20.0.0.0/16 unreachable", "set routes 20.0.0.0/24 via 10.0.0.9",
	"set routes 20.2.0.0/16 via 10.0.0.4", "set routes 20.2.0.0/16 via 10.0.0.5 weight 3",
	"set routes 40.0.0.0/16 via 20.2.0.1", "delete routes 40.0.0.0/16 blackhole",
	"set routes 50.0.0.0/16 via 10.0.1.9", "delete routes 2001:db8::/48",
	"set routes 2001:db8:1::/48 unreachable", "set interfaces eth0 address fd00:0:0:1::1/64",
	"set interfaces eth1 address fd00::1/64", "delete routes 2001:db8:2::/48",
	"set routes 2001:db8:2::/48 blackhole", "delete routes 2001:db8:3::/48 via fd00:0:0:1::3",
	"set routes 2001:db8:6::/48 via fd00::4", "set routes 2001:db8:6::/48 via fd00::5 weight 3",
	"delete routes 2001:db8:4::/48", "set routes 2001:db8:4::/48 via 2001:db8:6::1",
	"delete routes 2001:db8:5::/48", "set routes 2001:db8:5::/48 via fe80::9 dev eth1",
	"set routes 2001:db8:7::/48 via fd00:0:0:1::9", "delete queues",
	"set queues eth0 class 2 dscp 46 priority", "set acl a rule 10 permit proto udp",
	"set acl b rule 1 deny proto tcp to-port 80", "set interfaces eth0 acl in b",
	"set interfaces eth1 acl out a", "set system idle relaxed", NULL};

/* All has been followed, and all addresses have been probed. */
static void settle(void)
{
	for (unsigned i = 0; i < 3; i++) {
		turns(10);
		model_platform.now_us += 1100000;
	}
	turns(30);
}

static void begin(void **state)
{
	start_shell(state);
	run_all(before);
	settle();
	run_all(change);
}

/* ---- one moment ---- */

static struct dump views[3]; /* that workers had, one after the other */
static unsigned seen, looks;

/* Looks as a worker does, whenever the control core lets others run. */
static void look(void)
{
	struct dump *d = &views[seen < 3 ? seen : 2];

	looks++;
	d->n = 0;
	dump_workers(d);
	if (seen == 0 || (seen < 3 && dump_difference(&views[seen - 1], d)))
		seen++;
}

static void expect_one_change(const char *command)
{
	static struct dump end;

	seen = looks = 0;
	look();
	model_platform.step_us = 400; /* so that each yield is one */
	control_on_yield(look);
	const char *reply = run(command);

	control_on_yield(NULL);
	model_platform.step_us = 0;
	assert_string_equal(reply, "");
	if (seen != 2)
		fail_msg("%u views; %s", seen, dump_difference(&views[1], &views[2]));
	assert_true(looks > 20);
	end.n = 0;
	dump_workers(&end);
	assert_null(dump_difference(&views[1], &end));
}

static void test_seen_whole(void **state)
{
	begin(state);
	expect_one_change("commit");
	run_expect("rollback 1", "");
	expect_one_change("commit");
	run_expect("show fib verify | count", "3");
	stop_shell(state);
}

/* Types one line for each of 1,000 host routes. */
static void type_hosts(const char *format)
{
	char line[80];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, format, i / 256, i / 16 % 16, i % 16);
		type(line);
		screen_n = 0;
	}
}

/* A thousand routes come, change and go, each time in one moment. */
static void test_many_seen_whole(void **state)
{
	begin(state);
	type_hosts("set routes 20.%u.%u.%u/32 via 10.0.1.2\r");
	expect_one_change("commit");
	run_expect("delete routes", "");
	type_hosts("set routes 20.%u.%u.%u/32 blackhole\r");
	expect_one_change("commit");
	run_expect("delete routes", "");
	expect_one_change("commit");
	stop_shell(state);
}

/* ---- nothing ---- */

enum outcome { REFUSED, TOLERATED, NOT_REACHED };

/* A commit whose n-th call that can fail does. */
static enum outcome commit_without(unsigned n)
{
	const char *reply;
	bool reached;

	seen = looks = 0;
	look();
	model_platform.step_us = 400;
	control_on_yield(look);
	calls = 0;
	fail_at = n;
	reply = run("commit");
	reached = calls >= n;
	fail_at = 0;
	control_on_yield(NULL);
	model_platform.step_us = 0;
	if (strncmp(reply, "error: ", 7) == 0) {
		assert_true(reached);
		assert_null(strchr(reply, '\n'));
		assert_int_equal(seen, 1); /* workers have seen nothing of it */
		return REFUSED;
	}
	assert_string_equal(reply, "");
	assert_true(seen <= 2);
	return reached ? TOLERATED : NOT_REACHED;
}

/*
 * What a power cut is to a router whose configuration lives in memory and in boot
 * modules: the commit ends at any of its steps. Either nothing has changed, or all.
 */
static void test_cut_at_every_step(void **state)
{
	static struct dump was, is;
	static char text[8192];
	enum outcome outcome = TOLERATED;
	unsigned refused = 0, tolerated = 0;

	for (unsigned n = 1; outcome != NOT_REACHED; n++) {
		if (outcome == TOLERATED) {
			if (n > 1)
				stop_shell(state);
			begin(state);
			was.n = 0;
			dump_all(&was);
			snprintf(text, sizeof text, "%s", run("show configuration"));
		}
		outcome = commit_without(n);
		refused += outcome == REFUSED;
		tolerated += outcome == TOLERATED;
		if (outcome != REFUSED)
			continue;
		settle();
		is.n = 0;
		dump_all(&is);
		if (dump_difference(&was, &is))
			fail_msg("call %u: %s", n, dump_difference(&was, &is));
		run_expect("show configuration", text);
	}
	printf("figure: commit cut at %u steps: %u refused, %u done without\n", refused + tolerated,
		refused, tolerated);
	assert_true(refused > 40);
	stop_shell(state);
}

/* ---- ten thousand lines ---- */

#define MANY 10000u

static double now_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double looked_s, longest_s;

static void look_at_clock(void)
{
	double now = now_s(CLOCK_THREAD_CPUTIME_ID);

	if (now - looked_s > longest_s)
		longest_s = now - looked_s;
	looked_s = now;
	looks++;
}

/* How long it takes, and the longest time between two points where others could have run. */
static void commit_timed(const char *what, unsigned lines, unsigned looks_least)
{
	double start = now_s(CLOCK_MONOTONIC), end;

	looks = 0;
	longest_s = 0;
	looked_s = now_s(CLOCK_THREAD_CPUTIME_ID);
	model_platform.step_us = 400;
	control_on_yield(look_at_clock);
	run_expect("commit", "");
	end = now_s(CLOCK_MONOTONIC);
	control_on_yield(NULL);
	model_platform.step_us = 0;
	printf("figure: commit that %s %u lines: %.0f ms, %.2f ms at most between yields "
	       "(sanitizers)\n",
		what, lines, (end - start) * 1000, longest_s * 1000);
	assert_true(looks > looks_least);
}

static void test_ten_thousand_lines(void **state)
{
	char line[80];

	begin(state);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(line, sizeof line, "set routes 60.%u.%u.0/24 via 10.0.%u.%u\r", i / 256,
			i % 256, i % 2, 2 + i % 200);
		type(line);
		screen_n = 0;
	}
	commit_timed("adds", MANY, MANY / 64);
	run_expect("delete routes", "");
	commit_timed("removes", MANY, MANY / 64);
	run_expect("show configuration | include routes", "");
	stop_shell(state);
}

/* Others have a turn between any two subinterfaces, in each of the steps that go over all. */
static void test_all_vlans(void **state)
{
	char line[80];

	begin(state);
	run_expect("commit", "");
	for (unsigned i = 1; i <= VLAN_MAX; i++) {
		snprintf(line, sizeof line, "set interfaces eth%u vlan %u address 70.%u.%u.1/24\r",
			i % 2, i, i / 256, i % 256);
		type(line);
		screen_n = 0;
	}
	commit_timed("adds VLANs,", VLAN_MAX, 8 * VLAN_MAX);
	assert_int_equal(router.ifaces, PORTS + VLAN_MAX);
	run_expect("delete interfaces eth0 vlan", "");
	run_expect("delete interfaces eth1 vlan", "");
	commit_timed("removes VLANs,", VLAN_MAX, 5 * VLAN_MAX);
	assert_int_equal(router.ifaces, PORTS);
	stop_shell(state);
}

/* ---- access lists ---- */

/* As many rules as fit: a prefix and a port of its own each. */
static void test_all_rules(void **state)
{
	char line[120];

	begin(state);
	run_expect("delete acl", "");
	run_expect("delete interfaces eth0 acl", "");
	run_expect("delete interfaces eth1 acl", "");
	run_expect("commit", "");
	unsigned rules = router.filters.rules_max;

	for (unsigned i = 0; i < rules; i++) {
		snprintf(line, sizeof line,
			"set acl a rule %u permit proto tcp from 80.%u.%u.0/24 to-port %u\r", i + 1,
			i / 256, i % 256, i);
		type(line);
		screen_n = 0;
	}
	run_expect("set interfaces eth0 acl in a", "");
	commit_timed("adds rules,", rules, rules / 64);
	assert_int_equal(router.filters.set[router.filters.set_now].rules, rules);
	printf("figure: %u rules compiled: %zu KiB of %zu\n", rules,
		router.filters.set[router.filters.set_now].used >> 10,
		router.filters.memory_bytes >> 10);
	run_expect("delete acl a rule 7", "");
	commit_timed("removes one of the rules,", rules, rules / 64);
	run_expect("delete acl", "");
	run_expect("delete interfaces eth0 acl", "");
	commit_timed("removes rules,", rules, 10);
	stop_shell(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seen_whole),
		cmocka_unit_test(test_many_seen_whole),
		cmocka_unit_test(test_cut_at_every_step),
		cmocka_unit_test(test_ten_thousand_lines),
		cmocka_unit_test(test_all_vlans),
		cmocka_unit_test(test_all_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
