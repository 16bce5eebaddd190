/*
 * The data path of virtio-net over split rings: receive, refill, transmit, complete
 * (VIRTIO 1.2 5.1.6). The same over packed rings: virtio_net_packed.c.
 *
 * Every loop works on a copy of its queue's state, because a store into a ring
 * could alias the original and the compiler would load each field again.
 */
#include <string.h>

#include "drivers/virtio/virtio_net_device.h"
#include "drivers/virtio/virtqueue_split.h"

/* How many of at most max buffers the device has returned; 0 and failed if it claims too many. */
static unsigned returned(struct netdev *dev, const struct virtq *vq, unsigned max)
{
	unsigned n = virtq_split_returned(vq);

	if (n > virtq_outstanding(vq)) {
		virtio_net_fail(dev, "it returned more buffers than it had");
		return 0;
	}
	return n < max ? n : max;
}

static unsigned split_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct virtq *queue = &virtio_net_of(dev)->rx[q];
	const struct virtq rx = *queue;
	const struct buffers *buffers = dev->buffers;
	unsigned n, i;

	if (load_once(&dev->failed)) {
		virtio_net_renew_rx(virtio_net_of(dev), q);
		return 0;
	}
	n = returned(dev, queue, max);
	for (i = 0; i < n; i++) {
		const struct virtq_used_elem *e = virtq_split_used(&rx, i);
		uint32_t len = load_once(&e->bytes) - VIRTIO_NET_HEADER; /* huge if it is shorter */
		uint64_t held = virtq_take(&rx, i, load_once(&e->id));

		if (held == VIRTQ_NONE) {
			virtio_net_fail(dev, "it returned a receive buffer that it did not have");
			break;
		}
		__builtin_prefetch(virtio_net_header(buffers, (uint32_t)held));
		word[i] = packet_word((uint32_t)held, len <= buffers->room ? len : 0, 0);
	}
	queue->taken = (uint16_t)(rx.taken + i);
	return i;
}

/* Buffers are taken even after a failure, so that none is lost between two calls. */
static void split_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
{
	struct virtq *queue = &virtio_net_of(dev)->rx[q];
	const struct virtq rx = *queue;
	const struct buffers *buffers = dev->buffers;
	uint32_t bytes = VIRTIO_NET_HEADER + buffers->room, stride = buffers->stride;

	if (!n)
		return;
	uintptr_t headers = virtio_net_headers(buffers, index[0]);

	for (unsigned i = 0; i < n; i++) {
		unsigned id = virtq_next_free(&rx, i);
		uint64_t held = index[i]; /* a packet word of length 0 */

		rx.desc[id].address = headers + held * stride;
		rx.desc[id].bytes = bytes;
		rx.held[id] = held;
	}
	virtq_split_publish(queue, n);
}

static unsigned split_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	struct virtq *queue = &virtio_net_of(dev)->tx[q];
	const struct virtq tx = *queue;
	const struct buffers *buffers = dev->buffers;
	unsigned room = virtq_room(queue);

	if (n > room)
		n = room;
	if (!n || load_once(&dev->failed))
		return 0;
	for (unsigned i = 0; i < n; i++) {
		uint64_t held = word[i];
		uint8_t *header =
			virtio_net_header(buffers, packet_index(held)) + packet_shift(held);
		unsigned id = virtq_next_free(&tx, i);

		memset(header, 0, VIRTIO_NET_HEADER); /* no offload, num_buffers 0: 5.1.6.2.1 */
		tx.desc[id].address = (uintptr_t)header;
		tx.desc[id].bytes = packet_len(held) + VIRTIO_NET_HEADER;
		tx.held[id] = held;
	}
	virtq_split_publish(queue, n);
	return n;
}

static unsigned split_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct virtio_net *net = virtio_net_of(dev);
	struct virtq *queue = &net->tx[q];
	const struct virtq tx = *queue;
	unsigned n, i;

	if (load_once(&dev->failed))
		return virtio_net_salvage(net, q, word, max);
	n = returned(dev, queue, max);
	for (i = 0; i < n; i++) {
		uint64_t held = virtq_take(&tx, i, load_once(&virtq_split_used(&tx, i)->id));

		if (held == VIRTQ_NONE) {
			virtio_net_fail(dev, "it returned a transmit buffer that it did not have");
			break;
		}
		word[i] = held;
	}
	queue->taken = (uint16_t)(tx.taken + i);
	return i;
}

/*
 * The used ring still has the ids; a descriptor whose id is free again has its old
 * address until the queue is filled up, which is after the burst has been forwarded.
 */
static unsigned split_rx_last(
	const struct netdev *dev, unsigned q, struct netdev_frame *frame, unsigned max)
{
	const struct virtq *rx = &((const struct virtio_net *)dev)->rx[q];
	unsigned n = 0;

	for (unsigned i = 1; i <= rx->size && n < max; i++) {
		const struct virtq_used_elem *e =
			&rx->used->ring[(uint16_t)(rx->taken - i) & (rx->size - 1u)];
		uint32_t id = load_once(&e->id);

		if (id >= rx->size || rx->held[id] != VIRTQ_NONE ||
			!virtio_net_frame(dev->buffers, rx->desc[id].address, load_once(&e->bytes),
				&frame[n]))
			break;
		n++;
	}
	return n;
}

const struct netdev_ops virtio_net_split_ops = {
	.rx = split_rx,
	.rx_room = virtio_net_rx_room,
	.rx_fill = split_rx_fill,
	.tx = split_tx,
	.tx_done = split_tx_done,
	.rx_held = virtio_net_rx_held,
	.tx_held = virtio_net_tx_held,
	.rx_last = split_rx_last,
	.doorbells = virtio_net_doorbells,
	.vlan = virtio_net_vlan,
	.poll = virtio_net_poll,
	.stop = virtio_net_stop,
};
