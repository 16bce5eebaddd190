/* A frame as steering sees it: the packet in it, its place in a datagram, its key. */
#include "net/path/steer_frame.h"

#include "lib/byteorder.h"
#include "net/path/frame.h"
#include "net/path/tag.h"

#define HEADERS_MAX 8u /* IPv6 extension headers that are passed */
#define BYTES_MAX   0xffffu

/* ---- the packet ---- */

static bool whole4(const uint8_t *f, uint32_t len, uint32_t *end)
{
	if (len < ETH_HEADER + IPV4_HEADER || f[IPV4_OFF] >> 4 != 4)
		return false;
	uint32_t header = (f[IPV4_OFF] & 15u) * 4, total = load_be16(f + IPV4_LENGTH);

	*end = ETH_HEADER + total;
	return header >= IPV4_HEADER && total >= header && *end <= len;
}

static bool whole6(const uint8_t *f, uint32_t len, uint32_t *end)
{
	if (len < ETH_HEADER + IPV6_HEADER || f[IPV6_OFF] >> 4 != 6)
		return false;
	*end = ETH_HEADER + IPV6_HEADER + load_be16(f + IPV6_PAYLOAD);
	return *end <= len;
}

bool steer_packet(const struct lane *lane, const uint8_t *f, uint32_t len, struct steer_packet *p)
{
	p->iface = lane->port;
	if (len < ETH_HEADER + IPV4_HEADER)
		return false;
	if (load_be16(f + ETH_TYPE) == ETH_TYPE_VLAN) {
		unsigned vid = load_be16(f + ETH_HEADER) & TAG_VID;
		unsigned vlan = vlan_find(lane->tables->vlans, lane->port, vid);

		if (vlan != VLAN_NONE)
			p->iface = lane->tables->ports + vlan;
		f += PACKET_TAG;
		len -= PACKET_TAG;
	}
	p->frame = f;
	p->six = load_be16(f + ETH_TYPE) == ETH_TYPE_IPV6;
	if (p->six)
		return whole6(f, len, &p->len) && f[IPV6_DEST] != 0xff;
	return load_be16(f + ETH_TYPE) == ETH_TYPE_IPV4 && whole4(f, len, &p->len) &&
	       f[IPV4_DEST] >> 4 != 0xe;
}

/* ---- fragments ---- */

/* Bytes of a transport header that the first fragment has to have: what sessions and filters go by
 * (RFC 1858 3.2.1; TCP's whole, since a later fragment may not begin within it). */
static uint32_t header_least(uint8_t protocol)
{
	switch (protocol) {
	case IPV4_TCP:
		return 20;
	case 132: /* SCTP */
	case 33:  /* DCCP */
		return 12;
	case IPV4_UDP:
	case 136: /* UDP-Lite */
	case IPV4_ICMP:
	case IPV6_ICMP:
		return 8;
	default:
		return 0;
	}
}

/* A fragment of these bytes; `header` of all before them are of the datagram, too. */
static enum steer_part part_of(
	struct fragment *f, uint32_t bytes, uint32_t header, uint8_t protocol)
{
	f->end = f->begin + bytes;
	if (bytes == 0 || f->end + header > BYTES_MAX || (!f->last && bytes % 8))
		return STEER_BAD;
	if (f->begin)
		return protocol == IPV4_TCP && f->begin == 8 ? STEER_BAD : STEER_LATER;
	return bytes < header_least(protocol) ? STEER_BAD : STEER_FIRST;
}

static enum steer_part part4(const struct steer_packet *p, struct fragment *f)
{
	const uint8_t *frame = p->frame;
	uint32_t field = load_be16(frame + IPV4_FRAGMENT), header = (frame[IPV4_OFF] & 15u) * 4;

	if (!(field & (IPV4_MF | IPV4_OFFSET)))
		return STEER_WHOLE;
	f->key = (struct flow_key){.src.lo = load_be32(frame + IPV4_SOURCE),
		.dst.lo = load_be32(frame + IPV4_DEST),
		.ports = load_be16(frame + IPV4_ID),
		.protocol = frame[IPV4_PROTOCOL],
		.family = 4,
		.later = true};
	f->begin = (field & IPV4_OFFSET) * 8;
	f->last = !(field & IPV4_MF);
	return part_of(f, p->len - ETH_HEADER - header, header, frame[IPV4_PROTOCOL]);
}

