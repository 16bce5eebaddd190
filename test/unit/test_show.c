/* What `show` prints on a real router with memory ports, as text and as JSON; ping; clear. */
#include "test/unit/shell_fixture.h"

#include "kernel/log.h"
#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/proto/icmp.h"
#include "test/unit/json.h"

static const uint8_t host_mac[6] = {2, 1, 1, 1, 1, 0};

/* eth0 10.0.0.1/24 with host 10.0.0.2, eth1 10.0.1.1/24 with host 10.0.1.2, both known. */
static void configure(void)
{
	static const char *const lines[] = {"set interfaces eth0 address 10.0.0.1/24",
		"set interfaces eth0 description \"to \\\"h0\\\"\"",
		"set interfaces eth1 address 10.0.1.1/24", "set routes 20.0.0.0/8 via 10.0.1.2",
		"set routes 30.0.0.0/8 blackhole", "set routes 40.0.0.0/8 via 50.0.0.1",
		"set neighbors eth0 10.0.0.2 02:01:01:01:01:00",
		"set neighbors eth1 10.0.1.2 02:01:01:01:01:01", "commit", NULL};

	run_all(lines);
	turns(20);
}

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
		assert_true(memdev_inject(dev[0], frame, length));
		turns(1);
		for (unsigned port = 0; port < PORTS; port++)
			while (memdev_collect(dev[port], frame + 1024, 1024))
				;
	}
	turns(3);
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in\n%s", part, text);
}

static void expect_last_line(const char *text, const char *line)
{
	const char *last = strrchr(text, '\n');

	assert_string_equal(last ? last + 1 : text, line);
}

static const char *const shows[] = {"version", "uptime", "cores", "memory", "log", "interfaces",
	"interfaces eth1", "routes", "routes 20.1.1.1", "routes 20.0.0.0/8", "routes 99.0.0.1",
	"neighbors", "queues", "queues eth0", "drops", "buffers", "configuration",
	"configuration candidate", "fib"};

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

