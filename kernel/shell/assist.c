/* Tab and '?': the grammar's choices, inserted or listed. */
#include "kernel/shell/assist.h"

#include <string.h>

#include "kernel/shell/commands.h"

static void print_choice(void *ctx, const char *word, const char *help, bool insertable)
{
	shell_print("  %-16s %s\n", word, help);
}

void assist_help(const struct grammar *g, const char *left, size_t n)
{
	char error[200];
	size_t typed;

	if (!grammar_choices(g, left, n, &typed, print_choice, NULL, error, sizeof error))
		shell_print("error: %s\n", error);
}

/* The words that could be inserted, as far as they agree. */
struct common {
	unsigned words;
	size_t length;
	char word[KEYWORD_MAX + 1]; /* and a blank */
};

static void find_common(void *ctx, const char *word, const char *help, bool insertable)
{
	struct common *c = ctx;
	size_t same = 0;

	if (!insertable || strlen(word) > KEYWORD_MAX)
		return;
	if (c->words++ == 0) {
		c->length = strlen(word);
		memcpy(c->word, word, c->length);
		return;
	}
	while (same < c->length && word[same] == c->word[same])
		same++;
	c->length = same;
}

bool assist_complete(struct editor *e, const struct grammar *g, const char *left, size_t n)
{
	struct common common = {0};
	char error[200];
	size_t typed;

	if (!grammar_choices(g, left, n, &typed, find_common, &common, error, sizeof error) ||
		common.words == 0 || (common.words > 1 && common.length <= typed)) {
		e->ops->write("\n", 1);
		assist_help(g, left, n);
		return true;
	}
	if (common.words == 1)
		common.word[common.length++] = ' ';
	editor_insert(e, common.word + typed, common.length - typed);
	return false;
}
