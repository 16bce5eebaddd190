/* explain on the console: how a frame is written, what is said of it, what is refused. */
#include "test/unit/shell_fixture.h"

#include "kernel/explain.h"
#include "lib/byteorder.h"
#include "test/model/frame.h"

static char line[16384];

/* "explain eth0" and the frame; between: what stands between its bytes. */
static const char *about(const struct frame *f, const char *between, const char *behind)
{
	int n = sprintf(line, "explain eth0 ");

	for (size_t i = 0; i < f->len; i++)
		n += sprintf(line + n, "%s%02x", i ? between : "", f->data[i]);
	sprintf(line + n, "%s", behind);
	return line;
}

static void make(struct frame *f, uint32_t dst, size_t payload)
{
	static const uint8_t mac[6] = {2, 1, 1, 1, 1, 0};

	frame_udp(f, dev[0]->mac, mac, 0x0a000002, dst, payload);
}

static void test_sent(void **state)
{
	static const char *const between[] = {"", " ", ":", "-"};
	struct frame f;
	char *first = NULL;

	configure();
	make(&f, 0x0a000102, 20);
	for (unsigned i = 0; i < 4; i++) {
		const char *said = run(about(&f, between[i], ""));

		expect_in(said, "interface: eth0\nlength: 62\nreceived: eth0 queue 0, worker 0\n"
				"parse: to be routed\n"
				"packet: IPv4 10.0.0.2 to 10.0.1.2, udp port 1000 to 2000, TTL 64\n"
				"route: 10.0.1.2/32 neighbor\n"
				"next hop: 10.0.1.2 by eth1\n"
				"neighbor: 02:01:01:01:01:01 static\n"
				"queue: eth1 queue 0, class 0, 0 of 1024 packets\n"
				"verdict: sent\nby: eth1\nsent length: 62\n"
				"020101010101");
		if (!first)
			first = strdup(said);
		assert_string_equal(said, first);
	}
	free(first);
	expect_in(run(about(&f, "", "|json")), "\"verdict\":\"sent\",\"by\":\"eth1\"");
	expect_in(run(about(&f, " ", " | include verdict")), "verdict: sent");
}

static void test_dropped_and_handed(void **state)
{
	struct frame f;

	configure();
	make(&f, 0x1e000001, 20);
	expect_in(run(about(&f, "", "")), "next hop: blackhole\nverdict: dropped\n"
					  "reason: blackhole\nmeaning: blackhole route");
	make(&f, 0x63000001, 20);
	expect_in(run(about(&f, "", "")), "route: none\n");
	make(&f, 0x0a000105, 20);
	expect_in(run(about(&f, "", "")), "neighbor: unknown: it would be asked for\n"
					  "verdict: control\n");
	make(&f, 0x0a000102, 20);
	f.data[22] = 1;
	frame_fix_checksum(&f);
	expect_in(run(about(&f, "", "")), "verdict: control\nreason: icmp: time exceeded");
	run_expect("explain eth0 001122", "interface: eth0\nlength: 3\n"
					  "received: eth0 queue 0, worker 0\n"
					  "parse: dropped: rx-runt\n"
					  "verdict: dropped\nreason: rx-runt\n"
					  "meaning: shorter than an Ethernet header");
}

static void test_lists(void **state)
{
	static const char *const lines[] = {"set acl A rule 10 deny proto udp to-port 2001",
		"set acl A rule 20 permit", "set acl B rule 5 permit proto tcp",
		"set interfaces eth0 acl in A", "set interfaces eth1 acl out B",
		"set interfaces eth0 urpf strict", "commit", NULL};
	struct frame f;

	configure();
	run_all(lines);
	make(&f, 0x0a000102, 20);
	const char *said = run(about(&f, "", ""));

	expect_in(said, "urpf: strict: passes\nacl in: A of eth0: rule 20: permit\n");
	expect_in(said, "acl out: B of eth1: no rule matches: deny\nverdict: dropped\n"
			"reason: acl-denied\n");
	store_be16(f.data + 36, 2001);
	said = run(about(&f, "", ""));
	expect_in(said, "acl in: A of eth0: rule 10: deny\nverdict: dropped\nreason: acl-denied\n");
	assert_null(strstr(said, "acl out"));
	make(&f, 0x0a000102, 20);
	store_be32(f.data + 26, 0x14000001);
	frame_fix_checksum(&f);
	expect_in(
		run(about(&f, "", "")), "urpf: strict: refused\nverdict: dropped\nreason: urpf\n");
}

static void test_subinterface(void **state)
{
	static const char *const lines[] = {"set interfaces eth0 vlan 5 address 10.0.5.1/24",
		"set neighbors eth0.5 10.0.5.2 02:05:05:05:05:05", "commit", NULL};
	struct frame f;

	configure();
	run_all(lines);
	turns(20);
	make(&f, 0x0a000102, 20);
	about(&f, "", "");
	memmove(line + 14, line + 12, strlen(line + 12) + 1);
	line[12] = '.';
	line[13] = '5';
	expect_in(run(line), "interface: eth0.5\nlength: 66\n");
	make(&f, 0x0a000502, 20);
	expect_in(run(about(&f, "", "")), "next hop: 10.0.5.2 by eth0.5\n"
					  "neighbor: 02:05:05:05:05:05 static\n");
	expect_in(run(about(&f, "", "|json")), "\"sent_length\":66,\"bytes\":[\"020505050505");
	run_expect("explain eth0.5 001122", "error: no tag can be put into a frame of 3 bytes");
}

