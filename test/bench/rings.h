/*
 * What the network devices of benches, which are memory, have in common: numbers of descriptors
 * given and taken, and for those that need no more, rings of descriptors of 16 bytes.
 *
 * All of it is inline: each device is compiled with flags of its own. Functions are netdev.h's.
 */
#ifndef TEST_BENCH_RINGS_H
#define TEST_BENCH_RINGS_H

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "drivers/netdev.h"
#include "lib/packet.h"

#define RING_SLOTS 512u

/* The head of each device. Numbers run freely. */
struct ring_nic {
	struct netdev dev; /* first, so that a netdev is its device */
	unsigned number;
	alignas(64) uint32_t rx_given, rx_taken;
	uint64_t limit, received; /* frames that may still be; that were: where a device says so */
	alignas(64) uint32_t tx_given, tx_taken;
	uint64_t sent;
};

/* Of zeroed memory a device with one queue pair. mac: 6 bytes, its own. */
static inline void ring_nic_init(struct ring_nic *nic, const struct netdev_ops *ops,
	unsigned number, const uint8_t *mac, uint16_t slots)
{
	nic->number = number;
	nic->dev = (struct netdev){
		.ops = ops,
		.driver = "bench",
		.node = NODE_UNKNOWN,
		.mtu_max = MTU_DEFAULT,
		.rx_queues = 1,
		.tx_queues = 1,
		.rx_slots = slots,
		.tx_slots = slots,
		.link = true,
	};
	nic->dev.location[0] = (char)('0' + number);
	memcpy(nic->dev.mac, mac, 6);
}

static inline struct ring_nic *ring_nic_of(const struct netdev *dev)
{
	return (struct ring_nic *)dev;
}

static inline unsigned ring_nic_rx_held(const struct netdev *dev, unsigned q)
{
	return ring_nic_of(dev)->rx_given - ring_nic_of(dev)->rx_taken;
}

static inline unsigned ring_nic_tx_held(const struct netdev *dev, unsigned q)
{
	return ring_nic_of(dev)->tx_given - ring_nic_of(dev)->tx_taken;
}

static inline unsigned ring_nic_rx_room(struct netdev *dev, unsigned q)
{
	return dev->rx_slots - ring_nic_rx_held(dev, q);
}

static inline uint64_t ring_nic_doorbells(const struct netdev *dev)
{
	return 0;
}

static inline void ring_nic_nothing(struct netdev *dev)
{
}

/* ---- rings ---- */

struct ring_desc {
	uint64_t address, control; /* control: the packet word */
};

struct rings {
	struct ring_nic nic;
	alignas(64) struct ring_desc rx[RING_SLOTS];
	alignas(64) struct ring_desc tx[RING_SLOTS];
};

static inline struct rings *rings_of(const struct netdev *dev)
{
	return (struct rings *)dev;
}

static inline void rings_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
{
	struct rings *r = rings_of(dev);
	const struct buffers *buffers = dev->buffers;
	uint32_t given = r->nic.rx_given, stride = buffers->stride;

	if (!n)
		return;
	uintptr_t frames = buffers->origin[index[0] >> POOL_SHIFT];

	for (unsigned i = 0; i < n; i++)
		r->rx[(given + i) & (RING_SLOTS - 1)] =
			(struct ring_desc){frames + (uint64_t)index[i] * stride, index[i]};
	r->nic.rx_given = given + n;
}

static inline unsigned rings_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	struct rings *r = rings_of(dev);
	const struct buffers *buffers = dev->buffers;
	uint32_t given = r->nic.tx_given;

	for (unsigned i = 0; i < n; i++)
		r->tx[(given + i) & (RING_SLOTS - 1)] =
			(struct ring_desc){(uintptr_t)packet_frame(buffers, word[i]), word[i]};
	r->nic.tx_given = given + n;
	return n;
}

/* A frame is complete when the ring has moved half its depth further. */
static inline unsigned rings_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct rings *r = rings_of(dev);
	uint32_t taken = r->nic.tx_taken, held = r->nic.tx_given - taken, n = 0;

	if (held > RING_SLOTS / 2)
		n = held - RING_SLOTS / 2;
	if (n > max)
		n = max;
	for (unsigned i = 0; i < n; i++)
		word[i] = r->tx[(taken + i) & (RING_SLOTS - 1)].control;
	r->nic.tx_taken = taken + n;
	return n;
}

#endif
