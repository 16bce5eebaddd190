/* The configurations that were in force: generation 0 is, 1 was before it, and so on. */
#ifndef KERNEL_SHELL_HISTORY_H
#define KERNEL_SHELL_HISTORY_H

#include <stdint.h>

#include "kernel/shell/lines.h"
#include "kernel/shell/shell.h"

#define GENERATIONS 10u /* kept besides the one in force */

struct generation {
	struct lines set;
	uint64_t us;     /* since entry: when it came in force */
	unsigned commit; /* by which; 0: the empty one that a router begins with */
	enum committer by;
	unsigned added, removed;   /* lines, to what was before */
	char first[LINE_TEXT_MAX]; /* the first of them, "+ set ..." or "- set ..."; "" */
};

/* Forgets all; an empty generation is in force. */
void history_reset(void);

/* NULL: there is none of that number. Valid until the next history_push. */
const struct generation *history_get(unsigned number);

/* Puts a generation in force; takes its set. Cannot fail. */
void history_push(struct generation *g);

/* "console", "boot module", ... */
const char *history_name(enum committer by);

/* What a set changes: fills in added, removed and first; calls fn (may be NULL) for each line. */
void history_describe(struct generation *g, const struct lines *before,
	void (*fn)(const struct line *line, bool added));

#endif
