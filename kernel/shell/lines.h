/*
 * A configuration as text: an ordered set of canonical lines.
 *
 * A line is the path behind `set`. Sets share lines, which never change, so a
 * copy of a set is cheap. The order is the grammar's: keywords as they stand in
 * the tree, arguments by their type; lines with a common beginning are neighbours.
 */
#ifndef KERNEL_SHELL_LINES_H
#define KERNEL_SHELL_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/shell/grammar.h"
#include "lib/err.h"

#define LINE_WORDS    16u  /* words of the longest line of the grammar */
#define LINE_TEXT_MAX 512u /* a printed line with its zero */

struct line {
	unsigned refs;   /* sets that hold it, and the one who made it */
	unsigned number; /* of the text it was read from; 0 if typed */
	unsigned words;
	const struct node **node; /* of each word, and its text: they stand behind */
	const char **text;
};

/* {0} is an empty set. */
struct lines {
	struct line **line; /* ordered */
	unsigned count, room;
};

/* The words of a command behind the first one, as a line with one reference. NULL: no memory, or
 * too long. */
struct line *line_make(const struct command *command, unsigned number);
void line_put(struct line *line);

/* Prints "set ..."; returns its length. */
size_t line_print(const struct line *line, char *out, size_t size);

/* Compares the first `words` words; a shorter line comes first. */
int line_order(const struct line *a, const struct line *b, unsigned words);

/* Adds the line (and takes its own reference), replacing what it contradicts. ERR_NO_MEMORY: no
 * change. */
MUST_CHECK enum err lines_add(struct lines *set, struct line *line);

/* Removes all lines that begin with `start`. ERR_NOT_FOUND. */
MUST_CHECK enum err lines_delete(struct lines *set, const struct line *start);

/* Makes *to, which must be empty, equal to *from. ERR_NO_MEMORY: it stays empty. */
MUST_CHECK enum err lines_copy(struct lines *to, const struct lines *from);

bool lines_equal(const struct lines *a, const struct lines *b);
void lines_clear(struct lines *set);

/*
 * Calls fn for each line that is in one set only: removed (in `from` alone) or
 * added (in `to` alone), in canonical order; at most `max` of them a call. at:
 * {0} at first. true: it was the last call. Sets may change between calls: then
 * what is told is of both, but always of lines there are.
 */
struct lines_cursor {
	unsigned from, to;
};
bool lines_compare(const struct lines *from, const struct lines *to, struct lines_cursor *at,
	unsigned max, void (*fn)(const struct line *line, bool added));

#endif
