/* A checker of JSON syntax (RFC 8259), for what `| json` prints. */
#ifndef TEST_UNIT_JSON_H
#define TEST_UNIT_JSON_H

#include <stdbool.h>
#include <string.h>

#define JSON_DEPTH 16

static const char *json_value(const char *p, int depth);

static const char *json_blanks(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

static const char *json_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p != '\\')
			continue;
		if (*++p == 'u') {
			if (strspn(p + 1, "0123456789abcdefABCDEF") < 4)
				return NULL;
			p += 4;
		} else if (!*p || !strchr("\"\\/bfnrt", *p)) {
			return NULL;
		}
	}
	return p + 1;
}

static const char *json_digits(const char *p)
{
	size_t n = strspn(p, "0123456789");

	return n ? p + n : NULL;
}

static const char *json_number(const char *p)
{
	p += *p == '-';
	if (p[0] == '0' && p[1] >= '0' && p[1] <= '9')
		return NULL;
	p = json_digits(p);
	if (p && *p == '.')
		p = json_digits(p + 1);
	if (p && (*p == 'e' || *p == 'E')) {
		p++;
		p = json_digits(p + (*p == '+' || *p == '-'));
	}
	return p;
}

/* The members of an object or array, behind its opening bracket. */
static const char *json_members(const char *p, char end, int depth)
{
	p = json_blanks(p);
	if (*p == end)
		return p + 1;
	for (;;) {
		if (end == '}') {
			p = json_string(json_blanks(p));
			if (!p)
				return NULL;
			p = json_blanks(p);
			if (*p++ != ':')
				return NULL;
		}
		p = json_value(p, depth);
		if (!p)
			return NULL;
		if (*p == end)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

/* A value and the blanks around it; NULL: malformed. */
static const char *json_value(const char *p, int depth)
{
	if (depth == JSON_DEPTH)
		return NULL;
	p = json_blanks(p);
	if (*p == '{' || *p == '[')
		p = json_members(p + 1, *p == '{' ? '}' : ']', depth + 1);
	else if (*p == '"')
		p = json_string(p);
	else if (!strncmp(p, "true", 4) || !strncmp(p, "null", 4))
		p += 4;
	else if (!strncmp(p, "false", 5))
		p += 5;
	else
		p = json_number(p);
	return p ? json_blanks(p) : NULL;
}

static bool json_valid(const char *text)
{
	const char *end = json_value(text, 0);

	return end && !*end;
}

#endif