static void test_lengths(void **state)
{
	struct frame f;

	configure();
	make(&f, 0x0a000102, 1472);
	assert_int_equal(f.len, 1514);
	expect_in(run(about(&f, "", "")), "sent length: 1514\n");
	make(&f, 0x0a000102, 1473);
	expect_in(run(about(&f, "", "")), "reason: rx-oversize\n");
	memset(f.data, 0, sizeof f.data);
	f.len = 2041; /* "explain eth0 " is 13 bytes of the line's 4,096 */
	expect_in(run(about(&f, "", "")), "reason: rx-oversize\n");
	f.len = 2042;
	expect_in(run(about(&f, "", "")), "error: line too long");
}

/* The next IPv4 frame that eth1 sends. */
static size_t next_sent(uint8_t *out, size_t room)
{
	size_t n;

	do
		n = memdev_collect(dev[1], 0, out, room);
	while (n && load_be16(out + 12) != 0x0800);
	return n;
}

static void test_nat(void **state)
{
	static const char *const lines[] = {
		"set nat source rule 10 out eth1 from 10.0.0.0/24 to-address 192.0.2.1",
		"set nat destination rule 20 in eth0 proto udp to 99.0.0.9 port 2000 to-address "
		"10.0.1.2",
		"commit", NULL};
	static uint8_t first[2048], second[2048];
	struct frame f;

	configure();
	run_all(lines);
	turns(20);
	make(&f, 0x63000009, 20);
	const char *said = run(about(&f, "", ""));

	expect_in(said, "session: new: unreplied\nnat destination: rule 20\n"
			"nat source: rule 10\nnat: 192.0.2.1 port ");
	expect_in(said, " to 10.0.1.2 port 2000, source port drawn at random: it will be another\n"
			"route: 10.0.1.2/32 neighbor\nnext hop: 10.0.1.2 by eth1\n");
	expect_in(said, "verdict: sent\n");
	expect_in(run("show sessions | count"), "1"); /* the heading: there is none */
	while (next_sent(first, sizeof first))
		;
	assert_true(memdev_inject(dev[0], 0, f.data, f.len));
	turns(4);
	assert_int_equal(next_sent(first, sizeof first), f.len);
	said = run(about(&f, "", ""));
	expect_in(said, "session: known: unreplied\nnat: 192.0.2.1 port ");
	assert_null(strstr(said, "drawn"));
	const struct explain *e = explain_frame(&router, 0, f.data, (uint32_t)f.len);

	assert_int_equal(e->end, EXPLAIN_SENT);
	assert_int_equal(e->frame_len, f.len);
	assert_memory_equal(e->frame, first, f.len);
	/* Another conversation of the same port has the same mapping. */
	make(&f, 0x0a000102, 30);
	store_be16(f.data + 36, 2002);
	store_be16(f.data + 40, 0);
	e = explain_frame(&router, 0, f.data, (uint32_t)f.len);
	assert_int_equal(e->session, EXPLAIN_SESSION_NEW);
	assert_false(e->port_drawn);
	memcpy(second, e->frame, e->frame_len);
	assert_memory_equal(second + 26, first + 26, 10); /* addresses, source port */
	assert_true(memdev_inject(dev[0], 0, f.data, f.len));
	turns(4);
	assert_int_equal(next_sent(first, sizeof first), f.len);
	assert_memory_equal(second, first, f.len);
}

static void test_refused(void **state)
{
	static const char *const lines[][2] = {
		{"explain", "incomplete command"},
		{"explain eth0", "incomplete command"},
		{"explain eth0 | json", "'|' is not hex, two digits a byte"},
		{"explain eth0 0", "'0' is not hex, two digits a byte"},
		{"explain eth0 00 1 22", "'1' is not hex, two digits a byte"},
		{"explain eth0 00:1:22", "'00:1:22' is not hex, two digits a byte"},
		{"explain eth0 00::22", "'00::22' is not hex, two digits a byte"},
		{"explain eth0 0011xx", "'0011xx' is not hex, two digits a byte"},
		{"explain eth0 \"00 11\"", "'\"00' is not hex, two digits a byte"},
		{"explain eth0 0011 | jsom", "unknown word 'jsom'"},
		{"explain eth7 0011", "no interface 'eth7'"},
		{"explain eth0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
		 "00 00 00 00 zz",
			"'zz' is not hex, two digits a byte"},
	};

	configure();
	expect_refused(lines, sizeof lines / sizeof *lines);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_shell, stop_shell)
	static const struct CMUnitTest tests[] = {
		TEST(test_sent),
		TEST(test_dropped_and_handed),
		TEST(test_lists),
		TEST(test_subinterface),
		TEST(test_lengths),
		TEST(test_nat),
		TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
