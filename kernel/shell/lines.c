/* Ordered sets of configuration lines. */
#include "kernel/shell/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A keyword's text is the grammar's. */
static size_t text_bytes(const struct command *command, unsigned i)
{
	return command->node[i]->word ? 0 : strlen(command->text[i]) + 1;
}

struct line *line_make(const struct command *command, unsigned number)
{
	size_t bytes = 0, words = command->args - 1;

	if (command->args < 2 || command->args - 1 > LINE_WORDS)
		return NULL;
	for (unsigned i = 1; i < command->args; i++)
		bytes += text_bytes(command, i);
	struct line *line = malloc(sizeof *line + 2 * words * sizeof(void *) + bytes);

	if (!line)
		return NULL;
	line->refs = 1;
	line->number = number;
	line->words = command->args - 1;
	line->node = (const struct node **)(line + 1);
	line->text = (const char **)(line->node + words);
	char *store = (char *)(line->text + words);

	for (unsigned i = 0; i < line->words; i++) {
		size_t n = text_bytes(command, i + 1);

		line->node[i] = command->node[i + 1];
		line->text[i] = n ? memcpy(store, command->text[i + 1], n) : line->node[i]->word;
		store += n;
	}
	return line;
}

void line_put(struct line *line)
{
	if (line && --line->refs == 0)
		free(line);
}

size_t line_print(const struct line *line, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "set");

	for (unsigned i = 0; i < line->words && n + 1 < size; i++) {
		out[n++] = ' ';
		n += words_print(out + n, size - n, line->text[i]);
	}
	return n < size ? n : size - 1;
}

int line_order(const struct line *a, const struct line *b, unsigned words)
{
	if (a == b)
		return 0; /* sets share lines */
	for (unsigned i = 0; i < words; i++) {
		if (i >= a->words || i >= b->words)
			return a->words < b->words ? -1 : a->words > b->words;
		if (a->node[i] != b->node[i])
			return a->node[i] < b->node[i] ? -1 : 1; /* siblings of one table */
		int order = arg_order(a->node[i]->arg, a->text[i], b->text[i]);

		if (order)
			return order;
	}
	return 0;
}

/* The first line that is not below the first `words` words of `key`; with `behind`, the first
 * above. */
static unsigned find(const struct lines *set, const struct line *key, unsigned words, bool behind)
{
	unsigned low = 0, high = set->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		int order = line_order(set->line[middle], key, words);

		if (order < 0 || (behind && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_range(struct lines *set, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		line_put(set->line[i]);
	if (to > from)
		memmove(set->line + from, set->line + to,
			(set->count - to) * sizeof(struct line *));
	set->count -= to - from;
}

static bool make_room(struct lines *set)
{
	if (set->count < set->room)
		return true;
	unsigned room = set->room ? set->room * 2 : 16;
	struct line **line = realloc(set->line, room * sizeof(struct line *));

	if (!line)
		return false;
	set->line = line;
	set->room = room;
	return true;
}

enum err lines_add(struct lines *set, struct line *line)
{
	unsigned at = find(set, line, LINE_WORDS, false);

	if (at < set->count && line_order(set->line[at], line, LINE_WORDS) == 0)
		return ERR_OK;
	if (!make_room(set))
		return ERR_NO_MEMORY;
	for (unsigned i = 0; i < line->words; i++)
		if (line->node[i]->flags & NODE_SINGLE)
			remove_range(
				set, find(set, line, i + 1, false), find(set, line, i + 1, true));
	at = find(set, line, LINE_WORDS, false);
	memmove(set->line + at + 1, set->line + at, (set->count - at) * sizeof(struct line *));
	set->line[at] = line;
	set->count++;
	line->refs++;
	return ERR_OK;
}

enum err lines_delete(struct lines *set, const struct line *start)
{
	unsigned from = find(set, start, start->words, false);
	unsigned to = find(set, start, start->words, true);

	remove_range(set, from, to);
	return from < to ? ERR_OK : ERR_NOT_FOUND;
}

enum err lines_copy(struct lines *to, const struct lines *from)
{
	if (!from->count)
		return ERR_OK;
	to->line = malloc(from->count * sizeof(struct line *));
	if (!to->line)
		return ERR_NO_MEMORY;
	memcpy(to->line, from->line, from->count * sizeof(struct line *));
	to->count = to->room = from->count;
	for (unsigned i = 0; i < to->count; i++)
		to->line[i]->refs++;
	return ERR_OK;
}

bool lines_equal(const struct lines *a, const struct lines *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (a->line[i] != b->line[i] && line_order(a->line[i], b->line[i], LINE_WORDS))
			return false;
	return true;
}

void lines_clear(struct lines *set)
{
	remove_range(set, 0, set->count);
	free(set->line);
	*set = (struct lines){0};
}

/* Which of the two next lines comes first; 0: both are the same. One set at least has a next. */
static int order_next(
	const struct lines *from, const struct lines *to, const struct lines_cursor *at)
{
	if (at->from >= from->count)
		return 1;
	if (at->to >= to->count)
		return -1;
	return line_order(from->line[at->from], to->line[at->to], LINE_WORDS);
}

bool lines_compare(const struct lines *from, const struct lines *to, struct lines_cursor *at,
	unsigned max, void (*fn)(const struct line *line, bool added))
{
	while (at->from < from->count || at->to < to->count) {
		int order = order_next(from, to, at);

		if (order && !max--)
			return false;
		if (order < 0) {
			fn(from->line[at->from++], false);
		} else if (order > 0) {
			fn(to->line[at->to++], true);
		} else {
			at->from++;
			at->to++;
		}
	}
	return true;
}
