/* The types of arguments: what each accepts, its canonical text, its order and its name. */
#include "kernel/shell/grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/shell/pattern.h"
#include "kernel/transfer.h"
#include "lib/limits.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/shaper.h"
#include "net/table/ip6.h"
#include "net/table/rib.h"
#include "net/table/vlan.h"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool refuse(char *out, const char *why)
{
	snprintf(out, ARG_TEXT_MAX, "%s", why);
	return false;
}

static bool parse_iface(const struct node *n, const char *word, char *out)
{
	const char *p = word;

	while (is_lower(*p))
		p++;
	const char *digits = p;

	while (is_digit(*p))
		p++;
	if (*p || digits == word || p == digits || p - word >= (long)IFACE_NAME_MAX)
		return refuse(out, "is not an interface name");
	snprintf(out, ARG_TEXT_MAX, "%s", word);
	return true;
}

static bool parse_subiface(const struct node *n, const char *word, char *out)
{
	const char *dot = strchr(word, '.');
	char port[IFACE_NAME_MAX] = "";
	uint64_t vid;

	if (!dot)
		return parse_iface(n, word, out);
	if (dot - word < (long)sizeof port)
		memcpy(port, word, (size_t)(dot - word));
	if (!parse_iface(n, port, out))
		return false;
	if (!text_parse_number(dot + 1, VID_FIRST, VID_LAST, &vid) ||
		strlen(port) + sizeof ".4094" > IFACE_NAME_MAX)
		return refuse(out, "is not an interface name");
	snprintf(out, ARG_TEXT_MAX, "%s.%u", port, (unsigned)vid);
	return true;
}

static bool parse_ipv4(const struct node *n, const char *word, char *out)
{
	uint32_t address;

	if (!text_parse_ipv4(word, &address))
		return refuse(out, "is not an IPv4 address");
	text_print_ipv4(out, address);
	return true;
}

static bool parse_address(const struct node *n, const char *word, char *out)
{
	struct ip6 ip;

	if (!strchr(word, ':'))
		return parse_ipv4(n, word, out);
	if (!text_parse_ipv6(word, &ip.hi, &ip.lo))
		return refuse(out, "is not an IPv6 address");
	text_print_ipv6(out, ip.hi, ip.lo);
	return true;
}

static bool parse_ipv6_prefix(const char *word, char *out)
{
	struct ip6 ip;
	unsigned length;

	if (!text_parse_ipv6_prefix(word, &ip.hi, &ip.lo, &length))
		return refuse(out, "is not an IPv6 prefix");
	if (!ip6_equal(ip, ip6_first(ip, length)))
		return refuse(out, "has host bits set");
	text_print_ipv6_prefix(out, ip.hi, ip.lo, length);
	return true;
}

static bool parse_prefix(const struct node *n, const char *word, char *out)
{
	uint32_t address;
	unsigned length;

	if (strchr(word, ':'))
		return parse_ipv6_prefix(word, out);
	if (!text_parse_ipv4_prefix(word, &address, &length))
		return refuse(out, "is not an IPv4 prefix");
	if (address & ~rib4_mask(length))
		return refuse(out, "has host bits set");
	text_print_ipv4_prefix(out, address, length);
	return true;
}

static bool parse_ifaddr(const struct node *n, const char *word, char *out)
{
	uint32_t address;
	unsigned length;
	struct ip6 ip;

	if (strchr(word, ':')) {
		if (!text_parse_ipv6_prefix(word, &ip.hi, &ip.lo, &length) || length == 0)
			return refuse(out, "is not an IPv6 address with prefix length");
		text_print_ipv6_prefix(out, ip.hi, ip.lo, length);
		return true;
	}
	if (!text_parse_ipv4_prefix(word, &address, &length) || length == 0)
		return refuse(out, "is not an IPv4 address with prefix length");
	text_print_ipv4_prefix(out, address, length);
	return true;
}

static bool parse_route(const struct node *n, const char *word, char *out)
{
	if (strchr(word, '/'))
		return parse_prefix(n, word, out);
	return parse_address(n, word, out) || refuse(out, "is not an address or prefix");
}

