/*
 * A line as words, and a word as it is printed.
 *
 * Words are separated by blanks. "..." holds one word with blanks in it, where
 * \" and \\ stand for a quote and a backslash. An unquoted | is a word of its
 * own. Only printable ASCII is accepted.
 */
#ifndef KERNEL_SHELL_WORDS_H
#define KERNEL_SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define SHELL_LINE_MAX 4096u /* bytes of a line, without its end */
#define WORDS_MAX      24u   /* words of a line */

struct words {
	unsigned count;
	bool open;              /* the line ends inside its last word: no blank follows it */
	bool open_quote;        /* ... and inside a quote */
	bool more;              /* there are more than WORDS_MAX: those are not told */
	size_t at[WORDS_MAX];   /* where each begins in the line */
	bool quoted[WORDS_MAX]; /* was written in quotes, so it is no keyword */
	const char *word[WORDS_MAX];
	char store[SHELL_LINE_MAX + WORDS_MAX];
};

/*
 * Splits n bytes. false: `error` holds one line of text. A quote that is not
 * closed is no error here; see open_quote.
 */
bool words_split(struct words *w, const char *line, size_t n, char *error, size_t error_size);

/* Whether the n bytes end inside a quote. */
bool words_in_quote(const char *line, size_t n);

/*
 * Writes the word so that words_split reads the same back: bare where possible,
 * else quoted. Returns its length; at most 2 * strlen(word) + 2, and never more
 * than size - 1 bytes are written.
 */
size_t words_print(char *out, size_t size, const char *word);

/* A word as error messages show it: at most 40 bytes. One static result at a time. */
const char *words_clip(const char *word);

#endif
