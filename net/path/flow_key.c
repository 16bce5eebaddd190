/* The key of a flow: addresses, protocol and numbers of a frame, or of the packet in an ICMP error. */
#include "net/path/flow_key.h"

#include "lib/byteorder.h"
#include "net/path/frame.h"

#define HEADERS_MAX 8u /* IPv6 extension headers that are passed */
#define UDP_LITE    136u
#define SCTP        132u
#define DCCP        33u

/* ---- behind the IP header ---- */

static bool has_ports(uint8_t protocol)
{
	return protocol == IPV4_TCP || protocol == IPV4_UDP || protocol == UDP_LITE ||
	       protocol == SCTP || protocol == DCCP;
}

/* Queries: they carry an identifier (RFC 792, RFC 950; RFC 4443 4). */
static bool is_query4(uint8_t type)
{
	return type == 8 || type == 0 || (type >= 13 && type <= 18);
}

static bool is_error4(uint8_t type)
{
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static bool is_query6(uint8_t type)
{
	return type == 128 || type == 129;
}

/* Takes the numbers from the transport header at t, of which `bytes` are there. */
static enum flow_form numbers(const uint8_t *t, uint32_t bytes, struct flow_key *key)
{
	bool six = key->family == 6;

	if (key->protocol == (six ? IPV6_ICMP : IPV4_ICMP)) {
		if (bytes < 8)
			return FLOW_ALONE;
		if (six ? is_query6(t[0]) : is_query4(t[0])) {
			key->ports = (uint32_t)load_be16(t + 4) << 16 | load_be16(t);
			return FLOW_WHOLE;
		}
		return (six ? t[0] < 128 : is_error4(t[0])) ? FLOW_ERROR : FLOW_ALONE;
	}
	if (has_ports(key->protocol)) {
		if (bytes < 4)
			return FLOW_ALONE;
		key->ports = load_be32(t);
	}
	return FLOW_WHOLE;
}

/* ---- IPv4 ---- */

/* ip: of a header, `bytes` from there on; *at: where the transport header begins, from ip on. */
static enum flow_form key4(const uint8_t *ip, uint32_t bytes, struct flow_key *key, uint32_t *at)
{
	uint32_t header = (ip[0] & 15u) * 4, field = load_be16(ip + 6);

	*key = (struct flow_key){.src.lo = load_be32(ip + 12),
		.dst.lo = load_be32(ip + 16),
		.protocol = ip[9],
		.family = 4};
	*at = header;
	if (field & IPV4_OFFSET) {
		key->ports = load_be16(ip + 4);
		key->later = true;
		return FLOW_LATER;
	}
	enum flow_form form = numbers(ip + header, bytes - header, key);

	return form == FLOW_WHOLE && (field & IPV4_MF) ? FLOW_FIRST : form;
}

enum flow_form flow_key4(const uint8_t *f, struct flow_key *key, uint32_t *at)
{
	enum flow_form form = key4(f + IPV4_OFF, load_be16(f + IPV4_LENGTH), key, at);

	*at += IPV4_OFF;
	return form;
}

/* ---- IPv6 ---- */

static bool is_passed(uint8_t type)
{
	return type == IPV6_HOP_BY_HOP || type == IPV6_ROUTING || type == IPV6_FRAGMENT ||
	       type == IPV6_OPTIONS;
}

static enum flow_form key6(const uint8_t *ip, uint32_t bytes, struct flow_key *key, uint32_t *at)
{
	bool first = false;

	*key = (struct flow_key){.src = {load_be64(ip + 8), load_be64(ip + 16)},
		.dst = {load_be64(ip + 24), load_be64(ip + 32)},
		.protocol = ip[6],
		.family = 6};
	*at = IPV6_HEADER;
	for (unsigned i = 0; is_passed(key->protocol); i++) {
		if (i == HEADERS_MAX || *at + 8 > bytes)
			return FLOW_ALONE;
		const uint8_t *h = ip + *at;
		uint16_t field = load_be16(h + 2);

		if (key->protocol == IPV6_FRAGMENT && field & 0xfff8u) {
			key->protocol = h[0];
			key->ports = load_be32(h + 4);
			key->later = true;
			return FLOW_LATER;
		}
		first |= key->protocol == IPV6_FRAGMENT && field & 1;
		*at += key->protocol == IPV6_FRAGMENT ? 8 : (h[1] + 1u) * 8;
		key->protocol = h[0];
	}
	if (*at > bytes)
		return FLOW_ALONE;
	enum flow_form form = numbers(ip + *at, bytes - *at, key);

	return form == FLOW_WHOLE && first ? FLOW_FIRST : form;
}

enum flow_form flow_key6(const uint8_t *f, struct flow_key *key, uint32_t *at)
{
	enum flow_form form = key6(
		f + IPV6_OFF, IPV6_HEADER + load_be16(f + IPV6_PAYLOAD), key, at);

	*at += IPV6_OFF;
	return form;
}

/* ---- inside an error ---- */

bool flow_key_inside(const uint8_t *f, uint32_t at, uint32_t len, struct flow_key *key,
	uint32_t *inner, uint32_t *inner_at)
{
	bool six = load_be16(f + ETH_TYPE) == ETH_TYPE_IPV6;
	uint32_t least = six ? IPV6_HEADER : IPV4_HEADER;

	*inner = at + 8;
	if (*inner + least > len)
		return false;
	const uint8_t *ip = f + *inner;
	uint32_t bytes = len - *inner;
	enum flow_form form;

	if (ip[0] >> 4 != (six ? 6 : 4))
		return false;
	if (!six && ((ip[0] & 15u) < 5 || (ip[0] & 15u) * 4 > bytes))
		return false;
	form = six ? key6(ip, bytes, key, inner_at) : key4(ip, bytes, key, inner_at);
	*inner_at += *inner;
	return form == FLOW_WHOLE || form == FLOW_FIRST;
}
