/* Splitting a line into words, and writing a word so that it is read back the same. */
#include "kernel/shell/words.h"

#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_printable(char c)
{
	return c >= 0x20 && c < 0x7f;
}

static bool fail(char *error, size_t size, const char *text)
{
	snprintf(error, size, "%s", text);
	return false;
}

/* Copies a quoted word from line[i], behind its quote; returns the index behind the closing one. */
static size_t copy_quoted(struct words *w, char **out, const char *line, size_t i, size_t n)
{
	w->open_quote = true;
	while (i < n) {
		char c = line[i++];

		if (c == '"') {
			w->open_quote = false;
			break;
		}
		if (c == '\\' && i < n && (line[i] == '"' || line[i] == '\\'))
			c = line[i++];
		*(*out)++ = c;
	}
	return i;
}

static size_t copy_bare(char **out, const char *line, size_t i, size_t n)
{
	while (i < n && !is_blank(line[i]) && line[i] != '|' && line[i] != '"')
		*(*out)++ = line[i++];
	return i;
}

bool words_split(struct words *w, const char *line, size_t n, char *error, size_t error_size)
{
	char *out = w->store;

	w->count = 0;
	w->open = w->open_quote = w->more = false;
	if (n > SHELL_LINE_MAX)
		return fail(error, error_size, "line too long");
	for (size_t i = 0; i < n; i++)
		if (!is_printable(line[i]) && line[i] != '\t')
			return fail(
				error, error_size, "line holds a byte that is not printable ASCII");

	for (size_t i = 0; i < n;) {
		bool quoted = line[i] == '"';

		if (is_blank(line[i])) {
			i++;
			continue;
		}
		w->more = w->count == WORDS_MAX;
		if (w->more)
			break;
		w->at[w->count] = i;
		w->word[w->count] = out;
		w->quoted[w->count++] = quoted;
		if (quoted) {
			i = copy_quoted(w, &out, line, i + 1, n);
		} else if (line[i] == '|') {
			*out++ = line[i++];
			*out++ = '\0';
			continue;
		} else {
			i = copy_bare(&out, line, i, n);
		}
		*out++ = '\0';
		if (i < n && !is_blank(line[i]) && line[i] != '|')
			return fail(
				error, error_size, "a quote may only stand around a whole word");
	}
	w->open = n && !is_blank(line[n - 1]) && line[n - 1] != '|';
	return true;
}

bool words_in_quote(const char *line, size_t n)
{
	bool inside = false;

	for (size_t i = 0; i < n; i++) {
		if (inside && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			inside = !inside;
	}
	return inside;
}

/* '?' would ask for help when typed, '#' would begin a comment. */
static bool needs_quotes(const char *word)
{
	return !*word || strpbrk(word, " \t\"|?#\\");
}

size_t words_print(char *out, size_t size, const char *word)
{
	size_t n = 0;

	if (!needs_quotes(word))
		return (size_t)snprintf(out, size, "%s", word);
	if (size < 2 * strlen(word) + 3)
		return (size_t)snprintf(out, size, "\"\"");
	out[n++] = '"';
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			out[n++] = '\\';
		out[n++] = *word;
	}
	out[n++] = '"';
	out[n] = '\0';
	return n;
}

const char *words_clip(const char *word)
{
	static char clip[44];

	if (strlen(word) <= 40)
		snprintf(clip, sizeof clip, "%s", word);
	else
		snprintf(clip, sizeof clip, "%.37s...", word);
	return clip;
}
