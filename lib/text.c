/* Addresses and numbers to text and back. */
#include "lib/text.h"

/*
 * Decimal digits up to `max`, advancing *s past them. No leading zeros: "010"
 * is eight to some readers and ten to others.
 */
static bool take_decimal(const char **s, uint64_t max, uint64_t *value)
{
	const char *p = *s;
	uint64_t v = 0;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*s = p;
	*value = v;
	return true;
}

/* Four parts with dots, advancing *s past them. */
static bool take_ipv4(const char **s, uint32_t *address)
{
	uint32_t a = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint64_t part;

		if (i > 0 && *(*s)++ != '.')
			return false;
		if (!take_decimal(s, 255, &part))
			return false;
		a = a << 8 | (uint32_t)part;
	}
	*address = a;
	return true;
}

/* Value of a hex digit, or 16. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

bool text_parse_ipv4(const char *s, uint32_t *address)
{
	uint32_t a;

	if (!take_ipv4(&s, &a) || *s)
		return false;
	*address = a;
	return true;
}

bool text_parse_ipv4_prefix(const char *s, uint32_t *address, unsigned *length)
{
	uint32_t a;
	uint64_t n;

	if (!take_ipv4(&s, &a) || *s++ != '/' || !take_decimal(&s, 32, &n) || *s)
		return false;
	*address = a;
	*length = (unsigned)n;
	return true;
}

/* One to four hex digits, advancing *s past them. */
static bool take_group(const char **s, uint16_t *value)
{
	unsigned digits = 0, v = 0;

	for (; hex_value(**s) < 16; (*s)++) {
		if (++digits > 4)
			return false;
		v = v << 4 | hex_value(**s);
	}
	*value = (uint16_t)v;
	return digits > 0;
}

#define NO_GAP 9u

/*
 * The groups of an address (RFC 4291 2.2), advancing *s past them; the last two
 * may be written as IPv4 does. *gap: how many stand before "::", or NO_GAP.
 */
static bool take_groups(const char **s, uint16_t group[8], unsigned *groups, unsigned *gap)
{
	const char *p = *s;
	unsigned n = 0;

	*gap = NO_GAP;
	if (p[0] == ':' && p[1] == ':') {
		*gap = 0;
		p += 2;
	}
	while (n < 8 && !(n == *gap && hex_value(*p) > 15)) {
		const char *tail = p;
		uint32_t ipv4;

		if (n <= 6 && take_ipv4(&tail, &ipv4)) {
			group[n++] = (uint16_t)(ipv4 >> 16);
			group[n++] = (uint16_t)ipv4;
			p = tail;
			break;
		}
		if (!take_group(&p, &group[n++]))
			return false;
		if (*p != ':' || n == 8)
			break;
		if (*++p == ':') {
			if (*gap != NO_GAP)
				return false;
			*gap = n;
			p++;
		}
	}
	*s = p;
	*groups = n;
	return true;
}

static bool take_ipv6(const char **s, uint64_t *hi, uint64_t *lo)
{
	uint64_t word[2] = {0, 0};
	uint16_t group[8];
	unsigned n, gap;

	if (!take_groups(s, group, &n, &gap) || (gap == NO_GAP) != (n == 8))
		return false; /* "::" stands for one group at least */
	for (unsigned i = 0; i < n; i++) {
		unsigned at = i < gap ? i : i + 8 - n;

		word[at / 4] |= (uint64_t)group[i] << (48 - at % 4 * 16);
	}
	*hi = word[0];
	*lo = word[1];
	return true;
}

bool text_parse_ipv6(const char *s, uint64_t *hi, uint64_t *lo)
{
	uint64_t h, l;

	if (!take_ipv6(&s, &h, &l) || *s)
		return false;
	*hi = h;
	*lo = l;
	return true;
}

bool text_parse_ipv6_prefix(const char *s, uint64_t *hi, uint64_t *lo, unsigned *length)
{
	uint64_t h, l, n;

	if (!take_ipv6(&s, &h, &l) || *s++ != '/' || !take_decimal(&s, 128, &n) || *s)
		return false;
	*hi = h;
	*lo = l;
	*length = (unsigned)n;
	return true;
}

