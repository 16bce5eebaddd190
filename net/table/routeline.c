/* Reading the lines of a routes file. */
#include "net/table/routeline.h"

#include <string.h>

#include "lib/text.h"

#define WORD_MAX 64u /* bytes of a word, its zero included; no right one is as long */

/* What is left of a line. */
struct rest {
	const char *p, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word, terminated; "" at the end of the line. A longer one is cut, and so none. */
static void take_word(struct rest *r, char word[WORD_MAX])
{
	size_t n = 0;

	while (r->p < r->end && is_blank(*r->p))
		r->p++;
	if (r->p < r->end && *r->p == '#')
		r->p = r->end;
	for (; r->p < r->end && !is_blank(*r->p); r->p++)
		if (n < WORD_MAX - 1)
			word[n++] = *r->p;
	word[n] = '\0';
}

static struct ip6 from_ipv4(uint32_t address)
{
	return (struct ip6){(uint64_t)address << 32, 0};
}

static const char *parse_prefix(struct routeline *l, const char *word)
{
	unsigned length;
	uint32_t ipv4;

	if (text_parse_ipv4_prefix(word, &ipv4, &length))
		l->prefix = from_ipv4(ipv4);
	else if (text_parse_ipv6_prefix(word, &l->prefix.hi, &l->prefix.lo, &length))
		l->ipv6 = true;
	else
		return "not a prefix";
	l->length = (uint8_t)length;
	return ip6_equal(l->prefix, ip6_first(l->prefix, length)) ? NULL : "host bits set";
}

static const char *parse_gateway(struct routeline *l, const char *word)
{
	uint32_t ipv4;

	if (l->ipv6)
		return text_parse_ipv6(word, &l->gateway.hi, &l->gateway.lo)
			       ? NULL
			       : "next hop is not an IPv6 address";
	if (!text_parse_ipv4(word, &ipv4))
		return "next hop is not an IPv4 address";
	l->gateway = from_ipv4(ipv4);
	return NULL;
}

/* What follows the next hop. */
static const char *parse_options(struct routeline *l, struct rest *r, char word[WORD_MAX])
{
	uint64_t weight;

	take_word(r, word);
	if (!strcmp(word, "dev")) {
		take_word(r, word);
		size_t n = strlen(word);

		if (n == 0 || n >= IFACE_NAME_MAX)
			return "not an interface name";
		memcpy(l->dev, word, n + 1);
		take_word(r, word);
	}
	if (!strcmp(word, "weight")) {
		take_word(r, word);
		if (!text_parse_number(word, 1, 255, &weight))
			return "weight is not a number from 1 to 255";
		l->weight = (uint8_t)weight;
		take_word(r, word);
	}
	return *word ? "unknown word behind the next hop" : NULL;
}

static const char *parse_action(struct routeline *l, struct rest *r, const char *action)
{
	static const struct {
		const char *word;
		enum nexthop_action action;
	} actions[] = {
		{"blackhole", NEXTHOP_BLACKHOLE},
		{"unreachable", NEXTHOP_UNREACHABLE},
		{"prohibit", NEXTHOP_PROHIBIT},
	};
	char rest[WORD_MAX];

	for (unsigned i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(action, actions[i].word) != 0)
			continue;
		l->action = (uint16_t)actions[i].action;
		take_word(r, rest);
		return *rest ? "more words than a route has" : NULL;
	}
	return "neither via, blackhole, unreachable nor prohibit";
}

const char *routeline_parse(struct routeline *out, const char *line, size_t n)
{
	struct rest r = {line, line + n};
	char word[WORD_MAX];
	const char *wrong;

	*out = (struct routeline){.weight = 1};
	take_word(&r, word);
	out->blank = *word == '\0';
	if (out->blank)
		return NULL;
	wrong = parse_prefix(out, word);
	if (wrong)
		return wrong;
	take_word(&r, word);
	if (strcmp(word, "via") != 0)
		return parse_action(out, &r, word);
	out->action = NEXTHOP_RESOLVE;
	take_word(&r, word);
	wrong = parse_gateway(out, word);
	return wrong ? wrong : parse_options(out, &r, word);
}
