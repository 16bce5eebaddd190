/* Builders of test frames. */
#include "test/model/frame.h"

#include <string.h>

#include "lib/byteorder.h"

/* Byte by byte, so that it shares nothing with lib/checksum.c. */
static uint16_t sum16(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void frame_fix_checksum(struct frame *f)
{
	uint8_t *ip = f->data + 14;
	size_t header = (size_t)(ip[0] & 15) * 4;

	ip[10] = ip[11] = 0;
	store_be16(ip + 10, sum16(ip, header));
}

static uint8_t *ipv4(struct frame *f, const uint8_t *dst_mac, const uint8_t *src_mac, uint32_t src,
	uint32_t dst, uint8_t protocol, size_t payload)
{
	uint8_t *ip = f->data + 14;

	memset(f->data, 0, sizeof f->data);
	memcpy(f->data, dst_mac, 6);
	memcpy(f->data + 6, src_mac, 6);
	store_be16(f->data + 12, 0x0800);
	ip[0] = 0x45;
	store_be16(ip + 2, (uint16_t)(20 + payload));
	ip[8] = 64;
	ip[9] = protocol;
	store_be32(ip + 12, src);
	store_be32(ip + 16, dst);
	f->len = 14 + 20 + payload;
	frame_fix_checksum(f);
	return ip + 20;
}

void frame_udp(struct frame *f, const uint8_t *dst_mac, const uint8_t *src_mac, uint32_t src,
	uint32_t dst, size_t payload)
{
	uint8_t *udp = ipv4(f, dst_mac, src_mac, src, dst, 17, 8 + payload);

	store_be16(udp, 1000);
	store_be16(udp + 2, 2000);
	store_be16(udp + 4, (uint16_t)(8 + payload));
	for (size_t i = 0; i < payload; i++)
		udp[8 + i] = (uint8_t)i;
}

void frame_echo(struct frame *f, const uint8_t *dst_mac, const uint8_t *src_mac, uint32_t src,
	uint32_t dst, uint16_t id, uint16_t seq)
{
	uint8_t *icmp = ipv4(f, dst_mac, src_mac, src, dst, 1, 8 + 32);

	icmp[0] = 8;
	store_be16(icmp + 4, id);
	store_be16(icmp + 6, seq);
	for (size_t i = 0; i < 32; i++)
		icmp[8 + i] = (uint8_t)i;
	store_be16(icmp + 2, sum16(icmp, 40));
}

void frame_arp(struct frame *f, unsigned op, const uint8_t *dst_mac, const uint8_t *src_mac,
	uint32_t src, const uint8_t *target_mac, uint32_t target)
{
	uint8_t *arp = f->data + 14;

	memset(f->data, 0, sizeof f->data);
	memcpy(f->data, dst_mac, 6);
	memcpy(f->data + 6, src_mac, 6);
	store_be16(f->data + 12, 0x0806);
	store_be16(arp, 1);
	store_be16(arp + 2, 0x0800);
	arp[4] = 6;
	arp[5] = 4;
	store_be16(arp + 6, (uint16_t)op);
	memcpy(arp + 8, src_mac, 6);
	store_be32(arp + 14, src);
	memcpy(arp + 18, target_mac, 6);
	store_be32(arp + 24, target);
	f->len = 14 + 28;
}
