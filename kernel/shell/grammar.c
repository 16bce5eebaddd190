/* Walking the grammar: parsing a line, and what can continue one. */
#include "kernel/shell/grammar.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Where in the grammar a line stands after some of its words. */
struct place {
	const struct grammar *g;
	const struct node *at;   /* the last node taken; NULL at the start */
	const struct node *next; /* what may follow, but for `|` */
	command_fn *run;
	bool filter, partial; /* from NODE_FILTER, NODE_PARTIAL on the path */
	bool piped;           /* `|` was taken */
};

static struct place start(const struct grammar *g)
{
	return (struct place){.g = g, .next = g->root};
}

static void enter(struct place *p, const struct node *n)
{
	if (p->at && p->at->flags & NODE_PARTIAL)
		p->partial = true;
	if (n == p->g->pipe)
		p->piped = true;
	else if (n->run)
		p->run = n->run;
	if (n->flags & NODE_FILTER)
		p->filter = true;
	p->at = n;
	p->next = n->next;
}

static bool may_end(const struct place *p)
{
	return !p->at || p->at->flags & NODE_END || p->partial;
}

static bool is_last(const struct node *n)
{
	return !n->word && n->arg == ARG_KEYWORD;
}

/* The i-th node that may follow, or NULL after the last. */
static const struct node *follower(const struct place *p, unsigned i)
{
	for (const struct node *n = p->next; n && !is_last(n); n++)
		if (i-- == 0)
			return n;
	return i == 0 && p->filter && !p->piped && p->at && may_end(p) ? p->g->pipe : NULL;
}

static bool begins(const struct node *n, const char *word)
{
	return n->word && !(n->flags & NODE_HIDDEN) && !strncmp(n->word, word, strlen(word));
}

/* "error: 'sh' is ambiguous: show, shutdown" */
static void say_ambiguous(const struct place *p, const char *word, char *error, size_t size)
{
	size_t used = (size_t)snprintf(error, size, "'%s' is ambiguous", words_clip(word));
	const char *separator = ": ";
	const struct node *n;

	for (unsigned i = 0; (n = follower(p, i)) && used < size; i++) {
		if (!begins(n, word))
			continue;
		used += (size_t)snprintf(error + used, size - used, "%s%s", separator, n->word);
		separator = ", ";
	}
}

/* The keyword a word means: exact, or the only one it begins. NULL: none or several (*several). */
static const struct node *find_keyword(const struct place *p, const char *word, bool *several)
{
	const struct node *found = NULL, *n;

	*several = false;
	for (unsigned i = 0; (n = follower(p, i)); i++) {
		if (n->word && !strcmp(n->word, word))
			return n;
		if (!begins(n, word))
			continue;
		*several |= found != NULL;
		found = n;
	}
	return *several ? NULL : found;
}

/* Takes one word: the node it means, and its canonical text. NULL: error is set. */
static const struct node *match(const struct place *p, const char *word, bool quoted,
	char text[ARG_TEXT_MAX], char *error, size_t size)
{
	char why[ARG_TEXT_MAX] = "";
	const struct node *n;

	if (!quoted) {
		bool several;

		n = find_keyword(p, word, &several);
		if (n)
			return n;
		if (several) {
			say_ambiguous(p, word, error, size);
			return NULL;
		}
	}
	for (unsigned i = 0; (n = follower(p, i)); i++) {
		if (n->arg == ARG_KEYWORD)
			continue;
		if (arg_parse(n, word, text))
			return n;
		memcpy(why, text, sizeof why);
	}
	if (*why)
		snprintf(error, size, "'%s' %s", words_clip(word), why);
	else
		snprintf(error, size, "unknown word '%s'", words_clip(word));
	return NULL;
}

/* The ARG_HEX that may follow, or NULL. */
static const struct node *find_hex(const struct place *p)
{
	const struct node *n;
	unsigned i = 0;

	while ((n = follower(p, i)) && n->arg != ARG_HEX)
		i++;
	return n;
}

/* Takes a word of n bytes behind the digits taken before. false: `why` says what it is not. */
static bool add_hex(const struct node *node, char *digits, const char *word, size_t n, char *why)
{
	char *to = digits + strlen(digits);

	memcpy(to, word, n);
	to[n] = '\0';
	if (!arg_parse(node, to, why))
		return false;
	for (const char *c = to; *c; c++)
		if (!strchr(":-.", *c))
			*to++ = *c;
	*to = '\0';
	return true;
}

