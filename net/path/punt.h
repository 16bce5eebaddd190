/* Why a worker hands a packet to the control core: the low byte of the word's flags. */
#ifndef NET_PATH_PUNT_H
#define NET_PATH_PUNT_H

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

#endif
