/* What `show` prints on a real router with memory ports, as text and as JSON; ping; clear. */
#include "test/unit/shell_fixture.h"

#include "kernel/caches.h"
#include "kernel/log.h"
#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/proto/icmp.h"
#include "test/unit/json.h"

static const uint8_t host_mac[6] = {2, 1, 1, 1, 1, 0};

/* A host's frame: 20 bytes of IPv4 and `size` of payload; header checksum filled in. */
static size_t make_ip(uint8_t *f, uint32_t from, uint32_t to, uint8_t protocol, size_t size)
{
	memset(f, 0, 34 + size);
	memcpy(f, dev[0]->mac, 6);
	memcpy(f + 6, host_mac, 6);
	store_be16(f + 12, 0x0800);
	f[14] = 0x45;
	store_be16(f + 16, (uint16_t)(20 + size));
	f[22] = 64;
	f[23] = protocol;
	store_be32(f + 26, from);
	store_be32(f + 30, to);
	uint16_t sum = checksum(f + 14, 20);

	memcpy(f + 24, &sum, 2);
	return 34 + size;
}

/* Sends n packets from h0 to an address, and takes away what comes out. */
static void traffic(uint32_t to, unsigned n)
{
	uint8_t frame[2048];
	size_t length = make_ip(frame, 0x0a000002, to, 17, 66);

	for (unsigned i = 0; i < n; i++) {
		assert_true(memdev_inject(dev[0], 0, frame, length));
		turns(1);
		for (unsigned port = 0; port < PORTS; port++)
			while (memdev_collect(dev[port], 0, frame + 1024, 1024))
				;
	}
	turns(3);
}

static const char *const shows[] = {"version", "uptime", "cores", "memory", "log", "interfaces",
	"interfaces eth1", "routes", "routes 20.1.1.1", "routes 20.0.0.0/8", "routes 99.0.0.1",
	"boot", "hardware", "neighbors", "queues", "queues eth0", "latency", "drops", "buffers",
	"configuration", "configuration candidate", "fib", "protocols", "lldp neighbors",
	"control-plane", "flows", "flows from 10.0.0.0/8 proto udp port 53 count 5"};

/* Each has text, one line of valid JSON, as many lines as `count` says, and all with `include .`.
 */
static void test_every_show(void **state)
{
	configure();
	log_text("a \"quoted\" line\tand a tab");
	for (unsigned i = 0; i < sizeof shows / sizeof *shows; i++) {
		static char text[100000], line[100];
		unsigned lines = 0;

		snprintf(line, sizeof line, "show %s", shows[i]);
		snprintf(text, sizeof text, "%s", run(line));
		for (const char *p = text; *p; p++)
			lines += *p == '\n' || !p[1];
		assert_true(lines > 0);
		snprintf(line, sizeof line, "show %s | count", shows[i]);
		assert_int_equal(atoi(run(line)), lines);
		snprintf(line, sizeof line, "show %s | include .", shows[i]);
		if (!strstr(shows[i], "uptime") && !strstr(shows[i], "memory"))
			assert_int_equal(strlen(run(line)), strlen(text));
		snprintf(line, sizeof line, "show %s | include no-such-text", shows[i]);
		run_expect(line, "");
		snprintf(line, sizeof line, "show %s | json", shows[i]);
		const char *json = run(line);

		if (!json_valid(json) || strchr(json, '\n') || *json != '{')
			fail_msg("%s: %s", line, json);
	}
}

