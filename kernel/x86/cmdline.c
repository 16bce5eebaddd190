/* Words of the command line, separated by blanks. */
#include "kernel/x86/cmdline.h"

#include <string.h>

/* The next word from *at on; its length, 0 at the end. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, " ");
	return strcspn(*at, " ");
}

bool cmdline_has(const char *line, const char *word)
{
	size_t n;

	for (; (n = next_word(&line)) > 0; line += n)
		if (n == strlen(word) && memcmp(line, word, n) == 0)
			return true;
	return false;
}

bool cmdline_value(const char *line, const char *name, char *out, size_t size)
{
	size_t n, head = strlen(name);
	bool found = false;

	for (; (n = next_word(&line)) > 0; line += n) {
		if (n <= head || memcmp(line, name, head) != 0 || line[head] != '=')
			continue;
		found = n - head - 1 < size;
		if (found) {
			memcpy(out, line + head + 1, n - head - 1);
			out[n - head - 1] = '\0';
		}
	}
	return found;
}
