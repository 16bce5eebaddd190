/* Reads URL and lease out of the device path of an image that was loaded by HTTP. */
#include "boot/efi/http.h"

#include <stdbool.h>
#include <string.h>

/* UEFI 2.10, 10.3.1 and 10.3.4: a node is type, subtype, length with these four bytes; its
 * contents. */
#define NODE_HEADER  4u
#define NODE_MESSAGE 3u
#define NODE_END     0x7fu
#define NODE_MAC     11u /* 10.3.4.10: 32 bytes of address */
#define NODE_IPV4    12u /* 10.3.4.11 */
#define NODE_URI     24u /* 10.3.4.22 */
#define IPV4_LOCAL   0u
#define IPV4_GATEWAY 15u
#define IPV4_MASK    19u
#define IPV4_BYTES   23u
#define MAC_BYTES    6u

struct part {
	const uint8_t *data; /* NULL: not there */
	size_t bytes;
};

struct text {
	char *out;
	size_t n, room;
};

static struct part find_node(const uint8_t *path, size_t bytes, uint8_t subtype, size_t at_least)
{
	size_t at = 0;

	while (at + NODE_HEADER <= bytes && path[at] != NODE_END) {
		size_t n = (size_t)path[at + 2] | (size_t)path[at + 3] << 8;

		if (n < NODE_HEADER || n > bytes - at)
			break;
		if (path[at] == NODE_MESSAGE && path[at + 1] == subtype &&
			n >= NODE_HEADER + at_least)
			return (struct part){path + at + NODE_HEADER, n - NODE_HEADER};
		at += n;
	}
	return (struct part){0};
}

static void put(struct text *t, char c)
{
	if (t->n + 1 < t->room)
		t->out[t->n++] = c;
}

static void put_string(struct text *t, const char *s)
{
	while (*s)
		put(t, *s++);
}

static void put_address(struct text *t, const uint8_t address[4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned v = address[i];

		if (i)
			put(t, '.');
		if (v >= 100)
			put(t, (char)('0' + v / 100));
		if (v >= 10)
			put(t, (char)('0' + v / 10 % 10));
		put(t, (char)('0' + v % 10));
	}
}

static void put_mac(struct text *t, const uint8_t mac[MAC_BYTES])
{
	static const char digit[] = "0123456789abcdef";

	for (unsigned i = 0; i < MAC_BYTES; i++) {
		if (i)
			put(t, ':');
		put(t, digit[mac[i] >> 4]);
		put(t, digit[mac[i] & 15]);
	}
}

static void put_lease(struct text *t, const uint8_t *path, size_t bytes)
{
	static const uint8_t nobody[4];
	struct part ipv4 = find_node(path, bytes, NODE_IPV4, IPV4_BYTES);
	struct part mac = find_node(path, bytes, NODE_MAC, MAC_BYTES);

	if (!ipv4.data || !mac.data || memcmp(ipv4.data + IPV4_LOCAL, nobody, sizeof nobody) == 0)
		return;
	put_string(t, "ip=");
	put_address(t, ipv4.data + IPV4_LOCAL);
	put(t, '/');
	put_address(t, ipv4.data + IPV4_MASK);
	if (memcmp(ipv4.data + IPV4_GATEWAY, nobody, sizeof nobody) != 0) {
		put_string(t, " gw=");
		put_address(t, ipv4.data + IPV4_GATEWAY);
	}
	put_string(t, " if=");
	put_mac(t, mac.data);
	put(t, ' ');
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20; /* to lower case */
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a query, RFC 3986, 2.1 and 3.4; *at moves on. */
static char next_char(struct part query, size_t *at)
{
	size_t i = (*at)++;
	int high, low, c = query.data[i];

	if (c == '&')
		return ' ';
	if (c == '%' && i + 2 < query.bytes) {
		high = hex_value(query.data[i + 1]);
		low = hex_value(query.data[i + 2]);
		if (high >= 0 && low >= 0) {
			*at += 2;
			c = high << 4 | low;
		}
	}
	return c > ' ' && c <= '~' ? (char)c : ' ';
}

/* What is behind the '?'; some firmware ends the text with a 0, and a fragment is none of it. */
static struct part find_query(struct part uri)
{
	struct part query = {0};

	for (size_t i = 0; i < uri.bytes && uri.data[i] && uri.data[i] != '#'; i++) {
		if (query.data)
			query.bytes++;
		else if (uri.data[i] == '?')
			query.data = uri.data + i + 1;
	}
	return query;
}

static bool asks_for_config(struct part query)
{
	static const char word[] = "config=";
	size_t n = sizeof word - 1;

	for (size_t i = 0; i + n <= query.bytes; i++)
		if (memcmp(query.data + i, word, n) == 0 && (i == 0 || query.data[i - 1] == '&'))
			return true;
	return false;
}

void http_words(const uint8_t *path, size_t bytes, char *words, size_t room)
{
	struct part query = find_query(find_node(path, bytes, NODE_URI, 0));
	struct text t = {.out = words, .room = room};

	if (asks_for_config(query))
		put_lease(&t, path, bytes);
	for (size_t at = 0; at < query.bytes;)
		put(&t, next_char(query, &at));
	words[t.n] = 0;
}
