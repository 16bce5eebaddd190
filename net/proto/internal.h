/* What the files of net/proto/ share among themselves; nobody else includes this. */
#ifndef NET_PROTO_INTERNAL_H
#define NET_PROTO_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "lib/hash.h"
#include "net/path/frame.h"
#include "net/proto/mld.h"
#include "net/proto/nd.h"
#include "net/proto/stack.h"

#define IPV4_TTL_OWN 64u /* of what the router sends, RFC 1700 */
#define ICMP_HEADER  8u

static inline uint8_t *frame_of(const struct stack *s, uint64_t word)
{
	if (packet_flags(word) & PACKET_FLAG_WHOLE)
		return s->reassembly.whole;
	return packet_frame(s->buffers, word);
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

/* The Ethernet header of what leaves by a port for the station `mac` (6 bytes). */
static inline void ethernet_finish(
	const struct stack *s, uint8_t *frame, unsigned port, const uint8_t *mac, uint16_t type)
{
	memcpy(frame, mac, 6);
	memcpy(frame + 6, s->iface[port].mac, 6);
	store_be16(frame + ETH_TYPE, type);
}

/* At most `burst` in each tenth of a second. */
static inline bool pace_take(struct pace *p, uint64_t now_ms, uint32_t burst)
{
	if (now_ms - p->since_ms >= 100)
		*p = (struct pace){now_ms, 0};
	return p->n < burst && p->n++ < burst;
}

/* A number from 0 to max that nobody outside can tell before; 0 without a seed. */
static inline uint64_t stack_random(struct stack *s, uint64_t max)
{
	return s->seed ? hash_mix(s->seed + ++s->draws) % (max + 1) : 0;
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

/* Ends a packet of our own under a reason; returns `result`. Takes the word. */
enum err stack_refuse(struct stack *s, uint64_t word, enum drop_reason reason, enum err result);
/* The reason of a packet whose next hop is no way on: neither LOCAL nor RESOLVE. */
enum drop_reason stack_reason(enum nexthop_action action);

/* slowpath.c: an IPv4 frame from a port; to its fate. Takes the word. */
void slowpath_input(struct stack *s, uint64_t word);

/* Ends an IPv4 packet as a worker has decided: what it would be routed by is not what it has come
 * with (NAT). reason: enum punt_reason. */
void slowpath_final(struct stack *s, uint64_t word, uint32_t reason);
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

/*
 * The same for a packet of our own that stands in no buffer (PACKET_FLAG_WHOLE):
 * its fragments go to the neighbour one by one. Takes the word.
 */
void fragment_send_whole(
	struct stack *s, unsigned port, uint32_t neighbor, uint32_t mtu, uint64_t word);

/*
 * fragment6.c: sends an IPv6 packet of our own, longer than mtu and without
 * extension headers, in fragments to a neighbour (RFC 8200 4.5). All of it or
 * nothing. Takes the word.
 */
void fragment6_send(
	struct stack *s, unsigned port, struct ip6 neighbor, uint32_t mtu, uint64_t word);

/* icmp.c: writes the checksum of a message of len bytes. */
void icmp_finish(uint8_t *icmp, uint32_t len);
/* RFC 1812 4.3.2.7: this IPv4 frame may be answered by an error. */
bool icmp_may_answer(const struct stack *s, const uint8_t *frame);
/* Token buckets, RFC 1812 4.3.2.8, RFC 4443 2.4 (f): an error may be sent to dst (of IPv4 the top
 * 32 bits). */
bool icmp_limit_take(struct stack *s, struct icmp_limit *l, struct ip6 dst);
void icmp_limit_init(struct icmp_limit *l, uint64_t now_ms);

/* closed.c: a UDP datagram, a TCP segment to ourselves, whole. Takes the word. */
void closed_udp(struct stack *s, uint64_t word);
void closed_tcp(struct stack *s, uint64_t word);

/* Checksum over pseudo header and `len` bytes behind the IPv4 header; 0: the one in there is right.
 */
uint16_t transport_checksum(const uint8_t *frame, const uint8_t *body, uint32_t len);

/* Offsets in the header, RFC 768. */
#define UDP_SOURCE 0u
#define UDP_DEST   2u
#define UDP_LENGTH 4u
#define UDP_CHECK  6u
#define UDP_HEADER 8u

/* udp.c: a sound datagram of `len` bytes with its header goes to who waits for it; false: nobody.
 */
bool udp_take(struct stack *s, uint32_t src, const uint8_t *udp, uint32_t len);
/* Writes the checksum of a datagram of our own; its IPv4 header has no options. */
void udp_finish(uint8_t *frame);

#define TCP_HEADER 20u
#define TCP_CHECK  16u /* offset in the header, RFC 9293 3.1 */

/* The length a UDP header says fits into `len` bytes: that length, or 0. */
uint32_t udp_said(const uint8_t *udp, uint32_t len);
/* A segment of `len` bytes that a reset may answer, but for its checksum. */
bool tcp_wants_reset(const uint8_t *tcp, uint32_t len);
/* RFC 9293 3.10.7.1: the reset (TCP_HEADER bytes, checksum zero) that the peer takes for an answer
 * to this segment of `len` bytes. */
void tcp_write_reset(uint8_t *reset, const uint8_t *tcp, uint32_t len);

/* ---- IPv6 ---- */

static inline uint32_t ipv6_total_len(const uint8_t *frame)
{
	return IPV6_HEADER + load_be16(frame + IPV6_PAYLOAD);
}

static inline struct ip6 ipv6_src(const uint8_t *frame)
{
	return ip6_load(frame + IPV6_SOURCE);
}

static inline struct ip6 ipv6_dst(const uint8_t *frame)
{
	return ip6_load(frame + IPV6_DEST);
}

/* Starts a packet of our own, Ethernet addresses zero. ICMPv6's checksum is left to stack_send6. */
void ipv6_begin(uint8_t *frame, uint32_t payload_len, uint8_t next, uint8_t hops, struct ip6 src,
	struct ip6 dst);

/* As stack_route. Not for link-local addresses. */
uint32_t stack_route6(const struct stack *s, struct ip6 dst, uint32_t flow);

/* The port's interface, and the own address there: link-local ones are on one link, others on
 * any. NULL if it is not our own. */
const struct iface_addr6 *stack_own6(const struct stack *s, unsigned port, struct ip6 address);

/* A packet in transit may leave by an interface: the worker let it pass by its own next hop. */
static inline bool stack_may_leave(const struct stack *s, unsigned port, uint64_t word)
{
	return !s->ops->may_leave || s->ops->may_leave(s->ctx, port, word);
}

/* Ends a packet to ourselves; see stack.c. */
enum err stack_loop(struct stack *s, uint64_t word);

/* slowpath6.c: as slowpath.c's. */
void slowpath6_input(struct stack *s, uint64_t word);
void slowpath6_local(struct stack *s, uint64_t word);

/* A header of the chain behind the IPv6 header. Offsets in the frame. */
struct ext {
	uint8_t type;   /* enum of IPV6_NEXT */
	uint32_t at;    /* where it begins */
	uint32_t named; /* the byte that says its type */
	uint32_t end;   /* of the packet */
};

/* ext.c: the first header after the IPv6 header of a frame, and the one after an extension header
 * of known form. false: it is not all there. */
struct ext ext_first(const uint8_t *frame);
bool ext_next(const uint8_t *frame, struct ext *e);
/* It is an extension header that ext_next can pass. */
bool ext_is_known(uint8_t type);
/* The transport header, beyond all known extension headers and an authentication header. false:
 * there is none in this packet. */
bool ext_transport(const uint8_t *frame, struct ext *e);

/* It begins with a hop-by-hop header that has a router alert of this value (RFC 2711). */
bool ext_has_alert(const uint8_t *frame, uint16_t value);

/* What the options of a hop-by-hop or destination header ask for, RFC 8200 4.2. */
enum ext_verdict {
	EXT_PASS,
	EXT_DROP,         /* silently */
	EXT_REPORT,       /* parameter problem, also to a group */
	EXT_REPORT_ALONE, /* parameter problem, unless the destination is a group */
};

/* *pointer: the option, offset in the frame. */
enum ext_verdict ext_options(const uint8_t *frame, const struct ext *e, uint32_t *pointer);

/* Writes the traffic class of a frame that has none yet. */
static inline void ipv6_set_class(uint8_t *frame, uint8_t class)
{
	frame[IPV6_OFF] |= class >> 4;
	frame[IPV6_OFF + 1] |= (uint8_t)(class << 4);
}

/* icmp6.c: the checksum over pseudo header (RFC 8200 8.1) and `len` bytes at offset `at` of the
 * frame; 0: the one in there is right. */
uint16_t ipv6_checksum(const uint8_t *frame, uint8_t protocol, uint32_t at, uint32_t len);
/* Writes the checksum of an ICMPv6 message in a frame without extension headers (RFC 4443 2.3). */
void icmp6_finish(uint8_t *frame);
/* The packet in `word` may be answered by an error, and the limit has one left (RFC 4443 2.4). */
bool icmp6_take(struct stack *s, uint64_t word, uint8_t type, uint8_t code);

/* closed6.c: as closed_udp and closed_tcp; the datagram, the segment is at offset `at`. */
void closed_udp6(struct stack *s, uint64_t word, uint32_t at);
void closed_tcp6(struct stack *s, uint64_t word, uint32_t at);
/* Writes the checksum of what we send, ICMPv6, TCP or UDP, without extension headers. */
void transport6_finish(uint8_t *frame);

/* nd_wire.c: what leaves for a link. mac: 6 bytes, or NULL for the group of the destination.
 * Nothing is sent if no buffer is free. */
void nd_send_solicit(
	struct stack *s, unsigned port, struct ip6 src, struct ip6 target, const uint8_t *mac);
void nd_send_advert(struct stack *s, unsigned port, struct ip6 dst, struct ip6 target,
	uint32_t flags, const uint8_t *mac);
/* A frame to build an ICMPv6 message of `len` bytes in, hop limit 255; message: where it begins. */
bool nd_begin(struct stack *s, uint32_t len, struct ip6 src, struct ip6 dst, uint64_t *word,
	uint8_t **message);
/* ... and away, with its checksum. */
void nd_finish(struct stack *s, unsigned port, const uint8_t *mac, uint64_t word);

/* nd_dad.c: the address is another's: a probe or an advertisement of it came from `mac`. */
void dad_conflict(struct stack *s, unsigned port, struct iface_addr6 *a, const uint8_t *mac);

/* arp_wire.c: mac: 6 bytes, or NULL to broadcast. Nothing is sent if no buffer is free. */
void arp_send_request(struct stack *s, unsigned port, uint32_t target, const uint8_t *mac);
/* RFC 5227 2.3: a request for our own address, from that address. */
void arp_send_announcement(struct stack *s, unsigned port, uint32_t address);

/* arp.c, for arp_wire.c: the sender of an ARP packet is at `mac`; make: also if it is not known
 * yet. */
void arp_learn(struct stack *s, unsigned port, uint32_t address, const uint8_t *mac, bool make);

#endif
