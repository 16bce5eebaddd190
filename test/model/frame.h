/* Frames for unit tests: valid ones to start from, which a test then breaks. */
#ifndef TEST_MODEL_FRAME_H
#define TEST_MODEL_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct frame {
	size_t len;
	uint8_t data[2048];
};

/* IPv4/UDP with `payload` bytes of data; addresses in host byte order, MACs of 6 bytes. TTL 64, DF
 * clear. */
void frame_udp(struct frame *f, const uint8_t *dst_mac, const uint8_t *src_mac, uint32_t src,
	uint32_t dst, size_t payload);

/* Recomputes the IPv4 header checksum after a change. */
void frame_fix_checksum(struct frame *f);

/* An ARP request (op 1) or reply (op 2) from (src_mac, src) about (target_mac, target). */
void frame_arp(struct frame *f, unsigned op, const uint8_t *dst_mac, const uint8_t *src_mac,
	uint32_t src, const uint8_t *target_mac, uint32_t target);

/* IPv4/ICMP echo request. */
void frame_echo(struct frame *f, const uint8_t *dst_mac, const uint8_t *src_mac, uint32_t src,
	uint32_t dst, uint16_t id, uint16_t seq);

#endif