/*
 * The n bytes from an ARG_HEX on: the digits of all words up to `|`, as one text. *taken: bytes.
 * NULL: error is set.
 */
static const char *take_hex(const struct node *node, const char *line, size_t n, size_t *taken,
	char *error, size_t size)
{
	static char digits[SHELL_LINE_MAX + 1];
	const char *end = memchr(line, '|', n), *c = line;
	char why[ARG_TEXT_MAX], text[ARG_TEXT_MAX];

	if (!end)
		end = line + n;
	*taken = (size_t)(end - line);
	*digits = '\0';
	while (c < end) {
		size_t word = 0;

		while (c + word < end && c[word] != ' ' && c[word] != '\t')
			word++;
		if (word && !add_hex(node, digits, c, word, why)) {
			snprintf(text, sizeof text, "%.*s", (int)word, c);
			snprintf(error, size, "'%s' %s", words_clip(text), why);
			return NULL;
		}
		c += word + (c + word < end);
	}
	return digits;
}

bool grammar_parse(const struct grammar *g, const char *line, size_t n, struct command *out,
	char *error, size_t error_size)
{
	static struct words words;
	struct place place = start(g);
	char *store = out->store;

	out->words = out->args = 0;
	out->run = NULL;
	if (!words_split(&words, line, n, error, error_size))
		return false;
	if (words.open_quote) {
		snprintf(error, error_size, "quote not closed");
		return false;
	}
	for (unsigned i = 0, k = 0; k < words.count; i++, k++) {
		const struct node *node = find_hex(&place);
		const char *text = store;

		if (i == WORDS_MAX)
			break;
		if (node && words.word[k][0] != '|') {
			size_t from = words.at[k], taken;

			text = take_hex(node, line + from, n - from, &taken, error, error_size);
			if (!text || !words_split(&words, line + from + taken, n - from - taken,
					     error, error_size))
				return false;
			line += from + taken;
			n -= from + taken;
			k = UINT_MAX; /* the next one is the first again */
		} else {
			node = match(
				&place, words.word[k], words.quoted[k], store, error, error_size);
		}
		if (!node && words.more)
			break;
		if (!node)
			return false;
		enter(&place, node);
		out->node[i] = node;
		out->text[i] = node->word ? node->word : text;
		if (out->text[i] == store)
			store += strlen(store) + 1;
		out->words++;
		if (!place.piped)
			out->args++;
	}
	if (words.more) {
		snprintf(error, error_size, "too many words");
		return false;
	}
	if (!may_end(&place)) {
		snprintf(error, error_size, "incomplete command");
		return false;
	}
	out->run = place.run;
	return true;
}

static void offer(const struct place *p, const char *word, grammar_choice_fn *fn, void *ctx)
{
	const struct node *n;

	for (unsigned i = 0; (n = follower(p, i)); i++) {
		char help[160];

		if (n->word) {
			if (begins(n, word))
				fn(ctx, n->word, n->help, true);
			continue;
		}
		if (n->arg == ARG_NUMBER)
			snprintf(help, sizeof help, "%s (%u to %u)", n->help, n->min, n->max);
		else
			snprintf(help, sizeof help, "%s", n->help);
		fn(ctx, arg_name(n->arg), help, false);
		const char *name;

		bool any = n->arg == ARG_SUBIFACE;

		for (unsigned k = 0;
			(any || n->arg == ARG_IFACE) && (name = p->g->iface_name(k, !any)); k++)
			if (*name && !strncmp(name, word, strlen(word)))
				fn(ctx, name, "interface", true);
	}
	if (!*word && p->at && may_end(p))
		fn(ctx, "ENTER", "ends the line here", false);
}

bool grammar_choices(const struct grammar *g, const char *left, size_t n, size_t *typed,
	grammar_choice_fn *fn, void *ctx, char *error, size_t error_size)
{
	static struct words words;
	struct place place = start(g);
	char text[ARG_TEXT_MAX];

	if (!words_split(&words, left, n, error, error_size))
		return false;
	if (words.more) {
		snprintf(error, error_size, "too many words");
		return false;
	}
	unsigned whole = words.open ? words.count - 1 : words.count;

	for (unsigned i = 0; i < whole; i++) {
		const struct node *node =
			match(&place, words.word[i], words.quoted[i], text, error, error_size);

		if (!node)
			return false;
		enter(&place, node);
	}
	const char *begun = words.open ? words.word[whole] : "";

	*typed = strlen(begun);
	offer(&place, begun, fn, ctx);
	return true;
}
