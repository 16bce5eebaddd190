/* What the model's receive path sees in a frame: tag, IP, layer 4, checksums (7.1.6.2, 7.1.11). */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* RFC 1071. */
uint32_t ixgbe_model_sum(const uint8_t *p, unsigned bytes, uint32_t sum)
{
	for (; bytes > 1; bytes -= 2, p += 2)
		sum += be16(p);
	if (bytes)
		sum += (uint32_t)*p << 8;
	return (sum & 0xFFFF) + (sum >> 16);
}

uint16_t ixgbe_model_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t)sum;
}

/* Of source and destination address, protocol and length. */
static uint32_t pseudo(const uint8_t *addresses, unsigned bytes, uint8_t protocol, unsigned length)
{
	return ixgbe_model_sum(addresses, bytes, protocol + length);
}

static void parse_l4(const uint8_t *frame, struct ixgbe_model_packet *p, uint32_t sum)
{
	unsigned bytes = p->end - p->l4;

	if (p->protocol == 6 && bytes >= 20) {
		p->type |= RXD_TCP;
	} else if (p->protocol == 17 && bytes >= 8) {
		p->type |= RXD_UDP;
		if (be16(frame + p->l4 + 6) == 0)
			return; /* RFC 768: the sender made none */
		p->status |= RXD_UDPCS;
	} else {
		p->type |= p->protocol == 132 ? RXD_SCTP : 0;
		return;
	}
	p->status |= RXD_L4CS;
	if (ixgbe_model_fold(ixgbe_model_sum(frame + p->l4, bytes, sum)) != 0xFFFF)
		p->status |= RXD_ERR_L4;
}

static void parse_ip4(const uint8_t *frame, unsigned bytes, struct ixgbe_model_packet *p)
{
	const uint8_t *ip = frame + p->l3;
	unsigned header, total;

	if (p->l3 + 20 > bytes || ip[0] >> 4 != 4)
		return;
	header = (ip[0] & 0xFu) * 4;
	total = be16(ip + 2);
	if (header < 20 || total < header || p->l3 + total > bytes)
		return;
	p->type = header > 20 ? RXD_IP4_OPTIONS : RXD_IP4;
	p->status |= RXD_IPCS;
	if (ixgbe_model_fold(ixgbe_model_sum(ip, header, 0)) != 0xFFFF)
		p->status |= RXD_ERR_IP;
	p->end = p->l3 + total;
	p->fragment = be16(ip + 6) & 0x3FFF;
	if (p->fragment)
		return;
	p->l4 = p->l3 + header;
	p->protocol = ip[9];
	parse_l4(frame, p, pseudo(ip + 12, 8, p->protocol, total - header));
}

/* Past extension headers (RFC 8200 4); false: there is no layer 4 to be seen. */
static bool skip_extensions(const uint8_t *frame, struct ixgbe_model_packet *p)
{
	while (p->protocol == 0 || p->protocol == 43 || p->protocol == 60 || p->protocol == 44) {
		const uint8_t *h = frame + p->l4;

		p->type = RXD_IP6_EXT;
		if (p->l4 + 8 > p->end)
			return false;
		if (p->protocol == 44) {
			p->fragment = true;
			return false;
		}
		p->protocol = h[0];
		p->l4 += 8 + h[1] * 8u;
		if (p->l4 > p->end)
			return false;
	}
	return true;
}

static void parse_ip6(const uint8_t *frame, unsigned bytes, struct ixgbe_model_packet *p)
{
	const uint8_t *ip = frame + p->l3;

	if (p->l3 + 40 > bytes || ip[0] >> 4 != 6 || p->l3 + 40 + be16(ip + 4) > bytes)
		return;
	p->type = RXD_IP6;
	p->end = p->l3 + 40 + be16(ip + 4);
	p->l4 = p->l3 + 40;
	p->protocol = ip[6];
	if (!skip_extensions(frame, p)) {
		p->l4 = 0;
		return;
	}
	parse_l4(frame, p, pseudo(ip + 8, 32, p->protocol, p->end - p->l4));
}

void ixgbe_model_parse(
	const uint8_t *frame, unsigned bytes, uint16_t vlan_type, struct ixgbe_model_packet *p)
{
	memset(p, 0, sizeof(*p));
	p->ethertype = be16(frame + 12);
	if (p->ethertype == vlan_type && bytes >= 18) {
		p->vlan = 4;
		p->tag = be16(frame + 14);
		p->ethertype = be16(frame + 16);
	}
	p->l3 = 14 + p->vlan;
	if (p->ethertype == 0x0800)
		parse_ip4(frame, bytes, p);
	else if (p->ethertype == 0x86DD)
		parse_ip6(frame, bytes, p);
}
