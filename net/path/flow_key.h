/*
 * The key of a flow: what all packets of one direction of a conversation have in common.
 *
 * Addresses, protocol, and two numbers of 16 bits: the ports of TCP, UDP, UDP-Lite, SCTP and DCCP;
 * of ICMP queries the identifier, and type and code. Of any other protocol the numbers are 0.
 *
 * Which packets have a key is said by the form:
 * - WHOLE: not a fragment, and all that the key needs is there.
 * - FIRST: the first fragment of a datagram; its key is that of a whole packet.
 * - LATER: a fragment that does not begin with the transport header. Its key is of the datagram
 *   instead: addresses, protocol and, in place of the numbers, the identification (IPv4: 16 bits,
 *   IPv6: 32 bits); `later` tells such keys from all others.
 * - ERROR: an ICMP error, whose conversation is told by the packet inside it; it has no key itself.
 * - ALONE: each packet is decided for itself: other ICMP, a header that is not all there.
 */
#ifndef NET_PATH_FLOW_KEY_H
#define NET_PATH_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "net/table/ip6.h"

enum flow_form { FLOW_WHOLE, FLOW_FIRST, FLOW_LATER, FLOW_ERROR, FLOW_ALONE };

struct flow_key {
	struct ip6 src, dst; /* host byte order; IPv4: the last 32 bits, the rest is 0 */
	uint32_t ports;      /* source port << 16 | destination port; ICMP: identifier << 16 | type
			      * << 8 | code; LATER: the identification */
	uint8_t protocol;
	uint8_t family; /* 4 or 6 */
	bool later;
};

/*
 * The key of a frame whose IP lengths were checked (parse.h), and its form; *at: where the
 * transport header begins, from the frame's first byte (FIRST, WHOLE, ERROR). Any core.
 */
enum flow_form flow_key4(const uint8_t *frame, struct flow_key *key, uint32_t *at);
enum flow_form flow_key6(const uint8_t *frame, struct flow_key *key, uint32_t *at);

/* The key that a datagram's later fragments have: of a frame of form FIRST. */
void flow_key_later(const uint8_t *frame, struct flow_key *key);

/*
 * The key of the packet inside an ICMP error whose transport header is at `at`: as it was when
 * it was sent, so in the direction opposite to the error's. *inner: where that packet's IP
 * header begins, *inner_at: its transport header. false: it is too short to tell (RFC 792: 8 bytes
 * behind the IP header are there), a later fragment, itself an error, or of another family.
 */
bool flow_key_inside(const uint8_t *frame, uint32_t at, uint32_t len_bytes, struct flow_key *key,
	uint32_t *inner, uint32_t *inner_at);

/* The key of what answers: false if nothing does (a later fragment, an ICMP reply). */
bool flow_key_reverse(const struct flow_key *key, struct flow_key *reverse);

/* The key of the other direction of a conversation: of an ICMP reply that of its request, else as
 * flow_key_reverse. false: a later fragment. */
bool flow_key_back(const struct flow_key *key, struct flow_key *back);

/* 4-byte fields may stand between: they are compared one by one. */
static inline bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return ip6_equal(a->src, b->src) && ip6_equal(a->dst, b->dst) && a->ports == b->ports &&
	       a->protocol == b->protocol && a->family == b->family && a->later == b->later;
}

#endif
