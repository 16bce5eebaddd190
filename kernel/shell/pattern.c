/* A regular expression matcher that follows all its states at once (Thompson, CACM 1968). */
#include "kernel/shell/pattern.h"

#include <string.h>

static void set_add(uint64_t set[2], unsigned c)
{
	set[(c >> 6) & 1] |= 1ull << (c & 63);
}

static bool set_has(const uint64_t set[2], unsigned char c)
{
	return c < 128 && (set[c >> 6] >> (c & 63) & 1);
}

/* The set of [...]; re stands behind the bracket. Returns what follows, or NULL. */
static const char *parse_set(const char *re, uint64_t set[2])
{
	bool inverted = *re == '^';
	const char *first = re += inverted;

	for (; *re && (*re != ']' || re == first); re++) {
		unsigned char from = (unsigned char)re[0], to = from;

		if (re[1] == '-' && re[2] && re[2] != ']') {
			to = (unsigned char)re[2];
			re += 2;
		}
		if (from >= 128 || to >= 128 || from > to)
			return NULL;
		for (unsigned c = from; c <= to; c++)
			set_add(set, c);
	}
	if (!*re)
		return NULL;
	if (inverted) {
		set[0] = ~set[0];
		set[1] = ~set[1];
	}
	return re + 1;
}

/* One item; returns what follows, or NULL. */
static const char *parse_item(const char *re, uint64_t set[2])
{
	switch (*re) {
	case '*':
	case '+':
	case '?':
		return NULL; /* nothing to repeat */
	case '[':
		return parse_set(re + 1, set);
	case '.':
		set[0] = set[1] = ~0ull;
		return re + 1;
	case '\\':
		re++;
		break;
	}
	if (!*re || (unsigned char)*re >= 128)
		return NULL;
	set_add(set, (unsigned char)*re);
	return re + 1;
}

bool pattern_compile(struct pattern *p, const char *re)
{
	memset(p, 0, sizeof *p);
	if (*re == '^') {
		p->from_start = true;
		re++;
	}
	while (*re) {
		uint64_t bit = 1ull << p->items;

		if (re[0] == '$' && !re[1]) {
			p->to_end = true;
			break;
		}
		if (p->items == PATTERN_ITEMS)
			return false;
		re = parse_item(re, p->set[p->items]);
		if (!re)
			return false;
		if (*re == '*' || *re == '+')
			p->repeats |= bit;
		if (*re == '*' || *re == '?')
			p->skips |= bit;
		if (*re == '*' || *re == '+' || *re == '?')
			re++;
		p->items++;
	}
	return true;
}

/* Bit i of a state set: item i comes next. Adds the states reached by leaving out items. */
static uint64_t close_over(const struct pattern *p, uint64_t states)
{
	for (unsigned i = 0; i < p->items; i++)
		if (states & p->skips & 1ull << i)
			states |= 1ull << (i + 1);
	return states;
}

static uint64_t advance(const struct pattern *p, uint64_t states, char c)
{
	uint64_t next = 0;

	for (unsigned i = 0; i < p->items; i++) {
		uint64_t bit = 1ull << i;

		if (!(states & bit) || !set_has(p->set[i], (unsigned char)c))
			continue;
		next |= bit << 1;
		if (p->repeats & bit)
			next |= bit;
	}
	return next;
}

bool pattern_match(const struct pattern *p, const char *text)
{
	const uint64_t accepted = 1ull << p->items;
	uint64_t states = close_over(p, 1);

	for (; *text; text++) {
		if ((states & accepted) && !p->to_end)
			return true;
		states = advance(p, states, *text);
		if (!p->from_start)
			states |= 1;
		states = close_over(p, states);
	}
	return states & accepted;
}