static bool is_passed(uint8_t type)
{
	return type == IPV6_HOP_BY_HOP || type == IPV6_ROUTING || type == IPV6_FRAGMENT ||
	       type == IPV6_OPTIONS;
}

/*
 * Goes through the extension headers from *at on, of which *type is the first, up to a fragment
 * header or what is no such header. false: the packet ends before that.
 */
static bool walk6(const struct steer_packet *p, uint32_t *at, uint8_t *type, bool to_fragment)
{
	for (unsigned i = 0; is_passed(*type); i++) {
		if (i == HEADERS_MAX || *at + 8 > p->len)
			return false;
		if (*type == IPV6_FRAGMENT && to_fragment)
			return true;
		uint32_t len = *type == IPV6_FRAGMENT ? 8 : (p->frame[*at + 1] + 1u) * 8;

		*type = p->frame[*at];
		*at += len;
	}
	return *at <= p->len;
}

static struct ip6 address6(const uint8_t *p)
{
	return (struct ip6){load_be64(p), load_be64(p + 8)};
}

/* The datagram's key is without protocol: each fragment may name another (RFC 8200 4.5). A first
 * has all headers (RFC 7112 5). */
static enum steer_part part6(const struct steer_packet *p, struct fragment *f)
{
	uint32_t at = IPV6_OFF + IPV6_HEADER;
	uint8_t type = p->frame[IPV6_NEXT];

	if (!walk6(p, &at, &type, true) || type != IPV6_FRAGMENT)
		return STEER_WHOLE;
	uint32_t field = load_be16(p->frame + at + 2), begin = at + 8;

	f->key = (struct flow_key){.src = address6(p->frame + IPV6_SOURCE),
		.dst = address6(p->frame + IPV6_DEST),
		.ports = load_be32(p->frame + at + 4),
		.family = 6,
		.later = true};
	f->begin = field & 0xfff8u;
	f->last = !(field & 1);
	if (f->begin == 0 && f->last)
		return STEER_WHOLE; /* an atomic fragment (RFC 6946) */
	type = p->frame[at];
	at = begin;
	if (f->begin)
		return part_of(f, p->len - begin, begin - IPV6_OFF - IPV6_HEADER, type);
	if (!walk6(p, &at, &type, false) || at + header_least(type) > p->len)
		return STEER_BAD;
	return part_of(f, p->len - begin, begin - IPV6_OFF - IPV6_HEADER, IPV6_NONE);
}

enum steer_part steer_part(const struct steer_packet *p, struct fragment *f)
{
	return p->six ? part6(p, f) : part4(p, f);
}

/* ---- the key ---- */

static void turn(struct flow_key *key)
{
	struct ip6 src = key->src;

	key->src = key->dst;
	key->dst = src;
	if (key->protocol != IPV4_ICMP && key->protocol != IPV6_ICMP)
		key->ports = key->ports >> 16 | key->ports << 16;
}

/* What a packet without a key goes by. */
static struct flow_key addresses_of(const struct steer_packet *p)
{
	const uint8_t *f = p->frame;

	if (p->six)
		return (struct flow_key){.src = address6(f + IPV6_SOURCE),
			.dst = address6(f + IPV6_DEST),
			.protocol = f[IPV6_NEXT],
			.family = 6};
	return (struct flow_key){.src.lo = load_be32(f + IPV4_SOURCE),
		.dst.lo = load_be32(f + IPV4_DEST),
		.protocol = f[IPV4_PROTOCOL],
		.family = 4};
}

void steer_key(const struct steer_packet *p, struct flow_key *key)
{
	uint32_t at = 0, inner, inner_at;
	enum flow_form form =
		p->six ? flow_key6(p->frame, key, &at) : flow_key4(p->frame, key, &at);

	if (form == FLOW_WHOLE || form == FLOW_FIRST)
		return;
	if (form == FLOW_ERROR && flow_key_inside(p->frame, at, p->len, key, &inner, &inner_at))
		turn(key);
	else
		*key = addresses_of(p);
}
