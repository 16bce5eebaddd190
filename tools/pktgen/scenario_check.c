/* A scenario as a whole: what its lines leave open, and who is next hop to whom. */
#include "tools/pktgen/scenario.h"

#include <stdio.h>

static bool fail(struct scenario *s, const char *name, const char *what)
{
	snprintf(s->error, sizeof s->error, "stream %s: %s", name, what);
	return false;
}

static bool covers(const struct address *prefix, const struct address *a)
{
	return prefix->family == a->family && ip6_agree(prefix->ip, a->ip, prefix->length);
}

const uint8_t *scenario_host_at(const struct scenario *s, unsigned port, const struct address *a)
{
	const struct address *own = &s->port[port].own[a->family == 6];
	const struct host_config *best = NULL;

	if (own->family == a->family && ip6_equal(own->ip, a->ip))
		return s->port[port].mac;
	for (unsigned i = 0; i < s->hosts; i++) {
		const struct host_config *h = &s->host[i];

		if (h->port == port && covers(&h->prefix, a) &&
			(!best || h->prefix.length > best->prefix.length))
			best = h;
	}
	if (!best)
		return NULL;
	return best->has_mac ? best->mac : s->port[port].mac;
}

const uint8_t *scenario_next_hop(
	const struct scenario *s, const struct address *hop, unsigned *port)
{
	const struct host_config *best = NULL;

	for (unsigned i = 0; i < s->ports; i++) {
		const struct address *own = &s->port[i].own[hop->family == 6];

		if (own->family == hop->family && ip6_equal(own->ip, hop->ip)) {
			*port = i;
			return s->port[i].mac;
		}
	}
	for (unsigned i = 0; i < s->hosts; i++)
		if (covers(&s->host[i].prefix, hop) &&
			(!best || s->host[i].prefix.length > best->prefix.length))
			best = &s->host[i];
	if (!best)
		return NULL;
	*port = best->port;
	return best->has_mac ? best->mac : s->port[best->port].mac;
}

static uint8_t family_of(const struct stream_config *c)
{
	return c->family        ? c->family
	       : c->to.family   ? c->to.family
	       : c->via.family  ? c->via.family
	       : c->base.family ? c->base.family
				: 4;
}

static bool check_stream(struct scenario *s, struct stream_config *c)
{
	unsigned head, parts = 0;

	if (c->from >= s->ports)
		return fail(s, c->name, "from which port?");
	c->family = family_of(c);
	head = c->family == 6 ? FRAME6_HEAD : FRAME4_HEAD;
	if (c->routes[0] ? c->to.family || c->via.family || c->at >= 0 : !c->to.family)
		return fail(s, c->name, "either `to` a prefix, or `routes` of a file");
	if (!c->routes[0] && (c->via.family != 0) == (c->at >= 0))
		return fail(s, c->name, "`to` a prefix either `via` a next hop or at a `port`");
	if ((c->to.family && c->to.family != c->family) ||
		(c->via.family && c->via.family != c->family))
		return fail(s, c->name, "addresses of both families");
	if (!c->source.family)
		c->source = s->port[c->from].own[c->family == 6];
	if (c->source.family != c->family)
		return fail(s, c->name, "no source address: give it one, or the port an address");
	if (!c->sizes)
		c->size[c->sizes++] = (struct size_config){(uint16_t)head, 1};
	for (unsigned i = 0; i < c->sizes; i++) {
		parts += c->size[i].parts;
		if (c->size[i].bytes < head)
			return fail(s, c->name, "an IPv6 frame has at least 84 bytes");
	}
	if (c->flows < parts) /* so that every size has its flows */
		c->flows = parts;
	return true;
}

bool scenario_check(struct scenario *s)
{
	if (!s->ports) {
		snprintf(s->error, sizeof s->error, "no port");
		return false;
	}
	for (unsigned i = 0; i < s->streams; i++)
		if (!check_stream(s, &s->stream[i]))
			return false;
	return true;
}
