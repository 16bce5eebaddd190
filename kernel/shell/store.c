/* The configuration in force and its candidate: set, delete, compare, discard, commit, load. */
#include "kernel/shell/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/log.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/config.h"

#define WARN_MAX PORT_MAX /* absent interfaces that a commit names */

static struct store {
	const struct shell_env *env;
	struct lines running, candidate;
	struct lines boot; /* read before there was a router, not yet in force */
	char hostname[HOSTNAME_MAX];
} store;

void store_init(const struct shell_env *env)
{
	store.env = env;
	lines_clear(&store.running);
	lines_clear(&store.candidate);
	snprintf(store.hostname, sizeof store.hostname, "barewire");
}

const char *store_hostname(void)
{
	return store.hostname;
}

bool store_changed(void)
{
	return !lines_equal(&store.running, &store.candidate);
}

const char *store_description(const char *iface)
{
	char name[IFACE_NAME_MAX];

	for (unsigned i = 0; i < store.running.count; i++) {
		const struct line *line = store.running.line[i];

		if (line->words >= 4 && !strcmp(line->text[line->words - 2], "description") &&
			!strcmp(config_iface_name(line, name), iface))
			return line->text[line->words - 1];
	}
	return NULL;
}

/* ---------------------------------------------------------------- editing */

bool edit_set(struct call *call)
{
	struct line *line = line_make(call->command, 0);
	bool added = line && lines_add(&store.candidate, line) == ERR_OK;

	line_put(line);
	return added || call_error(call, "out of memory");
}

bool edit_delete(struct call *call)
{
	struct line *line = line_make(call->command, 0);
	enum err err = line ? lines_delete(&store.candidate, line) : ERR_NO_MEMORY;

	line_put(line);
	if (err == ERR_NO_MEMORY)
		return call_error(call, "out of memory");
	return !err || call_error(call, "nothing to delete");
}

static void print_difference(const struct line *line, bool added)
{
	char text[LINE_TEXT_MAX];

	line_print(line, text, sizeof text);
	shell_print("%c %s\n", added ? '+' : '-', text);
}

bool edit_compare(struct call *call)
{
	static struct lines_cursor at;

	if (call->step == 0)
		at = (struct lines_cursor){0};
	return lines_compare(&store.running, &store.candidate, &at, SHOW_SLICE, print_difference);
}

/* Makes one set equal to another; on failure it is as before. */
static bool replace(struct lines *to, const struct lines *from)
{
	struct lines copy = {0};

	if (lines_copy(&copy, from))
		return false;
	lines_clear(to);
	*to = copy;
	return true;
}

bool edit_discard(struct call *call)
{
	return replace(&store.candidate, &store.running) || call_error(call, "out of memory");
}

/* ---------------------------------------------------------------- commit */

static int order_names(const void *a, const void *b)
{
	return arg_order(ARG_IFACE, *(const char *const *)a, *(const char *const *)b);
}

/* Calls warn once for each interface that the set names and the router lacks, the first ones. */
static void warn_absent(const struct lines *set, void (*warn)(const char *what))
{
	char rest[40];
	unsigned absent = 0;
	const char **name = calloc(set->count + 1, sizeof *name), *last = "";
	unsigned names = 0, port;

	if (!name)
		return;
	for (unsigned i = 0; i < set->count; i++) {
		const struct line *line = set->line[i];

		for (unsigned k = 0; k < line->words; k++)
			if ((line->node[k]->arg == ARG_IFACE ||
				    line->node[k]->arg == ARG_SUBIFACE) &&
				!shell_find_iface(line->text[k], &port))
				name[names++] = line->text[k];
	}
	qsort(name, names, sizeof *name, order_names);
	for (unsigned i = 0; i < names; i++) {
		if (strcmp(name[i], last) != 0 && absent++ < WARN_MAX)
			warn(name[i]);
		last = name[i];
	}
	if (absent > WARN_MAX) {
		snprintf(rest, sizeof rest, "(and %u others)", absent - WARN_MAX);
		warn(rest);
	}
	free(name);
}

/* Says what is wrong in one line: the configuration line, then why. */
static void print_fault(const struct config_fault *fault, char *error, size_t size)
{
	char text[LINE_TEXT_MAX];

	if (!fault->line) {
		snprintf(error, size, "%s", fault->text);
		return;
	}
	line_print(fault->line, text, sizeof text);
	snprintf(error, size, "%s: %s", text, fault->text);
}

