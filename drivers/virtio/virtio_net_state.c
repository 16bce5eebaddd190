/* virtio-net: link, failure and stop, and what the queues hold. */
#include "drivers/virtio/virtio_net_device.h"

#define STATUS_LINK_UP 1u /* 5.1.4 */

/* Two cores may find out at once: either's reason is true, and both mean the same. */
static void stop_using(struct netdev *dev, const char *failure)
{
	if (load_once(&dev->failed))
		return;
	store_once(&dev->failure, failure);
	store_release(&dev->failed, true); /* the reason before the fact */
}

void virtio_net_fail(struct netdev *dev, const char *failure)
{
	store_once(&virtio_net_of(dev)->lied, true);
	stop_using(dev, failure);
}

/* ---------------------------------------------------------------- books */

bool virtio_net_frame(
	const struct buffers *b, uint64_t header, uint32_t bytes, struct netdev_frame *frame)
{
	uint64_t at = header + VIRTIO_NET_HEADER;

	bytes -= VIRTIO_NET_HEADER; /* huge if shorter */
	for (unsigned p = 0; p < b->pools && bytes <= b->room; p++) {
		uint64_t first = b->origin[p] + ((uint64_t)p << POOL_SHIFT) * b->stride;

		if (at < first || at - first >= (uint64_t)b->stride << POOL_SHIFT)
			continue;
		*frame = (struct netdev_frame){(const uint8_t *)(uintptr_t)at, bytes};
		return true;
	}
	return false;
}

unsigned virtio_net_rx_room(struct netdev *dev, unsigned q)
{
	return load_once(&dev->failed) ? 0 : virtq_room(&virtio_net_of(dev)->rx[q]);
}

unsigned virtio_net_rx_held(const struct netdev *dev, unsigned q)
{
	return virtq_outstanding(&((const struct virtio_net *)dev)->rx[q]);
}

unsigned virtio_net_tx_held(const struct netdev *dev, unsigned q)
{
	return virtq_outstanding(&((const struct virtio_net *)dev)->tx[q]);
}

uint64_t virtio_net_doorbells(const struct netdev *dev)
{
	const struct virtio_net *net = (const struct virtio_net *)dev;
	uint64_t n = 0;

	for (unsigned q = 0; q < dev->rx_queues; q++)
		n += load_once(&net->rx[q].doorbells);
	for (unsigned q = 0; q < dev->tx_queues; q++)
		n += load_once(&net->tx[q].doorbells);
	return n;
}

unsigned virtio_net_salvage(struct virtio_net *net, unsigned q, uint64_t *word, unsigned max)
{
	unsigned n;

	if (!load_acquire(&net->halted))
		return 0;
	n = virtq_drain(&net->tx[q], word, max);
	if (n < max)
		virtio_net_renew_tx(net, q);
	return n;
}

/* ---------------------------------------------------------------- link, failure, stop */

/*
 * After a failure the device is reset without waiting for it: asked for in one
 * poll, looked after in the next ones. Then its TX buffers can be taken back.
 * A worker that has not yet seen the failure may still ring a doorbell: nobody
 * listens any more. A device that was merely lost is then waited for.
 */
static void poll_failed(struct virtio_net *net)
{
	struct virtio_transport *t = net->transport;

	store_once(&net->dev.link, false);
	if (net->halted) {
		if (net->lost && !load_once(&net->lied))
			virtio_net_await(net);
	} else if (!net->resetting) {
		t->ops->reset_start(t);
		net->resetting = true;
	} else if (t->ops->reset_done(t)) {
		if (!net->lost || load_once(&net->lied))
			t->ops->cut_off(t);
		store_release(&net->halted, true);
	}
}

/* The link state as the device tells it; without that feature it is always up (5.1.5). */
void virtio_net_read_link(struct virtio_net *net)
{
	bool up = !(net->features & VIRTIO_NET_F_STATUS) ||
		  (virtio_read16(net->transport, VIRTIO_NET_CONFIG_STATUS) & STATUS_LINK_UP);

	if (net->dev.link != up) /* workers read this line */
		store_once(&net->dev.link, up);
}

/*
 * QEMU stops reading a port's queue when the frame at its head is for another RX queue, as RSS
 * has it, that has no buffers just then; and goes on when the doorbell of the first is rung, which
 * is full and has no reason to (virtio_net_receive_rcu, virtio_net_handle_rx of QEMU 7.2).
 */
static void remind_device(const struct virtio_net *net)
{
	for (unsigned q = 0; q < net->dev.rx_queues && net->dev.rx_queues > 1; q++)
		virtq_remind(&net->rx[q]);
}

void virtio_net_poll(struct netdev *dev)
{
	struct virtio_net *net = virtio_net_of(dev);
	const char *trouble;
	bool lost = false;

	if (load_acquire(&dev->failed)) {
		poll_failed(net);
		return;
	}
	trouble = net->transport->ops->trouble(net->transport, &lost);
	if (!trouble) {
		virtio_net_read_link(net);
		remind_device(net);
	} else if (lost) {
		net->lost = true;
		stop_using(dev, trouble);
	} else {
		virtio_net_fail(dev, trouble);
	}
}

void virtio_net_stop(struct netdev *dev)
{
	struct virtio_net *net = virtio_net_of(dev);

	virtio_net_fail(dev, "stopped");
	store_once(&dev->link, false);
	store_release(&net->halted, virtio_reset(net->transport));
	net->transport->ops->cut_off(net->transport); /* whatever it does: no DMA */
}
