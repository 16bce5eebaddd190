/* IPv6 addresses to text (RFC 5952) and back (RFC 4291 2.2). */
#include "lib/text6.h"

#include <string.h>

#define GROUPS 8u /* of 16 bits */

/* Value of a hex digit, or 16. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* Up to four hex digits; how many. */
static unsigned take_group(const char *p, const char *end, uint16_t *group)
{
	unsigned n = 0, v = 0;

	for (; n < 4 && p + n < end && hex_value(p[n]) < 16; n++)
		v = v << 4 | hex_value(p[n]);
	*group = (uint16_t)v;
	return n;
}

/* The last 32 bits as a dotted quad, no leading zeros. NULL: it is not one; else behind it. */
static const char *take_quad(const char *p, const char *end, uint16_t group[2])
{
	uint32_t a = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned v = 0, digits = 0;

		if (i && (p == end || *p++ != '.'))
			return NULL;
		for (; p < end && *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
			v = v * 10 + (unsigned)(*p - '0');
		if (!digits || v > 255 || (digits > 1 && p[-(int)digits] == '0'))
			return NULL;
		a = a << 8 | v;
	}
	group[0] = (uint16_t)(a >> 16);
	group[1] = (uint16_t)a;
	return p;
}

/* The groups before the end of the address; *gap is where `::` stands, GROUPS if nowhere. */
static const char *take_groups(
	const char *p, const char *end, uint16_t *group, unsigned *count, unsigned *gap)
{
	unsigned n = 0;

	*gap = GROUPS;
	if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
		*gap = 0;
		p += 2;
	}
	while (n < GROUPS) {
		unsigned digits = take_group(p, end, &group[n]);

		if (!digits) {
			if (*gap != n) /* nothing may follow `::`, but not a single colon */
				return NULL;
			break;
		}
		if (p + digits < end && p[digits] == '.' && n + 2 <= GROUPS) {
			p = take_quad(p, end, &group[n]);
			n += 2;
			break;
		}
		p += digits;
		n++;
		if (p == end || *p != ':' || n == GROUPS)
			break;
		if (end - p >= 2 && p[1] == ':') {
			if (*gap != GROUPS)
				break;
			*gap = n;
			p++;
		}
		p++;
	}
	*count = n;
	return p;
}

bool text_take_ipv6(const char **at, const char *end, uint64_t *hi, uint64_t *lo)
{
	uint16_t group[GROUPS + 1] = {0}, all[GROUPS] = {0};
	unsigned n, gap;
	const char *p = take_groups(*at, end, group, &n, &gap);

	if (!p || (gap == GROUPS ? n != GROUPS : n >= GROUPS))
		return false;
	if (gap > n)
		gap = n;
	memcpy(all, group, gap * sizeof *group);
	memcpy(all + GROUPS - (n - gap), group + gap, (n - gap) * sizeof *group);
	*hi = *lo = 0;
	for (unsigned i = 0; i < 4; i++) {
		*hi = *hi << 16 | all[i];
		*lo = *lo << 16 | all[4 + i];
	}
	*at = p;
	return true;
}

bool text_parse_ipv6(const char *s, uint64_t *hi, uint64_t *lo)
{
	const char *end = s + strlen(s);
	uint64_t a, b;

	if (!text_take_ipv6(&s, end, &a, &b) || s != end)
		return false;
	*hi = a;
	*lo = b;
	return true;
}

bool text_parse_ipv6_prefix(const char *s, uint64_t *hi, uint64_t *lo, unsigned *length)
{
	const char *end = s + strlen(s);
	unsigned n = 0;
	uint64_t a, b;

	if (!text_take_ipv6(&s, end, &a, &b) || *s++ != '/' || *s < '0' || *s > '9' ||
		(*s == '0' && s[1]))
		return false;
	for (; *s >= '0' && *s <= '9' && n <= 128; s++)
		n = n * 10 + (unsigned)(*s - '0');
	if (*s || n > 128)
		return false;
	*hi = a;
	*lo = b;
	*length = n;
	return true;
}

/* ---- printing ---- */

static char *put_hex(char *out, unsigned v)
{
	static const char digit[] = "0123456789abcdef";
	bool begun = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned d = v >> shift & 15;

		if (d || begun || shift == 0)
			*out++ = digit[d];
		begun |= d != 0;
	}
	return out;
}

/* RFC 5952 4.2: the longest run of two or more zero groups, the first of equals; its length. */
static unsigned find_gap(const uint16_t *group, unsigned *at)
{
	unsigned longest = 1;

	for (unsigned i = 0; i < GROUPS; i++) {
		unsigned n = 0;

		while (i + n < GROUPS && group[i + n] == 0)
			n++;
		if (n > longest) {
			longest = n;
			*at = i;
		}
		i += n;
	}
	return longest > 1 ? longest : 0;
}

size_t text_print_ipv6(char *out, uint64_t hi, uint64_t lo)
{
	uint16_t group[GROUPS];
	unsigned at = GROUPS, gap;
	char *p = out;

	for (unsigned i = 0; i < 4; i++) {
		group[i] = (uint16_t)(hi >> (48 - 16 * i));
		group[4 + i] = (uint16_t)(lo >> (48 - 16 * i));
	}
	gap = find_gap(group, &at);
	for (unsigned i = 0; i < GROUPS; i++) {
		if (gap && i == at) {
			*p++ = ':';
			i += gap - 1;
			if (i == GROUPS - 1)
				*p++ = ':';
			continue;
		}
		if (i)
			*p++ = ':';
		p = put_hex(p, group[i]);
	}
	*p = '\0';
	return (size_t)(p - out);
}

size_t text_print_ipv6_prefix(char *out, uint64_t hi, uint64_t lo, unsigned length)
{
	char *p = out + text_print_ipv6(out, hi, lo);

	*p++ = '/';
	if (length >= 100)
		*p++ = (char)('0' + length / 100);
	if (length >= 10)
		*p++ = (char)('0' + length / 10 % 10);
	*p++ = (char)('0' + length % 10);
	*p = '\0';
	return (size_t)(p - out);
}
