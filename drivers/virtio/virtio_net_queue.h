/*
 * The parts of virtio-net behind drivers/netdev.h: one device, and its data
 * path. Internal to drivers/virtio/.
 */
#ifndef DRIVERS_VIRTIO_NET_QUEUE_H
#define DRIVERS_VIRTIO_NET_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/netdev.h"
#include "drivers/virtio/virtio_pci.h"
#include "drivers/virtio/virtqueue.h"
#include "lib/packet.h"

#define VIRTIO_NET_HEADER 12u /* struct virtio_net_hdr with num_buffers (5.1.6) */

/* The header and the frame are one buffer for the device: 5.1.6.3.1, 2.7.4.1. */
#define VIRTIO_NET_OFFSET (PACKET_DATA_OFFSET - VIRTIO_NET_HEADER)

_Static_assert(VIRTIO_NET_OFFSET % 64 == 0, "header and frame start share a cache line");

struct virtio_net {
	struct netdev dev; /* first, so that a netdev is its virtio_net */
	struct virtio_pci pci;
	bool has_status; /* the link state can be read */
	bool resetting;  /* control core: after a failure, the reset has been asked for */
	bool halted;     /* the reset is done: the device touches no buffer any more */
	struct virtq rx, tx;
};

_Static_assert(offsetof(struct virtio_net, dev) == 0, "a netdev is its virtio_net");

/* Stops using a device that broke its contract; `failure`: a constant line. Any core, any time. */
void virtio_net_fail(struct netdev *dev, const char *failure);

/* The operations of struct netdev_ops of the same names. */
unsigned virtio_net_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max);
unsigned virtio_net_rx_room(struct netdev *dev, unsigned q);
void virtio_net_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n);
unsigned virtio_net_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n);
unsigned virtio_net_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max);

#endif
