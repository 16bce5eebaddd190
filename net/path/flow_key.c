/* The key of a flow from a frame, from the packet inside an ICMP error, and of what answers. */
#include "net/path/flow_key.h"

#include "lib/byteorder.h"
#include "net/path/frame.h"

#define HEADERS_MAX 8u /* IPv6 extension headers that are passed, as in filter_key.c */

/* IANA protocol numbers. */
#define DCCP     33u  /* RFC 4340 5.1: ports stand first, as in UDP */
#define SCTP     132u /* RFC 9260 3.1 */
#define UDP_LITE 136u /* RFC 3828 3.1 */

#define PORTS       4u /* bytes of both ports */
#define ICMP_HEADER 8u /* with the identifier, or up to the packet inside */

/* ICMP (RFC 792, RFC 950) and ICMPv6 (RFC 4443): requests are followed by their replies but echo,
 * whose reply is 0. */
enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER = 12,
	ICMP_TIMESTAMP = 13,
	ICMP_MASK_REPLY = 18,
	ICMP6_UNREACHABLE = 1,
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
};

/* What an IP header says: where the transport header begins, and which part of a datagram it is. */
struct place {
	uint32_t at; /* from the frame's first byte */
	uint8_t protocol;
	bool later, first;
};

static bool has_ports(uint8_t protocol)
{
	return protocol == IPV4_TCP || protocol == IPV4_UDP || protocol == DCCP ||
	       protocol == SCTP || protocol == UDP_LITE;
}

static bool is_query(bool six, uint8_t type)
{
	if (six)
		return type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY;
	return type == ICMP_ECHO || type == ICMP_ECHO_REPLY ||
	       (type >= ICMP_TIMESTAMP && type <= ICMP_MASK_REPLY);
}

static bool is_error(bool six, uint8_t type)
{
	if (six)
		return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER;
	return type == ICMP_UNREACHABLE || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
}

/* The form of a packet whose transport header stands at p->at, and what it adds to the key. */
static enum flow_form transport(
	const uint8_t *f, const struct place *p, uint32_t end, struct flow_key *key)
{
	bool six = key->family == 6, icmp = p->protocol == (six ? IPV6_ICMP : IPV4_ICMP);
	enum flow_form form = p->first ? FLOW_FIRST : FLOW_WHOLE;

	key->protocol = p->protocol;
	if (has_ports(p->protocol)) {
		if (p->at + PORTS > end)
			return FLOW_ALONE;
		key->ports = load_be32(f + p->at);
	} else if (icmp) {
		uint8_t type = p->at < end ? f[p->at] : 0;

		if (p->at + ICMP_HEADER > end)
			return FLOW_ALONE;
		if (is_error(six, type)) /* of a part of one nobody can tell more */
			return p->first ? FLOW_ALONE : FLOW_ERROR;
		if (!is_query(six, type))
			return FLOW_ALONE;
		key->ports = (uint32_t)load_be16(f + p->at + 4) << 16 | load_be16(f + p->at);
	} else if (p->protocol == IPV4_ICMP || p->protocol == IPV6_ICMP) {
		return FLOW_ALONE; /* the other family's */
	}
	return form;
}

/* ---- IPv4 ---- */

static void later4(const uint8_t *ip, struct flow_key *key)
{
	key->later = true;
	key->protocol = ip[9];
	key->ports = load_be16(ip + 4);
}

/* Of the IPv4 header at `ip`, of a packet of which bytes up to `end` are there. */
static enum flow_form key4(
	const uint8_t *f, uint32_t ip, uint32_t end, struct flow_key *key, uint32_t *at)
{
	const uint8_t *h = f + ip;
	unsigned fragment = load_be16(h + 6);
	struct place p = {.at = ip + (h[0] & 15u) * 4,
		.protocol = h[9],
		.first = (fragment & (IPV4_MF | IPV4_OFFSET)) == IPV4_MF};

	*key = (struct flow_key){
		.src = {0, load_be32(h + 12)}, .dst = {0, load_be32(h + 16)}, .family = 4};
	*at = p.at;
	if (fragment & IPV4_OFFSET) {
		later4(h, key);
		return FLOW_LATER;
	}
	return transport(f, &p, end, key);
}

enum flow_form flow_key4(const uint8_t *f, struct flow_key *key, uint32_t *at)
{
	return key4(f, IPV4_OFF, IPV4_OFF + load_be16(f + IPV4_LENGTH), key, at);
}

/* ---- IPv6 ---- */

static bool is_passed(uint8_t type)
{
	return type == IPV6_HOP_BY_HOP || type == IPV6_ROUTING || type == IPV6_FRAGMENT ||
	       type == IPV6_OPTIONS;
}

/* Passes the extension headers; *identification: of a fragment. false: the packet ends among them,
 * or has more than anybody looks at. */
