/* Lines of a scenario: words to settings. */
#include "tools/pktgen/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "lib/text6.h"
#include "tools/pktgen/vhost.h"

#define WORDS_MAX 64u

/* The words of a line that are still to be read. */
struct words {
	char text[1024];
	char *word[WORDS_MAX];
	unsigned count, at;
};

static bool fail(struct scenario *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct scenario *s, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(s->error, sizeof s->error, format, values);
	va_end(values);
	return false;
}

/* ---- words ---- */

static bool split(struct scenario *s, struct words *w, const char *line)
{
	char *save = NULL;

	if ((size_t)snprintf(w->text, sizeof w->text, "%s", line) >= sizeof w->text)
		return fail(s, "a line of more than %zu characters", sizeof w->text - 1);
	w->text[strcspn(w->text, "#\r\n")] = '\0';
	w->count = w->at = 0;
	for (char *p = strtok_r(w->text, " \t", &save); p; p = strtok_r(NULL, " \t", &save)) {
		if (w->count == WORDS_MAX)
			return fail(s, "a line of more than %u words", WORDS_MAX);
		w->word[w->count++] = p;
	}
	return true;
}

static const char *next(struct words *w)
{
	return w->at < w->count ? w->word[w->at++] : NULL;
}

/* The value after a keyword; an empty word, which no parser takes, if there is none. */
static const char *value(struct words *w)
{
	const char *v = next(w);

	return v ? v : "";
}

bool address_parse(const char *text, bool with_length, struct address *a)
{
	bool six = strchr(text, ':') != NULL, has_length = strchr(text, '/') != NULL;
	unsigned length = six ? 128 : 32;
	uint32_t four;

	*a = (struct address){.family = six ? 6 : 4};
	if (has_length && !with_length)
		return false;
	if (six && !(has_length ? text_parse_ipv6_prefix(text, &a->ip.hi, &a->ip.lo, &length)
				: text_parse_ipv6(text, &a->ip.hi, &a->ip.lo)))
		return false;
	if (!six) {
		if (!(has_length ? text_parse_ipv4_prefix(text, &four, &length)
				 : text_parse_ipv4(text, &four)))
			return false;
		a->ip = (struct ip6){(uint64_t)four << 32, 0};
	}
	a->length = (uint8_t)length;
	return true;
}

static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *v)
{
	return text_parse_number(text, min, max, v);
}