static void test_queues(void **state)
{
	configure();
	traffic(0x14000001, 9);
	expect_in(run("show queues eth1"),
		"eth0       eth1            0              9                900");
	assert_null(strstr(run("show queues eth1"), " eth0 "));
	run_expect("clear counters", "");
	expect_in(run("show queues"),
		"eth0       eth1            0              0                  0");
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

	memdev_inject(dev[0], frame, length);
	memdev_inject(dev[0], frame, length);
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

/* ---------------------------------------------------------------- ping */

/* h1 answers the echo request that came out of eth1, after some time and twice; false if none came.
 */
static bool answer_ping(unsigned after_ms)
{
	uint8_t f[2048];
	size_t n;

	while ((n = memdev_collect(dev[1], f, sizeof f)) != 0) {
		if (load_be16(f + 12) != 0x0800 || f[23] != 1 || f[34] != ICMP_ECHO_REQUEST)
			continue;
		turns(after_ms);
		memcpy(f + 6, f, 6);
		memcpy(f, dev[1]->mac, 6);
		memcpy(f + 26, f + 30, 4);
		store_be32(f + 30, 0x0a000101);
		store_be32(f + 26, 0x0a000102);
		f[34] = ICMP_ECHO_REPLY;
		memset(f + 24, 0, 2);
		memset(f + 36, 0, 2);
		uint16_t ip = checksum(f + 14, 20),
			 icmp = checksum(f + 34, load_be16(f + 16) - 20u);

		memcpy(f + 24, &ip, 2);
		memcpy(f + 36, &icmp, 2);
		assert_true(memdev_inject(dev[1], f, n));
		assert_true(memdev_inject(dev[1], f, n));
		turns(2);
		return true;
	}
	return false;
}

static void test_ping(void **state)
{
	unsigned answers = 0;

	configure();
	screen_n = 0;
	type("ping 10.0.1.2 count 3 size 100\r");
	for (unsigned i = 0; i < 3000 && !at_prompt(); i++) {
		turns(1);
		answers += answer_ping(5);
	}
	assert_int_equal(answers, 3);
	expect_in(screen, "reply from 10.0.1.2: seq 1 ttl 64 time ");
	expect_in(screen, "\nreply from 10.0.1.2: seq 3 ttl 64 time ");
	expect_in(screen, "\n3 sent, 3 received, 0% lost, time min ");
	assert_true(at_prompt());
}

static void test_ping_unanswered(void **state)
{
	uint64_t start;

	configure();
	start = model_platform.now_us;
	run_expect("ping 10.0.1.2 count 3", "3 sent, 0 received, 100% lost");
	assert_in_range(model_platform.now_us - start, 3000000, 3100000);
	run_expect("ping 10.0.0.1 count 1 size 0", run("ping 10.0.0.1 count 1 size 0"));
	run_expect("ping 99.0.0.1", "error: no route to it");
	expect_last_line(run("show buffers"), "audit: ok");
}

/* Ctrl-C ends it; what was typed before is forgotten, an answer afterwards is nobody's. */
static void test_ping_cancelled(void **state)
{
	configure();
	screen_n = 0;
	type("ping 10.0.1.2\rshow version\r\x03");
	assert_string_equal(screen, "ping 10.0.1.2\n^C\n1 sent, 0 received, 100% lost\nbarewire> ");
	screen_n = 0;
	turns(1);
	assert_true(answer_ping(1));
	turns(2000);
	assert_int_equal(screen_n, 0);
}

/* Lines typed while a command runs are kept and run in order. */
static void test_typed_ahead(void **state)
{
	configure();
	screen_n = 0;
	type("ping 10.0.1.2 count 1\rping 10.0.1.2 count 2\rset system hostname ahead\rcommit\r");
	turns(5000);
	assert_string_equal(screen,
		"ping 10.0.1.2 count 1\n1 sent, 0 received, 100% lost\n"
		"barewire> ping 10.0.1.2 count 2\n2 sent, 0 received, 100% lost\n"
		"barewire> set system hostname ahead\nbarewire*> commit\nahead> ");
	screen_n = 0;
	type("ping 10.0.1.2 count 1\r");
	for (unsigned i = 0; i < 20000; i++)
		type("x");
	turns(2000);
	expect_in(screen, "\nerror: input lost while the command ran\n");
	run_expect("show uptime | count", "2");
}

/* ---------------------------------------------------------------- garbage */

static jmp_buf halted;
static unsigned halts;

static void on_halt(void)
{
	halts++;
	longjmp(halted, 1);
}

static void input_or_halt(uint8_t byte)
{
	if (setjmp(halted) == 0)
		shell_input(byte);
}

/* Words that mean something, so that garbage gets past the first one. */
static const char *const salt[] = {"set ", "show ", "interfaces ", "eth0 ", "routes ", "delete ",
	"10.0.0.1", "/24 ", " | ", "json", "include ", "[", "load\r", "commit\r", "ping ", "count ",
	"address ", "\x04", "\x1b[A", "\r", "\t", "?", "\"", "via ", "neighbors ", "show buffers\r",
	"system hostname ", "discard\r", "\x03", "compare\r", "clear counters\r", "description "};

static void fuzz(unsigned seed, unsigned bytes, unsigned salted)
{
	uint64_t random = seed;

	for (unsigned i = 0; i < bytes; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		unsigned r = (unsigned)(random >> 33);

		if (r % 100 < salted) {
			const char *word = salt[(r >> 8) % (sizeof salt / sizeof *salt)];

			for (; *word; word++)
				input_or_halt((uint8_t)*word);
		} else {
			input_or_halt((uint8_t)(r >> 8));
		}
		if (i % 64 == 0)
			turns(1);
		if (screen_n > SCREEN_BYTES / 2)
			screen_n = 0;
	}
}

static void test_garbage(void **state)
{
	halts = 0;
	model_platform.halted = on_halt;
	configure();
	fuzz(1, 200000, 0);
	fuzz(2, 100000, 60);
	fuzz(3, 100000, 95);
	model_platform.halted = NULL;
	/* It still works, and nothing has leaked. */
	type("\x03\x15\r");
	turns(10000);
	type("\x03\r");
	run("discard");
	run_expect("show nonsense", "error: unknown word 'nonsense'");
	expect_last_line(run("show buffers"), "audit: ok");
	expect_last_line(run("show drops"), "balance: ok");
}

/* Lines of printable garbage: one error line each, and nothing is applied. */
static void test_one_error_line_each(void **state)
{
	uint64_t random = 99;
	unsigned errors = 0;

	for (unsigned i = 0; i < 3000; i++) {
		char line[60];
		size_t n = 0;

		random = random * 6364136223846793005u + 1442695040888963407u;
		size_t length = 3 + (random >> 40) % (sizeof line - 4);

		while (n < length) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			char c = (char)(' ' + (random >> 33) % 95);

			if (c != '?' && !(n == 0 && (c == '#' || c == ' ')))
				line[n++] = c;
		}
		line[n] = '\0';
		const char *reply = run(line);

		if (strncmp(reply, "error: ", 7) != 0 || strchr(reply, '\n'))
			fail_msg("'%s' said '%s'", line, reply);
		errors++;
	}
	assert_int_equal(errors, 3000);
	assert_int_equal(applied, 0);
	run_expect("compare", "");
}

static void test_huge_line(void **state)
{
	static char line[100001];

	memset(line, 'x', sizeof line - 1);
	run_expect(line, "error: line too long");
	memcpy(line, "commit ", 7);
	memset(line + 7, ' ', 4089);
	run_expect(line, "error: line too long");
	run_expect("set \xc3\xbc", "error: line holds a byte that is not printable ASCII");
	run_expect("show uptime | count", "2");
}

/* ---------------------------------------------------------------- help */

static void test_help(void **state)
{
	screen_n = 0;
	type("show c?");
	assert_string_equal(screen, "show c\n  configuration    what is in force\n"
				    "  cores            who runs where\nbarewire> show c");
	type("\x15");
	screen_n = 0;
	type("bogus ?");
	assert_string_equal(screen, "bogus \nerror: unknown word 'bogus'\nbarewire> bogus ");
	type("\x15");
	screen_n = 0;
	type("sh\tint\t\t");
	expect_in(screen, "show interfaces ");
	expect_in(screen, "\n  IF               only this one\n  eth0             interface\n");
	assert_string_equal(screen + screen_n - 16, "show interfaces ");
	type("e\t");
	assert_string_equal(screen + screen_n - 19, "show interfaces eth");
	type("1\t");
	assert_string_equal(screen + screen_n - 21, "show interfaces eth1 ");
	type("\x15");
	screen_n = 0;
	type("con\t\t");
	expect_in(screen, "con\nbarewire> con");
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
		cmocka_unit_test_setup_teardown(test_queues, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_drops, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_clear_counters, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_wrong_balance, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_buffers, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_deaf_worker, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_ping, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_ping_unanswered, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_ping_cancelled, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_typed_ahead, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_garbage, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_one_error_line_each, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_huge_line, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_help, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