static bool parse_pool(const struct node *n, const char *word, char *out)
{
	const char *dash = strchr(word, '-');
	char head[TEXT_IPV4_MAX] = "";
	uint32_t first, last;

	if (!dash)
		return parse_ipv4(n, word, out);
	if (dash - word < (long)sizeof head)
		memcpy(head, word, (size_t)(dash - word));
	if (!text_parse_ipv4(head, &first) || !text_parse_ipv4(dash + 1, &last) || first > last)
		return refuse(out, "is not an IPv4 address, or two of them: first-last");
	text_print_ipv4(out, first);
	if (first != last) {
		strcat(out, "-");
		text_print_ipv4(out + strlen(out), last);
	}
	return true;
}

static bool parse_mac(const struct node *n, const char *word, char *out)
{
	uint8_t mac[6];

	if (!text_parse_mac(word, mac))
		return refuse(out, "is not a MAC address");
	text_print_mac(out, mac);
	return true;
}

static bool parse_number(const struct node *n, const char *word, char *out)
{
	uint64_t value;

	if (!text_parse_number(word, n->min, n->max, &value)) {
		snprintf(out, ARG_TEXT_MAX, "is not a number from %u to %u", n->min, n->max);
		return false;
	}
	snprintf(out, ARG_TEXT_MAX, "%u", (unsigned)value);
	return true;
}

static bool parse_range(const struct node *n, const char *word, char *out)
{
	const char *dash = strchr(word, '-');
	uint64_t first, last;
	char head[8] = "";

	if (!dash)
		return parse_number(n, word, out);
	if (dash - word < (long)sizeof head)
		memcpy(head, word, (size_t)(dash - word));
	if (!text_parse_number(head, n->min, n->max, &first) ||
		!text_parse_number(dash + 1, n->min, n->max, &last) || first > last) {
		snprintf(out, ARG_TEXT_MAX, "is not a number or range from %u to %u", n->min,
			n->max);
		return false;
	}
	if (first == last)
		snprintf(out, ARG_TEXT_MAX, "%u", (unsigned)first);
	else
		snprintf(out, ARG_TEXT_MAX, "%u-%u", (unsigned)first, (unsigned)last);
	return true;
}

