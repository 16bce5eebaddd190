/* Where the fields of an Ethernet frame with IPv4 stand, for all who read or write one. */
#ifndef NET_PATH_FRAME_H
#define NET_PATH_FRAME_H

/* Ethernet II (IEEE 802.3, RFC 894): offsets in the frame. */
#define ETH_HEADER    14u
#define ETH_TYPE      12u
#define ETH_TYPE_IPV4 0x0800u
#define ETH_TYPE_ARP  0x0806u

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

#endif