/* Builds and applies a set, and makes it the one in force. false: nothing has changed, see error.
 */
static bool commit(const struct lines *set, char *error, size_t size)
{
	struct config config;
	struct config_fault fault;
	struct lines copy = {0};

	if (!config_build(set, &config, &fault)) {
		print_fault(&fault, error, size);
		return false;
	}
	bool done = false;

	if (lines_copy(&copy, set))
		snprintf(error, size, "out of memory");
	else
		done = store.env->apply(store.env->ctx, &config, error, (unsigned)size);
	if (done) {
		lines_clear(&store.running);
		store.running = copy;
		snprintf(store.hostname, sizeof store.hostname, "%s",
			*config.hostname ? config.hostname : "barewire");
	} else {
		lines_clear(&copy);
	}
	config_free(&config);
	return done;
}

static void print_warning(const char *name)
{
	shell_print("warning: interface %s is not present\n", name);
}

bool edit_commit(struct call *call)
{
	char error[LINE_TEXT_MAX + 128] = "";

	if (!store_changed())
		return true;
	if (!commit(&store.candidate, error, sizeof error))
		return call_error(call, "%s", error);
	warn_absent(&store.running, print_warning);
	return true;
}

/* ---------------------------------------------------------------- load */

static struct load {
	struct lines set; /* the candidate with the lines read so far */
	unsigned number;
	char error[240]; /* the first */
} load;

static void load_line(const char *line, size_t n, const char *fault)
{
	char why[200];

	load.number++;
	if (*load.error)
		return;
	if (fault)
		snprintf(load.error, sizeof load.error, "line %u: %s", load.number, fault);
	else if (!config_read_line(&load.set, line, n, load.number, why, sizeof why))
		snprintf(load.error, sizeof load.error, "line %u: %s", load.number, why);
}

static void load_end(bool cancelled)
{
	if (*load.error && !cancelled)
		shell_print("error: %s\n", load.error);
	if (*load.error || cancelled) {
		lines_clear(&load.set);
		return;
	}
	lines_clear(&store.candidate);
	store.candidate = load.set;
	load.set = (struct lines){0};
}

bool edit_load(struct call *call)
{
	static const struct reader reader = {load_line, load_end};

	load.number = 0;
	load.error[0] = '\0';
	lines_clear(&load.set);
	if (lines_copy(&load.set, &store.candidate))
		return call_error(call, "out of memory");
	call->reader = &reader;
	return false;
}

/* ---------------------------------------------------------------- show configuration */

bool show_configuration(struct call *call)
{
	const struct lines *set = call_word(call, 2) ? &store.candidate : &store.running;
	unsigned first = call->step * SHOW_SLICE;
	char text[LINE_TEXT_MAX];

	if (call->step == 0)
		output_list(call->out, "configuration");
	for (unsigned i = first; i < set->count && i < first + SHOW_SLICE; i++) {
		line_print(set->line[i], text, sizeof text);
		output_text(call->out, NULL, "%s", text);
	}
	if (first + SHOW_SLICE < set->count)
		return false;
	output_close(call->out);
	return true;
}

/* ---------------------------------------------------------------- boot */

/* A fault of a text is told by the line's number in it. */
static void print_boot_fault(const struct config_fault *fault, char *error, size_t size)
{
	int n = fault->line ? snprintf(error, size, "line %u: ", fault->line->number) : 0;

	print_fault(fault, error + n, size - (size_t)n);
}

bool shell_read_config(
	const char *text, size_t n, struct config *out, char *error, size_t error_size)
{
	struct config_fault fault;

	*out = (struct config){0};
	lines_clear(&store.boot);
	bool good = config_read_text(&store.boot, text, n, error, error_size);

	if (good && !config_build(&store.boot, out, &fault)) {
		print_boot_fault(&fault, error, error_size);
		good = false;
	}
	if (!good)
		lines_clear(&store.boot);
	return good;
}

static void log_warning(const char *name)
{
	log_text("warning: interface %s is not present", name);
}

bool shell_load_config(char *error, size_t error_size)
{
	bool good = commit(&store.boot, error, error_size);

	lines_clear(&store.boot);
	if (!good)
		return false;
	warn_absent(&store.running, log_warning);
	if (replace(&store.candidate, &store.running))
		return true;
	snprintf(error, error_size, "out of memory for the candidate");
	return false;
}