bool text_parse_mac(const char *s, uint8_t mac[6])
{
	uint8_t m[6];

	for (unsigned i = 0; i < 6; i++) {
		if (i > 0 && *s++ != ':')
			return false;
		unsigned high = hex_value(s[0]);
		unsigned low = high < 16 ? hex_value(s[1]) : 16;

		if (low > 15)
			return false;
		m[i] = (uint8_t)(high << 4 | low);
		s += 2;
	}
	if (*s)
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = m[i];
	return true;
}

bool text_parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v;

	if (!take_decimal(&s, max, &v) || *s || v < min)
		return false;
	*value = v;
	return true;
}

/* 0-255 in decimal; returns the end. */
static char *put_decimal(char *out, unsigned v)
{
	if (v >= 100)
		*out++ = (char)('0' + v / 100);
	if (v >= 10)
		*out++ = (char)('0' + v / 10 % 10);
	*out++ = (char)('0' + v % 10);
	return out;
}

static char *put_ipv4(char *out, uint32_t address)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		out = put_decimal(out, address >> shift & 255);
		*out++ = '.';
	}
	return out - 1;
}

size_t text_print_ipv4(char *out, uint32_t address)
{
	char *end = put_ipv4(out, address);

	*end = 0;
	return (size_t)(end - out);
}

size_t text_print_ipv4_prefix(char *out, uint32_t address, unsigned length)
{
	char *end = put_ipv4(out, address);

	*end++ = '/';
	end = put_decimal(end, length);
	*end = 0;
	return (size_t)(end - out);
}

static char *put_group(char *out, unsigned v)
{
	static const char digit[] = "0123456789abcdef";

	for (int shift = 12; shift >= 0; shift -= 4)
		if (shift == 0 || v >> shift)
			*out++ = digit[v >> shift & 15];
	return out;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2); else 0 long. */
static unsigned zero_run(const uint16_t group[8], unsigned *first)
{
	unsigned longest = 1, run = 0;

	*first = 8;
	for (unsigned i = 0; i < 8; i++) {
		run = group[i] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*first = i + 1 - run;
		}
	}
	return longest > 1 ? longest : 0;
}

static char *put_ipv6(char *out, uint64_t hi, uint64_t lo)
{
	uint16_t group[8];
	unsigned gap, run;

	if (hi == 0 && lo >> 32 == 0xffff) { /* IPv4-mapped: RFC 5952 5 */
		for (const char *p = "::ffff:"; *p; p++)
			*out++ = *p;
		return put_ipv4(out, (uint32_t)lo);
	}
	for (unsigned i = 0; i < 8; i++)
		group[i] = (uint16_t)((i < 4 ? hi : lo) >> (48 - i % 4 * 16));
	run = zero_run(group, &gap);
	for (unsigned i = 0; i < 8; i++) {
		if (i == gap) {
			*out++ = ':';
			*out++ = ':';
			i += run - 1;
			continue;
		}
		if (i > 0 && i != gap + run)
			*out++ = ':';
		out = put_group(out, group[i]);
	}
	return out;
}

size_t text_print_ipv6(char *out, uint64_t hi, uint64_t lo)
{
	char *end = put_ipv6(out, hi, lo);

	*end = 0;
	return (size_t)(end - out);
}

size_t text_print_ipv6_prefix(char *out, uint64_t hi, uint64_t lo, unsigned length)
{
	char *end = put_ipv6(out, hi, lo);

	*end++ = '/';
	end = put_decimal(end, length);
	*end = 0;
	return (size_t)(end - out);
}

size_t text_print_mac(char *out, const uint8_t mac[6])
{
	static const char digit[] = "0123456789abcdef";
	char *p = out;

	for (unsigned i = 0; i < 6; i++) {
		*p++ = digit[mac[i] >> 4];
		*p++ = digit[mac[i] & 15];
		*p++ = ':';
	}
	*--p = 0;
	return (size_t)(p - out);
}
