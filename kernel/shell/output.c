/* The emitter behind every `show`: text, JSON, and the filters on lines of text. */
#include "kernel/shell/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LABEL_WIDTH 24 /* of a field's key in an indented object */

static struct output_level *top(struct output *o)
{
	return &o->level[o->depth];
}

static bool is_json(const struct output *o)
{
	return o->form == OUTPUT_JSON;
}

/* ---------------------------------------------------------------- lines of text */

static void append(struct output *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct output *o, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(o->line + o->used, OUTPUT_LINE_MAX - o->used, format, args);

	va_end(args);
	if (n > 0)
		o->used += (size_t)n;
	if (o->used >= OUTPUT_LINE_MAX)
		o->used = OUTPUT_LINE_MAX - 1;
}

static void end_line(struct output *o)
{
	while (o->used && o->line[o->used - 1] == ' ')
		o->used--;
	o->line[o->used] = '\0';
	bool wanted = o->form != OUTPUT_INCLUDE || pattern_match(&o->include, o->line);

	if (wanted)
		o->lines++;
	if (wanted && o->form != OUTPUT_COUNT) {
		o->line[o->used++] = '\n';
		o->write(o->line, o->used);
	}
	o->used = 0;
}

/* A key as people read it. */
static void append_label(struct output *o, const char *key)
{
	size_t from = o->used;

	append(o, "%s", key);
	for (size_t i = from; i < o->used; i++)
		if (o->line[i] == '_')
			o->line[i] = ' ';
}

static void cell(struct output *o, const char *text)
{
	struct output_level *row = top(o);
	const struct column *c =
		&o->column[row->members < o->columns ? row->members : o->columns - 1];

	append(o, "%s%*s", row->members ? " " : "", c->width, text);
	row->members++;
	if (row->members == o->columns)
		end_line(o);
}

/* "  key                     value", or a heading for the first field of a list's object. */
static void field(struct output *o, const char *key, const char *text)
{
	unsigned depth = o->depth;
	bool in_list = depth >= 2 && o->level[1].kind == OUTPUT_LIST;

	if (in_list && depth == 2 && o->level[2].members++ == 0) {
		append(o, "%s", text);
	} else if (in_list) {
		append(o, "  ");
		for (unsigned i = 3; i <= depth; i++) {
			append_label(o, o->level[i].key);
			append(o, "%s", key ? " " : "");
		}
		append_label(o, key ? key : "");
		size_t width = o->used;

		append(o, "%*s%s", width < LABEL_WIDTH ? (int)(LABEL_WIDTH - width) : 1, "", text);
	} else {
		for (unsigned i = 1; i <= depth; i++) {
			append_label(o, o->level[i].key);
			append(o, " ");
		}
		append_label(o, key);
		append(o, ": %s", text);
	}
	end_line(o);
}

static void text_value(struct output *o, const char *key, const char *text)
{
	if (top(o)->kind == OUTPUT_ROW) {
		cell(o, text);
	} else if (top(o)->kind == OUTPUT_LIST && o->depth == 1) {
		append(o, "%s", text);
		end_line(o);
	} else {
		field(o, key, text);
	}
}

/* ---------------------------------------------------------------- JSON */

static void json_raw(struct output *o, const char *s)
{
	o->write(s, strlen(s));
}

/* RFC 8259 7. What is no ASCII is escaped as if it were Latin-1. */
static void json_string(struct output *o, const char *s)
{
	json_raw(o, "\"");
	while (*s) {
		size_t plain = 0;
		char escape[8];

		while (s[plain] >= 0x20 && s[plain] < 0x7f && s[plain] != '"' && s[plain] != '\\')
			plain++;
		if (plain)
			o->write(s, plain);
		s += plain;
		if (!*s)
			break;
		if (*s == '"' || *s == '\\')
			snprintf(escape, sizeof escape, "\\%c", *s++);
		else
			snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)*s++);
		json_raw(o, escape);
	}
	json_raw(o, "\"");
}

