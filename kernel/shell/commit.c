/* commit, confirm, and the rollback of what was not confirmed; show commits. */
#include "kernel/shell/commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/log.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/store.h"

#define MINUTE_US   60000000u
#define RETRY_US    10000000u /* after a rollback that failed */
#define LOG_CHANGES 3u        /* changed lines that a commit writes to the log */

/* A commit that waits to be confirmed. */
static struct pending {
	bool on;
	unsigned commit; /* the last one */
	uint64_t deadline_us;
	struct lines before; /* what to go back to */
} pending;

static unsigned commits; /* since boot */

void commit_reset(void)
{
	lines_clear(&pending.before);
	pending = (struct pending){0};
	commits = 0;
}

/* ---------------------------------------------------------------- the log */

static unsigned logged; /* lines of this commit */

static void log_change(const struct line *line, bool added)
{
	char text[LINE_TEXT_MAX];

	if (logged++ >= LOG_CHANGES)
		return;
	line_print(line, text, sizeof text);
	log_text("commit %u: %c %s", commits, added ? '+' : '-', text);
}

static void none(const struct line *line, bool added)
{
	(void)line;
	(void)added;
}

/* Who changed how much, then the first lines. */
static void log_commit(struct generation *g, const struct lines *before)
{
	history_describe(g, before, none);
	log_text("commit %u by %s: %u lines added, %u removed", g->commit, history_name(g->by),
		g->added, g->removed);
	logged = 0;
	history_describe(g, before, log_change);
	if (logged > LOG_CHANGES)
		log_text("commit %u: and %u more", g->commit, logged - LOG_CHANGES);
}

/* ---------------------------------------------------------------- commit */

void commit_print_fault(const struct config_fault *fault, bool numbered, char *error, size_t size)
{
	char number[24] = "", text[LINE_TEXT_MAX];

	if (!fault->line) {
		snprintf(error, size, "%s", fault->text);
		return;
	}
	if (numbered)
		snprintf(number, sizeof number, "line %u: ", fault->line->number);
	line_print(fault->line, text, sizeof text);
	snprintf(error, size, "%s%s: %s", number, text, fault->text);
}

bool commit_lines(const struct lines *set, enum committer by, char *error, size_t size)
{
	const struct shell_env *env = store_env();
	struct generation g = {.by = by};
	struct config_fault fault;
	struct config config;

	if (!config_build(set, &config, &fault)) {
		commit_print_fault(&fault, false, error, size);
		return false;
	}
	bool done = false;

	if (lines_copy(&g.set, set))
		snprintf(error, size, "out of memory");
	else
		done = env->apply(env->ctx, &config, error, (unsigned)size);
	if (done) {
		g.commit = ++commits;
		g.us = env->now_us(env->ctx);
		log_commit(&g, &history_get(0)->set);
		history_push(&g);
		store_set_hostname(config.hostname);
	} else {
		lines_clear(&g.set);
	}
	config_free(&config);
	return done;
}

static void print_warning(const char *name)
{
	shell_print("warning: interface %s is not present\n", name);
}

static void confirm_pending(void)
{
	if (!pending.on)
		return;
	log_text("commit %u confirmed", pending.commit);
	lines_clear(&pending.before);
	pending.on = false;
}

/* The time in force since `before` begins, or begins again. Takes the set. */
static void await_confirmation(struct call *call, struct lines *before, unsigned minutes)
{
	if (pending.on)
		lines_clear(before); /* back to before the first of them */
	else
		pending.before = *before;
	pending.on = true;
	pending.commit = commits;
	pending.deadline_us = call->env->now_us(call->env->ctx) + (uint64_t)minutes * MINUTE_US;
	log_text("commit %u is undone in %u min unless confirmed", commits, minutes);
}

/* true: the candidate is in force now. */
static bool put_in_force(struct call *call)
{
	char error[LINE_TEXT_MAX + 128] = "";

	if (!commit_lines(store_candidate(), BY_CONSOLE, error, sizeof error)) {
		call_error(call, "%s", error);
		return false;
	}
	store_warn_absent(print_warning);
	return true;
}

bool edit_commit(struct call *call)
{
	const char *minutes = call_word(call, 2);
	struct lines before = {0};

	if (!store_changed() && minutes && !pending.on)
		return call_error(call, "nothing to confirm: the candidate is in force");
	if (minutes && lines_copy(&before, &history_get(0)->set))
		return call_error(call, "out of memory");
	if (store_changed() && !put_in_force(call))
		lines_clear(&before);
	else if (minutes)
		await_confirmation(call, &before, (unsigned)strtoul(minutes, NULL, 10));
	else
		confirm_pending();
	return true;
}

bool edit_confirm(struct call *call)
{
	if (!pending.on)
		return call_error(call, "no commit waits to be confirmed");
	confirm_pending();
	return true;
}

/* ---------------------------------------------------------------- rollback */

bool commit_is_pending(uint64_t *left_us)
{
	const struct shell_env *env = store_env();
	uint64_t now = env->now_us(env->ctx);

	*left_us = pending.on && pending.deadline_us > now ? pending.deadline_us - now : 0;
	return pending.on;
}

void commit_hurry(uint64_t left_us)
{
	const struct shell_env *env = store_env();

	pending.deadline_us = env->now_us(env->ctx) + left_us;
}

/* A candidate that nobody has touched since goes back, too. */
bool commit_watch(char *text, size_t size)
{
	char error[LINE_TEXT_MAX + 128] = "";
	uint64_t left_us;

	if (!pending.on || (commit_is_pending(&left_us) && left_us))
		return false;
	unsigned commit = pending.commit;
	bool follows = !store_changed();

	if (!commit_lines(&pending.before, BY_ROLLBACK_TIMER, error, sizeof error)) {
		log_text("error: commit %u was not confirmed and cannot be undone: %s", commit,
			error);
		pending.deadline_us += RETRY_US;
		return false;
	}
	if (follows)
		(void)store_replace(store_candidate(), &pending.before);
	lines_clear(&pending.before);
	pending.on = false;
	snprintf(text, size, "commit %u was not confirmed and is undone", commit);
	log_text("%s", text);
	return true;
}

/* ---------------------------------------------------------------- show commits */

static void show_generation(struct output *o, unsigned number, const struct generation *g)
{
	output_row(o);
	output_number(o, NULL, number);
	output_number(o, NULL, g->commit);
	output_number(o, NULL, g->us / 1000000);
	output_text(o, NULL, "%s", history_name(g->by));
	output_number(o, NULL, g->set.count);
	output_number(o, NULL, g->added);
	output_number(o, NULL, g->removed);
	output_text(o, NULL, "%s", g->first);
	output_close(o);
}

bool show_commits(struct call *call)
{
	static const struct column columns[] = {{"generation", 10}, {"commit", 8},
		{"s_since_boot", 13}, {"by", -15}, {"lines", 7}, {"added", 7}, {"removed", 8},
		{"first_change", -1}};
	const struct generation *g;
	uint64_t left_us;

	output_table(call->out, "commits", columns, sizeof columns / sizeof *columns);
	for (unsigned i = 0; (g = history_get(i)) != NULL; i++)
		show_generation(call->out, i, g);
	output_close(call->out);
	if (commit_is_pending(&left_us))
		output_number(call->out, "undone_in_s", (left_us + 999999) / 1000000);
	else
		output_none(call->out, "undone_in_s");
	return true;
}
