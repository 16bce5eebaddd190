/*
 * Path MTU discovery for what the router itself sends by IPv6 (RFC 8201): echoes, as
 * all else it says fits MTU_MIN_IP6. What it forwards it never cuts, and tells
 * others; what it sends by IPv4 has no DF, so that routers on the way may cut it.
 *
 * A destination has a place here from when it is sent more than MTU_MIN_IP6, and
 * packet too big is believed for such, about a packet that we could have sent
 * there just so, and downwards only. Places are few: one not used for the
 * longest goes first, and is learned again by the next packet that is lost.
 */
#ifndef NET_PROTO_PMTU_H
#define NET_PROTO_PMTU_H

#include <stdint.h>

#include "net/table/ip6.h"

struct stack;

#define PMTU_PLACES 64u
#define PMTU_AGE_MS 600000u /* then a larger one may be tried, RFC 8201 4, 5.3 */

struct pmtu {
	struct ip6 dst; /* zero: free */
	uint32_t sent;  /* the longest packet sent there */
	uint32_t mtu;   /* what the path takes, until until_ms; 0: what the link does */
	uint64_t until_ms;
	uint64_t used_ms;
};

struct pmtu_cache {
	struct pmtu place[PMTU_PLACES];
	uint64_t heeded, refused; /* packets too big */
};

/*
 * The longest packet for a destination beyond a link of MTU link_mtu, to which one
 * of `len` bytes, more than MTU_MIN_IP6, is to be sent now.
 */
uint32_t pmtu_for(struct stack *s, struct ip6 dst, uint32_t len, uint32_t link_mtu);

/* Packet too big, `len` bytes at frame + at, checksum right. */
void pmtu_input(struct stack *s, const uint8_t *frame, uint32_t at, uint32_t len);

#endif
