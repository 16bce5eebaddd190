/* The shell: from bytes to commands and back, one command at a time. */
#include "kernel/shell/shell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/router.h"
#include "kernel/shell/assist.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/commit.h"
#include "kernel/shell/editor.h"
#include "kernel/shell/lines.h"
#include "kernel/shell/store.h"

#define AHEAD_BYTES 8192u /* typed while a command runs, a power of two */
#define AHEAD_ECHO  4096u /* after so much output the rest of a line typed ahead waits */

/* Redrawing the longest line: backwards, printed, blanked out, backwards. A list of choices. */
_Static_assert(AHEAD_ECHO + 4 * SHELL_LINE_MAX + 8192 <= SHELL_OUTPUT_MAX, "output of one key");

#define CTRL_C 0x03

enum mode {
	READY,   /* a line is being edited */
	RUNNING, /* a command wants to be called again */
	READING, /* a command reads lines */
};

static struct shell {
	struct shell_env env;
	enum mode mode;
	bool inside; /* a command's function, or a rollback, is running this moment */
	struct editor editor;
	struct command command;
	struct call call;
	struct output output;
	struct pattern include;
	uint8_t ahead[AHEAD_BYTES];
	uint32_t ahead_head, ahead_tail; /* run freely */
	bool ahead_lost;
	size_t printed; /* bytes since the current shell_poll began */
} shell;

/* ---------------------------------------------------------------- printing */

/* Sends "\n" as "\r\n". */
static void console(const char *s, size_t n)
{
	shell.printed += n;
	while (n) {
		const char *end = memchr(s, '\n', n);
		size_t plain = end ? (size_t)(end - s) : n;

		if (plain)
			shell.env.write(shell.env.ctx, s, plain);
		if (end)
			shell.env.write(shell.env.ctx, "\r\n", 2);
		plain += end != NULL;
		s += plain;
		n -= plain;
	}
}