/* Everything before a value: the comma and the key. */
static void json_member(struct output *o, const char *key)
{
	struct output_level *level = top(o);

	if (level->kind == OUTPUT_ROW)
		key = o->column[level->members < o->columns ? level->members : o->columns - 1].key;
	/* The outermost brace waits for its first member, so that an error can still come instead.
	 */
	json_raw(o, level->members++ ? "," : o->depth ? "" : "{");
	if (level->kind == OUTPUT_OBJECT || level->kind == OUTPUT_ROW) {
		json_string(o, key);
		json_raw(o, ":");
	}
}

/* ---------------------------------------------------------------- containers */

void output_begin(struct output *o, enum output_form form, const struct pattern *include,
	void (*write)(const char *s, size_t n))
{
	o->write = write;
	o->form = form;
	if (include)
		o->include = *include;
	o->depth = 0;
	o->level[0] = (struct output_level){.kind = OUTPUT_OBJECT};
	o->lines = 0;
	o->used = 0;
}

void output_end(struct output *o)
{
	char text[24];

	if (is_json(o))
		json_raw(o, top(o)->members ? "}\n" : "{}\n");
	if (o->form != OUTPUT_COUNT)
		return;
	snprintf(text, sizeof text, "%llu\n", (unsigned long long)o->lines);
	json_raw(o, text);
}

static void open_level(struct output *o, enum output_kind kind, const char *key)
{
	if (is_json(o)) {
		json_member(o, key);
		json_raw(o, kind == OUTPUT_OBJECT || kind == OUTPUT_ROW ? "{" : "[");
	}
	o->depth++;
	*top(o) = (struct output_level){.kind = kind, .key = key};
}

void output_object(struct output *o, const char *key)
{
	open_level(o, OUTPUT_OBJECT, key);
}

void output_list(struct output *o, const char *key)
{
	open_level(o, OUTPUT_LIST, key);
}

void output_table(struct output *o, const char *key, const struct column *column, unsigned columns)
{
	open_level(o, OUTPUT_ROWS, key);
	o->column = column;
	o->columns = columns;
	if (is_json(o))
		return;
	for (unsigned i = 0; i < columns; i++) {
		char title[32];

		snprintf(title, sizeof title, "%s", column[i].key);
		for (char *p = title; *p; p++)
			if (*p == '_')
				*p = ' ';
		append(o, "%s%*s", i ? " " : "", column[i].width, title);
	}
	end_line(o);
}

void output_row(struct output *o)
{
	open_level(o, OUTPUT_ROW, NULL);
}

void output_close(struct output *o)
{
	enum output_kind kind = top(o)->kind;

	if (is_json(o))
		json_raw(o, kind == OUTPUT_OBJECT || kind == OUTPUT_ROW ? "}" : "]");
	o->depth--;
}

/* ---------------------------------------------------------------- values */

static void value(struct output *o, const char *key, const char *text, const char *json)
{
	if (!is_json(o)) {
		text_value(o, key, text);
		return;
	}
	json_member(o, key);
	if (json)
		json_raw(o, json);
	else
		json_string(o, text);
}

void output_text(struct output *o, const char *key, const char *format, ...)
{
	char text[OUTPUT_LINE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	value(o, key, text, NULL);
}

void output_number(struct output *o, const char *key, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	value(o, key, text, text);
}

void output_counter(struct output *o, const char *key, uint64_t number)
{
	if (number || is_json(o))
		output_number(o, key, number);
}

void output_thousandths(struct output *o, const char *key, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof text, "%llu.%03llu", (unsigned long long)(number / 1000),
		(unsigned long long)(number % 1000));
	value(o, key, text, text);
}

void output_bool(struct output *o, const char *key, bool yes)
{
	value(o, key, yes ? "yes" : "no", yes ? "true" : "false");
}

void output_none(struct output *o, const char *key)
{
	value(o, key, "-", "null");
}
