/*
 * A shell on a router with two memory ports, and a person who types: what the
 * console shows is kept.
 */
#ifndef TEST_UNIT_SHELL_FIXTURE_H
#define TEST_UNIT_SHELL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/mem/memdev.h"
#include "kernel/audit.h"
#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/shell.h"
#include "kernel/worker.h"
#include "test/model/platform.h"

#define PORTS        2u
#define SCREEN_BYTES (4u << 20)

static struct netdev *dev[PORTS];
static char screen[SCREEN_BYTES]; /* carriage returns left out */
static size_t screen_n;
static bool bare_newline;                  /* a "\n" without "\r" was sent */
static const char *apply_error;            /* what the next apply fails with, or NULL */
static unsigned applied;                   /* calls of apply that succeeded */
static size_t call_bytes, call_bytes_most; /* by the shell in the current call, and in any */

static void screen_write(void *ctx, const char *s, size_t n)
{
	static char last;

	call_bytes += n;
	for (size_t i = 0; i < n; i++) {
		bare_newline |= s[i] == '\n' && last != '\r';
		last = s[i];
		if (s[i] != '\r' && screen_n + 1 < sizeof screen)
			screen[screen_n++] = s[i];
	}
	screen[screen_n] = '\0';
}

static uint64_t clock_us(void *ctx)
{
	return platform_now_us();
}

static bool apply(void *ctx, const struct config *c, char *error, unsigned error_size)
{
	if (apply_error) {
		snprintf(error, error_size, "%s", apply_error);
		return false;
	}
	applied++;
	return config_apply(&router, c, error, error_size);
}

/* The workers as their cores would do it: they answer a request to park. */
static void answer_park(void)
{
	for (unsigned w = 0; w < router.workers; w++)
		router.worker[w]->park_seen = router.park_request;
	for (unsigned w = 0; w < router.workers; w++)
		rcu_quiescent(&router.rcu.reader[w]);
}

static inline void begin_call(void)
{
	call_bytes = 0;
}

/* Whatever is typed, what comes of one call has room on the console. */
static inline void end_call(void)
{
	if (call_bytes > call_bytes_most)
		call_bytes_most = call_bytes;
	if (call_bytes > SHELL_OUTPUT_MAX)
		fail_msg("%zu bytes at once: ...%s", call_bytes, screen + screen_n - 200);
}

static void turns(unsigned n)
{
	while (n--) {
		model_platform.now_us += 1000;
		for (unsigned w = 0; w < router.workers; w++) {
			worker_turn(&router, router.worker[w]);
			rcu_quiescent(&router.rcu.reader[w]);
		}
		control_turn(&router);
		begin_call();
		shell_poll();
		end_call();
	}
}

static void let_others_run(void *ctx)
{
	control_yield(&router);
}

static inline int start_shell(void **state)
{
	static const struct shell_env env = {.router = &router,
		.write = screen_write,
		.now_us = clock_us,
		.apply = apply,
		.yield = let_others_run};
	char error[100];

	memset(&router, 0, sizeof router);
	model_platform.now_us = 1000000;
	model_platform.relax = answer_park;
	for (unsigned i = 0; i < PORTS; i++)
		dev[i] = memdev_create(&platform_io, i, 1, 256);
	assert_true(router_init(&router, dev, PORTS, 1, NULL, MTU_DEFAULT, error, sizeof error));
	assert_true(control_init(&router));
	screen_n = 0;
	screen[0] = '\0';
	bare_newline = false;
	apply_error = NULL;
	applied = 0;
	shell_init(&env);
	shell_start();
	turns(5);
	return 0;
}

static inline int stop_shell(void **state)
{
	static const struct shell_env none = {.write = screen_write, .now_us = clock_us};
	static const struct config empty;
	char error[100];

	model_platform.relax = answer_park;
	assert_true(
		config_apply(&router, &empty, error, sizeof error)); /* it keeps what is in force */
	assert_false(bare_newline);
	shell_init(&none); /* frees the configurations */
	model_platform_free();
	return 0;
}

static void type_bytes(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		begin_call();
		shell_input((uint8_t)s[i]);
		end_call();
	}
}

static inline void type(const char *s)
{
	type_bytes(s, strlen(s));
}

static inline bool at_prompt(void)
{
	return screen_n >= 2 && !memcmp(screen + screen_n - 2, "> ", 2);
}

/* Types a line and returns its reply: what stands between its echo and the next prompt. */
static inline char *run(const char *line)
{
	screen_n = 0;
	type(line);
	type("\r");
	for (unsigned i = 0; i < 20000 && !at_prompt(); i++)
		turns(1);
	if (!at_prompt())
		fail_msg("no prompt after '%s': %s", line, screen);
	char *reply = strchr(screen, '\n');

	assert_non_null(reply);
	screen[screen_n - 2] = '\0';
	char *end = strrchr(screen, '\n');

	*end = '\0';
	return end > reply ? reply + 1 : end;
}

static inline void run_expect(const char *line, const char *reply)
{
	const char *got = run(line);

	if (strcmp(got, reply) != 0)
		fail_msg("'%s'\n  said     '%s'\n  expected '%s'", line, got, reply);
}

/* Runs lines that must say nothing. */
static inline void run_all(const char *const *line)
{
	for (; *line; line++)
		run_expect(*line, "");
}

/* eth0 10.0.0.1/24 with host 10.0.0.2, eth1 10.0.1.1/24 with host 10.0.1.2, both known. */
static inline void configure(void)
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

static inline void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in\n%s", part, text);
}

/* Each line is taken, and printed as the other one. */
static inline void expect_printed(const char *const (*lines)[2], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		run_expect(lines[i][0], "");
		expect_in(run("show configuration candidate"), lines[i][1]);
		run_expect("discard", "");
	}
}

/* Each line is refused with exactly its error. */
static inline void expect_refused(const char *const (*lines)[2], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char want[120];

		snprintf(want, sizeof want, "error: %s", lines[i][1]);
		run_expect(lines[i][0], want);
	}
}

/* Each line is taken; the commit says why it cannot be. */
static inline void expect_not_committed(const char *const (*lines)[2], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		run_expect(lines[i][0], "");
		expect_in(run("commit"), lines[i][1]);
		run_expect("discard", "");
	}
}

static inline void expect_last_line(const char *text, const char *line)
{
	const char *last = strrchr(text, '\n');

	assert_string_equal(last ? last + 1 : text, line);
}

#endif
