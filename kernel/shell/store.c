/* The configuration in force and its candidate: set, delete, compare, rollback, load, save. */
#include "kernel/shell/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/log.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/commit.h"
#include "kernel/version.h"

#define WARN_MAX PORT_MAX /* absent interfaces that a commit names */

static struct store {
	const struct shell_env *env;
	struct lines candidate;
	struct lines boot; /* read before there was a router, not yet in force */
	char hostname[HOSTNAME_MAX];
} store;

void store_init(const struct shell_env *env)
{
	store.env = env;
	history_reset();
	commit_reset();
	lines_clear(&store.candidate);
	store_set_hostname("");
}

const struct shell_env *store_env(void)
{
	return store.env;
}

const char *store_hostname(void)
{
	return store.hostname;
}

void store_set_hostname(const char *name)
{
	snprintf(store.hostname, sizeof store.hostname, "%s", *name ? name : "barewire");
}

static const struct lines *running(void)
{
	return &history_get(0)->set;
}

struct lines *store_candidate(void)
{
	return &store.candidate;
}

bool store_changed(void)
{
	return !lines_equal(running(), &store.candidate);
}

const char *store_description(const char *iface)
{
	char name[IFACE_NAME_MAX];

	for (unsigned i = 0; i < running()->count; i++) {
		const struct line *line = running()->line[i];

		if (line->words >= 4 && !strcmp(line->text[line->words - 2], "description") &&
			!strcmp(config_iface_name(line, name), iface))
			return line->text[line->words - 1];
	}
	return NULL;
}

bool store_replace(struct lines *to, const struct lines *from)
{
	struct lines copy = {0};

	if (lines_copy(&copy, from))
		return false;
	lines_clear(to);
	*to = copy;
	return true;
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

/* The generation that word i of the command names, or NULL, told. */
static const struct generation *named_generation(struct call *call, unsigned i)
{
	unsigned number = (unsigned)strtoul(call_word(call, i), NULL, 10);
	const struct generation *g = history_get(number);

	if (!g)
		call_error(call, "there is no generation %u", number);
	return g;
}

/* compare [rollback N] */
bool edit_compare(struct call *call)
{
	static struct lines_cursor at;
	const struct generation *g =
		call_word(call, 2) ? named_generation(call, 2) : history_get(0);

	if (call->step == 0)
		at = (struct lines_cursor){0};
	return !g || lines_compare(&g->set, &store.candidate, &at, SHOW_SLICE, print_difference);
}

bool edit_discard(struct call *call)
{
	return store_replace(&store.candidate, running()) || call_error(call, "out of memory");
}

/* rollback [N]: of generation 1 if it is not said */
bool edit_rollback(struct call *call)
{
	const struct generation *g =
		call_word(call, 1) ? named_generation(call, 1) : history_get(1);

	if (!g)
		return call->failed || call_error(call, "there is no generation 1");
	return store_replace(&store.candidate, &g->set) || call_error(call, "out of memory");
}

/* ---------------------------------------------------------------- absent interfaces */

static int order_names(const void *a, const void *b)
{
	return arg_order(ARG_IFACE, *(const char *const *)a, *(const char *const *)b);
}

void store_warn_absent(void (*warn)(const char *what))
{
	const struct lines *set = running();
	char rest[40];
	unsigned absent = 0;
	const char **name = calloc(set->count + 1, sizeof *name), *last = "";
	unsigned names = 0, port;

	if (!name)
		return;
	for (unsigned i = 0; i < set->count; i++) {
		const struct line *line = set->line[i];

		shell_yield();
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

/* load [replace] [URL]: to the candidate, or to an empty one */
bool edit_load(struct call *call)
{
	static const struct reader reader = {load_line, load_end};
	const char *last = call_word(call, call->command->args - 1);

	if (strchr(last, ':'))
		return load_remote(call, last, call->command->args == 3);
	load.number = 0;
	load.error[0] = '\0';
	lines_clear(&load.set);
	if (!call_word(call, 1) && lines_copy(&load.set, &store.candidate))
		return call_error(call, "out of memory");
	call->reader = &reader;
	return false;
}

/* ---------------------------------------------------------------- show configuration */

/* show configuration [candidate | rollback N] */
static const struct lines *shown_set(struct call *call)
{
	const char *which = call_word(call, 2);

	if (!which)
		return running();
	if (!strcmp(which, "candidate"))
		return &store.candidate;
	const struct generation *g = named_generation(call, 3);

	return g ? &g->set : NULL;
}

/* The lines of one slice, each to fn. true: it was the last slice. */
static bool print_slice(
	struct call *call, const struct lines *set, void (*fn)(struct call *call, const char *text))
{
	unsigned first = call->step * SHOW_SLICE;
	char text[LINE_TEXT_MAX];

	for (unsigned i = first; i < set->count && i < first + SHOW_SLICE; i++) {
		line_print(set->line[i], text, sizeof text);
		fn(call, text);
	}
	return first + SHOW_SLICE >= set->count;
}

static void put_shown(struct call *call, const char *text)
{
	output_text(call->out, NULL, "%s", text);
}

bool show_configuration(struct call *call)
{
	const struct lines *set = shown_set(call);

	if (!set)
		return true;
	if (call->step == 0)
		output_list(call->out, "configuration");
	if (!print_slice(call, set, put_shown))
		return false;
	output_close(call->out);
	return true;
}

static void put_saved(struct call *call, const char *text)
{
	(void)call;
	shell_print("%s\n", text);
}

/* What is in force, as a text that `load replace` and a boot read back. */
bool edit_save(struct call *call)
{
	if (call_word(call, 1))
		return save_remote(call, call_word(call, 1));
	if (call->step == 0)
		shell_print("# %s, barewire %s, commit %u\n", store.hostname, barewire_version,
			history_get(0)->commit);
	return print_slice(call, running(), put_saved);
}

/* ---------------------------------------------------------------- boot */

bool shell_read_config(
	const char *text, size_t n, struct config *out, char *error, size_t error_size)
{
	struct config_fault fault;

	*out = (struct config){0};
	lines_clear(&store.boot);
	bool good = config_read_text(&store.boot, text, n, error, error_size);

	if (good && !config_build(&store.boot, out, &fault)) {
		commit_print_fault(&fault, true, error, error_size);
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

bool shell_load_config(enum committer by, char *error, size_t error_size)
{
	bool good = commit_lines(&store.boot, by, error, error_size);

	lines_clear(&store.boot);
	if (!good)
		return false;
	store_warn_absent(log_warning);
	if (store_replace(&store.candidate, running()))
		return true;
	snprintf(error, error_size, "out of memory for the candidate");
	return false;
}

bool shell_add_config(const char *text, size_t n, char *error, size_t error_size)
{
	lines_clear(&store.boot);
	if (lines_copy(&store.boot, running())) {
		snprintf(error, error_size, "out of memory");
		return false;
	}
	if (config_read_text(&store.boot, text, n, error, error_size))
		return shell_load_config(BY_COMMAND_LINE, error, error_size);
	lines_clear(&store.boot);
	return false;
}
