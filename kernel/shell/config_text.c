/* Reading configuration text: boot modules and what is pasted into `load`. */
#include "kernel/shell/config.h"

#include <stdio.h>
#include <string.h>

#include "kernel/shell/commands.h"

static bool edit(struct lines *set, const struct command *command, unsigned number, char *error,
	size_t error_size)
{
	struct line *line = line_make(command, number);
	const char *why = NULL;

	if (!line)
		why = "out of memory";
	else if (!strcmp(command->text[0], "delete"))
		why = lines_delete(set, line) ? "nothing to delete" : NULL;
	else
		why = lines_add(set, line) ? "out of memory" : NULL;
	line_put(line);
	if (why)
		snprintf(error, error_size, "%s", why);
	return !why;
}

static bool is_comment(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && (text[i] == ' ' || text[i] == '\t'))
		i++;
	return i == n || text[i] == '#';
}

bool config_read_line(struct lines *set, const char *text, size_t n, unsigned number, char *error,
	size_t error_size)
{
	static struct command command;

	if (is_comment(text, n))
		return true;
	return grammar_parse(&grammar_edit, text, n, &command, error, error_size) &&
	       edit(set, &command, number, error, error_size);
}

bool config_read_text(struct lines *set, const char *text, size_t n, char *error, size_t error_size)
{
	char why[200];
	unsigned number = 0;

	while (n) {
		shell_yield();
		const char *end = memchr(text, '\n', n);
		size_t whole = end ? (size_t)(end - text) + 1 : n;
		size_t length = end ? whole - 1 : whole;

		if (length && text[length - 1] == '\r')
			length--;
		if (!config_read_line(set, text, length, ++number, why, sizeof why)) {
			snprintf(error, error_size, "line %u: %s", number, why);
			return false;
		}
		text += whole;
		n -= whole;
	}
	return true;
}
