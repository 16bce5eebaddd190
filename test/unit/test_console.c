/* The console's turn: lines in order, one at a time, never beyond the queue; the end of input. */
#include "test/unit/shell_fixture.h"

#include "kernel/console.h"

#define QUEUE 65536u

static const char *typed; /* not read yet; then the input ends */
static size_t queued, queued_most;
static jmp_buf off;

static int type_next(void)
{
	return *typed ? (uint8_t)*typed++ : PLATFORM_CONSOLE_END;
}

static void queue_write(void *ctx, const char *s, size_t n)
{
	screen_write(ctx, s, n);
	queued += n;
	queued_most = queued > queued_most ? queued : queued_most;
}

static size_t queue_room(void)
{
	return queued < QUEUE ? QUEUE - queued : 0;
}

static void switch_off(void)
{
	longjmp(off, 1);
}

/* Turns of the control loop until it switches off, which it must; the line takes 100 bytes a turn.
 */
static void turns_until_off(const char *text, unsigned most)
{
	static const struct shell_env env = {
		.router = &router, .write = queue_write, .now_us = clock_us, .apply = apply};

	typed = text;
	queued = queued_most = 0;
	model_platform.getc = type_next;
	model_platform.room = queue_room;
	model_platform.halted = switch_off;
	shell_init(&env);
	screen_n = 0;
	if (setjmp(off) == 0) {
		for (unsigned i = 0; i < most; i++) {
			model_platform.now_us += 1000;
			control_turn(&router);
			console_turn();
			queued -= queued < 100 ? queued : 100;
		}
		fail_msg("still on after %u turns: %s", most, screen);
	}
	model_platform.getc = NULL;
	model_platform.room = NULL;
	model_platform.halted = NULL;
}

/* What was typed runs to its end, sliced commands too, before the end of input counts. */
static void test_end_of_input(void **state)
{
	turns_until_off("show neighbors\nshow fib\nshow uptime\n", 1000);
	expect_in(screen, "show neighbors\naddress ");
	expect_in(screen, "\nbarewire> show fib\nroutes: ");
	expect_in(screen, "\nbarewire> show uptime\nuptime: ");
	assert_true(at_prompt());
	turns_until_off("ping 10.9.9.9\nset routes 10.0.0.0/8 blackhole\nload\nset foo", 1000);
	expect_in(screen, "set routes 10.0.0.0/8 blackhole\nbarewire*> load\n");
	turns_until_off("", 10);
}

/* Long answers to what was typed quickly never fill the queue, though the line is slow. */
static void test_slow_line(void **state)
{
	static char text[40000];

	for (unsigned i = 0; i < 200; i++)
		strcat(text, "show interfaces\n?\x15show drops | json\nshow log\n");
	strcat(text, "ping 10.9.9.9 count 1\n");
	for (unsigned i = 0; i < 300; i++)
		strcat(text, "show\t\x15");
	turns_until_off(text, 100000);
	assert_true(queued_most > QUEUE / 2);
	assert_true(queued_most <= QUEUE);
	assert_null(strstr(screen, "input lost"));
}

/* The redrawing of a long line is output too. */
static void test_redrawing(void **state)
{
	static char text[20000];

	memset(text, 'x', 4000);
	for (unsigned i = 0; i < 1000; i++)
		strcat(text, "\x01y\x05z\x0c");
	turns_until_off(text, 1000000);
	assert_true(queued_most <= QUEUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_end_of_input, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_slow_line, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_redrawing, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
