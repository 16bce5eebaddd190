/* The line editor on a model terminal: what is drawn is what is edited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/shell/editor.h"

#define PROMPT "r> "
#define WIDE   (2u * SHELL_LINE_MAX)

/* A terminal that knows printable characters, newline and backspace: one endless row. */
static struct terminal {
	char row[WIDE + 1];
	size_t cursor, length;
	unsigned escapes; /* ESC bytes received */
} terminal;

static struct editor editor;
static char entered[SHELL_LINE_MAX + 1];
static unsigned lines, interrupts, ends, helps, completions;
static enum editor_fault last_fault;
static const char *completion; /* what Tab inserts */

static void terminal_write(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n') {
			memset(terminal.row, ' ', WIDE);
			terminal.cursor = 0;
		} else if (s[i] == '\b') {
			assert_true(terminal.cursor > 0);
			terminal.cursor--;
		} else if (s[i] == 0x1b) {
			terminal.escapes++;
		} else {
			assert_true(s[i] >= 0x20 && s[i] < 0x7f);
			assert_true(terminal.cursor < WIDE);
			terminal.row[terminal.cursor++] = s[i];
		}
	}
}

static void on_line(const char *line, size_t n, enum editor_fault fault)
{
	assert_int_equal(line[n], 0);
	memcpy(entered, line, n + 1);
	last_fault = fault;
	lines++;
	editor_start(&editor, PROMPT);
}

static bool on_complete(const char *left, size_t n)
{
	completions++;
	if (completion)
		editor_insert(&editor, completion, strlen(completion));
	else
		terminal_write("\nlist\n", 6);
	return !completion;
}

static void on_help(const char *left, size_t n)
{
	helps++;
	terminal_write("help\n", 5);
}

static void on_interrupt(void)
{
	interrupts++;
	editor_start(&editor, PROMPT);
}

static void on_end(void)
{
	ends++;
}

static int setup(void **state)
{
	static const struct editor_ops ops = {.write = terminal_write,
		.line = on_line,
		.complete = on_complete,
		.help = on_help,
		.interrupt = on_interrupt,
		.end = on_end};

	memset(&terminal, 0, sizeof terminal);
	memset(terminal.row, ' ', WIDE);
	lines = interrupts = ends = helps = completions = 0;
	completion = NULL;
	entered[0] = '\0';
	editor_init(&editor, &ops);
	editor_start(&editor, PROMPT);
	return 0;
}

static void keys(const char *s)
{
	for (; *s; s++)
		editor_input(&editor, (uint8_t)*s);
}

/* What is on the row is the prompt and the line, nothing behind it, and the cursor stands right. */
static void check_drawn(void)
{
	size_t prompt = strlen(PROMPT);

	assert_memory_equal(terminal.row, PROMPT, prompt);
	assert_memory_equal(terminal.row + prompt, editor.line, editor.length);
	for (size_t i = prompt + editor.length; i < WIDE; i++)
		if (terminal.row[i] != ' ')
			fail_msg("'%c' left behind the line", terminal.row[i]);
	assert_int_equal(terminal.cursor, prompt + editor.cursor);
	assert_int_equal(editor.line[editor.length], 0);
}

static void expect_line(const char *text)
{
	check_drawn();
	assert_string_equal(editor.line, text);
}

static void test_typing(void **state)
{
	keys("hello");
	expect_line("hello");
	keys("\x7f\x08p");
	expect_line("help");
	keys("\r");
	assert_string_equal(entered, "help");
	expect_line("");
}

static void test_moving(void **state)
{
	keys("ace\x1b[D\x1b[Dd\x1b[D\x1b[Db"); /* a|ce -> adce -> |adce -> badce */
	expect_line("badce");
	keys("\x01<\x05>");
	expect_line("<badce>");
	keys("\x1b[H\x1b[3~\x1b[F\x7f");
	expect_line("badce");
	keys("\x1b[1~1\x1b[4~4\x1b[7~7\x1b[8~8\x1bOH0\x1bOF9\x1b[1;5D-");
	expect_line("071badce48-9");
	keys("\x1b[C\x1b[C\x1b[C\x02\x06!");
	expect_line("071badce48-9!");
}

static void test_cutting(void **state)
{
	keys("one two  three ");
	keys("\x17");
	expect_line("one two  ");
	keys("\x17\x1b[D\x1b[D");
	expect_line("one ");
	keys("\x0b");
	expect_line("on");
	keys("ly\x1b[D\x15");
	expect_line("y");
	keys("\x04");
	expect_line("");
	assert_int_equal(ends, 0);
	keys("\x04");
	assert_int_equal(ends, 1);
}

static void test_line_ends(void **state)
{
	keys("a\rb\nc\r\nd\n\r");
	assert_int_equal(lines, 5); /* a b c d and the empty one */
	keys("\r\n");
	assert_int_equal(lines, 6);
}

static void test_history(void **state)
{
	keys("one\rtwo\rtwo\r\rthree");
	keys("\x1b[A");
	expect_line("two");
	keys("\x1b[A");
	expect_line("one");
	keys("\x10");
	expect_line("one");
	keys("\x1b[B");
	expect_line("two");
	keys("\x0e");
	expect_line("");
	keys("\x1bOA!\r");
	assert_string_equal(entered, "two!");
}

