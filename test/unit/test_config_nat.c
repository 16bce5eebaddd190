/* The lines of NAT: what they print as, mean and must not say; what a commit makes of them. */
#include "test/unit/shell_fixture.h"

#include "kernel/shell/config.h"

#define OURS 0xc0000201u /* 192.0.2.1 */

static void test_canonical(void **state)
{
	static const char *const lines[][2] = {
		{"set nat s r 10 o eth1 f 10.0.0.0/8 m",
			"set nat source rule 10 out eth1 from 10.0.0.0/8 masquerade"},
		{"set nat so rule 1 out eth1.5 from 10.0.0.0/8 to 20.0.0.0/8 proto t to-address "
		 "192.0.2.1-192.0.2.9 ports 2000-3000",
			"set nat source rule 1 out eth1.5 from 10.0.0.0/8 to 20.0.0.0/8 proto tcp "
			"to-address 192.0.2.1-192.0.2.9 ports 2000-3000"},
		{"set nat source rule 1 out eth1 from 10.0.0.0/8 to-a 192.0.2.1-192.0.2.1",
			"set nat source rule 1 out eth1 from 10.0.0.0/8 to-address 192.0.2.1"},
		{"set nat source rule 1 out eth1 from 10.0.0.0/8 e",
			"set nat source rule 1 out eth1 from 10.0.0.0/8 exempt"},
		{"set nat d r 3 in eth1 proto udp to 192.0.2.1 port 80-90 to-a 10.0.0.5 to-p 8080",
			"set nat destination rule 3 in eth1 proto udp to 192.0.2.1 port 80-90 "
			"to-address 10.0.0.5 to-port 8080"},
		{"set nat destination rule 3 in eth1 to 192.0.2.1 to-address 10.0.0.5",
			"set nat destination rule 3 in eth1 to 192.0.2.1 to-address 10.0.0.5"},
	};

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		run_expect(lines[i][0], "");
		run_expect("show configuration candidate", lines[i][1]);
		run_expect("delete nat", "");
		run_expect("show configuration candidate", "");
		run_expect("discard", "");
	}
}

static void test_refused_words(void **state)
{
	static const char *const lines[][2] = {
		{"set nat source rule 10 out eth1 from 10.0.0.0/8", "incomplete command"},
		{"set nat source rule 10 out eth1 masquerade", "unknown word 'masquerade'"},
		{"set nat source rule 1 out eth1 from 10.0.0.0/8 to-address 192.0.2.9-192.0.2.1",
			"'192.0.2.9-192.0.2.1' is not an IPv4 address, or two of them: "
			"first-last"},
		{"set nat source rule 1 out eth1 from 10.0.0.0/8 masquerade ports 0-9",
			"'0-9' is not a number or range from 1 to 65535"},
		{"set nat destination rule 1 in eth1 to 192.0.2.0/24",
			"'192.0.2.0/24' is not an IPv4 address"},
	};

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		char want[200];

		snprintf(want, sizeof want, "error: %s", lines[i][1]);
		run_expect(lines[i][0], want);
	}
}

static void test_refused_lines(void **state)
{
	static const char *const lines[][2] = {
		{"set nat source rule 1 out eth1 from fd00::/8 masquerade", "fd00::/8 is not IPv4"},
		{"set nat source rule 1 out eth1 from 10.0.0.0/8 masquerade",
			"eth1 has no IPv4 address to masquerade as"},
		{"set nat source rule 1 out eth1 from 10.0.0.0/8 to-address 224.0.0.1",
			"224.0.0.1 is a multicast address"},
		{"set nat destination rule 1 in eth1 to 192.0.2.1 port 80 to-address 10.0.0.5",
			"ports are of proto tcp or udp"},
		{"set nat destination rule 1 in eth1 proto tcp to 192.0.2.1 to-address 10.0.0.5 "
		 "to-port 80",
			"to-port goes with port"},
		{"set nat destination rule 1 in eth1 proto tcp to 192.0.2.1 port 80-90 to-address "
		 "10.0.0.5 to-port 65526",
			"to-port and those behind it go beyond 65535"},
	};

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		char want[300];

		run_expect(lines[i][0], "");
		snprintf(want, sizeof want, "error: %s: %s", lines[i][0], lines[i][1]);
		run_expect("commit", want);
		run_expect("discard", "");
	}
}

static struct flow_key key_of(uint8_t protocol, uint32_t src, uint32_t dst, uint32_t ports)
{
	struct flow_key k = {.protocol = protocol, .family = 4, .ports = ports};

	k.src.lo = src;
	k.dst.lo = dst;
	return k;
}

static const struct lane *some_lane(void)
{
	for (unsigned l = 0; l < router.lanes; l++)
		if (router.lane[l].nat)
			return &router.lane[l];
	return NULL;
}

/* A session from inside, and one by a rule of destination NAT, as a lane would begin them. */
static void begin_sessions(struct lane *lane)
{
	struct flow_key out = key_of(17, 0x0a000002, 0x14000001, 5000u << 16 | 53);
	struct flow_key in = key_of(6, 0x14000001, OURS, 5000u << 16 | 80);
	struct nat_hold hold;

	assert_int_equal(nat_destination(lane, 0, &out, &hold), NAT_NONE);
	assert_int_equal(nat_source(lane, 1, &out, &hold), NAT_DONE);
	assert_int_equal(out.src.lo, OURS);
	assert_int_equal(nat_destination(lane, 1, &in, &hold), NAT_DONE);
	assert_int_equal(in.dst.lo, 0x0a000005);
	assert_int_equal(in.ports & 0xffff, 8080);
}

