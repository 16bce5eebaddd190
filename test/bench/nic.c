/* The bench's network device: rings of descriptors, frames from a template. */
#include "test/bench/nic.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "lib/packet.h"
#include "test/bench/rings.h"

#define FRAME_BYTES 64u

/* Where a frame has its checksum (IPv6: UDP's, 0) and the last 32 bits of its destination. */
#define SUM4 24u
#define DST4 30u
#define SUM6 60u
#define DST6 50u

struct nic_flow {
	uint32_t dst;      /* wire order */
	uint16_t checksum; /* as it stands in the header */
};

struct nic {
	struct rings rings;
	alignas(64) uint32_t flow;
	alignas(64) uint8_t frame[FRAME_BYTES];
	alignas(64) struct nic_flow flows[NIC_FLOWS];
};

static struct nic *nic_of(const struct netdev *dev)
{
	return (struct nic *)dev;
}

/* The device's part comes first: it writes the frame where the descriptor says. */
static inline unsigned nic_receive(
	struct netdev *dev, uint64_t *word, unsigned max, unsigned sum_at, unsigned dst_at)
{
	struct nic *nic = nic_of(dev);
	uint32_t taken = nic->rings.nic.rx_taken, flow = nic->flow;
	unsigned held = ring_nic_rx_held(dev, 0), n = held < max ? held : max;

	if (n > nic->rings.nic.limit)
		n = (unsigned)nic->rings.nic.limit;
	nic->rings.nic.limit -= n;
	for (unsigned i = 0; i < n; i++) {
		struct ring_desc *d = &nic->rings.rx[(taken + i) & (RING_SLOTS - 1)];
		const struct nic_flow *f = &nic->flows[(flow + i) & (NIC_FLOWS - 1)];
		uint8_t *frame = (uint8_t *)(uintptr_t)d->address;

		memcpy(frame, nic->frame, FRAME_BYTES);
		memcpy(frame + sum_at, &f->checksum, 2);
		memcpy(frame + dst_at, &f->dst, 4);
		word[i] = packet_word((uint32_t)d->control, FRAME_BYTES, 0);
	}
	nic->rings.nic.rx_taken = taken + n;
	nic->flow = flow + n;
	return n;
}

static unsigned nic_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	return nic_receive(dev, word, max, SUM4, DST4);
}

static unsigned nic_rx6(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	return nic_receive(dev, word, max, SUM6, DST6);
}

static const struct netdev_ops ops = {
	.rx = nic_rx,
	.rx_room = ring_nic_rx_room,
	.rx_fill = rings_rx_fill,
	.tx = rings_tx,
	.tx_done = rings_tx_done,
	.rx_held = ring_nic_rx_held,
	.tx_held = ring_nic_tx_held,
	.doorbells = ring_nic_doorbells,
	.poll = ring_nic_nothing,
	.stop = ring_nic_nothing,
};

/* The same over IPv6, from 2001:db8:9::9. */
static void make_frames6(
	struct nic *nic, const uint8_t *router_mac, const uint32_t *dst, struct ip6 network)
{
	uint8_t *f = nic->frame;

	memcpy(f, router_mac, 6);
	memset(f + 6, 2, 6);
	store_be16(f + 12, 0x86dd);
	f[14] = 0x60;
	store_be16(f + 18, FRAME_BYTES - 54);
	f[20] = 17;
	f[21] = 64;
	ip6_store(f + 22, (struct ip6){0x20010db800090000ull, 9});
	ip6_store(f + 38, network);
	store_be16(f + 58, FRAME_BYTES - 54);
	for (unsigned i = 0; i < NIC_FLOWS; i++)
		store_be32((uint8_t *)&nic->flows[i].dst, dst[i]);
}

/* UDP from 10.9.9.9, 64 bytes; destination and checksum by flow. */
static void make_frames(struct nic *nic, const uint8_t *router_mac, const uint32_t *dst)
{
	uint8_t *f = nic->frame;

	memcpy(f, router_mac, 6);
	memset(f + 6, 2, 6);
	store_be16(f + 12, 0x0800);
	f[14] = 0x45;
	store_be16(f + 16, FRAME_BYTES - 14);
	f[22] = 64;
	f[23] = 17;
	store_be32(f + 26, 0x0a090909);
	store_be16(f + 38, FRAME_BYTES - 34);
	for (unsigned i = 0; i < NIC_FLOWS; i++) {
		uint8_t header[20];

		memcpy(header, f + 14, 20);
		store_be32(header + 16, dst[i]);
		nic->flows[i].checksum = checksum(header, 20);
		memcpy(&nic->flows[i].dst, header + 16, 4);
	}
}

struct netdev *nic_create(
	unsigned number, const uint8_t *router_mac, const uint32_t *dst, const struct ip6 *six)
{
	static struct netdev_ops ops6;
	struct nic *nic = aligned_alloc(64, (sizeof *nic + 63) & ~(size_t)63);

	if (!nic)
		abort();
	memset(nic, 0, sizeof *nic);
	nic->rings.nic.limit = UINT64_MAX;
	ring_nic_init(&nic->rings.nic, &ops, number, router_mac, RING_SLOTS);
	if (six) {
		ops6 = ops;
		ops6.rx = nic_rx6;
		nic->rings.nic.dev.ops = &ops6;
		make_frames6(nic, router_mac, dst, *six);
	} else {
		make_frames(nic, router_mac, dst);
	}
	return &nic->rings.nic.dev;
}

void nic_limit(struct netdev *dev, uint64_t frames)
{
	ring_nic_of(dev)->limit = frames;
}
