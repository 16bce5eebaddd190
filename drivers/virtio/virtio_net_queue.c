/*
 * The data path of virtio-net: receive, refill, transmit, complete (VIRTIO 1.2 5.1.6).
 *
 * Every loop works on a copy of its queue's state, because a store into a ring
 * could alias the original and the compiler would load each field again.
 */
#include "drivers/virtio/virtio_net_queue.h"

#include <string.h>

static struct virtio_net *virtio_net_of(struct netdev *dev)
{
	return (struct virtio_net *)dev;
}

/* Where the device's part of buffer 0 starts; buffer i follows i strides later. */
static uint8_t *headers_of(const struct netdev *dev)
{
	return dev->buffers->base + VIRTIO_NET_OFFSET;
}

void virtio_net_fail(struct netdev *dev, const char *failure)
{
	if (dev->failed)
		return;
	dev->failure = failure;
	store_release(&dev->failed, true); /* the reason before the fact */
}

/* How many of at most max buffers the device has returned; 0 and failed if it claims too many. */
static unsigned returned(struct netdev *dev, const struct virtq *vq, unsigned max)
{
	unsigned n = virtq_returned(vq);

	if (n > virtq_outstanding(vq)) {
		virtio_net_fail(dev, "it returned more buffers than it had");
		return 0;
	}
	return n < max ? n : max;
}

unsigned virtio_net_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct virtio_net *net = virtio_net_of(dev);
	const struct virtq rx = net->rx;
	uint32_t stride, room;
	const uint8_t *headers;
	unsigned n, i;

	if (dev->failed)
		return 0;
	n = returned(dev, &net->rx, max);
	headers = headers_of(dev);
	stride = dev->buffers->stride;
	room = dev->buffers->room;
	for (i = 0; i < n; i++) {
		const struct virtq_used_elem *e = virtq_used_at(&rx, i);
		uint32_t len = load_once(&e->bytes) - VIRTIO_NET_HEADER; /* huge if it is shorter */
		uint64_t held = virtq_take(&rx, i, load_once(&e->id));

		if (held == VIRTQ_NONE) {
			virtio_net_fail(dev, "it returned a receive buffer that it did not have");
			break;
		}
		__builtin_prefetch(headers + held * stride);
		word[i] = packet_word((uint32_t)held, len <= room ? len : 0, 0);
	}
	net->rx.taken = (uint16_t)(rx.taken + i);
	return i;
}

unsigned virtio_net_rx_room(struct netdev *dev, unsigned q)
{
	return dev->failed ? 0 : virtq_room(&virtio_net_of(dev)->rx);
}

/* Buffers are taken even after a failure, so that none is lost between two calls. */
void virtio_net_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
{
	struct virtio_net *net = virtio_net_of(dev);
	const struct virtq rx = net->rx;
	uintptr_t headers = (uintptr_t)headers_of(dev);
	uint32_t stride = dev->buffers->stride;
	uint32_t bytes = VIRTIO_NET_HEADER + dev->buffers->room;

	if (!n)
		return;
	for (unsigned i = 0; i < n; i++) {
		unsigned id = virtq_next_free(&rx, i);
		uint64_t held = index[i]; /* a packet word of length 0 */

		rx.desc[id].address = headers + held * stride;
		rx.desc[id].bytes = bytes;
		rx.held[id] = held;
	}
	virtq_publish(&net->rx, n);
}

unsigned virtio_net_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	struct virtio_net *net = virtio_net_of(dev);
	const struct virtq tx = net->tx;
	unsigned room = virtq_room(&net->tx);
	uint32_t stride;
	uint8_t *headers;

	if (n > room)
		n = room;
	if (!n || dev->failed)
		return 0;
	headers = headers_of(dev);
	stride = dev->buffers->stride;
	for (unsigned i = 0; i < n; i++) {
		uint64_t held = word[i];
		uint8_t *header = headers + (uint64_t)packet_index(held) * stride;
		unsigned id = virtq_next_free(&tx, i);

		memset(header, 0, VIRTIO_NET_HEADER); /* no offload, num_buffers 0: 5.1.6.2.1 */
		tx.desc[id].address = (uintptr_t)header;
		tx.desc[id].bytes = packet_len(held) + VIRTIO_NET_HEADER;
		tx.held[id] = held;
	}
	virtq_publish(&net->tx, n);
	return n;
}

unsigned virtio_net_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct virtio_net *net = virtio_net_of(dev);
	const struct virtq tx = net->tx;
	unsigned n, i;

	if (dev->failed)
		return load_acquire(&net->halted) ? virtq_drain(&net->tx, word, max) : 0;
	n = returned(dev, &net->tx, max);
	for (i = 0; i < n; i++) {
		uint64_t held = virtq_take(&tx, i, load_once(&virtq_used_at(&tx, i)->id));

		if (held == VIRTQ_NONE) {
			virtio_net_fail(dev, "it returned a transmit buffer that it did not have");
			break;
		}
		word[i] = held;
	}
	net->tx.taken = (uint16_t)(tx.taken + i);
	return i;
}