static const struct {
	const char *unit;
	uint64_t bps;
} rates[] = {{"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}};

/* The digits a text begins with; what follows them. */
static const char *split_number(const char *text, char number[16])
{
	size_t digits = strspn(text, "0123456789");

	memset(number, 0, 16);
	if (digits < 16)
		memcpy(number, text, digits);
	return text + digits;
}

uint64_t arg_rate_bps(const char *text)
{
	char number[16];
	const char *unit = split_number(text, number);
	uint64_t value;

	for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++)
		if (!strcmp(unit, rates[i].unit) &&
			text_parse_number(number, 1, SHAPER_MAX_BPS / rates[i].bps, &value) &&
			value * rates[i].bps >= SHAPER_MIN_BPS)
			return value * rates[i].bps;
	return 0;
}

void arg_rate_print(char out[ARG_RATE_TEXT], uint64_t bps)
{
	unsigned i = sizeof rates / sizeof *rates - 1;

	while (i && bps % rates[i].bps)
		i--;
	snprintf(out, ARG_RATE_TEXT, "%llu%s", (unsigned long long)(bps / rates[i].bps),
		rates[i].unit);
}

uint64_t arg_size_bytes(const char *text)
{
	char number[16];
	const char *unit = split_number(text, number);
	uint64_t value, factor = !strcmp(unit, "m") ? 1000000 : !strcmp(unit, "k") ? 1000 : 1;

	if ((*unit && factor == 1) || !text_parse_number(number, 1, UINT32_MAX, &value))
		return 0;
	return value * factor;
}

static bool parse_rate(const struct node *n, const char *word, char *out)
{
	if (!arg_rate_bps(word))
		return refuse(out, "is not a rate from 8kbit to 1000gbit");
	snprintf(out, ARG_TEXT_MAX, "%s", word);
	return true;
}

static bool parse_size(const struct node *n, const char *word, char *out)
{
	uint64_t bytes = arg_size_bytes(word);

	if (bytes < n->min || bytes > n->max) {
		snprintf(out, ARG_TEXT_MAX, "is not a size from %u to %u bytes: 15000, 64k, 2m",
			n->min, n->max);
		return false;
	}
	snprintf(out, ARG_TEXT_MAX, "%s", word);
	return true;
}

static bool parse_name(const struct node *n, const char *word, char *out)
{
	size_t length = strlen(word);
	bool good = length && length < ACL_NAME_MAX && is_alnum(word[0]) && !is_digit(word[0]);

	for (size_t i = 0; i < length; i++)
		good = good && (is_alnum(word[i]) || word[i] == '-' || word[i] == '_');
	if (!good)
		return refuse(out, "is not a name: letters, digits, - and _, at most 31");
	snprintf(out, ARG_TEXT_MAX, "%s", word);
	return true;
}

static bool parse_icmp(const struct node *n, const char *word, char *out)
{
	const char *slash = strchr(word, '/');
	uint64_t type, code = 0;
	char head[8] = "";

	if (slash && slash - word < (long)sizeof head)
		memcpy(head, word, (size_t)(slash - word));
	if (!text_parse_number(slash ? head : word, 0, 255, &type) ||
		(slash && !text_parse_number(slash + 1, 0, 255, &code)))
		return refuse(out, "is not a type, or type/code, each from 0 to 255");
	if (slash)
		snprintf(out, ARG_TEXT_MAX, "%u/%u", (unsigned)type, (unsigned)code);
	else
		snprintf(out, ARG_TEXT_MAX, "%u", (unsigned)type);
	return true;
}

/* RFC 1123 2.1 and RFC 952: letters, digits and inner hyphens, at most 63. */
static bool parse_hostname(const struct node *n, const char *word, char *out)
{
	size_t length = strlen(word);
	bool good = length && length < HOSTNAME_MAX && word[0] != '-' && word[length - 1] != '-';

	for (size_t i = 0; i < length; i++)
		good = good && (is_alnum(word[i]) || word[i] == '-');
	if (!good)
		return refuse(out, "is not a host name");
	snprintf(out, ARG_TEXT_MAX, "%s", word);
	return true;
}

static bool parse_text(const struct node *n, const char *word, char *out)
{
	if (strlen(word) >= ARG_TEXT_MAX)
		return refuse(out, "is longer than 131 characters");
	snprintf(out, ARG_TEXT_MAX, "%s", word);
	return true;
}

static bool parse_pattern(const struct node *n, const char *word, char *out)
{
	struct pattern pattern;

	if (strlen(word) >= ARG_TEXT_MAX || !pattern_compile(&pattern, word))
		return refuse(out, "is not a pattern");
	snprintf(out, ARG_TEXT_MAX, "%s", word);
	return true;
}

/* eth2 before eth10: letters, then the number by its length and digits. */
static int order_iface(const char *a, const char *b)
{
	size_t na = strcspn(a, "0123456789"), nb = strcspn(b, "0123456789");
	int letters = strncmp(a, b, na > nb ? na : nb);

	if (na != nb || letters)
		return letters;
	size_t la = na + strspn(a + na, "0123456789"), lb = nb + strspn(b + nb, "0123456789");

	if (la != lb)
		return la < lb ? -1 : 1;
	int digits = strncmp(a, b, la);

	if (digits)
		return digits;
	size_t ta = strlen(a), tb = strlen(b); /* and its VLAN, likewise */

	return ta != tb ? (ta < tb ? -1 : 1) : strcmp(a, b);
}

static bool parse_url(const struct node *n, const char *word, char *out)
{
	struct transfer_place place;

	if (!transfer_parse(word, false, &place))
		return refuse(out, "is not a file as in tftp://192.0.2.1/site.conf");
	snprintf(out, ARG_TEXT_MAX, "%s", word);
	return true;
}

/* An address or a prefix of either family; an IPv4 address is the top 32 bits. */
static struct ip6 read_address(const char *text, unsigned *length)
{
	struct ip6 ip = {0, 0};
	uint32_t ipv4 = 0;

	if (strchr(text, ':')) {
		*length = 128;
		if (!text_parse_ipv6_prefix(text, &ip.hi, &ip.lo, length))
			text_parse_ipv6(text, &ip.hi, &ip.lo);
		return ip;
	}
	*length = 32;
	if (!text_parse_ipv4_prefix(text, &ipv4, length))
		text_parse_ipv4(text, &ipv4);
	return rib4_key(ipv4);
}

/* IPv4 before IPv6; then by number, the shorter prefix first. */
static int order_address(const char *a, const char *b)
{
	bool six = strchr(a, ':') != NULL;
	unsigned la, lb;

	if (six != (strchr(b, ':') != NULL))
		return six ? 1 : -1;
	struct ip6 x = read_address(a, &la), y = read_address(b, &lb);

	if (!ip6_equal(x, y))
		return ip6_less(x, y) ? -1 : 1;
	return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

/* Ranges do not overlap where their order matters, so the first number decides. */
static int order_range(const char *a, const char *b)
{
	unsigned long x = strtoul(a, NULL, 10), y = strtoul(b, NULL, 10);

	return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

static int order_number(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

/* Pairs of digits, and what people write between them. */
static bool parse_hex(const struct node *n, const char *word, char *out)
{
	for (const char *c = word; *c;) {
		size_t digits = strspn(c, "0123456789abcdefABCDEF");

		c += digits;
		if (!digits || digits % 2)
			return refuse(out, "is not hex, two digits a byte");
		if (*c && !strchr(":-.", *c++))
			return refuse(out, "is not hex, two digits a byte");
	}
	*out = '\0';
	return true;
}

struct arg_type {
	const char *name;
	bool (*parse)(const struct node *n, const char *word, char *out);
	int (*order)(const char *a, const char *b);
};

static const struct arg_type arg_types[ARG_KINDS] = {
	[ARG_KEYWORD] = {"", NULL, strcmp},
	[ARG_IFACE] = {"IF", parse_iface, order_iface},
	[ARG_SUBIFACE] = {"IF", parse_subiface, order_iface},
	[ARG_IPV4] = {"ADDR", parse_ipv4, order_address},
	[ARG_ADDRESS] = {"ADDR", parse_address, order_address},
	[ARG_PREFIX] = {"PREFIX", parse_prefix, order_address},
	[ARG_IFADDR] = {"ADDR/LEN", parse_ifaddr, order_address},
	[ARG_ROUTE] = {"PREFIX|ADDR", parse_route, order_address},
	[ARG_POOL] = {"ADDR[-ADDR]", parse_pool, order_address},
	[ARG_MAC] = {"MAC", parse_mac, strcmp},
	[ARG_NUMBER] = {"N", parse_number, order_number},
	[ARG_RANGE] = {"N[-M]", parse_range, order_range},
	[ARG_RATE] = {"RATE", parse_rate, strcmp},
	[ARG_SIZE] = {"SIZE", parse_size, strcmp},
	[ARG_NAME] = {"NAME", parse_name, strcmp},
	[ARG_ICMP] = {"TYPE[/CODE]", parse_icmp, strcmp},
	[ARG_HOSTNAME] = {"NAME", parse_hostname, strcmp},
	[ARG_URL] = {"tftp://ADDR/PATH", parse_url, strcmp},
	[ARG_TEXT] = {"TEXT", parse_text, strcmp},
	[ARG_PATTERN] = {"RE", parse_pattern, strcmp},
	[ARG_HEX] = {"HEX", parse_hex, strcmp},
};

bool arg_parse(const struct node *n, const char *word, char out[ARG_TEXT_MAX])
{
	return arg_types[n->arg].parse(n, word, out);
}

int arg_order(enum arg_kind kind, const char *a, const char *b)
{
	return arg_types[kind].order(a, b);
}

const char *arg_name(enum arg_kind kind)
{
	return arg_types[kind].name;
}