static void test_history_is_bounded(void **state)
{
	char line[101];

	for (unsigned i = 0; i < 1000; i++) {
		memset(line, 'a' + (int)(i % 26), 100);
		line[100] = '\0';
		keys(line);
		keys("\r");
		assert_true(editor.history_bytes <= EDITOR_HISTORY_BYTES);
	}
	for (unsigned i = 0; i < 200; i++)
		keys("\x1b[A");
	assert_int_equal(editor.length, 100); /* the oldest one kept is whole */
}

static void test_no_escape_codes_first(void **state)
{
	keys("abc\x01z\x0cx\x15qq\x17\r");
	assert_int_equal(terminal.escapes, 0);
	keys("\x1b[A");
	assert_int_equal(terminal.escapes, 0);
	keys("\x0c");
	assert_true(terminal.escapes > 0); /* now it may clear the screen */
}

static void test_control_bytes(void **state)
{
	for (int c = 1; c < 32; c++)
		if (!strchr("\x03\x09\x0a\x0d\x10\x0e\x0c\x1b", c))
			editor_input(&editor, (uint8_t)c);
	editor_input(&editor, 0);
	expect_line("");
	keys("ab\x1b");
	keys("\r"); /* an escape sequence that does not come */
	assert_string_equal(entered, "ab");
	keys("x\x1b[1234567890;;;;;;;;;;;;;;;;;y");
	check_drawn();
	keys("\x15\x1b[[Aq\x1b[15~w\x1b[?25hz");
	expect_line("qwz");
}

static void test_not_ascii(void **state)
{
	keys("set \xc3\xbc\r");
	assert_int_equal(lines, 1);
	assert_int_equal(last_fault, EDITOR_NOT_ASCII);
	keys("next\r");
	assert_int_equal(last_fault, EDITOR_FINE);
	keys("a\xff\x01\x15ok\r"); /* Ctrl-U forgets it, wherever the cursor is */
	assert_int_equal(last_fault, EDITOR_FINE);
}

static void test_too_long(void **state)
{
	for (unsigned i = 0; i < SHELL_LINE_MAX; i++)
		keys("x");
	check_drawn();
	assert_int_equal(editor.length, SHELL_LINE_MAX);
	for (unsigned i = 0; i < 100000; i++)
		keys(i % 3 ? "\x1b[D?\t" : "y");
	assert_int_equal(editor.length, SHELL_LINE_MAX);
	assert_int_equal(helps + completions, 0);
	keys("\r");
	assert_int_equal(lines, 1);
	assert_int_equal(last_fault, EDITOR_TOO_LONG);
	for (unsigned i = 0; i < SHELL_LINE_MAX + 1; i++)
		keys("x");
	keys("\x15short\r"); /* Ctrl-U makes room again */
	assert_int_equal(last_fault, EDITOR_FINE);
	assert_string_equal(entered, "short");
	keys("\x1b[A\x1b[A"); /* the long one is not kept */
	expect_line("short");
}

static void test_interrupt(void **state)
{
	keys("abc\x03");
	assert_int_equal(interrupts, 1);
	expect_line("");
	keys("\x1b[A");
	expect_line("");
}

static void test_help_and_tab(void **state)
{
	keys("show ?");
	assert_int_equal(helps, 1);
	expect_line("show ");
	keys("\"a?");
	assert_int_equal(helps, 1);
	expect_line("show \"a?");
	keys("\"\x01?");
	assert_int_equal(helps, 2);
	expect_line("show \"a?\"");
	completion = "XY ";
	keys("\t");
	expect_line("XY show \"a?\"");
	completion = NULL;
	keys("\t");
	expect_line("XY show \"a?\"");
	assert_int_equal(completions, 2);
}

static void test_raw(void **state)
{
	editor.raw = true;
	keys("a\tb?");
	expect_line("a b?");
	keys("\x04");
	assert_string_equal(entered, "a b?");
	assert_int_equal(ends, 1);
	assert_int_equal(helps + completions, 0);
}

/* Whatever is typed, the terminal shows the line. */
static void test_random_keys(void **state)
{
	static const char *const key[] = {"a", "b c", " ", "\x1b[D", "\x1b[C", "\x01", "\x05",
		"\x17", "\x0b", "\x15", "\x04", "\x7f", "\x1b[A", "\x1b[B", "\r", "\x1b[3~", "?",
		"\t", "xyz", "\"", "\x1b[H", "\x03", "0123456789"};
	uint64_t random = 1;

	completion = "tab";
	for (unsigned i = 0; i < 200000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		keys(key[(random >> 33) % (sizeof key / sizeof *key)]);
		if (i % 16 == 0)
			check_drawn();
	}
	assert_true(lines > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_typing, setup),
		cmocka_unit_test_setup(test_moving, setup),
		cmocka_unit_test_setup(test_cutting, setup),
		cmocka_unit_test_setup(test_line_ends, setup),
		cmocka_unit_test_setup(test_history, setup),
		cmocka_unit_test_setup(test_history_is_bounded, setup),
		cmocka_unit_test_setup(test_no_escape_codes_first, setup),
		cmocka_unit_test_setup(test_control_bytes, setup),
		cmocka_unit_test_setup(test_not_ascii, setup),
		cmocka_unit_test_setup(test_too_long, setup),
		cmocka_unit_test_setup(test_interrupt, setup),
		cmocka_unit_test_setup(test_help_and_tab, setup),
		cmocka_unit_test_setup(test_raw, setup),
		cmocka_unit_test_setup(test_random_keys, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
