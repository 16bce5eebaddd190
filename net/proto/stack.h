/*
 * The control core's side of IP: ARP, ND, ICMP, and what workers hand up.
 *
 * Everything here runs on the control core and never blocks. The stack owns no
 * memory but its own struct; it reaches the router through stack_ops.
 *
 * A buffer is named by its packet word; the frame starts at packet_frame().
 * What is called a port here is an interface by its number (iface.h): a port, or
 * a VLAN subinterface. A frame that came with a tag is handed up without it.
 * Whoever holds a word must end it with exactly one of transmit, drop, deliver.
 */
#ifndef NET_PROTO_STACK_H
#define NET_PROTO_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/pool.h"
#include "net/path/drop.h"
#include "net/path/punt.h"
#include "net/proto/arp.h"
#include "net/proto/gateways.h"
#include "net/proto/icmp.h"
#include "net/proto/icmp6.h"
#include "net/proto/lldp.h"
#include "net/proto/mld.h"
#include "net/proto/nd.h"
#include "net/proto/pmtu.h"
#include "net/proto/reassembly.h"
#include "net/proto/udp.h"
#include "net/table/iface.h"
#include "net/table/nexthop.h"
#include "net/table/rib.h"

/* What the stack needs from the control core; ctx is stack.ctx. */
struct stack_ops {
	/* A buffer of the control core's pool to build a frame in; counts as received at
	 * CONTROL_PORT. false: pool empty, nothing is to be sent. */
	bool (*alloc)(void *ctx, uint32_t *index);
	/* Queues a complete Ethernet frame, without tag, for an interface. */
	void (*transmit)(void *ctx, unsigned port, uint64_t word);
	/* Ends a packet: counted at the ingress port of its buffer. */
	void (*drop)(void *ctx, uint64_t word, enum drop_reason reason);
	/* Ends a packet consumed here as local traffic. */
	void (*deliver)(void *ctx, uint64_t word);
	/* The interface a packet came in by; IFACE_NONE for the control core's own. */
	unsigned (*ingress)(void *ctx, uint64_t word);
	/* The RIB changed. */
	void (*routes_changed)(void *ctx);
	/* An ICMP message that may answer a ping or traceroute of the shell: the IPv4 packet
	 * (header first), its length, and the ICMP message inside it. Valid during the call. */
	void (*icmp_seen)(void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp,
		uint32_t icmp_len);
	/* The station with this MAC (6 bytes) uses an own address of the port. Once in
	 * NEIGHBOR_CONFLICT_MS for each port: fit for a log. Valid during the call. */
	void (*address_conflict)(void *ctx, unsigned port, uint32_t address, const uint8_t *mac);
	/* As icmp_seen: a message of ICMPv6. */
	void (*icmp6_seen)(void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp,
		uint32_t icmp_len);
	/* As address_conflict. duplicate: found by DAD: the address is not used. */
	void (*address_conflict6)(
		void *ctx, unsigned port, struct ip6 address, const uint8_t *mac, bool duplicate);
	/* A packet in transit may leave by an interface: no access list there denies it. NULL: any
	 * may. */
	bool (*may_leave)(void *ctx, unsigned port, uint64_t word);
	/* An address, of the network of this interface and not its own, that the router answers ARP
	 * for. NULL: none. */
	bool (*stands_in)(void *ctx, unsigned port, uint32_t address);
	/* An IPv4 packet about which an ICMP error is to be sent is put back to what its sender
	 * sent, if it was translated (PACKET_FLAG_CHANGED). false: nobody knows any more what it
	 * was. NULL: nothing is ever translated. */
	bool (*restore)(void *ctx, uint64_t word, uint8_t *frame);
};

#define STACK_LOOP 8u /* packets that one packet to ourselves may cause to ourselves */

