/* Messages of neighbour discovery: validation of what comes in, and what goes out (RFC 4861 4). */
#include <string.h>

#include "net/proto/internal.h"

#define ND_HOPS    255u  /* RFC 4861 7.1: what comes from beyond the link has less */
#define ND_CLASS   0xc0u /* CS6 */
#define ND_FLAGS   4u    /* offsets in the message */
#define ND_TARGET  8u
#define ND_OPTIONS 24u /* of solicitation and advertisement */

/* ---- validation ---- */

/* Where the options of a message of this type begin. */
static uint32_t options_at(uint8_t type)
{
	switch (type) {
	case ND_ROUTER_SOLICIT:
		return 8;
	case ND_ROUTER_ADVERT:
		return 16;
	case ND_REDIRECT:
		return 40;
	default:
		return ND_OPTIONS;
	}
}

/*
 * Walks the options: none of length 0, none beyond the end (RFC 4861 4.6).
 * *mac: the address in the last one of type `wanted`, left as it is if there is none.
 */
static bool options_parse(
	const uint8_t *p, const uint8_t *end, unsigned wanted, const uint8_t **mac)
{
	while (p < end) {
		if (end - p < 2 || p[1] == 0 || end - p < p[1] * 8)
			return false;
		if (p[0] == wanted && p[1] == 1)
			*mac = p + 2;
		p += p[1] * 8;
	}
	return true;
}

/* RFC 4861 7.1.1. */
static bool solicit_is_valid(const struct nd_message *m)
{
	if (!ip6_is_unicast(m->target))
		return false;
	return !ip6_is_zero(m->src) || (!m->mac && ip6_equal(m->dst, ip6_solicited_node(m->dst)));
}

/* RFC 4861 7.1.2. */
static bool advert_is_valid(const struct nd_message *m)
{
	return ip6_is_unicast(m->target) &&
	       !(ip6_is_multicast(m->dst) && (m->flags & ND_FLAG_SOLICITED));
}

/* A MAC that can be one station's. */
static bool is_station(const uint8_t *mac)
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, 6) != 0;
}

bool nd_parse(const uint8_t *frame, uint32_t at, uint32_t len, struct nd_message *m)
{
	const uint8_t *p = frame + at;

	if (len < 8 || frame[IPV6_HOPS] != ND_HOPS || p[1] != 0 || len < options_at(p[0]))
		return false;
	*m = (struct nd_message){.type = p[0], .src = ipv6_src(frame), .dst = ipv6_dst(frame)};
	if (!options_parse(p + options_at(p[0]), p + len,
		    m->type == ND_ADVERT ? ND_OPTION_TARGET : ND_OPTION_SOURCE, &m->mac))
		return false;
	if (m->mac && !is_station(m->mac))
		return false;
	switch ((enum nd_type)m->type) {
	case ND_SOLICIT:
		m->target = ip6_load(p + ND_TARGET);
		return solicit_is_valid(m);
	case ND_ADVERT:
		m->target = ip6_load(p + ND_TARGET);
		m->flags = load_be32(p + ND_FLAGS);
		return advert_is_valid(m);
	case ND_ROUTER_SOLICIT: /* 6.1.1 */
		return !(ip6_is_zero(m->src) && m->mac);
	default: /* 6.1.2, 8.1 */
		return ip6_is_link_local(m->src);
	}
}

/* ---- sending ---- */

bool nd_begin(struct stack *s, uint32_t len, struct ip6 src, struct ip6 dst, uint64_t *word,
	uint8_t **message)
{
	uint32_t index;

	if (!s->ops->alloc(s->ctx, &index))
		return false;
	*word = packet_word(index, ETH_HEADER + IPV6_HEADER + len, 0);

	uint8_t *frame = frame_of(s, *word);

	ipv6_begin(frame, len, IPV6_ICMP, ND_HOPS, src, dst);
	frame[IPV6_OFF] |= ND_CLASS >> 4;
	*message = frame + ETH_HEADER + IPV6_HEADER;
	memset(*message, 0, len);
	return true;
}

void nd_finish(struct stack *s, unsigned port, const uint8_t *mac, uint64_t word)
{
	uint8_t *frame = frame_of(s, word);
	uint8_t group[6] = {0x33, 0x33}; /* RFC 2464 7 */

	memcpy(group + 2, frame + IPV6_DEST + 12, 4);
	icmp6_finish(frame);
	ethernet_finish(s, frame, port, mac ? mac : group, ETH_TYPE_IPV6);
	s->ops->transmit(s->ctx, port, word);
}

static void put_mac(uint8_t *p, unsigned option, const uint8_t *mac)
{
	p[0] = (uint8_t)option;
	p[1] = 1; /* unit: 8 bytes */
	memcpy(p + 2, mac, 6);
}

void nd_send_solicit(
	struct stack *s, unsigned port, struct ip6 src, struct ip6 target, const uint8_t *mac)
{
	bool probe = ip6_is_zero(src); /* RFC 4862 5.4.2: without option */
	struct ip6 dst = mac ? target : ip6_solicited_node(target);
	uint64_t word;
	uint8_t *p;

	if (!nd_begin(s, ND_OPTIONS + (probe ? 0 : 8), src, dst, &word, &p))
		return;
	p[0] = ND_SOLICIT;
	ip6_store(p + ND_TARGET, target);
	if (!probe)
		put_mac(p + ND_OPTIONS, ND_OPTION_SOURCE, s->iface[port].mac);
	s->nd.requests_sent++;
	nd_finish(s, port, mac, word);
}

/* The source is the target, but never an anycast address (RFC 4291 2.6). */
static struct ip6 advert_source(struct stack *s, unsigned port, struct ip6 dst, struct ip6 target)
{
	const struct iface_addr6 *a = iface6_source(&s->iface[port], dst);

	return a && !iface6_own(&s->iface[port], target) ? a->address : target;
}

void nd_send_advert(struct stack *s, unsigned port, struct ip6 dst, struct ip6 target,
	uint32_t flags, const uint8_t *mac)
{
	struct ip6 src = advert_source(s, port, dst, target);
	uint64_t word;
	uint8_t *p;

	if (!nd_begin(s, ND_OPTIONS + 8, src, dst, &word, &p))
		return;
	p[0] = ND_ADVERT;
	store_be32(p + ND_FLAGS, flags);
	ip6_store(p + ND_TARGET, target);
	put_mac(p + ND_OPTIONS, ND_OPTION_TARGET, s->iface[port].mac);
	s->nd.replies_sent++;
	nd_finish(s, port, mac, word);
}
