/* What the files of net/proto/ share among themselves; nobody else includes this. */
#ifndef NET_PROTO_INTERNAL_H
#define NET_PROTO_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "lib/hash.h"
#include "net/path/frame.h"
#include "net/proto/stack.h"

#define IPV4_TTL_OWN 64u /* of what the router sends, RFC 1700 */
#define ICMP_HEADER  8u

static inline uint8_t *frame_of(const struct stack *s, uint64_t word)
{
	return buffer_data(s->buffers, packet_index(word));
}

static inline uint32_t ipv4_header_len(const uint8_t *frame)
{
	return (frame[IPV4_OFF] & 15u) * 4;
}

static inline uint32_t ipv4_total_len(const uint8_t *frame)
{
	return load_be16(frame + IPV4_LENGTH);
}

static inline bool ipv4_is_fragment(const uint8_t *frame)
{
	return load_be16(frame + IPV4_FRAGMENT) & (IPV4_MF | IPV4_OFFSET);
}

/* Writes the header checksum. */
static inline void ipv4_finish(uint8_t *frame)
{
	memset(frame + IPV4_CHECKSUM, 0, 2);

	uint16_t check = checksum(frame + IPV4_OFF, ipv4_header_len(frame));

	memcpy(frame + IPV4_CHECKSUM, &check, sizeof check);
}

/*
 * Starts a packet of our own: header without options, no flags, Ethernet
 * addresses zero. Id and checksum are left to stack_send.
 */
void ipv4_begin(uint8_t *frame, uint32_t total_len, uint8_t protocol, uint8_t ttl, uint32_t src,
	uint32_t dst);

/*
 * The next hop the RIB has for an address; NEXTHOP_NONE if it has none. Of a
 * group, the member for flows of that hash: the one a worker picks.
 */
uint32_t stack_route(const struct stack *s, uint32_t dst, uint32_t flow);
/* One of the router's own addresses. */
bool stack_is_own(const struct stack *s, uint32_t address);

/* slowpath.c: an IPv4 frame from a port; to its fate. Takes the word. */
void slowpath_input(struct stack *s, uint64_t word);
/* An IPv4 packet to ourselves. Takes the word. */
void slowpath_local(struct stack *s, uint64_t word);

/* What options_check found. Offsets in the IPv4 header; 0: none. */
struct options {
	uint8_t record, stamp, source_route; /* where these options are */
	uint8_t pointer;                     /* the byte that is wrong, RFC 792 */
	enum drop_reason reason;             /* if it returned false */
};

/* options.c: false if the options are malformed, or a source route, which has no pointer. */
bool options_check(const uint8_t *frame, struct options *o);
/* Records route and time in a frame with good options that leaves by the interface with `address`
 * (RFC 1812 4.2.2.2, 5.3.13). */
void options_write(const struct stack *s, uint8_t *frame, uint32_t address);
/* Header of the fragments after the first (RFC 791 3.1: options with the copy bit); its length. */
uint32_t options_fragment_header(const uint8_t *frame, uint8_t header[IPV4_HEADER_MAX]);

/*
 * fragment.c: sends a complete frame, an IPv4 packet without DF, in fragments of
 * at most mtu bytes. All of it or, if buffers run out, nothing. Takes the word.
 */
void fragment_send(struct stack *s, unsigned port, uint32_t mtu, uint64_t word);

/* icmp.c: writes the checksum of a message of len bytes. */
void icmp_finish(uint8_t *icmp, uint32_t len);
/* RFC 1812 4.3.2.7: this IPv4 frame may be answered by an error. */
bool icmp_may_answer(const struct stack *s, const uint8_t *frame);
bool icmp_limit_take(struct icmp_limit *l, uint64_t now_ms);

/* closed.c: a UDP datagram, a TCP segment to ourselves, whole. Takes the word. */
void closed_udp(struct stack *s, uint64_t word);
void closed_tcp(struct stack *s, uint64_t word);

/* arp_wire.c: mac: 6 bytes, or NULL to broadcast. Nothing is sent if no buffer is free. */
void arp_send_request(struct stack *s, unsigned port, uint32_t target, const uint8_t *mac);
/* RFC 5227 2.3: a request for our own address, from that address. */
void arp_send_announcement(struct stack *s, unsigned port, uint32_t address);

/* arp.c, for arp_wire.c: the sender of an ARP packet is at `mac`; make: also if it is not known
 * yet. */
void arp_learn(struct stack *s, unsigned port, uint32_t address, const uint8_t *mac, bool make);

#endif
