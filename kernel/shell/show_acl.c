/* show acl: the rules of access lists, and what met them. */
#include <string.h>

#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/history.h"

/* The configuration's lines of access lists: their rules are in the same order. */
static const struct line *line_of(const struct lines *set, unsigned first, unsigned rule)
{
	return first + rule < set->count ? set->line[first + rule] : NULL;
}

static unsigned first_line(const struct lines *set)
{
	unsigned i = 0;

	while (i < set->count && strcmp(set->line[i]->text[0], "acl") != 0)
		i++;
	return i;
}

/* What the rule of a line asks for. */
static void show_match(struct output *o, const struct line *line)
{
	char text[LINE_TEXT_MAX] = "";
	size_t n = 0;

	for (unsigned i = 5; line && i < line->words && n + 1 < sizeof text; i++) {
		if (n)
			text[n++] = ' ';
		n += words_print(text + n, sizeof text - n, line->text[i]);
	}
	output_text(o, NULL, "%s", n ? text : "any");
}

/* Rule i of list l. */
static void show_rule(struct output *o, const struct router *r, const struct filter_set *s,
	unsigned l, uint32_t i, const struct line *line)
{
	struct filter_hits hits;
	bool last = s->number[i] == FILTER_NO_RULE;

	filters_counted(r, i, &hits);
	output_row(o);
	output_text(o, NULL, "%s", s->name[l]);
	if (last)
		output_none(o, NULL);
	else
		output_number(o, NULL, s->number[i]);
	output_text(o, NULL, s->rule[i].flags & FILTER_PERMIT ? "permit" : "deny");
	output_number(o, NULL, hits.packets);
	output_number(o, NULL, hits.bytes);
	if (last)
		output_text(o, NULL, "no rule matches");
	else
		show_match(o, line);
	output_close(o);
}

/* The list that has rule i. */
static unsigned list_of(const struct filter_set *s, uint32_t i)
{
	unsigned l = 0;

	while (i > s->list[l].first + s->list[l].rules)
		l++;
	return l;
}

/* The rules that are asked for: *first to before *end. */
static bool chosen(struct call *call, const struct filter_set *s, uint32_t *first, uint32_t *end)
{
	const char *name = call_word(call, 2);

	*first = 0;
	*end = s->rules + s->lists;
	if (!name)
		return true;
	for (unsigned l = 0; l < s->lists; l++) {
		if (strcmp(s->name[l], name) != 0)
			continue;
		*first = s->list[l].first;
		*end = *first + s->list[l].rules + 1;
		return true;
	}
	return !call_error(call, "no acl '%s'", name);
}

/* A slice of the rules. */
bool show_acl(struct call *call)
{
	static const struct column columns[] = {{"acl", -16}, {"rule", 6}, {"action", -6},
		{"packets", 12}, {"bytes", 16}, {"match", -1}};
	const struct router *r = call->env->router;
	const struct filter_set *s = filters_now(&r->filters);
	const struct lines *set = &history_get(0)->set;
	unsigned line = first_line(set);
	uint32_t first, end;

	if (!chosen(call, s, &first, &end))
		return true;
	if (call->step == 0)
		output_table(call->out, "acl", columns, sizeof columns / sizeof *columns);
	uint32_t i = first + call->step * SHOW_SLICE;

	for (unsigned n = 0; n < SHOW_SLICE && i < end; n++, i++) {
		unsigned l = list_of(s, i);

		show_rule(call->out, r, s, l, i, line_of(set, line, i - l));
	}
	if (i < end)
		return false;
	output_close(call->out);
	return true;
}
