/* Whether a frame is what a capture looks for: any bytes at all, before anything was checked. */
#include "lib/byteorder.h"
#include "net/path/capture.h"
#include "net/path/frame.h"
#include "net/path/tag.h"

#define HEADERS_MAX 8u /* IPv6 extension headers that are passed */
#define TAGS_MAX    2u /* VLAN tags that are passed */

/* Offsets in an ARP packet for IPv4 on Ethernet (RFC 826), and its length. */
#define ARP_SENDER 14u
#define ARP_TARGET 24u
#define ARP_LENGTH 28u

#define UDP_LITE 136u
#define SCTP     132u
#define DCCP     33u
#define UDP_HEAD 8u

/* What is known of a frame, as far as it is there. */
struct look {
	uint8_t family; /* of its addresses, 4 or 6; 0: it has none */
	bool has_protocol, has_ports;
	bool later; /* a fragment that is not the first */
	uint8_t protocol;
	struct ip6 src, dst;
	uint16_t from, to; /* ports */
	uint32_t at;       /* where what the protocol names begins */
};

static bool is_passed(uint8_t type)
{
	return type == IPV6_HOP_BY_HOP || type == IPV6_ROUTING || type == IPV6_FRAGMENT ||
	       type == IPV6_OPTIONS;
}

/* The transport header at offset `at`. */
static void look_transport(struct look *k, const uint8_t *f, uint32_t len)
{
	uint8_t p = k->protocol;
	bool ports = p == IPV4_TCP || p == IPV4_UDP || p == SCTP || p == UDP_LITE || p == DCCP;

	k->has_ports = ports && !k->later && k->at + 4 <= len;
	if (!k->has_ports)
		return;
	k->from = load_be16(f + k->at);
	k->to = load_be16(f + k->at + 2);
}

/* An IPv4 header, with bytes `len` to the frame's end. */
static void look4(struct look *k, const uint8_t *ip, uint32_t len)
{
	uint32_t header = (ip[0] & 15u) * 4;

	if (len < IPV4_HEADER || ip[0] >> 4 != 4)
		return;
	k->family = 4;
	k->src = (struct ip6){0, load_be32(ip + IPV4_SOURCE - IPV4_OFF)};
	k->dst = (struct ip6){0, load_be32(ip + IPV4_DEST - IPV4_OFF)};
	k->protocol = ip[IPV4_PROTOCOL - IPV4_OFF];
	k->has_protocol = true;
	k->later = (load_be16(ip + IPV4_FRAGMENT - IPV4_OFF) & IPV4_OFFSET) != 0;
	k->at = header;
	if (header >= IPV4_HEADER)
		look_transport(k, ip, len);
}

static void look6(struct look *k, const uint8_t *ip, uint32_t len)
{
	uint32_t at = IPV6_HEADER;

	if (len < IPV6_HEADER || ip[0] >> 4 != 6)
		return;
	k->family = 6;
	k->src = ip6_load(ip + IPV6_SOURCE - IPV6_OFF);
	k->dst = ip6_load(ip + IPV6_DEST - IPV6_OFF);
	k->protocol = ip[IPV6_NEXT - IPV6_OFF];
	k->has_protocol = true;
	for (unsigned i = 0; is_passed(k->protocol) && !k->later; i++) {
		if (i == HEADERS_MAX || at + 8 > len)
			return;
		uint32_t bytes = k->protocol == IPV6_FRAGMENT ? 8 : (ip[at + 1] + 1u) * 8;

		k->later = k->protocol == IPV6_FRAGMENT && load_be16(ip + at + 2) & 0xfff8u;
		k->protocol = ip[at];
		at += bytes;
	}
	k->at = at;
	look_transport(k, ip, len);
}

/* The addresses of an ARP packet: whom it is about. */
static void look_arp(struct look *k, const uint8_t *arp, uint32_t len)
{
	if (len < ARP_LENGTH || load_be16(arp + 2) != ETH_TYPE_IPV4)
		return;
	k->family = 4;
	k->src = (struct ip6){0, load_be32(arp + ARP_SENDER)};
	k->dst = (struct ip6){0, load_be32(arp + ARP_TARGET)};
}

static bool is_in(struct ip6 a, const struct capture_prefix *p)
{
	return (((a.hi ^ p->address.hi) & p->mask.hi) | ((a.lo ^ p->address.lo) & p->mask.lo)) == 0;
}

static bool is_between(uint16_t port, const uint16_t range[2])
{
	return port >= range[0] && port <= range[1];
}

static bool fits(const struct capture_plan *p, const struct look *k)
{
	if (p->family && p->family != k->family)
		return false;
	if (p->has_protocol && (!k->has_protocol || p->protocol != k->protocol))
		return false;
	if (p->has_ports && (!k->has_ports || !is_between(k->from, p->from_port) ||
				    !is_between(k->to, p->to_port)))
		return false;
	if (p->has_ports && !is_between(k->from, p->either_port) &&
		!is_between(k->to, p->either_port))
		return false;
	return is_in(k->src, &p->from) && is_in(k->dst, &p->to) &&
	       (is_in(k->src, &p->host) || is_in(k->dst, &p->host));
}

/* ---- what carries the captured ---- */

/* A datagram to the collector, or a fragment of one that has no ports. */
static bool is_carrier(const struct capture_plan *p, const struct look *k)
{
	return k->family == p->sink_family && k->has_protocol && k->protocol == IPV4_UDP &&
	       ip6_equal(k->dst, p->sink) &&
	       (k->later || (k->has_ports && k->to == p->sink_port && k->from == p->sink_from));
}

/* An ICMP error, from whomever, that quotes such a datagram: it would be carried as well, and be
 * answered by the next one. */
static bool is_about_carrier(
	const struct capture_plan *p, const struct look *k, const uint8_t *ip, uint32_t len)
{
	uint8_t icmp = p->sink_family == 4 ? IPV4_ICMP : IPV6_ICMP;
	struct look inner = {0};
	uint32_t at = k->at + UDP_HEAD; /* an ICMP header is as long */

	if (k->family != p->sink_family || !k->has_protocol || k->protocol != icmp || k->later ||
		at >= len)
		return false;
	if (p->sink_family == 4)
		look4(&inner, ip + at, len - at);
	else
		look6(&inner, ip + at, len - at);
	return is_carrier(p, &inner);
}

bool capture_match(const struct capture_plan *p, const uint8_t *f, uint32_t len, uint32_t tci)
{
	uint32_t at = ETH_HEADER;
	struct look k = {0};

	if (p->any && p->vid == 0)
		return true;
	if (len < ETH_HEADER)
		return false;
	uint16_t type = load_be16(f + ETH_TYPE);

	for (unsigned i = 0; i < TAGS_MAX && tag_is_type(type) && at + PACKET_TAG <= len; i++) {
		if (tci == CAPTURE_TAGS_IN)
			tci = type == ETH_TYPE_VLAN ? load_be16(f + at) : 0;
		type = load_be16(f + at + 2);
		at += PACKET_TAG;
	}
	if (p->vid && (tci == CAPTURE_TAGS_IN || (tci & TAG_VID) != p->vid))
		return false;
	if (p->any)
		return true;
	if (type == ETH_TYPE_IPV4)
		look4(&k, f + at, len - at);
	else if (type == ETH_TYPE_IPV6)
		look6(&k, f + at, len - at);
	else if (type == ETH_TYPE_ARP)
		look_arp(&k, f + at, len - at);
	if (p->sink_family && (is_carrier(p, &k) || is_about_carrier(p, &k, f + at, len - at)))
		return false;
	return fits(p, &k);
}
