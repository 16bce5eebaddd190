/*
 * Sessions: the state of conversations, of one actor.
 *
 * A session has two ways, one for each direction, found by the key of its packets (flow_key.h). A
 * way is one cache line: all that a packet of an established session needs to be sent on. What the
 * packet is rewritten to (NAT) stands there as well, so a way without translation is no case of
 * its own. What is needed seldom stands in the cold part.
 *
 * All packets of a session, in both directions, come to one actor (steer.h); nobody else
 * writes. The control core reads copies (session_copy).
 */
#ifndef NET_PATH_SESSION_H
#define NET_PATH_SESSION_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"
#include "net/path/flow_key.h"

#define SESSION_NONE UINT32_MAX

/* Of a way. */
#define WAY_SIX     1u /* IPv6: src and dst are folded, the whole key is in the cold part */
#define WAY_REWRITE 2u /* the packet's addresses or numbers change */
#define WAY_DIRECT  4u /* a packet without SYN, FIN or RST changes nothing but `last` */

/*
 * One direction. Key in host byte order, as in flow_key; the 16 bytes of an IPv4 key stand
 * together, so that one comparison tells.
 */
struct way {
	alignas(CACHE_LINE) uint32_t src;
	uint32_t dst, ports;
	uint8_t protocol;
	uint8_t flags;     /* WAY_ */
	uint16_t delta_ip; /* to be added to the IPv4 header's checksum, ones' complement, */
	/* what src, dst, ports become; ports of ICMP: the identifier's place only */
	uint32_t new_src, new_dst, new_ports;
	uint16_t delta_transport; /* and to the transport's; memory order both: see translate.h */
	uint16_t slot_in,
		slot_out;    /* filter.h: the rules that permitted it; FILTER_NO_SLOT: none asked */
	uint16_t input;      /* interface for which nh and slots were decided */
	uint32_t generation; /* of the tables that nh and slots were decided by; 0: never */
	uint32_t nh;         /* next hop, a member if there are several */
	uint32_t last;       /* when its last packet came, in ticks of 2^SESSION_TICK_SHIFT TSC */
	uint32_t packets;    /* modulo 2^32 */
	uint64_t bytes;
};

_Static_assert(sizeof(struct way) == CACHE_LINE, "one line a packet");

#endif