static void test_json_checker(void **state)
{
	static const char *const bad[] = {"", "{", "{}}", "{\"a\":}", "{\"a\":1,}", "[1,]", "{a:1}",
		"01", "\"a", "\"\x01\"", "\"\\x\"", "{\"a\" 1}", "nul", "[1 2]"};
	static const char *const good[] = {
		"{}", "[]", "{\"a\":[1,-2.5e3,null,true,\"\\u00ff\\\"\"]}", " 0 "};

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(json_valid(bad[i]));
	for (unsigned i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(json_valid(good[i]));
}

static void test_empty_router(void **state)
{
	assert_string_equal(run("show configuration | json"), "{\"configuration\":[]}");
	run_expect("show configuration | count", "0");
	assert_true(json_valid(run("show neighbors | json")));
	assert_string_equal(run("show routes | json"), "{\"routes\":[]}");
}

static void test_interfaces(void **state)
{
	configure();
	traffic(0x0a000102, 7);
	const char *text = run("show interfaces");

	expect_in(text, "eth0\n  state                 up\n");
	expect_in(text, "  description           to \"h0\"\n");
	expect_in(text, "  address               10.0.0.1/24\n");
	expect_in(text, "  rx packets            7\n  rx bytes              700\n");
	expect_in(text, "  driver                mem\n");
	text = run("show interfaces eth1 | json");
	expect_in(text, "\"address\":[\"10.0.1.1/24\"]");
	expect_in(text, "\"rx\":{\"packets\":0,\"bytes\":0}");
	traffic(0x1e000001, 3);
	expect_in(run("show interfaces eth0"), "  dropped blackhole     3");
	memdev_set_link(dev[1], false);
	turns(3000);
	expect_in(run("show interfaces eth1"), "  state                 down\n");
	run_expect("set interfaces eth0 disabled", "");
	run_expect("commit", "");
	expect_in(run("show interfaces eth0"), "  state                 disabled\n");
	dev[0]->failed = true;
	dev[0]->failure = "went mad";
	expect_in(run("show interfaces eth0"),
		"  state                 failed\n  failure               went mad\n");
}

static void test_routes(void **state)
{
	configure();
	const char *text = run("show routes");

	expect_in(text, "connected  10.0.0.0/24        direct           eth0       active\n");
	expect_in(text, "local      10.0.0.1/32        local            -          active\n");
	expect_in(text, "static     20.0.0.0/8         10.0.1.2         eth1       active\n");
	expect_in(text, "static     30.0.0.0/8         blackhole        -          active\n");
	expect_in(text, "static     40.0.0.0/8         50.0.0.1         -          waiting");
	text = run("show routes 20.9.9.9");
	assert_null(strstr(text, "10.0.0.0"));
	expect_in(text, "20.0.0.0/8");
	assert_string_equal(run("show routes 99.0.0.1 | json"), "{\"routes\":[]}");
	run_expect("show routes 30.0.0.0/8 | json",
		"{\"routes\":[{\"source\":\"static\",\"prefix\":\"30.0.0.0/"
		"8\",\"next_hop\":\"blackhole\","
		"\"interface\":null,\"state\":\"active\"}]}");
	run_expect("show routes 0.0.0.0/0 | include ^static | json", "error: unknown word '|'");
	run_expect("show routes | include ^static.*waiting$",
		"static     40.0.0.0/8         50.0.0.1         -          waiting");
}

/* Between two slices of `show routes` the table loses routes: the rest is shown once each. */
static void test_routes_change_meanwhile(void **state)
{
	char part[40];

	configure();
	for (unsigned i = 0; i < 100; i++) {
		snprintf(part, sizeof part, "set routes 60.0.%u.0/24 blackhole\r", i);
		type(part);
	}
	run_expect("commit", "");
	screen_n = 0;
	type("show routes\r");
	assert_false(at_prompt());
	expect_in(screen, " 10.0.0.1/32 ");
	iface_withdraw(&router.iface[0], &router.rib, &router.nexthops);
	turns(20);
	assert_true(at_prompt());
	for (unsigned i = 0; i < 100; i++) {
		snprintf(part, sizeof part, " 60.0.%u.0/24 ", i);
		expect_in(screen, part);
		assert_null(strstr(strstr(screen, part) + 1, part));
	}
}

static void test_neighbors(void **state)
{
	configure();
	expect_in(run("show neighbors"), "10.0.0.2         eth0       02:01:01:01:01:00  static");
	traffic(0x0a000063, 1); /* nobody answers for 10.0.0.99 */
	expect_in(
		run("show neighbors"), "10.0.0.99        eth0       -                  incomplete");
	run_expect("clear neighbors", "");
	assert_null(strstr(run("show neighbors"), "10.0.0.99"));
	expect_in(run("show neighbors"), "10.0.0.2");
}

static void test_protocols(void **state)
{
	configure();
	run_expect("clear counters", "");
	traffic(0x0a000063, 1); /* nobody answers for 10.0.0.99 */
	turns(5000);
	expect_in(run("show protocols"),
		"arp requests sent: 3\narp replies sent: 0\narp failed: 1\n"
		"arp conflicts: 0\nicmp sent: 1\n");
	expect_in(run("show protocols | json"), "{\"arp\":{\"received\":0,\"requests_sent\":3,");
	expect_in(run("show interfaces eth0 | include doorbells"), "doorbells");
	assert_null(strstr(run("show interfaces eth0 | include doorbells"), " 0"));
	run_expect("clear counters", "");
	expect_in(run("show protocols"), "arp requests sent: 0\n");
	expect_in(run("show interfaces eth0 | include doorbells"), " 0");
}

/* A device that counts by itself, and is told tags of cores. */
static struct netdev_ops counting_ops;
static uint64_t counted;
static unsigned tags, tag_sum;

static unsigned count(const struct netdev *d, struct netdev_statistic *out, unsigned max)
{
	assert_true(max >= 2);
	out[0] = (struct netdev_statistic){"rx-missed", counted, true};
	out[1] = (struct netdev_statistic){"rx-frames", counted * 10, false};
	return 2;
}

static bool take_tag(struct netdev *d, bool tx, unsigned q, uint8_t tag)
{
	tags++;
	tag_sum += tag;
	return d->dca = true;
}

static void test_device_counts(void **state)
{
	configure();
	assert_null(strstr(run("show drops"), "lost by device"));
	counting_ops = *dev[0]->ops;
	counting_ops.statistics = count;
	dev[0]->ops = &counting_ops;
	counted = 7;
	expect_in(run("show interfaces eth0"), "  device rx-missed      7\n");
	expect_in(run("show interfaces eth0"), "  device rx-frames      70");
	expect_in(run("show drops"), "lost by device rx-missed 7\n");
	assert_null(strstr(run("show drops"), "rx-frames"));
	expect_in(run("show drops"), "balance: ok");
	expect_in(run("show drops | json"), "\"lost_by_device\":{\"rx-missed\":7}");
	run_expect("clear counters", "");
	assert_null(strstr(run("show drops"), "rx-missed"));
	counted = 9;
	expect_in(run("show drops"), "lost by device rx-missed 2\n");
}

/* Each queue is told the tag of its core, where the machine has tags and the device can. */
static void test_tags(void **state)
{
	counting_ops = *dev[0]->ops;
	counting_ops.dca = take_tag;
	dev[0]->ops = &counting_ops;
	tags = tag_sum = 0;
	caches_bind(&router);
	assert_int_equal(tags, 0);
	assert_null(strstr(run("show interfaces eth0"), "dca"));
	model_platform.dca_tag = 40;
	caches_bind(&router);
	model_platform.dca_tag = 0;
	assert_int_equal(tags, dev[0]->rx_queues + dev[0]->tx_queues);
	assert_true(tag_sum >= tags * 40);
	expect_in(run("show interfaces eth0"), "  dca                   on\n");
}

static bool pause_it(struct netdev *d, bool on)
{
	d->flow_control = on;
	return true;
}

/* A setting for devices that can; it comes and goes with a commit. */
static void test_flow_control(void **state)
{
	counting_ops = *dev[0]->ops;
	counting_ops.flow_control = pause_it;
	dev[0]->ops = &counting_ops;
	run("set interfaces eth1 flow-control");
	expect_in(run("commit"), "interfaces eth1 flow-control: the device has none");
	run("delete interfaces eth1 flow-control");
	run("set interfaces eth0 flow-control");
	run_expect("commit", "");
	assert_true(dev[0]->flow_control);
	expect_in(run("show interfaces eth0"), "  flow control          on\n");
	run("delete interfaces eth0 flow-control");
	run_expect("commit", "");
	assert_false(dev[0]->flow_control);
}

static void test_queues(void **state)
{
	configure();
	traffic(0x14000001, 9);
	expect_in(run("show queues eth1"),
		"eth0            0      0 eth1            0     0      0              9"
		"                900            0                900");
	assert_null(strstr(run("show queues eth1"), " eth0 "));
	run_expect("clear counters", "");
	expect_in(run("show queues"),
		"eth0            0      0 eth1            0     0      0              0"
		"                  0            0 ");
}

static void test_latency(void **state)
{
	configure();
	expect_in(run("show latency"), "worker  core longest gap ns reason");
	traffic(0x14000001, 9);
	expect_in(run("show latency"), "eth0     eth1                  9 ");
	assert_null(strstr(run("show latency"), "eth1     eth0"));
	run_expect("clear counters", "");
	turns(10);
	assert_null(strstr(run("show latency"), "eth0     eth1"));
}

/* ---------------------------------------------------------------- the audit's two shows */

static void test_drops(void **state)
{
	configure();
	traffic(0x0a000102, 5);
	traffic(0x1e000001, 4);
	traffic(0x63000001, 3);
	const char *text = run("show drops");

	expect_in(text, "eth0\n  received              12\n  transmitted           5\n");
	expect_in(text, "  dropped no-route      3\n  dropped blackhole     4\n  dropped total     "
			"    7\n");
	assert_null(strstr(text, "prohibit"));
	expect_in(text, "control\n");
	expect_last_line(text, "balance: ok");
	text = run("show drops | json");
	expect_in(text, "\"blackhole\":4,\"unreachable\":0,\"prohibit\":0");
	expect_in(text, "\"balance\":\"ok\"}");
}

static void test_clear_counters(void **state)
{
	configure();
	traffic(0x0a000102, 5);
	traffic(0x1e000001, 4);
	/* Two packets stand in the router when the counters are cleared: they count as received
	 * after. */
	uint8_t frame[200];
	size_t length = make_ip(frame, 0x0a000002, 0x0a000102, 17, 66);

	memdev_inject(dev[0], 0, frame, length);
	memdev_inject(dev[0], 0, frame, length);
	turns(1);
	run_expect("clear counters", "");
	const char *text = run("show drops");

	expect_in(text, "eth0\n  received              2\n  transmitted           0\n");
	expect_in(text, "  in flight             2\n");
	expect_last_line(text, "balance: ok");
	expect_in(run("show interfaces eth0"), "  rx packets            0\n");
	traffic(0x1e000001, 3);
	text = run("show drops");
	expect_in(text, "eth0\n  received              5\n  transmitted           2\n");
	expect_in(text, "  dropped blackhole     3\n  dropped total         3\n  in flight         "
			"    0\n");
	expect_last_line(text, "balance: ok");
	expect_in(run("show interfaces eth0"), "  rx packets            3\n");
}

static void test_wrong_balance(void **state)
{
	configure();
	traffic(0x0a000102, 5);
	router.counters[1]->port[1].rx_packets += 3; /* three that nobody has seen */
	expect_last_line(run("show drops"), "balance: WRONG: eth1 has 3 packets without a fate");
	run_expect("clear counters", ""); /* does not hide it */
	expect_last_line(run("show drops"), "balance: WRONG: eth1 has 3 packets without a fate");
	assert_true(json_valid(run("show drops | json")));
}

static void test_buffers(void **state)
{
	configure();
	const char *text = run("show buffers");

	expect_in(text, "eth0\n  size                  4096\n  free                  3840\n"
			"  rx ring               256\n");
	expect_in(text, "  total                 4096\n");
	expect_last_line(text, "audit: ok");
	uint32_t index;

	pool_take(&router.buffers, 1, &index, 1);
	text = run("show buffers");
	expect_in(text, "\naudit: FAILED: ");
	expect_in(run("show buffers | json"), "\"audit\":\"FAILED: ");
}

static void test_deaf_worker(void **state)
{
	configure();
	model_platform.relax = NULL;
	router.single_core = false;
	run_expect("show drops", "error: worker 0 does not answer");
	run_expect("show buffers | json", "error: worker 0 does not answer");
	run_expect("clear counters", "error: worker 0 does not answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_checker),
		cmocka_unit_test_setup_teardown(test_every_show, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_empty_router, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_interfaces, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_routes, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(
			test_routes_change_meanwhile, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_neighbors, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_protocols, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_device_counts, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_tags, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_flow_control, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_queues, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_latency, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_drops, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_clear_counters, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_wrong_balance, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_buffers, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_deaf_worker, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
