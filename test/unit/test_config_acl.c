/* The lines of access lists: what they print as, mean and must not say; what shows of them. */
#include "test/unit/shell_fixture.h"

#include "kernel/shell/config.h"

static void test_canonical(void **state)
{
	static const char *const lines[][2] = {
		{"set ac a r 10 p", "set acl a rule 10 permit"},
		{"set acl B-2_x rule 999999 d l", "set acl B-2_x rule 999999 deny log"},
		{"set acl a rule 1 p p t from 10.0.0.0/8 to 0.0.0.0/0 from-p 5-5 to-p 1-65535 log",
			"set acl a rule 1 permit proto tcp from 10.0.0.0/8 to 0.0.0.0/0 from-port "
			"5 "
			"to-port 1-65535 log"},
		{"set acl a rule 1 deny proto icmp i 3/4",
			"set acl a rule 1 deny proto icmp icmp-type 3/4"},
		{"set acl a rule 1 deny proto icmp6 from 2001:DB8:0::/32 icmp-type 128",
			"set acl a rule 1 deny proto icmp6 from 2001:db8::/32 icmp-type 128"},
		{"set acl a rule 1 p est", "set acl a rule 1 permit established"},
		{"set acl a rule 1 p proto tcp to-port 5 est log",
			"set acl a rule 1 permit proto tcp to-port 5 established log"},
		{"set acl a rule 1 permit proto 0 to fd00::/8",
			"set acl a rule 1 permit proto 0 to fd00::/8"},
		{"set i eth0 ac i a", "set interfaces eth0 acl in a"},
		{"set i eth0 v 5 acl out a", "set interfaces eth0 vlan 5 acl out a"},
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
		{"set acl a rule 10", "incomplete command"},
		{"set acl a rule 0 permit", "'0' is not a number from 1 to 999999"},
		{"set acl 1a rule 1 permit",
			"'1a' is not a name: letters, digits, - and _, at most 31"},
		{"set acl a23456789012345678901234567890ab rule 1 permit",
			"'a23456789012345678901234567890ab' is not a name: letters, digits, - and "
			"_, at most 31"},
		{"set acl a rule 1 permit proto 256", "'256' is not a number from 0 to 255"},
		{"set acl a rule 1 permit from 10.0.0.1/8", "'10.0.0.1/8' has host bits set"},
		{"set acl a rule 1 permit to-port 80-70",
			"'80-70' is not a number or range from 0 to 65535"},
		{"set acl a rule 1 permit to 10.0.0.0/8 proto tcp", "unknown word 'proto'"},
		{"set acl a rule 1 permit log established", "unknown word 'established'"},
		{"set acl a rule 1 permit established to 10.0.0.0/8", "unknown word 'to'"},
		{"set acl a rule 1 permit proto icmp icmp-type 3/256",
			"'3/256' is not a type, or type/code, each from 0 to 255"},
		{"set acl a rule 1 permit proto icmp icmp-type 3/",
			"'3/' is not a type, or type/code, each from 0 to 255"},
		{"set interfaces eth0 acl a", "unknown word 'a'"},
	};

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		char want[160];

		snprintf(want, sizeof want, "error: %s", lines[i][1]);
		run_expect(lines[i][0], want);
	}
}

/* What a commit refuses, with its line. */
static void test_refused_lines(void **state)
{
	static const char *const lines[][2] = {
		{"set acl a rule 1 permit from 10.0.0.0/8 to fd00::/8",
			"one prefix is IPv4, the other IPv6"},
		{"set acl a rule 1 permit to-port 80", "ports are of proto tcp or udp"},
		{"set acl a rule 1 permit proto icmp from-port 80",
			"ports are of proto tcp or udp"},
		{"set acl a rule 1 permit proto tcp icmp-type 8",
			"icmp-type is of proto icmp or icmp6"},
		{"set interfaces eth0 acl in nobody", "there is no acl nobody"},
		{"set interfaces eth0 vlan 5 acl out nobody", "there is no acl nobody"},
	};

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		char want[240];

		run_expect(lines[i][0], "");
		snprintf(want, sizeof want, "error: %s: %s", lines[i][0], lines[i][1]);
		run_expect("commit", want);
		run_expect("discard", "");
	}
}

static void expect_range(const uint16_t range[2], unsigned first, unsigned last)
{
	assert_int_equal(range[0], first);
	assert_int_equal(range[1], last);
}

