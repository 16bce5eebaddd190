/* Long answers come in slices: what the fixture checks of each call, and that nothing is lost. */
#include "test/unit/shell_fixture.h"

#include "kernel/log.h"
#include "test/unit/json.h"

#define MANY 2000u

/* Pastes MANY lines made from a format with two bytes of a prefix or name. */
static void paste(const char *format)
{
	char line[300];

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(line, sizeof line, format, i / 256, i % 256);
		type(line);
		screen_n = 0;
	}
}

/* Runs a line; its reply must have come in many calls, and have that many lines. */
static const char *run_sliced(const char *line, unsigned lines)
{
	unsigned n = 0;

	call_bytes_most = 0;
	const char *reply = run(line);

	for (const char *p = reply; *p; p++)
		n += *p == '\n' || !p[1];
	assert_int_equal(n, lines);
	assert_true(call_bytes_most > 100);
	assert_true(call_bytes_most < strlen(reply) / 5);
	return reply;
}

static void test_waiting_routes(void **state)
{
	paste("set routes 20.%u.%u.0/24 via 9.9.9.9\r");
	run_expect("commit", "");
	expect_in(run_sliced("show routes", MANY + 1), "static     20.7.207.0/24      9.9.9.9");
	assert_true(json_valid(run("show routes | json")));
	run_expect("show routes 20.0.0.0/16 | count", "257");
}

static void test_compare(void **state)
{
	paste("set routes 20.%u.%u.0/24 blackhole\r");
	run_sliced("compare", MANY);
	run_expect("commit", "");
	run_expect("compare", "");
	paste("set routes 20.%u.%u.0/24 prohibit\r");
	run_expect("delete routes 20.0.5.0/24 blackhole", "");
	run_expect("set system workers 1", "");
	const char *text = run_sliced("compare", MANY + 2);

	assert_int_equal(strncmp(text, "+ set system workers 1\n", 23), 0);
	expect_in(
		text, "\n- set routes 20.0.5.0/24 blackhole\n+ set routes 20.0.5.0/24 prohibit\n");
	screen_n = 0;
	type("compare\r\x03"); /* is told from the start again */
	run_sliced("compare", MANY + 2);
}

/* Hundreds of interfaces that are not there: the first are named, the others counted. */
static void test_absent_interfaces(void **state)
{
	paste("set interfaces x%u%03u disabled\r");
	const char *text = run("commit");

	assert_int_equal(strncmp(text, "warning: interface x0000 is not present\n", 40), 0);
	expect_last_line(text, "warning: interface (and 1984 others) is not present");
	run_expect("show configuration | count", "2000");
}

static void test_log(void **state)
{
	char text[120];

	memset(text, '\x7f', sizeof text - 1); /* six bytes each as JSON */
	text[sizeof text - 1] = '\0';
	for (unsigned i = 0; i < 2 * LOG_RECORDS; i++)
		log_text("%s", text);
	log_text("the last");
	expect_last_line(strrchr(run_sliced("show log", LOG_RECORDS), ']'), "] the last");
	assert_true(json_valid(run("show log | json")));
	run_expect("show log | count", "256");
}

/* The longest lines a configuration can hold. */
static void test_long_lines(void **state)
{
	char text[140], line[200];

	memset(text, '"', sizeof text);
	for (unsigned i = 0; i < 62; i++)
		memcpy(text + 2 * i, "\\\"", 2);
	text[2 * 62] = '\0';
	for (unsigned i = 0; i < 100; i++) {
		snprintf(line, sizeof line, "set interfaces abcdefghijkl%u description \"%s\"", i,
			text);
		run_expect(line, "");
	}
	run_sliced("show configuration candidate", 100);
	assert_true(json_valid(run("show configuration candidate | json")));
	run_sliced("compare", 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_waiting_routes, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_compare, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_absent_interfaces, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_log, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_long_lines, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
