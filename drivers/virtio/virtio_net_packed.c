/*
 * The data path of virtio-net over packed rings: receive, refill, transmit, complete
 * (VIRTIO 1.2 5.1.6). The same over split rings: virtio_net_split.c.
 *
 * Every loop works on a copy of its queue's state, because a store into a ring
 * could alias the original and the compiler would load each field again.
 */
#include <string.h>

#include "drivers/virtio/virtio_net_device.h"
#include "drivers/virtio/virtqueue_packed.h"

/* How many descriptors to look at: what lies beyond those the device has is not looked at. */
static unsigned look_at(const struct virtq *vq, unsigned max)
{
	unsigned n = virtq_outstanding(vq);

	return n < max ? n : max;
}

/*
 * Where the device returned a buffer that was not offered there, its address is put there: so the
 * descriptors of what was taken, which are the driver's until they are used again, tell the last
 * frames.
 */
static void keep_address(const struct virtq *vq, unsigned i, uintptr_t header)
{
	struct virtq_packed_desc *d = &vq->packed[(vq->taken + i) & (vq->size - 1u)];

	if (d->address != header)
		d->address = header;
}

static unsigned packed_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct virtq *queue = &virtio_net_of(dev)->rx[q];
	const struct virtq rx = *queue;
	unsigned n = look_at(queue, max), i;
	const struct buffers *buffers = dev->buffers;
	uint64_t state;

	if (load_once(&dev->failed)) {
		virtio_net_renew_rx(virtio_net_of(dev), q);
		return 0;
	}
	for (i = 0; i < n && virtq_packed_returned(&rx, i, &state); i++) {
		uint32_t len = virtq_packed_bytes(state) - VIRTIO_NET_HEADER; /* huge if shorter */
		uint64_t held = virtq_take(&rx, i, virtq_packed_id(state));

		if (held == VIRTQ_NONE) {
			virtio_net_fail(dev, "it returned a receive buffer that it did not have");
			break;
		}
		uint8_t *header = virtio_net_header(buffers, (uint32_t)held);

		__builtin_prefetch(header);
		keep_address(&rx, i, (uintptr_t)header);
		word[i] = packet_word((uint32_t)held, len <= buffers->room ? len : 0, 0);
	}
	queue->taken = (uint16_t)(rx.taken + i);
	return i;
}

/* Buffers are taken even after a failure, so that none is lost between two calls. */
static void packed_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
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

		rx.held[id] = held;
		virtq_packed_post(&rx, i, id, headers + held * stride, bytes, VIRTQ_DESC_WRITE);
	}
	virtq_packed_publish(queue, n);
}

static unsigned packed_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
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
		tx.held[id] = held;
		virtq_packed_post(
			&tx, i, id, (uintptr_t)header, packet_len(held) + VIRTIO_NET_HEADER, 0);
	}
	virtq_packed_publish(queue, n);
	return n;
}

static unsigned packed_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct virtio_net *net = virtio_net_of(dev);
	struct virtq *queue = &net->tx[q];
	const struct virtq tx = *queue;
	unsigned n = look_at(queue, max), i;
	uint64_t state;

	if (load_once(&dev->failed))
		return virtio_net_salvage(net, q, word, max);
	for (i = 0; i < n && virtq_packed_returned(&tx, i, &state); i++) {
		uint64_t held = virtq_take(&tx, i, virtq_packed_id(state));

		if (held == VIRTQ_NONE) {
			virtio_net_fail(dev, "it returned a transmit buffer that it did not have");
			break;
		}
		word[i] = held;
	}
	queue->taken = (uint16_t)(tx.taken + i);
	return i;
}

/* Not longer than a descriptor stays free: until the queue is filled up, after the burst has been
 * forwarded. */
static unsigned packed_rx_last(
	const struct netdev *dev, unsigned q, struct netdev_frame *frame, unsigned max)
{
	const struct virtq *rx = &((const struct virtio_net *)dev)->rx[q];
	unsigned n = 0;

	for (unsigned i = 1; i <= virtq_room(rx) && n < max; i++) {
		const struct virtq_packed_desc *d =
			&rx->packed[(uint16_t)(rx->taken - i) & (rx->size - 1u)];

		if (!virtio_net_frame(dev->buffers, d->address,
			    virtq_packed_bytes(load_once(&d->state)), &frame[n]))
			break;
		n++;
	}
	return n;
}

const struct netdev_ops virtio_net_packed_ops = {
	.rx = packed_rx,
	.rx_room = virtio_net_rx_room,
	.rx_fill = packed_rx_fill,
	.tx = packed_tx,
	.tx_done = packed_tx_done,
	.rx_held = virtio_net_rx_held,
	.tx_held = virtio_net_tx_held,
	.rx_last = packed_rx_last,
	.doorbells = virtio_net_doorbells,
	.vlan = virtio_net_vlan,
	.poll = virtio_net_poll,
	.stop = virtio_net_stop,
};
