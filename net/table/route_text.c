/* Routes as text, read from memory a line at a time. */
#include "net/table/route_text.h"

#include <string.h>

#include "lib/text6.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(const char **at, const char *end)
{
	while (*at < end && is_blank(**at))
		(*at)++;
}

/* Up to three digits, no more than max, no leading zero. */
static bool take_number(const char **at, const char *end, unsigned max, unsigned *number)
{
	const char *p = *at;
	unsigned v = 0;

	for (; p < end && p < *at + 3 && *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (unsigned)(*p - '0');
	if (p == *at || v > max || (**at == '0' && p > *at + 1) ||
		(p < end && *p >= '0' && *p <= '9'))
		return false;
	*number = v;
	*at = p;
	return true;
}

/* An address of either family; an IPv4 one is the top 32 bits. */
static bool take_address(const char **at, const char *end, struct ip6 *a, uint8_t *family)
{
	const char *p = *at;
	uint32_t v4 = 0;
	unsigned part;

	for (unsigned i = 0; i < 4; i++) {
		if ((i && (p == end || *p++ != '.')) || !take_number(&p, end, 255, &part)) {
			*family = 6;
			return text_take_ipv6(at, end, &a->hi, &a->lo);
		}
		v4 = v4 << 8 | part;
	}
	*family = 4;
	*a = (struct ip6){(uint64_t)v4 << 32, 0};
	*at = p;
	return true;
}

const char *route_text_prefix(const char **at, const char *end, struct route_line *r)
{
	unsigned length;

	if (!take_address(at, end, &r->prefix, &r->family))
		return "no prefix";
	if (*at == end || *(*at)++ != '/' ||
		!take_number(at, end, r->family == 4 ? 32 : 128, &length))
		return "no prefix length";
	r->length = (uint8_t)length;
	if (!ip6_equal(r->prefix, ip6_first(r->prefix, length)))
		return "the prefix has host bits set";
	return *at == end || is_blank(**at) ? NULL : "no blank after the prefix";
}

/* A word of the line; its length. */
static size_t take_word(const char **at, const char *end, const char **word)
{
	skip_blanks(at, end);
	*word = *at;
	while (*at < end && !is_blank(**at))
		(*at)++;
	return (size_t)(*at - *word);
}

static bool is_word(const char *word, size_t n, const char *keyword)
{
	return n == strlen(keyword) && memcmp(word, keyword, n) == 0;
}

static const char *take_gateway(const char **at, const char *end, struct route_line *r)
{
	const char *word;
	size_t n = take_word(at, end, &word);
	uint8_t family;

	if (!is_word(word, n, "via"))
		return "no 'via' after the prefix";
	skip_blanks(at, end);
	if (!take_address(at, end, &r->gateway, &family) || (*at < end && !is_blank(**at)))
		return "no gateway after 'via'";
	return family == r->family ? NULL : "the gateway is of the other family";
}

/* `dev INTERFACE` and `weight N`, in either order. */
static const char *take_options(const char **at, const char *end, struct route_line *r)
{
	bool weighted = false;
	const char *word;
	size_t n;

	while ((n = take_word(at, end, &word)) > 0) {
		if (is_word(word, n, "dev") && !r->dev[0]) {
			n = take_word(at, end, &word);
			if (n == 0 || n >= sizeof r->dev)
				return "no interface name after 'dev'";
			memcpy(r->dev, word, n);
		} else if (is_word(word, n, "weight") && !weighted) {
			unsigned weight;

			skip_blanks(at, end);
			if (!take_number(at, end, 255, &weight) || weight == 0 ||
				(*at < end && !is_blank(**at)))
				return "no weight from 1 to 255 after 'weight'";
			r->weight = (uint8_t)weight;
			weighted = true;
		} else {
			return "not 'dev' or 'weight'";
		}
	}
	return NULL;
}

/* The next line without its comment and blanks around; false at the end of the text. */
static bool take_line(struct route_text *t, const char **line, const char **end)
{
	if (t->at == t->end)
		return false;
	const char *stop = memchr(t->at, '\n', (size_t)(t->end - t->at));

	*line = t->at;
	*end = stop ? stop : t->end;
	t->at = stop ? stop + 1 : t->end;
	t->line++;
	const char *comment = memchr(*line, '#', (size_t)(*end - *line));

	if (comment)
		*end = comment;
	while (*end > *line && is_blank((*end)[-1]))
		(*end)--;
	skip_blanks(line, *end);
	return true;
}

bool route_text_next(struct route_text *t, struct route_line *r)
{
	const char *at, *end;

	t->error = NULL;
	while (take_line(t, &at, &end)) {
		if (at == end)
			continue;
		*r = (struct route_line){.weight = 1};
		t->error = route_text_prefix(&at, end, r);
		if (!t->error)
			t->error = take_gateway(&at, end, r);
		if (!t->error)
			t->error = take_options(&at, end, r);
		return !t->error;
	}
	return false;
}
