/* From a scenario to flows and lanes. */
#include "tools/pktgen/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "tools/pktgen/routes.h"

#define HOPS_MAX 1024u /* different MACs at different ports, of one stream */
#define TRIES    16u   /* random addresses of a prefix, until one is not in a longer prefix */

const char *const fault_name[FAULTS] = {"wrong-port", "wrong-mac", "wrong-ttl", "wrong-checksum",
	"wrong-header", "wrong-length", "wrong-filler", "wrong-number"};

/* Who takes the frames of a flow. */
struct hop {
	uint8_t port;
	uint8_t mac[6];
};

/* One stream being built. */
struct builder {
	struct traffic *traffic;
	const struct scenario *scenario;
	const struct traffic_port *port;
	struct stream *stream;
	struct routes routes;
	struct hop hop[HOPS_MAX];
	unsigned hops;
	uint16_t *lane_of; /* by part, size, hop */
	uint64_t random;
	char *error;
	size_t room;
};

static bool fail(struct builder *b, const char *what)
{
	snprintf(b->error, b->room, "stream %s: %s", b->stream->config->name, what);
	return false;
}

/* splitmix64: the same flows in every run. */
static uint64_t draw(struct builder *b)
{
	uint64_t z = b->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* ---- destinations ---- */

static struct ip6 random_in(struct builder *b, struct ip6 prefix, unsigned length, uint8_t family)
{
	struct ip6 mask = ip6_mask(length), any = {draw(b), draw(b)};
	struct ip6 a = {(prefix.hi & mask.hi) | (any.hi & ~mask.hi),
		(prefix.lo & mask.lo) | (any.lo & ~mask.lo)};

	if (family == 4)
		a = (struct ip6){a.hi >> 32 << 32, 0};
	return a;
}

/* A neighbour's address that packets can be sent to: not the router's, not a broadcast. */
static bool usable(const struct builder *b, const struct address *a)
{
	const struct scenario *s = b->scenario;

	for (unsigned i = 0; i < s->ports; i++) {
		const struct address *own = &s->port[i].own[a->family == 6];
		const struct address *gateway = &s->port[i].gateway[a->family == 6];

		if (gateway->family && ip6_equal(gateway->ip, a->ip))
			return false;
		if (own->family == 4 && own->length < 31 &&
			ip6_agree(own->ip, a->ip, own->length) &&
			(ip6_equal(a->ip, ip6_first(own->ip, own->length)) ||
				(ip6_last(own->ip, own->length).hi ^ a->ip.hi) >> 32 == 0))
			return false;
	}
	return true;
}

/* The i-th address of the prefix, in turn, so that a small one is used evenly. */
static bool from_prefix(struct builder *b, uint32_t i, struct address *to)
{
	const struct stream_config *c = b->stream->config;
	unsigned bits = (c->family == 4 ? 32u : 128u) - c->to.length;
	uint64_t hosts = bits < 32 ? UINT64_C(1) << bits : UINT64_C(1) << 32;

	*to = (struct address){.family = c->family};
	for (unsigned k = 0; k < TRIES; k++) {
		uint64_t host = (i + k * 7919ull) % hosts;

		to->ip = ip6_first(c->to.ip, c->to.length);
		if (c->family == 4)
			to->ip.hi |= host << 32;
		else
			to->ip.lo |= host;
		if (c->at < 0 || usable(b, to))
			return true;
	}
	return fail(b, "no address in its prefix that a host can have");
}

/* An address that the routes lead to one gateway, and that gateway. */
static bool from_routes(struct builder *b, struct address *to, struct address *via)
{
	const struct stream_config *c = b->stream->config;

	*to = *via = (struct address){.family = c->family};
	for (unsigned k = 0; k < 64 && b->routes.count; k++) {
		const struct routes_entry *e = &b->routes.entry[draw(b) % b->routes.count];
		uint32_t match = ROUTES_NONE;

		for (unsigned try = 0; try < TRIES; try++) {
			to->ip = random_in(b, e->prefix, e->length, c->family);
			match = routes_match(&b->routes, to->ip);
			if (&b->routes.entry[match] == e)
				break;
		}
		if (b->routes.entry[match].several)
			continue;
		via->ip = b->routes.entry[match].gateway;
		return true;
	}
	return fail(b, "its routes have several gateways each: no saying where a packet goes");
}

/* Who takes the frames for a flow; its number among the stream's hops. */
static bool find_hop(
	struct builder *b, const struct address *to, const struct address *via, unsigned *number)
{
	const struct stream_config *c = b->stream->config;
	unsigned port = (unsigned)c->at;
	const uint8_t *mac = c->at >= 0 ? scenario_host_at(b->scenario, port, to)
					: scenario_next_hop(b->scenario, via, &port);

	if (!mac && c->at >= 0)
		mac = b->scenario->port[port].mac;
	if (!mac)
		return fail(b, "a next hop that is at no port: it needs a `host` line");
	for (unsigned i = b->hops; i-- > 0;)
		if (b->hop[i].port == port && memcmp(b->hop[i].mac, mac, 6) == 0) {
			*number = i;
			return true;
		}
	if (b->hops == HOPS_MAX)
		return fail(b, "too many next hops");
	b->hop[b->hops].port = (uint8_t)port;
	memcpy(b->hop[b->hops].mac, mac, 6);
	*number = b->hops++;
	return true;
}

/* ---- lanes ---- */

static void lane_fill(struct builder *b, unsigned id, unsigned size, unsigned number)
{
	const struct stream_config *c = b->stream->config;
	const struct hop *hop = &b->hop[number];
	struct lane *lane = &b->traffic->lane[id];
	struct frame_addresses a = {.source_hi = c->source.ip.hi,
		.source_lo = c->source.ip.lo,
		.ttl = c->ttl,
		.port = c->port};

	lane->bytes = c->size[size].bytes;
	lane->family = c->family;
	lane->ingress = c->from;
	lane->egress = hop->port;
	lane->stream = b->stream;
	memcpy(a.mac_sender, b->scenario->port[c->from].mac, 6);
	memcpy(a.mac_router, b->port[c->from].router, 6);
	memcpy(a.mac_out, b->port[hop->port].router, 6);
	memcpy(a.mac_next, hop->mac, 6);
	frame_lane(lane, (uint16_t)id, &a, b->traffic->device);
}

static bool find_lane(struct builder *b, unsigned part, unsigned size, unsigned hop, unsigned *id)
{
	uint16_t *known = &b->lane_of[(part * SIZES_MAX + size) * HOPS_MAX + hop];
	struct traffic *t = b->traffic;

	if (!*known) {
		if (t->lanes == LANES_MAX)
			return fail(b, "too many lanes: next hops, sizes and queues multiply");
		lane_fill(b, t->lanes, size, hop);
		*known = (uint16_t)(++t->lanes);
	}
	*id = *known - 1u;
	return true;
}

/* Which size the flow has: each size takes its parts of a pattern that repeats. */
static unsigned size_of(const struct stream_config *c, uint32_t flow)
{
	unsigned sum = 0, at;

	for (unsigned i = 0; i < c->sizes; i++)
		sum += c->size[i].parts;
	at = sum ? flow % sum : 0;
	for (unsigned i = 0; i < c->sizes; i++) {
		if (at < c->size[i].parts)
			return i;
		at -= c->size[i].parts;
	}
	return 0;
}

/* ---- flows ---- */

static void put_flow(struct builder *b, uint32_t i, const struct address *to, unsigned lane)
{
	uint16_t port = (uint16_t)(1024 + draw(b) % 60000);
	const struct lane *l = &b->traffic->lane[lane];

	if (to->family == 4) {
		struct flow4 *f = &b->stream->four[i];

		f->lane = (uint16_t)lane;
		store_be32(f->to, (uint32_t)(to->ip.hi >> 32));
		store_be16(f->to + 4, port);
		frame_flow4(f, l, i);
	} else {
		struct flow6 *f = &b->stream->six[i];

		f->lane = (uint16_t)lane;
		ip6_store(f->to, to->ip);
		store_be16(f->to + 16, port);
		frame_flow6(f, l, i);
	}
}

static bool build_flow(struct builder *b, uint32_t i, unsigned part)
{
	const struct stream_config *c = b->stream->config;
	struct address to, via = c->via;
	unsigned hop, lane;

	if (c->routes[0] ? !from_routes(b, &to, &via) : !from_prefix(b, i, &to))
		return false;
	if (!find_hop(b, &to, &via, &hop) || !find_lane(b, part, size_of(c, i), hop, &lane))
		return false;
	put_flow(b, i, &to, lane);
	return true;
}

static bool build_stream(struct builder *b)
{
	const struct stream_config *c = b->stream->config;
	struct stream *s = b->stream;

	s->flows = c->flows;
	s->parts = b->port[c->from].queues ? b->port[c->from].queues : 1;
	if (s->parts > s->flows)
		s->parts = s->flows;
	s->four = calloc(c->flows, c->family == 4 ? sizeof *s->four : sizeof *s->six);
	if (!s->four)
		return fail(b, "no memory for its flows");
	if (c->routes[0] &&
		!routes_file(&b->routes, c->routes, c->family, &c->base, b->error, b->room))
		return false;
	for (unsigned p = 0; p < s->parts; p++) {
		s->part[p].begin = s->part[p].at = (uint32_t)((uint64_t)s->flows * p / s->parts);
		s->part[p].end = (uint32_t)((uint64_t)s->flows * (p + 1) / s->parts);
		for (uint32_t i = s->part[p].begin; i < s->part[p].end; i++)
			if (!build_flow(b, i, p))
				return false;
	}
	return true;
}

static bool build_windows(struct traffic *t)
{
	t->seen = calloc(t->lanes ? t->lanes : 1, TRACK_WORDS * sizeof *t->seen);
	if (!t->seen)
		return false;
	for (unsigned i = 0; i < t->lanes; i++)
		t->lane[i].track.seen = t->seen + (size_t)i * TRACK_WORDS;
	return true;
}

bool traffic_build(struct traffic *t, const struct scenario *s, const struct traffic_port *port,
	char *error, size_t room)
{
	struct builder *b = calloc(1, sizeof *b);
	bool good = b != NULL;

	memset(t, 0, sizeof *t);
	t->device = s->device;
	t->lane = aligned_alloc(64, LANES_MAX * sizeof *t->lane);
	if (t->lane)
		memset(t->lane, 0, LANES_MAX * sizeof *t->lane);
	if (b)
		*b = (struct builder){.traffic = t,
			.scenario = s,
			.port = port,
			.random = 1,
			.error = error,
			.room = room,
			.lane_of =
				malloc(VHOST_PAIRS_MAX * SIZES_MAX * HOPS_MAX * sizeof(uint16_t))};
	if (!b || !t->lane || !b->lane_of) {
		snprintf(error, room, "no memory");
		good = false;
	}
	for (; good && t->streams < s->streams; t->streams++) {
		b->stream = &t->stream[t->streams];
		b->stream->config = &s->stream[t->streams];
		b->hops = 0;
		memset(b->lane_of, 0, VHOST_PAIRS_MAX * SIZES_MAX * HOPS_MAX * sizeof(uint16_t));
		good = build_stream(b);
		routes_free(&b->routes);
	}
	if (good && !build_windows(t)) {
		snprintf(error, room, "no memory");
		good = false;
	}
	if (b)
		free(b->lane_of);
	free(b);
	if (!good)
		traffic_free(t);
	return good;
}

void traffic_free(struct traffic *t)
{
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		free(t->stream[i].four);
	free(t->lane);
	free(t->seen);
	memset(t, 0, sizeof *t);
}

/* ---- counters ---- */

void traffic_reset(struct traffic *t, uint64_t since)
{
	t->since = since;
	for (unsigned i = 0; i < t->lanes; i++) {
		t->lane[i].number = 0;
		track_reset(&t->lane[i].track);
	}
	for (unsigned i = 0; i < t->streams; i++) {
		struct stream *s = &t->stream[i];

		s->sent = s->sent_bytes = s->unplaced = s->forgiven = s->back = s->faulty = 0;
		memset(s->fault, 0, sizeof s->fault);
		histogram_clear(&s->latency);
	}
}

struct stream_sum traffic_sum(const struct traffic *t, unsigned stream)
{
	struct stream_sum sum = {0, 0, 0, 0};

	for (unsigned i = 0; i < t->lanes; i++) {
		const struct track *k = &t->lane[i].track;

		if (t->lane[i].stream != &t->stream[stream])
			continue;
		sum.received += track_received(k);
		sum.reordered += load_once(&k->reordered);
		sum.duplicate += load_once(&k->duplicate);
		sum.too_late += load_once(&k->too_late);
	}
	return sum;
}