static void print_args(const char *format, va_list args)
{
	char text[LINE_TEXT_MAX + 64];
	int n = vsnprintf(text, sizeof text, format, args);

	if (n > 0)
		console(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void shell_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_args(format, args);
	va_end(args);
}

bool call_error(struct call *call, const char *format, ...)
{
	va_list args;

	shell_print("error: ");
	va_start(args, format);
	print_args(format, args);
	va_end(args);
	shell_print("\n");
	call->failed = true;
	return true;
}

static void set_prompt(char text[EDITOR_PROMPT_MAX])
{
	snprintf(text, EDITOR_PROMPT_MAX, "%s%s> ", store_hostname(), store_changed() ? "*" : "");
}

static void prompt(void)
{
	char text[EDITOR_PROMPT_MAX];

	set_prompt(text);
	editor_start(&shell.editor, text);
}

/* ---------------------------------------------------------------- names */

unsigned shell_ports(void)
{
	return shell.env.router ? shell.env.router->ports : 0;
}

unsigned shell_ifaces(void)
{
	return shell.env.router ? shell.env.router->ifaces : 0;
}

bool shell_find_iface(const char *name, unsigned *number)
{
	for (unsigned i = 0; i < shell_ifaces(); i++) {
		if (!strcmp(shell.env.router->iface[i].name, name)) {
			*number = i;
			return true;
		}
	}
	return false;
}

const char *shell_iface_name(unsigned number)
{
	return number < shell_ifaces() ? shell.env.router->iface[number].name : "";
}

bool shell_find_port(const char *name, unsigned *port)
{
	return shell_find_iface(name, port) && *port < shell_ports();
}

void shell_queue_name(char out[QUEUE_NAME_MAX], unsigned port, unsigned queue, unsigned queues)
{
	if (queues > 1)
		snprintf(out, QUEUE_NAME_MAX, "%s:%u", shell_port_name(port), queue);
	else
		snprintf(out, QUEUE_NAME_MAX, "%s", shell_port_name(port));
}

const char *shell_port_name(unsigned port)
{
	return port < shell_ports() ? shell.env.router->iface[port].name : "control";
}

/* ---------------------------------------------------------------- running a command */

/* Sets the output up as the words behind `|` say; the grammar has checked them. */
static void begin_output(const struct command *c)
{
	enum output_form form = OUTPUT_TEXT;
	const struct pattern *include = NULL;

	if (c->args < c->words) {
		const char *filter = c->text[c->args + 1];

		form = !strcmp(filter, "json")    ? OUTPUT_JSON
		       : !strcmp(filter, "count") ? OUTPUT_COUNT
						  : OUTPUT_INCLUDE;
	}
	if (form == OUTPUT_INCLUDE) {
		pattern_compile(&shell.include, c->text[c->args + 2]);
		include = &shell.include;
	}
	output_begin(&shell.output, form, include, console);
}

static void step(void)
{
	struct call *call = &shell.call;
	bool done;

	shell.inside = true;
	done = shell.command.run(call);
	shell.inside = false;
	call->step++;
	if (!done) {
		shell.mode = call->reader ? READING : RUNNING;
		shell.editor.raw = call->reader != NULL;
		if (shell.mode == READING)
			editor_start(&shell.editor, "");
		return;
	}
	if (call->out && !call->failed)
		output_end(call->out);
	call->cancel = NULL;
	shell.mode = READY;
	prompt();
}

/* Whether the line shows something, so `|` means something. */
static bool is_show(const struct command *c)
{
	return c->words && c->node[0]->flags & NODE_FILTER;
}

static void run_line(const char *line, size_t n)
{
	struct command *c = &shell.command;
	char error[200];
	size_t blanks = strspn(line, " \t");

	shell.call = (struct call){.env = &shell.env, .command = c};
	if (line[blanks] == '\0' || line[blanks] == '#') {
		prompt();
	} else if (!grammar_parse(&grammar_all, line, n, c, error, sizeof error)) {
		call_error(&shell.call, "%s", error);
		prompt();
	} else {
		if (is_show(c)) {
			begin_output(c);
			shell.call.out = &shell.output;
		}
		step();
	}
}

static void end_reading(bool cancelled)
{
	shell.mode = READY;
	shell.editor.raw = false;
	shell.call.reader->end(cancelled);
	prompt();
}

/* ---------------------------------------------------------------- what the editor reports */

static void on_line(const char *line, size_t n, enum editor_fault fault)
{
	static const char *const text[] = {
		[EDITOR_TOO_LONG] = "line too long",
		[EDITOR_NOT_ASCII] = "line holds a byte that is not printable ASCII",
	};
	const char *why = fault == EDITOR_FINE ? NULL : text[fault];

	if (shell.mode == READING) {
		shell.call.reader->line(line, n, why);
		editor_start(&shell.editor, "");
	} else if (why) {
		shell_print("error: %s\n", why);
		prompt();
	} else {
		run_line(line, n);
	}
}

static bool on_complete(const char *left, size_t n)
{
	return assist_complete(&shell.editor, &grammar_all, left, n);
}

static void on_help(const char *left, size_t n)
{
	assist_help(&grammar_all, left, n);
}

static void on_interrupt(void)
{
	if (shell.mode == READING)
		end_reading(true);
	else
		prompt();
}

static void on_end(void)
{
	if (shell.mode == READING)
		end_reading(false);
}

static const struct editor_ops editor_ops = {
	.write = console,
	.line = on_line,
	.complete = on_complete,
	.help = on_help,
	.interrupt = on_interrupt,
	.end = on_end,
};

/* ---------------------------------------------------------------- the public side */

void shell_init(const struct shell_env *env)
{
	shell.env = *env;
	shell.mode = READY;
	shell.inside = false;
	shell.ahead_head = shell.ahead_tail = 0;
	shell.ahead_lost = false;
	editor_init(&shell.editor, &editor_ops);
	store_init(&shell.env);
	baseline_reset();
}

void shell_start(void)
{
	prompt();
}

static void cancel(void)
{
	shell_print("^C\n");
	if (shell.call.cancel)
		shell.call.cancel();
	shell.mode = READY;
	prompt();
}

void shell_gone(void)
{
	if (shell.mode == RUNNING && !shell.inside && shell.call.personal)
		cancel();
}

bool shell_idle(void)
{
	return shell.mode != RUNNING && !shell.inside && shell.ahead_head == shell.ahead_tail;
}

static void forget_ahead(void)
{
	shell.ahead_head = shell.ahead_tail;
	shell.ahead_lost = false;
}

/* Bytes typed while a command runs wait; Ctrl-C does not, but where it cannot be obeyed. */
void shell_input(uint8_t byte)
{
	if (byte == CTRL_C)
		forget_ahead();
	if (byte == CTRL_C && shell.inside)
		return;
	if (byte == CTRL_C && shell.mode == RUNNING)
		cancel();
	else if (shell_idle())
		editor_input(&shell.editor, byte);
	else if (shell.ahead_tail - shell.ahead_head < AHEAD_BYTES)
		shell.ahead[shell.ahead_tail++ % AHEAD_BYTES] = byte;
	else
		shell.ahead_lost = true;
}

/* Up to the end of a line; each runs a command, and the console must have room for its output. */
static void read_ahead(void)
{
	uint8_t byte = 0;

	while (shell.ahead_head != shell.ahead_tail && byte != '\r' && byte != '\n' &&
		shell.printed < AHEAD_ECHO) {
		byte = shell.ahead[shell.ahead_head++ % AHEAD_BYTES];
		editor_input(&shell.editor, byte);
	}
}

void shell_yield(void)
{
	if (shell.env.yield)
		shell.env.yield(shell.env.ctx);
}

/* A commit that nobody confirmed is undone, whatever else is going on. true: it was. */
static bool watch_commit(void)
{
	char text[80];

	shell.inside = true;
	bool undone = commit_watch(text, sizeof text);

	shell.inside = false;
	if (!undone || shell.mode != READY)
		return undone;
	shell_print("\nwarning: %s\n", text);
	set_prompt(text);
	editor_again(&shell.editor, text);
	return true;
}

void shell_poll(void)
{
	shell.printed = 0;
	if (watch_commit())
		return;
	if (shell.mode == RUNNING) {
		step();
	} else if (shell.ahead_lost) {
		/* A part of what was typed would mean something else. */
		forget_ahead();
		if (shell.mode == READING)
			end_reading(true);
		shell_print("\nerror: input lost while the command ran\n");
		prompt();
	} else {
		read_ahead();
	}
}
