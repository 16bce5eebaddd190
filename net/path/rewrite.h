/* Third stage of the path: the header of a routed packet, in place. */
#ifndef NET_PATH_REWRITE_H
#define NET_PATH_REWRITE_H

#include <stdint.h>
#include <string.h>

#include "net/path/parse.h"
#include "net/table/nexthop.h"

/*
 * Writes the Ethernet addresses of the next hop, TTL - 1 and the checksum that
 * goes with it (RFC 1624 eqn 3 for a field that falls by 0x0100: in memory order
 * the checksum rises by one, with end-around carry; 0xffff is not a result).
 */
static inline void rewrite_frame(uint8_t *frame, const struct adjacency *adjacency)
{
	uint32_t v; /* TTL, protocol, checksum in memory order */

	memcpy(&v, frame + IPV4_TTL, sizeof v);
	uint32_t check = (v >> 16) + 1;

	check += check >= 0xffff;
	v = ((v & 0xffff) - 1) | check << 16;
	memcpy(frame + IPV4_TTL, &v, sizeof v);
	memcpy(frame, adjacency->mac, sizeof adjacency->mac);
}

/* The same for IPv6: the hop limit, which no checksum covers. */
static inline void rewrite_frame6(uint8_t *frame, const struct adjacency *adjacency)
{
	frame[IPV6_HOPS]--;
	memcpy(frame, adjacency->mac, sizeof adjacency->mac);
}

#endif