struct stack {
	const struct stack_ops *ops;
	void *ctx;
	struct buffers *buffers;
	struct iface *iface; /* by number */
	unsigned ifaces;
	struct rib4 *rib;
	struct rib6 *rib6;
	struct nexthop_table *nexthops;
	uint64_t now_ms; /* time of the current call; monotonic */
	uint16_t ip_id;  /* of the next packet sent */
	uint64_t seed;   /* what nobody outside knows, set by the caller before; 0: no delays */
	uint64_t draws;  /* numbers drawn: stack_random */
	uint32_t ip6_id; /* of the next packet sent in fragments */
	struct neighbor_table arp;
	struct neighbor_table nd; /* IPv6 */
	struct nd_state nd_state;
	struct mld mld;
	struct gateways gateways;
	struct icmp_limit icmp_limit;
	struct icmp_limit icmp6_limit;
	struct reassembly reassembly;
	struct pmtu_cache pmtu;
	struct lldp lldp;
	struct udp udp;
	struct pace options6;      /* packets with hop-by-hop options that were looked at */
	uint64_t loop[STACK_LOOP]; /* packets to ourselves; empty between calls */
	unsigned loops;
	bool looping;
};

/* ops, ctx, buffers, iface, ifaces, rib, rib6 and nexthops are set by the caller before. */
void stack_init(struct stack *s, uint64_t now_ms);

/*
 * One packet from a worker, flags holding the punt reason. An IPv4 packet is
 * decided anew from the RIB, which may be ahead of the worker's FIB.
 */
void stack_input(struct stack *s, uint64_t word, uint64_t now_ms);

/* Packets held for unresolved neighbours, and fragments: all that the stack owns between calls,
 * for the audit. */
uint32_t stack_held(const struct stack *s);

/* Timers: retries and ageing, router advertisements. Bounded work a call; call every 10-100 ms. */
void stack_tick(struct stack *s, uint64_t now_ms);

/* The link of a port went up (gratuitous ARP for each address, RFC 5227 3) or down (its neighbours
 * are forgotten). */
void stack_link_changed(struct stack *s, unsigned port, bool up, uint64_t now_ms);

/*
 * Tells a link that is up what is going to be no more, while that can still be
 * said: the port (its stations go; LLDP), or only its IPv6 (a router, RFC 4861
 * 6.2.5; a listener of groups). If nothing comes of it, all is announced again by
 * the next ticks.
 */
void stack_farewell(struct stack *s, unsigned port, uint64_t now_ms);
void stack_farewell6(struct stack *s, unsigned port, uint64_t now_ms);

/* Addresses or routes were configured anew: the neighbours agree with them from now on. */
void stack_configured(struct stack *s, uint64_t now_ms);

/*
 * A port that stays up has got other addresses of these families: they are made
 * known. IPv6 addresses that it had before keep their state, new ones are probed.
 */
void stack_addresses_changed(struct stack *s, unsigned port, bool four, bool six, uint64_t now_ms);

/* An interface that is down is no more: nothing is known of it, static neighbours included. */
void stack_removed(struct stack *s, unsigned port, uint64_t now_ms);

/*
 * Sends an IPv4 packet of the router's own, built at packet_frame + 14 with all
 * but id and header checksum filled in (word length = 14 + total length).
 * Source 0.0.0.0 is replaced by the egress interface's address. One longer than
 * the egress MTU leaves in fragments (RFC 1122 3.3.3). Takes the word: also when
 * it fails, the packet ends under a drop reason. ERR_NOT_FOUND: no usable route.
 * ERR_INVALID: not a unicast destination, or longer than the egress MTU with DF.
 * ERR_FULL: too many packets to ourselves at once.
 */
enum err stack_send(struct stack *s, uint64_t word);

/*
 * An echo request to dst, payload `size` bytes (0x00, 0x01, ...); ERR_INVALID if
 * that is more than a buffer is made for (28 less than buffers->mtu).
 * ttl 0: the default 64. For ping and traceroute. ERR_FULL: no buffer; else as
 * stack_send.
 */
MUST_CHECK enum err stack_send_echo(
	struct stack *s, uint32_t dst, uint16_t id, uint16_t seq, uint32_t size, uint8_t ttl);

/*
 * As stack_send, an IPv6 packet built at packet_frame + 14, ICMPv6 without its
 * checksum. A zero source is replaced by the egress interface's address. port:
 * where a link-local destination is; of any other the route decides. One longer
 * than the egress MTU, or than the path takes (pmtu.h), leaves in fragments (RFC
 * 8200 5).
 */
enum err stack_send6(struct stack *s, uint64_t word, unsigned port);

/* As stack_send_echo; ERR_INVALID also for a link-local destination. size: 48 less than the MTU. */
MUST_CHECK enum err stack_send_echo6(
	struct stack *s, struct ip6 dst, uint16_t id, uint16_t seq, uint32_t size, uint8_t hops);

#endif