static int port_named(const struct scenario *s, const char *name)
{
	for (unsigned i = 0; i < s->ports; i++)
		if (strcmp(s->port[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool take_name(char *to, size_t room, const char *name)
{
	return *name && (size_t)snprintf(to, room, "%s", name) < room;
}

/* ---- port ---- */

static bool port_word(struct port_config *p, const char *key, struct words *w)
{
	struct address a;
	uint64_t n;

	if (strcmp(key, "socket") == 0)
		return take_name(p->socket, sizeof p->socket, value(w));
	if (strcmp(key, "mac") == 0)
		return p->has_mac = text_parse_mac(value(w), p->mac);
	if (strcmp(key, "router") == 0)
		return p->has_router = text_parse_mac(value(w), p->router);
	if (strcmp(key, "queues") == 0) {
		bool good = number(value(w), 1, VHOST_PAIRS_MAX, &n);

		p->queues = good ? (unsigned)n : 1;
		return good;
	}
	if (strcmp(key, "address") == 0 || strcmp(key, "gateway") == 0) {
		bool own = *key == 'a';

		if (!address_parse(value(w), own, &a))
			return false;
		(own ? p->own : p->gateway)[a.family == 6] = a;
		return true;
	}
	if (strcmp(key, "without") == 0) {
		const char *feature = value(w);

		if (strcmp(feature, "packed") == 0)
			p->refuse |= VHOST_BIT(VIRTIO_F_RING_PACKED);
		else if (strcmp(feature, "mrg") == 0)
			p->refuse |= VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF);
		else if (strcmp(feature, "inorder") == 0)
			p->refuse |= VHOST_BIT(VIRTIO_F_IN_ORDER);
		else
			return false;
		return true;
	}
	return false;
}

static bool line_port(struct scenario *s, struct words *w)
{
	struct port_config *p = &s->port[s->ports];
	const char *key;

	if (s->ports == PORTS_MAX)
		return fail(s, "more than %u ports", PORTS_MAX);
	*p = (struct port_config){.queues = 1};
	if (!take_name(p->name, sizeof p->name, value(w)))
		return fail(s, "a port has a name of up to %u characters", NAME_BYTES - 1);
	if (port_named(s, p->name) >= 0)
		return fail(s, "there are two ports %s", p->name);
	while ((key = next(w)))
		if (!port_word(p, key, w))
			return fail(s, "port %s: not understood at '%s'", p->name, key);
	if (!p->socket[0])
		return fail(s, "port %s has no socket", p->name);
	if (!p->has_mac)
		memcpy(p->mac, (uint8_t[6]){2, 0x70, 0x67, 0, 0, (uint8_t)s->ports}, 6);
	s->ports++;
	return true;
}

/* ---- host ---- */

static bool line_host(struct scenario *s, struct words *w)
{
	struct host_config *h = &s->host[s->hosts];
	const char *key;
	int port = -1;

	if (s->hosts == HOSTS_MAX)
		return fail(s, "more than %u hosts", HOSTS_MAX);
	*h = (struct host_config){.port = 0};
	if (!address_parse(value(w), true, &h->prefix))
		return fail(s, "a host is an address or a prefix");
	while ((key = next(w))) {
		if (strcmp(key, "port") == 0)
			port = port_named(s, value(w));
		else if (strcmp(key, "mac") == 0 && text_parse_mac(value(w), h->mac))
			h->has_mac = true;
		else
			return fail(s, "host: not understood at '%s'", key);
	}
	if (port < 0)
		return fail(s, "a host is at a port that was named before");
	h->port = (uint8_t)port;
	s->hosts++;
	return true;
}

/* ---- stream ---- */

static const struct {
	const char *name, *sizes;
} mixes[] = {
	{"imix", "64:7,594:4,1518:1"},
	{"imix6", "84:7,594:4,1518:1"},
};

/* `64`, `64:7,594:4`, `imix`. Sizes are given with the FCS, as in RFC 2544. */
static bool parse_sizes(struct stream_config *c, const char *text)
{
	char copy[256], *save = NULL;

	for (unsigned i = 0; i < sizeof mixes / sizeof *mixes; i++)
		if (strcmp(text, mixes[i].name) == 0)
			text = mixes[i].sizes;
	if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
		return false;
	c->sizes = 0;
	for (char *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		char *colon = strchr(p, ':');
		uint64_t bytes, parts = 1;

		if (colon)
			*colon++ = '\0';
		if (c->sizes == SIZES_MAX ||
			!number(p, FRAME4_HEAD + FRAME_FCS, FRAME_BYTES_MAX + FRAME_FCS, &bytes) ||
			(colon && !number(colon, 1, 1000, &parts)))
			return false;
		c->size[c->sizes++] =
			(struct size_config){(uint16_t)(bytes - FRAME_FCS), (uint16_t)parts};
	}
	return c->sizes > 0;
}

static bool stream_where(
	struct scenario *s, struct stream_config *c, const char *key, struct words *w)
{
	if (strcmp(key, "from") == 0) {
		int port = port_named(s, value(w));

		c->from = (uint8_t)port;
		return port >= 0;
	}
	if (strcmp(key, "port") == 0)
		return (c->at = port_named(s, value(w))) >= 0;
	if (strcmp(key, "to") == 0)
		return address_parse(value(w), true, &c->to);
	if (strcmp(key, "via") == 0)
		return address_parse(value(w), false, &c->via);
	if (strcmp(key, "source") == 0)
		return address_parse(value(w), false, &c->source);
	if (strcmp(key, "base") == 0)
		return address_parse(value(w), false, &c->base);
	if (strcmp(key, "routes") == 0)
		return take_name(c->routes, sizeof c->routes, value(w));
	return false;
}

static bool stream_what(struct stream_config *c, const char *key, struct words *w)
{
	uint64_t n;

	if (strcmp(key, "flows") == 0 && number(value(w), 1, FLOWS_MAX, &n)) {
		c->flows = (uint32_t)n;
		return true;
	}
	if (strcmp(key, "size") == 0)
		return parse_sizes(c, value(w));
	if (strcmp(key, "weight") == 0 && number(value(w), 1, 1000000, &n)) {
		c->weight = (double)n;
		return true;
	}
	if (strcmp(key, "ttl") == 0 && number(value(w), 2, 255, &n)) {
		c->ttl = (uint8_t)n;
		return true;
	}
	if (strcmp(key, "udp") == 0 && number(value(w), 1, 65535, &n)) {
		c->port = (uint16_t)n;
		return true;
	}
	if (strcmp(key, "family") == 0 && number(value(w), 4, 6, &n)) {
		c->family = (uint8_t)n;
		return n != 5;
	}
	return false;
}

static bool stream_key_is_place(const char *key)
{
	static const char *const keys[] = {"from", "port", "to", "via", "source", "base", "routes"};

	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static bool line_stream(struct scenario *s, struct words *w)
{
	struct stream_config *c = &s->stream[s->streams];
	const char *key;

	if (s->streams == STREAMS_MAX)
		return fail(s, "more than %u streams", STREAMS_MAX);
	*c = (struct stream_config){
		.at = -1, .from = 255, .flows = 1, .weight = 1, .ttl = 64, .port = 9};
	if (!take_name(c->name, sizeof c->name, value(w)))
		return fail(s, "a stream has a name of up to %u characters", NAME_BYTES - 1);
	while ((key = next(w)))
		if (!(stream_key_is_place(key) ? stream_where(s, c, key, w)
					       : stream_what(c, key, w)))
			return fail(s, "stream %s: not understood at '%s'", c->name, key);
	s->streams++;
	return true;
}

/* ---- the rest ---- */

static bool line_device(struct scenario *s, struct words *w)
{
	static const char *const kinds[] = {"route", "wire", "macswap", "drain"};
	const char *kind = value(w);

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kind, kinds[i]) == 0) {
			s->device = (enum device_kind)i;
			return !next(w) || fail(s, "a word too many");
		}
	return fail(s, "a device is route, wire, macswap or drain");
}

static bool line_line(struct scenario *s, struct words *w)
{
	const char *text = value(w);
	char *end;
	double bits = strtod(text, &end);

	if (*end == 'G')
		bits *= 1e9;
	else if (*end == 'M')
		bits *= 1e6;
	if (end == text || end[*end != '\0'] != '\0' || bits < 1e6 || bits > 1e13)
		return fail(s, "a line has a rate like 10G");
	s->line_bits = bits;
	return !next(w) || fail(s, "a word too many");
}

void scenario_init(struct scenario *s)
{
	memset(s, 0, sizeof *s);
	s->line_bits = 40e9;
}

bool scenario_line(struct scenario *s, const char *line)
{
	struct words w;
	const char *kind;

	if (!split(s, &w, line))
		return false;
	kind = next(&w);
	if (!kind)
		return true;
	if (strcmp(kind, "port") == 0)
		return line_port(s, &w);
	if (strcmp(kind, "host") == 0)
		return line_host(s, &w);
	if (strcmp(kind, "stream") == 0)
		return line_stream(s, &w);
	if (strcmp(kind, "device") == 0)
		return line_device(s, &w);
	if (strcmp(kind, "line") == 0)
		return line_line(s, &w);
	return fail(s, "'%s' is none of port, host, stream, device, line", kind);
}

bool scenario_file(struct scenario *s, const char *name)
{
	FILE *f = fopen(name, "r");
	char line[1100], why[sizeof s->error];
	unsigned n = 0;
	bool good = true;

	if (!f)
		return fail(s, "%s: cannot be opened", name);
	while (good && fgets(line, sizeof line, f)) {
		n++;
		good = scenario_line(s, line);
	}
	fclose(f);
	if (good)
		return true;
	memcpy(why, s->error, sizeof why);
	return fail(s, "%.60s:%u: %.90s", name, n, why);
}
