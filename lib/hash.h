/*
 * The hash of a flow: what packets of one conversation have in common.
 *
 * Both directions hash alike, so that they can meet on one core or path:
 * addresses and ports go in by sum and difference, which do not know their
 * order. Fragments carry ports in the first alone, so all of a fragmented packet
 * hashes by addresses and protocol; so do packets of other protocols.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/byteorder.h"

#define HASH_TCP      6u
#define HASH_UDP      17u
#define HASH_SCTP     132u
#define HASH_UDP_LITE 136u

/* Every bit of x moves every bit of the result (Stafford's mix 13 of splitmix64). */
static inline uint64_t hash_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* The source and destination port, in either order, are where these protocols have them. */
static inline bool hash_has_ports(unsigned protocol)
{
	return protocol == HASH_TCP || protocol == HASH_UDP || protocol == HASH_SCTP ||
	       protocol == HASH_UDP_LITE;
}

/* Of a pair of values, the same in either order. */
static inline uint64_t hash_pair(uint32_t a, uint32_t b)
{
	return (uint64_t)(a + b) << 32 | (a ^ b);
}

/*
 * ip: an IPv4 header, checked to be whole; bytes: from there to the end of what
 * was received. Any core.
 */
static inline uint32_t hash_flow4(const uint8_t *ip, uint32_t bytes)
{
	unsigned header = (ip[0] & 15u) * 4, protocol = ip[9];
	unsigned fragment = load_be16(ip + 6) & 0x3fffu; /* more to come, or an offset */
	uint64_t h = hash_mix(hash_pair(load_be32(ip + 12), load_be32(ip + 16)) + protocol);

	if (!fragment && hash_has_ports(protocol) && bytes >= header + 4)
		h = hash_mix(h ^ hash_pair(load_be16(ip + header), load_be16(ip + header + 2)));
	return (uint32_t)h;
}

/* The same for an IPv6 header. What has extension headers hashes by addresses alone. */
static inline uint32_t hash_flow6(const uint8_t *ip, uint32_t bytes)
{
	uint64_t a = load_be64(ip + 8), b = load_be64(ip + 16);
	uint64_t c = load_be64(ip + 24), d = load_be64(ip + 32);
	uint64_t h = hash_mix(a + c) ^ hash_mix(~(b + d)) * 3;
	unsigned protocol = ip[6];

	h = hash_mix(h ^ (a ^ c) ^ (b ^ d) << 1);
	if (hash_has_ports(protocol) && bytes >= 44)
		h = hash_mix(h ^ hash_pair(load_be16(ip + 40), load_be16(ip + 42)) ^
			     (uint64_t)protocol << 56);
	return (uint32_t)h;
}

#endif
