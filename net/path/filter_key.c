/* What access lists are asked of a packet: protocol, ports, type of ICMP; which may not be there.
 */
#include "lib/byteorder.h"
#include "net/path/filter.h"
#include "net/path/frame.h"

#define HEADERS_MAX 8u /* IPv6 extension headers that are passed */

/* The transport header at offset `at` of a frame whose packet ends at `end`. */
static struct filter_key key(const uint8_t *f, uint8_t protocol, uint32_t at, uint32_t end)
{
	bool ports = protocol == IPV4_TCP || protocol == IPV4_UDP;
	bool icmp = protocol == IPV4_ICMP || protocol == IPV6_ICMP;

	if (ports && at + 4 <= end)
		return (struct filter_key){acl_ports(load_be16(f + at), load_be16(f + at + 2)),
			acl_kind(protocol, false, false), false};
	if (icmp && at + 2 <= end)
		return (struct filter_key){
			acl_ports(load_be16(f + at), 0), acl_kind(protocol, false, false), false};
	/* Not there (RFC 1858 3), or of no known form. */
	return (struct filter_key){0, acl_kind(protocol, true, false), false};
}

static struct filter_key without_ports(uint8_t protocol)
{
	return (struct filter_key){0, acl_kind(protocol, true, false), false};
}

struct filter_key filter_key4(const uint8_t *f)
{
	if (load_be16(f + IPV4_FRAGMENT) & IPV4_OFFSET)
		return without_ports(f[IPV4_PROTOCOL]);
	return key(f, f[IPV4_PROTOCOL], IPV4_OFF + (f[IPV4_OFF] & 15u) * 4,
		IPV4_OFF + load_be16(f + IPV4_LENGTH));
}

static bool is_passed(uint8_t type)
{
	return type == IPV6_HOP_BY_HOP || type == IPV6_ROUTING || type == IPV6_FRAGMENT ||
	       type == IPV6_OPTIONS;
}

/*
 * The protocol is what follows the extension headers; in a fragment that is not the
 * first, what the fragment header names. If the packet ends before that, it is the last header
 * that was named: no host takes it for anything else (RFC 7112).
 */
struct filter_key filter_key6(const uint8_t *f)
{
	uint32_t at = IPV6_OFF + IPV6_HEADER, end = at + load_be16(f + IPV6_PAYLOAD);
	uint8_t type = f[IPV6_NEXT];

	for (unsigned i = 0; is_passed(type); i++) {
		if (i == HEADERS_MAX)
			return (struct filter_key){.unknown = true};
		if (at + 8 > end)
			return without_ports(type);
		uint32_t len = type == IPV6_FRAGMENT ? 8 : (f[at + 1] + 1u) * 8;

		if (type == IPV6_FRAGMENT && load_be16(f + at + 2) & 0xfff8u)
			return without_ports(f[at]);
		type = f[at];
		at += len;
	}
	return key(f, type, at, end);
}
