/* virtio-net: link, failure and stop, and what the queues hold. */
#include "drivers/virtio/virtio_net_device.h"

#define STATUS_LINK_UP 1u /* 5.1.4 */

/* Two cores may find out at once: either's reason is true, and both mean the same. */
void virtio_net_fail(struct netdev *dev, const char *failure)
{
	if (load_once(&dev->failed))
		return;
	store_once(&dev->failure, failure);
	store_release(&dev->failed, true); /* the reason before the fact */
}

/* ---------------------------------------------------------------- books */

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
	return load_acquire(&net->halted) ? virtq_drain(&net->tx[q], word, max) : 0;
}

/* ---------------------------------------------------------------- link, failure, stop */

/*
 * After a failure the device is reset without waiting for it: asked for in one
 * poll, looked after in the next ones. Then its TX buffers can be taken back.
 * A worker that has not yet seen the failure may still ring a doorbell: nobody
 * listens any more.
 */
static void poll_failed(struct virtio_net *net)
{
	store_once(&net->dev.link, false);
	if (net->halted)
		return;
	if (!net->resetting) {
		virtio_pci_reset_start(&net->pci);
		net->resetting = true;
	} else if (virtio_pci_reset_done(&net->pci)) {
		pci_disable(net->pci.pci, net->pci.function);
		store_release(&net->halted, true);
	}
}

/* The link state as the device tells it; without that feature it is always up (5.1.5). */
void virtio_net_read_link(struct virtio_net *net)
{
	bool up = !(net->features & VIRTIO_NET_F_STATUS) ||
		  (virtio_pci_read16(&net->pci, VIRTIO_NET_CONFIG_STATUS) & STATUS_LINK_UP);

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
	uint8_t status;

	if (load_acquire(&dev->failed)) {
		poll_failed(net);
		return;
	}
	status = virtio_pci_status(&net->pci);
	if (status == VIRTIO_STATUS_GONE)
		virtio_net_fail(dev, "it does not answer any more");
	else if (status & VIRTIO_STATUS_NEEDS_RESET)
		virtio_net_fail(dev, "it asks for a reset");
	else if (!(status & VIRTIO_STATUS_DRIVER_OK))
		virtio_net_fail(dev, "it has reset itself");
	else {
		virtio_net_read_link(net);
		remind_device(net);
	}
}

void virtio_net_stop(struct netdev *dev)
{
	struct virtio_net *net = virtio_net_of(dev);

	virtio_net_fail(dev, "stopped");
	store_once(&dev->link, false);
	store_release(&net->halted, virtio_pci_reset(&net->pci));
	pci_disable(net->pci.pci, net->pci.function); /* whatever it does: no DMA */
}
