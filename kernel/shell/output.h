/*
 * Structured output: each `show` is written once and comes out as text or JSON.
 *
 * The outermost value is an object. As text, its fields print as "key: value";
 * a list of objects prints each object as a heading (its first field) with
 * indented fields; an object inside prints its fields as "key subkey"; a table
 * prints one row per object in columns; strings of a list print as lines. As
 * JSON it is one line. '_' in a key prints as a blank.
 */
#ifndef KERNEL_SHELL_OUTPUT_H
#define KERNEL_SHELL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/shell/pattern.h"

#define OUTPUT_LINE_MAX 640u /* longer lines of text are cut */
#define OUTPUT_DEPTH    6u

enum output_form { OUTPUT_TEXT, OUTPUT_INCLUDE, OUTPUT_COUNT, OUTPUT_JSON };

/* Of a table; width of the text form, negative: to the left. */
struct column {
	const char *key;
	int width;
};

enum output_kind { OUTPUT_OBJECT, OUTPUT_LIST, OUTPUT_ROWS, OUTPUT_ROW };

struct output_level {
	enum output_kind kind;
	const char *key;
	unsigned members;
};

struct output {
	void (*write)(const char *s, size_t n);
	enum output_form form;
	struct pattern include;
	const struct column *column;
	unsigned columns;
	unsigned depth;
	struct output_level level[OUTPUT_DEPTH];
	uint64_t lines; /* for `| count` */
	size_t used;    /* bytes of the text line begun */
	char line[OUTPUT_LINE_MAX + 2];
};

/* Begins the outermost object. include: for OUTPUT_INCLUDE, else NULL. */
void output_begin(struct output *o, enum output_form form, const struct pattern *include,
	void (*write)(const char *s, size_t n));

/* Ends the outermost object; nothing may stay open. */
void output_end(struct output *o);

/* Containers, each closed by output_close. key: NULL inside a list. */
void output_object(struct output *o, const char *key);
void output_list(struct output *o, const char *key);
/* A table; then for each row output_row and one value per column, in order. */
void output_table(struct output *o, const char *key, const struct column *column, unsigned columns);
void output_row(struct output *o);
void output_close(struct output *o);

/* Values. key: NULL in a row or a list. */
void output_text(struct output *o, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void output_number(struct output *o, const char *key, uint64_t value);
/* A counter of many: as text it is left out while 0. */
void output_counter(struct output *o, const char *key, uint64_t value);
/* A number with three decimals, given in thousandths. */
void output_thousandths(struct output *o, const char *key, uint64_t value);
/* "yes" and "no", true and false. */
void output_bool(struct output *o, const char *key, bool value);
/* No value: "-" and null. */
void output_none(struct output *o, const char *key);

#endif
