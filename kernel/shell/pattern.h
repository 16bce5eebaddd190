/*
 * A small regular expression matcher for `| include RE`.
 *
 * Knows c . [abc] [^a-z] * + ? ^ $ and \c; no groups, no alternatives. All
 * states are followed at once, so matching takes time in proportion to the
 * text, whatever the pattern.
 */
#ifndef KERNEL_SHELL_PATTERN_H
#define KERNEL_SHELL_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#define PATTERN_ITEMS 63u

struct pattern {
	unsigned items;
	bool from_start, to_end;        /* ^ and $ */
	uint64_t repeats;               /* bit i: item i may occur again */
	uint64_t skips;                 /* bit i: item i may be absent */
	uint64_t set[PATTERN_ITEMS][2]; /* bit c: the item accepts the ASCII character c */
};

/* false: too long, or not a pattern. */
bool pattern_compile(struct pattern *p, const char *re);

/* Whether the pattern occurs in the text. */
bool pattern_match(const struct pattern *p, const char *text);

#endif
