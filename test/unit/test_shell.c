/* The shell as a person meets it: ping, typing ahead, garbage, help. */
#include "test/unit/shell_fixture.h"

#include "kernel/shell/words.h"
#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/proto/icmp.h"

/* ---------------------------------------------------------------- ping */

/* h1 answers the echo request that came out of eth1, after some time and twice; false if none came.
 */
static bool answer_ping(unsigned after_ms)
{
	uint8_t f[2048];
	size_t n;

	while ((n = memdev_collect(dev[1], 0, f, sizeof f)) != 0) {
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
		assert_true(memdev_inject(dev[1], 0, f, n));
		assert_true(memdev_inject(dev[1], 0, f, n));
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

/* An answer that takes longer than others wait. */
static void test_ping_late(void **state)
{
	configure();
	screen_n = 0;
	type("ping 10.0.1.2 wait 5 count 2\r");
	turns(1);
	assert_true(answer_ping(4000));
	turns(1);
	assert_true(answer_ping(4000));
	turns(10);
	expect_in(screen, "\nreply from 10.0.1.2: seq 2 ttl 64 time 4");
	expect_in(screen, "\n2 sent, 2 received, 0% lost, time min 4");
	run_expect("ping 10.0.1.2 count 1 wait 0", "error: '0' is not a number from 1 to 3600");
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
	memset(line, ' ', SHELL_LINE_MAX + 1);
	line[SHELL_LINE_MAX + 1] = '\0'; /* blanks too, and one byte too many */
	run_expect(line, "error: line too long");
	run_expect("set \xc3\xbc", "error: line holds a byte that is not printable ASCII");
	run_expect("show uptime | count", "2");
}

/* ---------------------------------------------------------------- help */

static void test_help(void **state)
{
	screen_n = 0;
	type("show co?");
	assert_string_equal(screen,
		"show co\n  commits          what was in force, and who changed it\n"
		"  configuration    what is in force\n"
		"  control-plane    what was handed to the control core, and policed\n"
		"  cores            who runs where\nbarewire> show co");
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
	type("xon\t\t");
	expect_in(screen, "xon\nbarewire> xon");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ping, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_ping_unanswered, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_ping_late, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_ping_cancelled, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_typed_ahead, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_garbage, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_one_error_line_each, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_huge_line, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_help, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