static bool pass(const uint8_t *f, uint32_t ip, uint32_t end, struct place *p, uint32_t *id)
{
	*p = (struct place){.at = ip + IPV6_HEADER, .protocol = f[ip + 6]};
	for (unsigned i = 0; is_passed(p->protocol); i++) {
		if (i == HEADERS_MAX || p->at + 8 > end)
			return false;
		const uint8_t *h = f + p->at;
		bool fragment = p->protocol == IPV6_FRAGMENT;
		unsigned part = fragment ? load_be16(h + 2) : 0; /* offset 13 bits, 2, more */

		if (fragment)
			*id = load_be32(h + 4);
		p->later = part >> 3 != 0;
		if (p->later)
			return true;
		p->first |= (part & 1u) != 0; /* neither: a datagram in one, RFC 6946 */
		p->protocol = h[0];
		p->at += fragment ? 8 : (h[1] + 1u) * 8;
	}
	return true;
}

/* A datagram is told by addresses and identification alone: RFC 8200 4.5. */
static void later6(struct flow_key *key, uint32_t id)
{
	key->later = true;
	key->protocol = IPV6_FRAGMENT;
	key->ports = id;
}

static enum flow_form key6(
	const uint8_t *f, uint32_t ip, uint32_t end, struct flow_key *key, uint32_t *at)
{
	struct place p;
	uint32_t id = 0;
	bool passed = pass(f, ip, end, &p, &id);

	*key = (struct flow_key){
		.src = ip6_load(f + ip + 8), .dst = ip6_load(f + ip + 24), .family = 6};
	*at = p.at;
	if (!passed)
		return FLOW_ALONE;
	if (p.later) {
		later6(key, id);
		return FLOW_LATER;
	}
	return transport(f, &p, end, key);
}

enum flow_form flow_key6(const uint8_t *f, struct flow_key *key, uint32_t *at)
{
	return key6(f, IPV6_OFF, IPV6_OFF + IPV6_HEADER + load_be16(f + IPV6_PAYLOAD), key, at);
}

/* ---- what belongs to it ---- */

void flow_key_later(const uint8_t *f, struct flow_key *key)
{
	struct place p;
	uint32_t id = 0;

	if (load_be16(f + ETH_TYPE) == ETH_TYPE_IPV6) {
		(void)pass(
			f, IPV6_OFF, IPV6_OFF + IPV6_HEADER + load_be16(f + IPV6_PAYLOAD), &p, &id);
		*key = (struct flow_key){.src = ip6_load(f + IPV6_SOURCE),
			.dst = ip6_load(f + IPV6_DEST),
			.family = 6};
		later6(key, id);
		return;
	}
	*key = (struct flow_key){.src = {0, load_be32(f + IPV4_SOURCE)},
		.dst = {0, load_be32(f + IPV4_DEST)},
		.family = 4};
	later4(f + IPV4_OFF, key);
}

bool flow_key_inside(const uint8_t *f, uint32_t at, uint32_t len, struct flow_key *key,
	uint32_t *inner, uint32_t *inner_at)
{
	bool six = load_be16(f + ETH_TYPE) == ETH_TYPE_IPV6;
	uint32_t end = six ? IPV6_OFF + IPV6_HEADER + load_be16(f + IPV6_PAYLOAD)
			   : IPV4_OFF + load_be16(f + IPV4_LENGTH);
	uint32_t ip = at + ICMP_HEADER;
	enum flow_form form;

	if (end > len)
		end = len;
	if (ip + (six ? IPV6_HEADER : IPV4_HEADER) > end || f[ip] >> 4 != (six ? 6 : 4))
		return false;
	if (!six && ((f[ip] & 15u) * 4 < IPV4_HEADER || ip + (f[ip] & 15u) * 4 > end))
		return false;
	*inner = ip;
	form = six ? key6(f, ip, end, key, inner_at) : key4(f, ip, end, key, inner_at);
	return form == FLOW_WHOLE || form == FLOW_FIRST;
}

/* Of an ICMP request the type of the reply, or the other way round; *asks: it is a request. */
static uint8_t other_type(bool six, uint8_t type, bool *asks)
{
	*asks = six ? type == ICMP6_ECHO : type == ICMP_ECHO || type % 2 == 1;
	if (!six && type == ICMP_ECHO)
		return ICMP_ECHO_REPLY;
	if (!six && type == ICMP_ECHO_REPLY)
		return ICMP_ECHO;
	return (uint8_t)(*asks ? type + 1 : type - 1);
}

/* The key of the other direction; *asks: this one's packets may begin a conversation. */
static bool turned(const struct flow_key *key, struct flow_key *other, bool *asks)
{
	bool six = key->family == 6;

	*asks = true;
	if (key->later)
		return false;
	*other = *key;
	other->src = key->dst;
	other->dst = key->src;
	if (key->protocol == (six ? IPV6_ICMP : IPV4_ICMP))
		other->ports = (key->ports & 0xffff00ffu) |
			       (uint32_t)other_type(six, (uint8_t)(key->ports >> 8), asks) << 8;
	else
		other->ports = key->ports << 16 | key->ports >> 16;
	return true;
}

bool flow_key_reverse(const struct flow_key *key, struct flow_key *reverse)
{
	bool asks;

	return turned(key, reverse, &asks) && asks;
}

bool flow_key_back(const struct flow_key *key, struct flow_key *back)
{
	bool asks;

	return turned(key, back, &asks);
}
