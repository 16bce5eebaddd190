/* Where the fields of an Ethernet frame with IPv4 or IPv6 stand, and which addresses can be a
 * host's. */
#ifndef NET_PATH_FRAME_H
#define NET_PATH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* Ethernet II (IEEE 802.3, RFC 894): offsets in the frame. */
#define ETH_HEADER    14u
#define ETH_TYPE      12u
#define ETH_TYPE_IPV4 0x0800u
#define ETH_TYPE_ARP  0x0806u
#define ETH_TYPE_IPV6 0x86ddu
#define ETH_TYPE_VLAN 0x8100u /* IEEE 802.1Q */
#define ETH_TYPE_QINQ 0x88a8u /* IEEE 802.1ad */
#define ETH_TYPE_LLDP 0x88ccu

/* Where LLDP goes: the station at the other end of the link (IEEE 802.1AB 7.1). */
#define LLDP_GROUP                                                                                 \
	{                                                                                          \
		0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e                                                 \
	}

/* IPv4 (RFC 791 3.1): offsets in the frame. */
#define IPV4_HEADER     20u /* without options */
#define IPV4_HEADER_MAX 60u /* IHL 15 */
#define IPV4_OFF        ETH_HEADER
#define IPV4_TOS        (IPV4_OFF + 1)
#define IPV4_LENGTH     (IPV4_OFF + 2)
#define IPV4_ID         (IPV4_OFF + 4)
#define IPV4_FRAGMENT   (IPV4_OFF + 6)
#define IPV4_TTL        (IPV4_OFF + 8)
#define IPV4_PROTOCOL   (IPV4_OFF + 9)
#define IPV4_CHECKSUM   (IPV4_OFF + 10)
#define IPV4_SOURCE     (IPV4_OFF + 12)
#define IPV4_DEST       (IPV4_OFF + 16)

/* In IPV4_FRAGMENT. */
#define IPV4_DF     0x4000u
#define IPV4_MF     0x2000u
#define IPV4_OFFSET 0x1fffu /* in units of 8 bytes */

/* In IPV4_PROTOCOL. */
#define IPV4_ICMP 1u
#define IPV4_TCP  6u
#define IPV4_UDP  17u

/* IPv6 (RFC 8200 3): offsets in the frame. */
#define IPV6_HEADER  40u
#define IPV6_OFF     ETH_HEADER
#define IPV6_PAYLOAD (IPV6_OFF + 4) /* length of what follows the header */
#define IPV6_NEXT    (IPV6_OFF + 6)
#define IPV6_HOPS    (IPV6_OFF + 7)
#define IPV6_SOURCE  (IPV6_OFF + 8)
#define IPV6_DEST    (IPV6_OFF + 24)

/* In IPV6_NEXT (IANA protocol numbers). */
#define IPV6_HOP_BY_HOP 0u
#define IPV6_ROUTING    43u
#define IPV6_FRAGMENT   44u
#define IPV6_AUTH       51u /* RFC 4302 */
#define IPV6_ICMP       58u
#define IPV6_NONE       59u
#define IPV6_OPTIONS    60u /* for the destination */

/* The traffic class (RFC 2474: DSCP in its upper six bits) of an IPv6 frame. */
static inline uint8_t ipv6_class(const uint8_t *frame)
{
	return (uint8_t)(frame[IPV6_OFF] << 4 | frame[IPV6_OFF + 1] >> 4);
}

/*
 * The address (host byte order) may name one host: 1.0.0.0 - 223.255.255.255
 * without 127/8. Nothing else is valid as a source, or as a unicast destination
 * (RFC 1812 5.3.7). Whether a network takes it for its broadcast is not known
 * here. Any core; no branches, for the first test of every packet.
 */
static inline bool ipv4_is_unicast(uint32_t address)
{
	return (address - 0x01000000u < 0xdf000000u) & (address >> 24 != 127);
}

/* Ranges that name no host, but which a configuration can permit all the same (RFC 1812 5.3.7). */
#define MARTIAN_ZERO     0x1u /* 0.0.0.0/8 without 0.0.0.0 */
#define MARTIAN_LOOPBACK 0x2u /* 127.0.0.0/8 */
#define MARTIAN_CLASS_E  0x4u /* 240.0.0.0/4 without 255.255.255.255 */

/* The MARTIAN_ bit of an address; 0: none, or nothing to be permitted. Any core. */
static inline unsigned ipv4_martian(uint32_t address)
{
	if (address == 0 || address == 0xffffffffu)
		return 0;
	if (address >> 28 == 0xf)
		return MARTIAN_CLASS_E;
	return address >> 24 == 0 ? MARTIAN_ZERO : address >> 24 == 127 ? MARTIAN_LOOPBACK : 0;
}

#endif
