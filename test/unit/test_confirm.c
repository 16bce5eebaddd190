/* commit confirmed and its undoing, generations, who changed what, and typing during a commit. */
#include "test/unit/shell_fixture.h"

#include "kernel/log.h"

#define MINUTE_US 60000000u

/* ---- the log ---- */

struct search {
	const char *line;
	unsigned found;
};

static void on_line(void *ctx, uint64_t us, const char *line)
{
	struct search *s = ctx;

	s->found += !strcmp(line, s->line);
}

static void expect_logged(const char *line)
{
	struct search s = {.line = line};

	log_walk(on_line, &s);
	if (s.found != 1)
		fail_msg("'%s' is in the log %u times", line, s.found);
}

/* The log outlives a shell: lines of the test before are pushed out. */
static int start(void **state)
{
	for (unsigned i = 0; i < LOG_RECORDS; i++)
		log_text("-");
	return start_shell(state);
}

static void pass(uint64_t us)
{
	model_platform.now_us += us;
	turns(3);
}

/* ---- confirmed ---- */

static void test_undone(void **state)
{
	run_expect("set system hostname a", "");
	run_expect("set interfaces eth0 address 10.0.0.1/24", "");
	run_expect("commit", "");
	run_expect("delete interfaces", "");
	run_expect("set system hostname b", "");
	run_expect("commit confirmed 2", "");
	expect_in(run("show commits"), "\nundone in s: 120");
	assert_int_equal(router.iface[0].addrs, 0);
	pass(2 * MINUTE_US - 100000);
	run_expect("show configuration", "set system hostname b");
	screen_n = 0;
	type("show ver");
	screen_n = 0;
	pass(100000);
	assert_string_equal(screen,
		"\nwarning: commit 2 was not confirmed and is undone\na> show ver"); /* goes on */
	type("\x15");
	run_expect("show configuration",
		"set system hostname a\nset interfaces eth0 address 10.0.0.1/24");
	run_expect("compare", "");
	assert_int_equal(router.iface[0].addrs, 1);
	expect_logged("commit 2 is undone in 2 min unless confirmed");
	expect_logged("commit 2 was not confirmed and is undone");
	expect_logged("commit 3 by rollback timer: 2 lines added, 1 removed");
	expect_in(run("show commits"), "\nundone in s: -");
	pass(10 * MINUTE_US);
	run_expect("show commits | count", "6");
}

static void test_confirmed(void **state)
{
	run_expect("confirm", "error: no commit waits to be confirmed");
	run_expect("commit confirmed 1", "error: nothing to confirm: the candidate is in force");
	run_expect("commit confirmed 0", "error: '0' is not a number from 1 to 1440");
	run_expect("set system hostname a", "");
	run_expect("commit confirmed 1", "");
	run_expect("confirm", "");
	run_expect("confirm", "error: no commit waits to be confirmed");
	pass(2 * MINUTE_US);
	run_expect("show configuration", "set system hostname a");
	expect_logged("commit 1 confirmed");

	run_expect("set system hostname b", "");
	run_expect("commit confirmed 1", "");
	run_expect("commit", ""); /* nothing else to put in force: it confirms */
	pass(2 * MINUTE_US);
	run_expect("show configuration", "set system hostname b");

	run_expect("set system hostname c", "");
	run_expect("commit confirmed 1", "");
	run_expect("set system workers 1", "");
	run_expect("commit", ""); /* both stay */
	pass(2 * MINUTE_US);
	run_expect("show configuration", "set system hostname c\nset system workers 1");
}

/* Several in a row are one attempt: the time begins again, and all of them are undone. */
static void test_again(void **state)
{
	run_expect("set system hostname a", "");
	run_expect("commit", "");
	run_expect("set system hostname b", "");
	run_expect("commit confirmed 1", "");
	pass(50000000);
	run_expect("commit confirmed 1", "");
	pass(50000000);
	run_expect("set system hostname c", "");
	run_expect("commit confirmed 1", "");
	pass(50000000);
	run_expect("show configuration", "set system hostname c");
	run_expect("set interfaces eth0 address 10.0.0.0/24", "");
	expect_in(run("commit"), "error: "); /* a commit that is refused confirms nothing */
	pass(20000000);
	run_expect("show configuration", "set system hostname a");
	run_expect("show configuration candidate", /* somebody was editing it */
		"set system hostname c\nset interfaces eth0 address 10.0.0.0/24");
}

/* Even while a command runs that takes long. */
static void test_undone_while_busy(void **state)
{
	run_expect("set interfaces eth0 address 10.0.0.1/24", "");
	run_expect("commit", "");
	run_expect("set system hostname b", "");
	run_expect("commit confirmed 1", "");
	type("ping 10.0.0.9 count 1000\r");
	pass(MINUTE_US);
	expect_logged("commit 2 was not confirmed and is undone");
	type("\x03");
	assert_true(at_prompt());
	run_expect("show configuration", "set interfaces eth0 address 10.0.0.1/24");
	type("load\rset system hostname x\r");
	type("\x03");
	run_expect("compare", "");
}

