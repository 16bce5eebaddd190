/*
 * A device that was lost and may return (a process that ended): its queues are
 * made anew, each by the core it belongs to, and handed over again.
 *
 * The control core counts `renewals` up; each queue's core sees that when it next
 * looks at the failed device, lays its empty ring out again and notes the number
 * beside it. Buffers that were in an RX ring are posted to it again, in the same
 * memory; those of a TX ring have gone back to their pools before. When all queues
 * have the number, the device may have them, and `failed` is taken back last.
 */
#include "drivers/virtio/virtio_net_device.h"
#include "drivers/virtio/virtqueue_packed.h"
#include "drivers/virtio/virtqueue_split.h"

static void reset_ring(const struct virtio_net *net, struct virtq *vq)
{
	if (net->features & VIRTIO_F_RING_PACKED)
		virtq_packed_reset(vq);
	else
		virtq_split_reset(vq);
}

/* Moves what the device had to the front of held[]. Returns how many. */
static unsigned gather_held(struct virtq *vq)
{
	unsigned n = 0;

	for (unsigned id = 0; id < vq->size; id++) {
		uint64_t word = vq->held[id];

		vq->held[id] = VIRTQ_NONE;
		if (word != VIRTQ_NONE)
			vq->held[n++] = word;
	}
	return n;
}

void virtio_net_renew_rx(struct virtio_net *net, unsigned q)
{
	uint32_t renewals = load_acquire(&net->renewals), index[BATCH_MAX];
	struct virtq *vq = &net->rx[q];

	if (net->rx_renewed[q] == renewals)
		return;
	unsigned held = gather_held(vq), done = 0;

	reset_ring(net, vq);
	while (done < held) { /* held[id] gets what it has already: ids start from 0 again */
		unsigned n = held - done < BATCH_MAX ? held - done : BATCH_MAX;

		for (unsigned i = 0; i < n; i++)
			index[i] = packet_index(vq->held[done + i]);
		net->dev.ops->rx_fill(&net->dev, q, index, n);
		done += n;
	}
	store_release(&net->rx_renewed[q], renewals);
}

void virtio_net_renew_tx(struct virtio_net *net, unsigned q)
{
	uint32_t renewals = load_acquire(&net->renewals);

	if (net->tx_renewed[q] == renewals)
		return;
	reset_ring(net, &net->tx[q]);
	store_release(&net->tx_renewed[q], renewals);
}

static bool all_renewed(const struct virtio_net *net)
{
	for (unsigned q = 0; q < net->dev.rx_queues; q++)
		if (load_acquire(&net->rx_renewed[q]) != net->renewals ||
			load_acquire(&net->tx_renewed[q]) != net->renewals)
			return false;
	return true;
}

void virtio_net_await(struct virtio_net *net)
{
	struct virtio_transport *t = net->transport;

	if (!t->ops->back)
		return;
	if (!net->renewing) {
		store_release(&net->renewals, net->renewals + 1);
		net->renewing = true;
	}
	if (!all_renewed(net) || !t->ops->back(t))
		return;
	net->lost = net->resetting = net->renewing = false;
	store_release(&net->halted, false);
	store_release(&net->dev.failed, false);
	virtio_net_read_link(net);
}
