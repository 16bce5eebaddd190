/* Why a worker hands a packet to the control core: the low byte of the word's flags. */
#ifndef NET_PATH_PUNT_H
#define NET_PATH_PUNT_H

#include <stdint.h>
#include <string.h>

enum punt_reason {
	PUNT_ARP = 1,     /* an ARP frame */
	PUNT_LOCAL,       /* IP to an address of the router or a group it is in: deliver */
	PUNT_TTL,         /* TTL ran out: ICMP time exceeded */
	PUNT_NO_ROUTE,    /* ICMP network unreachable */
	PUNT_UNREACHABLE, /* route says unreachable: ICMP host unreachable */
	PUNT_PROHIBIT,    /* route says prohibit: ICMP administratively prohibited */
	PUNT_MTU,         /* larger than the egress MTU */
	PUNT_RESOLVE,     /* the next hop has no link-layer address yet (or is changing it) */
	PUNT_OPTIONS,     /* IPv4 options, IPv6 hop-by-hop options or link-local source */
	PUNT_LLDP,        /* a frame to LLDP's group */
	PUNT_COUNT
};

/*
 * In front of a frame with PACKET_FLAG_FINAL and PUNT_MTU stands the MTU: in the headroom of its
 * buffer, or where its tag was, behind which is still tag_note.
 */
#define PUNT_NOTE 8u

static inline void punt_note_mtu(uint8_t *frame, uint32_t mtu)
{
	memcpy(frame - PUNT_NOTE, &mtu, sizeof mtu);
}

static inline uint32_t punt_noted_mtu(const uint8_t *frame)
{
	uint32_t mtu;

	memcpy(&mtu, frame - PUNT_NOTE, sizeof mtu);
	return mtu;
}

#endif