static void test_meaning(void **state)
{
	static const char text[] =
		"set acl b rule 20 deny proto icmp icmp-type 3/4 log\n"
		"set acl b rule 3 permit proto udp from 2001:db8::/32 to-port 53-60\n"
		"set acl a rule 7 permit proto icmp6 icmp-type 128\n"
		"set acl a rule 8 permit from 10.1.0.0/16 to 0.0.0.0/0\n"
		"set interfaces eth0 acl in a\nset interfaces eth0 vlan 5 acl out b\n";
	char error[160];
	struct config c;

	assert_true(shell_read_config(text, strlen(text), &c, error, sizeof error));
	assert_int_equal(c.acls, 2);
	assert_int_equal(c.rules, 4);
	assert_string_equal(c.acl[0].name, "a");
	assert_int_equal(c.acl[1].first, 2);
	expect_range(c.match[0].from_port, 128 << 8, 128 << 8 | 255);
	assert_true(c.match[0].ports && !c.match[0].family && c.match[0].protocol == 58);
	assert_true(c.match[1].family == 4 && c.match[1].any_protocol && !c.match[1].ports);
	assert_int_equal(c.match[1].from.lo, 0x0a010000);
	assert_int_equal(c.match[1].from_length, 16);
	assert_int_equal(c.rule[2].number, 3);
	assert_true(c.rule[2].permit && !c.rule[2].log && c.match[2].family == 6);
	expect_range(c.match[2].to_port, 53, 60);
	expect_range(c.match[2].from_port, 0, 65535);
	assert_true(!c.rule[3].permit && c.rule[3].log);
	expect_range(c.match[3].from_port, 3 << 8 | 4, 3 << 8 | 4);
	assert_string_equal(c.iface[0].acl_in, "a");
	assert_string_equal(c.iface[1].acl_out, "b");
	config_free(&c);
}

static void test_commit(void **state)
{
	static const char *const lines[] = {"set acl edge rule 20 permit proto tcp to-port 80",
		"set acl edge rule 10 deny from 10.9.0.0/16", "set acl other rule 1 permit log",
		"set interfaces eth0 acl in edge", "set interfaces eth1 acl out other",
		"set acl edge rule 20 permit proto tcp to-port 443", "commit", NULL};
	static const char shown[] =
		"acl                rule action      packets            bytes match\n"
		"edge                 10 deny              0                0 from 10.9.0.0/16\n"
		"edge                 20 permit            0                0 proto tcp to-port "
		"443\n"
		"edge                  - deny              0                0 no rule matches";

	run_all(lines);
	turns(5);
	run_expect("show acl edge", shown);
	expect_in(run("show acl | json"),
		"{\"acl\":\"other\",\"rule\":1,\"action\":\"permit\",\"packets\":0,\"bytes\":0,"
		"\"match\":\"log\"}");
	run_expect("show acl none", "error: no acl 'none'");
	expect_in(run("show interfaces eth0 | json"), "\"acl_in\":\"edge\"");
	expect_in(run("show interfaces eth1"), "acl out               other");
	run_expect("delete acl other", "");
	run_expect("commit", "error: set interfaces eth1 acl out other: there is no acl other");
	run_expect("delete interfaces eth1 acl", "");
	run_expect("commit", "");
	assert_int_equal(router.tables.filter->out[1], 0);
	run_expect("delete acl edge rule 10", "");
	run_expect("commit", "");
	run_expect("show acl | count", "3");
	run_expect("rollback 2", "");
	run_expect("commit", "");
	run_expect("show acl | count", "6");
	run_expect("clear counters", "");
}

/* Ten thousand, one more, and more than this machine's memory is for. */
static void test_many(void **state)
{
	char line[80];

	for (unsigned i = 1; i <= ACL_RULES; i++) {
		snprintf(line, sizeof line, "set acl a rule %u permit proto tcp to-port %u", i, i);
		run_expect(line, "");
	}
	snprintf(line, sizeof line, "error: acl a: 10000 rules in all lists; %u fit",
		router.filters.rules_max);
	run_expect("commit", line);
	run_expect("set acl b rule 1 permit", "");
	run_expect("commit", "error: set acl b rule 1 permit: more than 10000 rules in all lists");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_shell, stop_shell)
	static const struct CMUnitTest tests[] = {
		TEST(test_canonical),
		TEST(test_refused_words),
		TEST(test_refused_lines),
		TEST(test_meaning),
		TEST(test_commit),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
