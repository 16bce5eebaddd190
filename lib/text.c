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
