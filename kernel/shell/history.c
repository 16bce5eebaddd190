/* Generations of the configuration. */
#include "kernel/shell/history.h"

#include <stdio.h>

#include "kernel/shell/shell.h"

#define COMPARE_LINES 64u /* differences between looks at the clock */

static struct generation kept[GENERATIONS + 1]; /* by number */
static unsigned kept_n = 1;

void history_reset(void)
{
	for (unsigned i = 0; i < kept_n; i++) {
		lines_clear(&kept[i].set);
		kept[i] = (struct generation){0};
	}
	kept_n = 1;
}

const struct generation *history_get(unsigned number)
{
	return number < kept_n ? &kept[number] : NULL;
}

void history_push(struct generation *g)
{
	struct lines gone = {0};

	if (kept_n == GENERATIONS + 1)
		gone = kept[GENERATIONS].set;
	else
		kept_n++;
	for (unsigned i = kept_n - 1; i > 0; i--)
		kept[i] = kept[i - 1];
	kept[0] = *g;
	lines_clear(&gone);
}

const char *history_name(enum committer by)
{
	static const char *const names[] = {
		[BY_NOBODY] = "nobody",
		[BY_CONSOLE] = "console",
		[BY_BOOT_MODULE] = "boot module",
		[BY_COMMAND_LINE] = "command line",
		[BY_AUTOLOAD] = "autoload",
		[BY_ROLLBACK_TIMER] = "rollback timer",
	};

	return names[by];
}

/* ---- what is changed ---- */

static struct {
	struct generation *g;
	void (*fn)(const struct line *line, bool added);
} describe;

static void on_difference(const struct line *line, bool added)
{
	struct generation *g = describe.g;

	if (!g->added && !g->removed) {
		g->first[0] = added ? '+' : '-';
		g->first[1] = ' ';
		line_print(line, g->first + 2, sizeof g->first - 2);
	}
	g->added += added;
	g->removed += !added;
	if (describe.fn)
		describe.fn(line, added);
}

void history_describe(struct generation *g, const struct lines *before,
	void (*fn)(const struct line *line, bool added))
{
	struct lines_cursor at = {0};

	g->added = g->removed = 0;
	g->first[0] = '\0';
	describe.g = g;
	describe.fn = fn;
	while (!lines_compare(before, &g->set, &at, COMPARE_LINES, on_difference))
		shell_yield();
}
