/* Validation of received frames: IPv6 header checks (RFC 8200 3, RFC 4291 2). */
#include <string.h>

#include "lib/byteorder.h"
#include "net/path/parse.h"
#include "net/table/ip6.h"

bool parse6_is_plain(const uint8_t *f, uint32_t len, uint64_t mac, uint32_t max_frame)
{
	uint64_t to;
	uint32_t type_version;

	memcpy(&to, f, sizeof to);
	memcpy(&type_version, f + ETH_TYPE, sizeof type_version);

	bool ok = (to ^ mac) << 16 == 0; /* the six address bytes */

	ok &= (type_version & 0x00f0ffffu) == 0x0060dd86u;
	ok &= (len >= ETH_HEADER + IPV6_HEADER) & (len <= max_frame);
	ok &= load_be16(f + IPV6_PAYLOAD) + ETH_HEADER + IPV6_HEADER <= len;
	ok &= f[IPV6_NEXT] != IPV6_HOP_BY_HOP;
	ok &= ip6_is_plain(ip6_load(f + IPV6_SOURCE)) & ip6_is_plain(ip6_load(f + IPV6_DEST));
	return ok;
}

uint32_t parse6_flags(const uint8_t *f)
{
	bool look = f[IPV6_NEXT] == IPV6_HOP_BY_HOP || ip6_is_link_local(ip6_load(f + IPV6_SOURCE));

	return look ? PACKET_FLAG_OPTIONS : 0;
}

/*
 * Groups that a router is in (RFC 4291 2.8): all nodes, all routers, solicited
 * nodes. Which of the last are ours the control core knows.
 */
static bool is_heard(struct ip6 group)
{
	return ip6_is_routers_group(group) || ip6_equal(group, ip6_solicited_node(group));
}

/*
 * The addresses, RFC 4291 2. An unspecified source asks whether an address is
 * taken (RFC 4862 5.4.2) or who is a router, and never leaves the link.
 */
static uint16_t parse_addresses(struct ip6 src, struct ip6 dst, bool to_us, bool multicast)
{
	if (ip6_is_multicast(dst)) {
		if (!is_heard(dst) || !(to_us || multicast))
			return verdict_drop(DROP_MULTICAST);
		return ip6_is_unicast(src) || ip6_is_zero(src) ? verdict_punt(PUNT_LOCAL)
							       : verdict_drop(DROP_MARTIAN_SOURCE);
	}
	if (!ip6_is_unicast(src))
		return verdict_drop(DROP_MARTIAN_SOURCE);
	if (!ip6_is_unicast(dst))
		return verdict_drop(DROP_MARTIAN_DESTINATION);
	if (!to_us)
		return verdict_drop(DROP_L2_BROADCAST);
	/* The control core knows whether it is the port's own. */
	return ip6_is_link_local(dst) ? verdict_punt(PUNT_LOCAL) : VERDICT_ROUTE6;
}

uint16_t parse_ipv6(const uint8_t *f, uint32_t len, bool to_us)
{
	if (len < ETH_HEADER + IPV6_HEADER)
		return verdict_drop(DROP_IP_TRUNCATED);
	if (f[IPV6_OFF] >> 4 != 6)
		return verdict_drop(DROP_IP_VERSION);
	/* None with a hop-by-hop header would be a jumbogram (RFC 2675): larger than any MTU. */
	if (load_be16(f + IPV6_PAYLOAD) + ETH_HEADER + IPV6_HEADER > len ||
		(load_be16(f + IPV6_PAYLOAD) == 0 && f[IPV6_NEXT] == IPV6_HOP_BY_HOP))
		return verdict_drop(DROP_IP6_LENGTH);
	return parse_addresses(ip6_load(f + IPV6_SOURCE), ip6_load(f + IPV6_DEST), to_us,
		f[0] == 0x33 && f[1] == 0x33); /* RFC 2464 7 */
}