static void test_undoing_fails(void **state)
{
	run_expect("set system hostname b", "");
	run_expect("commit confirmed 1", "");
	apply_error = "no room";
	pass(MINUTE_US);
	expect_logged("error: commit 1 was not confirmed and cannot be undone: no room");
	run_expect("show configuration", "set system hostname b");
	apply_error = NULL;
	pass(11000000);
	run_expect("show configuration", "");
}

/* ---- generations ---- */

static void test_generations(void **state)
{
	char line[60], text[60];

	run_expect("rollback", "error: there is no generation 1");
	run_expect("rollback 1", "error: there is no generation 1");
	for (unsigned i = 1; i <= 13; i++) {
		snprintf(line, sizeof line, "set system hostname g%u", i);
		run_expect(line, "");
		run_expect("commit", "");
	}
	for (unsigned i = 0; i <= 10; i++) {
		snprintf(line, sizeof line, "rollback %u", i);
		run_expect(line, "");
		snprintf(text, sizeof text, "set system hostname g%u", 13 - i);
		run_expect("show configuration candidate", text);
		snprintf(line, sizeof line, "show configuration rollback %u", i);
		run_expect(line, text);
	}
	run_expect("rollback 11", "error: '11' is not a number from 0 to 10");
	run_expect("rollback", "");
	run_expect("compare", "+ set system hostname g12\n- set system hostname g13");
	run_expect("compare rollback 3", "- set system hostname g10\n+ set system hostname g12");
	run_expect("compare rollback 1", "");
	run_expect("discard", "");
	run_expect("compare rollback 0", "");
	run_expect("show commits | count", "13");
	expect_in(run("show commits"),
		"\n         1       12             1 console               1       1        1 "
		"- set system hostname g11\n");
	expect_in(run("show commits | json"),
		"{\"commits\":[{\"generation\":0,\"commit\":13,\"s_since_boot\":");
}

static void test_annotations(void **state)
{
	run_expect("set system hostname a", "");
	run_expect("set interfaces eth0 address 10.0.0.1/24", "");
	run_expect("set interfaces eth1 address 10.0.1.1/24", "");
	run_expect("set routes 20.0.0.0/8 blackhole", "");
	run_expect("set routes 30.0.0.0/8 blackhole", "");
	run_expect("commit", "");
	expect_logged("commit 1 by console: 5 lines added, 0 removed");
	expect_logged("commit 1: + set system hostname a");
	expect_logged("commit 1: + set interfaces eth0 address 10.0.0.1/24");
	expect_logged("commit 1: + set interfaces eth1 address 10.0.1.1/24");
	expect_logged("commit 1: and 2 more");
	run_expect("delete routes 20.0.0.0/8", "");
	run_expect("commit", "");
	expect_logged("commit 2 by console: 0 lines added, 1 removed");
	expect_logged("commit 2: - set routes 20.0.0.0/8 blackhole");
}

static void test_boot_module(void **state)
{
	static const char text[] = "set system hostname boot\n";
	struct config config;
	char error[200];

	assert_true(shell_read_config(text, sizeof text - 1, &config, error, sizeof error));
	config_free(&config);
	assert_true(shell_load_config(BY_BOOT_MODULE, error, sizeof error));
	expect_logged("commit 1 by boot module: 1 lines added, 0 removed");
	run_expect("set system hostname other", "");
	run_expect("commit", "");
	run_expect("rollback", "");
	run_expect("show configuration candidate", "set system hostname boot");
	run_expect("rollback 2", "");
	run_expect("show configuration candidate", "");
}

static void test_load_replace(void **state)
{
	run_expect("set system hostname a", "");
	run_expect("set system workers 1", "");
	type("load replace\rset system hostname b\r\x04");
	run_expect("show configuration candidate", "set system hostname b");
	type("load replace\rset system hostname c\rbad\r\x04");
	run_expect("show configuration candidate", "set system hostname b");
	type("load replace\r\x04");
	run_expect("show configuration candidate", "");
}

/* ---- typing during a commit ---- */

static const char *typed; /* at the next yield */

static void type_now(void)
{
	const char *now = typed;

	typed = NULL;
	if (now)
		type(now);
}

static void run_and_type(const char *line, const char *meanwhile)
{
	typed = meanwhile;
	model_platform.step_us = 400;
	control_on_yield(type_now);
	screen_n = 0;
	type(line);
	type("\r");
	control_on_yield(NULL);
	model_platform.step_us = 0;
	assert_null(typed);
	for (unsigned i = 0; i < 100; i++)
		turns(1);
}

static void test_typed_meanwhile(void **state)
{
	run_expect("set interfaces eth0 address 10.0.0.1/24", "");
	run_and_type("commit", "set system hostname b\rcommit\rshow configuration\r");
	expect_in(screen, "set system hostname b\nset interfaces eth0 address 10.0.0.1/24\nb> ");
	assert_int_equal(applied, 2);
	run_expect("set system hostname c", "");
	run_and_type("commit", "discard\r\x03"); /* it cannot be stopped; what waits is forgotten */
	run_expect("show configuration | include hostname", "set system hostname c");
	assert_int_equal(applied, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop_shell)
		CASE(test_undone),
		CASE(test_confirmed),
		CASE(test_again),
		CASE(test_undone_while_busy),
		CASE(test_undoing_fails),
		CASE(test_generations),
		CASE(test_annotations),
		CASE(test_boot_module),
		CASE(test_load_replace),
		CASE(test_typed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