static void test_commit(void **state)
{
	static const char *const lines[] = {"set interfaces eth0 address 10.0.0.1/24",
		"set interfaces eth1 address 192.0.2.1/24",
		"set nat source rule 20 out eth1 from 10.0.0.0/8 masquerade",
		"set nat source rule 10 out eth1 from 10.0.0.0/8 to 10.0.0.0/8 exempt",
		("set nat destination rule 5 in eth1 proto tcp to 192.0.2.1 port 80 to-address "
		 "10.0.0.5 to-port 8080"),
		"commit", NULL};
	static const char shown[] =
		"nat            rule     sessions says\n"
		"destination       5            1 in eth1 proto tcp to 192.0.2.1 port 80 "
		"to-address 10.0.0.5 to-port 8080\n"
		"source           10            0 out eth1 from 10.0.0.0/8 to 10.0.0.0/8 exempt\n"
		"source           20            1 out eth1 from 10.0.0.0/8 masquerade";
	struct lane *lane = (struct lane *)some_lane();

	assert_null(router.tables.nat);
	run_all(lines);
	turns(5);
	assert_non_null(router.tables.nat);
	assert_true(lane->track);
	run_expect("set nat destination rule 6 in eth7 to 192.0.2.1 to-address 10.0.0.6", "");
	run_expect("commit", "warning: interface eth7 is not present");
	turns(5);
	assert_int_equal(router.tables.nat->destinations, 1);
	begin_sessions(lane);
	run_expect("show nat", shown);
	run_expect("show nat rules | count", "4");
	run_expect("show nat mappings 10.0.0.9 | count", "1");
	run_expect("show nat mappings 10.0.0.2 | count", "2");
	run_expect("show nat ports", "address          proto      used     free\n"
				     "192.0.2.1        udp           1    65534");
	run_expect("clear counters", "");
}

/* The router stands in for what NAT gives out, where the address is of the link, and for nobody
 * else. */
static void test_addresses(void **state)
{
	static const char *const lines[] = {"set interfaces eth0 address 10.0.0.1/24",
		"set interfaces eth1 address 192.0.2.1/24",
		"set nat source rule 20 out eth1 from 10.0.0.0/8 to-address 192.0.2.10-192.0.2.11",
		"set nat destination rule 5 in eth1 to 192.0.2.20 to-address 10.0.0.5", "commit",
		NULL};

	run_all(lines);
	turns(5);
	assert_true(nats_stands_in(&router, 1, OURS + 9));
	assert_true(nats_stands_in(&router, 1, OURS + 10));
	assert_false(nats_stands_in(&router, 1, OURS + 11));
	assert_true(nats_stands_in(&router, 1, OURS + 19));
	assert_false(nats_stands_in(&router, 0, OURS + 9));
	assert_true(nat_is_external(router.tables.nat, OURS + 9));

	static const char *const change[] = {"delete nat source",
		"set nat source rule 20 out eth1 from 10.0.0.0/8 masquerade", "commit",
		"delete interfaces eth1 address 192.0.2.1/24",
		"set interfaces eth1 address 192.0.2.7/24", "commit", NULL};

	run_all(change);
	turns(5);
	assert_true(nat_is_external(router.tables.nat, OURS + 6)); /* it follows */
	assert_false(nat_is_external(router.tables.nat, OURS));
	assert_false(nats_stands_in(&router, 1, OURS + 9));

	static const char *const gone[] = {"delete nat", "commit", NULL};

	run_all(gone);
	turns(5);
	assert_null(router.tables.nat);
	assert_false(some_lane()->track);
}

static void test_many(void **state)
{
	run_expect("set interfaces eth1 address 192.0.2.1/24", "");
	for (unsigned i = 1; i <= NAT_RULES; i++) {
		char line[160];

		snprintf(line, sizeof line,
			"set nat source rule %u out eth1 from 10.%u.%u.0/24 to-address 192.0.2.%u",
			i, i / 250, i % 250, 1 + i % 250);
		run_expect(line, "");
	}
	run_expect("commit", "");
	assert_int_equal(router.tables.nat->sources, NAT_RULES);
	struct flow_key k = key_of(6, 0x0a040000, 1, 2);

	assert_int_equal(nat_rules_source(router.tables.nat, 1, &k), NAT_RULES - 1);
	run_expect("set nat destination rule 1 in eth1 to 192.0.2.1 to-address 10.0.0.5", "");
	run_expect("commit", "error: set nat source rule 1000 out eth1 from 10.4.0.0/24 to-address "
			     "192.0.2.1: more than 1000 rules");
	run_expect("discard", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_shell, stop_shell)
	static const struct CMUnitTest tests[] = {
		TEST(test_canonical),
		TEST(test_refused_words),
		TEST(test_refused_lines),
		TEST(test_commit),
		TEST(test_addresses),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
