/* Heads of test frames and the sums of their flows. */
#include "tools/pktgen/frame.h"

#include "lib/byteorder.h"
#include "lib/checksum.h"

uint8_t frame_filler[FRAME_BYTES_MAX];

void frame_init(void)
{
	for (unsigned i = 0; i < FRAME_BYTES_MAX; i++)
		frame_filler[i] = (uint8_t)(i * 37 + 11);
}

static void put_udp(uint8_t *udp, uint16_t id, uint16_t port, unsigned bytes)
{
	struct frame_payload p = {.magic = FRAME_MAGIC, .lane = id};

	store_be16(udp + 2, port);
	store_be16(udp + 4, (uint16_t)bytes);
	memcpy(udp + 8, &p, sizeof p);
}

static void put_ip4(uint8_t *ip, const struct frame_addresses *a, unsigned bytes)
{
	ip[0] = 0x45;
	store_be16(ip + 2, (uint16_t)bytes);
	store_be16(
		ip + 6, 0x4000); /* don't fragment, so the identification is of no use: RFC 6864 */
	ip[8] = a->ttl;
	ip[9] = 17;
	store_be32(ip + 12, (uint32_t)(a->source_hi >> 32));
}

static void put_ip6(uint8_t *ip, const struct frame_addresses *a, unsigned bytes)
{
	ip[0] = 0x60;
	store_be16(ip + 4, (uint16_t)(bytes - 40));
	ip[6] = 17;
	ip[7] = a->ttl;
	store_be64(ip + 8, a->source_hi);
	store_be64(ip + 16, a->source_lo);
}

void frame_lane(
	struct lane *lane, uint16_t id, const struct frame_addresses *a, enum device_kind kind)
{
	unsigned bytes = lane->bytes - FRAME_ETHER;
	bool four = lane->family == 4;
	uint8_t *f = lane->sent;

	memset(f, 0, FRAME_HEAD_ROOM);
	memcpy(f, a->mac_router, 6);
	memcpy(f + 6, a->mac_sender, 6);
	store_be16(f + 12, four ? 0x0800 : 0x86dd);
	if (four)
		put_ip4(f + FRAME4_IP, a, bytes);
	else
		put_ip6(f + FRAME6_IP, a, bytes);
	put_udp(f + (four ? FRAME4_UDP : FRAME6_UDP), id, a->port, bytes - (four ? 20 : 40));

	memcpy(lane->back, f, FRAME_HEAD_ROOM);
	if (kind == DEVICE_ROUTE) {
		memcpy(lane->back, a->mac_next, 6);
		memcpy(lane->back + 6, a->mac_out, 6);
		lane->back[four ? FRAME4_IP + 8 : FRAME6_IP + 7]--;
	} else if (kind == DEVICE_MACSWAP) {
		memcpy(lane->back, f + 6, 6);
		memcpy(lane->back + 6, f, 6);
	}
}

/* The datagram as the lane has it, filler included; addresses: where they begin in the frame. */
static uint64_t datagram_sum(
	const struct lane *lane, unsigned udp, unsigned addresses, unsigned head)
{
	uint64_t sum = checksum_add(0, lane->sent + addresses, udp - addresses);

	sum = checksum_add(sum, lane->sent + udp, head - udp);
	sum = checksum_add(sum, frame_filler, lane->bytes - head);
	/* The pseudo header's length and protocol: RFC 768, RFC 8200 8.1. */
	return sum + __builtin_bswap16((uint16_t)(lane->bytes - udp)) + __builtin_bswap16(17);
}

static uint16_t header_check(const uint8_t *head, const uint8_t *destination)
{
	uint64_t sum = checksum_add(0, head + FRAME4_IP, 20);

	return checksum_finish(checksum_add(sum, destination, 4));
}

void frame_flow4(struct flow4 *f, const struct lane *lane, uint32_t index)
{
	uint64_t sum = datagram_sum(lane, FRAME4_UDP, FRAME4_IP + 12, FRAME4_HEAD);

	f->check_sent = header_check(lane->sent, f->to);
	f->check_back = header_check(lane->back, f->to);
	f->udp_sum = frame_fold(checksum_add(sum, f->to, FLOW4_TO) + index);
}

void frame_flow6(struct flow6 *f, const struct lane *lane, uint32_t index)
{
	uint64_t sum = datagram_sum(lane, FRAME6_UDP, FRAME6_IP + 8, FRAME6_HEAD);

	f->udp_sum = frame_fold(checksum_add(sum, f->to, FLOW6_TO) + index);
}
