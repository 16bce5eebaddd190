/* virtio-net: bring-up, link state, failure and stop (VIRTIO 1.2 5.1.5). */
#include "drivers/virtio/virtio_net.h"

#include <string.h>

#include "drivers/virtio/virtio_net_queue.h"
#include "lib/limits.h"

/* PCI ids (4.1.2): the device type plus 0x1040, or of the transitional kind. */
#define VENDOR_VIRTIO           0x1af4u
#define DEVICE_NET              0x1041u
#define DEVICE_NET_TRANSITIONAL 0x1000u

/* Features (5.1.3). Nothing else is accepted: no offloads, no merging, no control queue. */
#define NET_F_MTU    (UINT64_C(1) << 3)
#define NET_F_MAC    (UINT64_C(1) << 5)
#define NET_F_STATUS (UINT64_C(1) << 16)

/* Device configuration (5.1.4). */
#define CONFIG_MAC            0u
#define CONFIG_STATUS         6u
#define CONFIG_STATUS_LINK_UP 1u
#define CONFIG_MTU            10u
#define CONFIG_MTU_END        12u

#define QUEUE_RX 0u
#define QUEUE_TX 1u

/* ---------------------------------------------------------------- operations */

static unsigned virtio_net_rx_held(const struct netdev *dev, unsigned q)
{
	return virtq_outstanding(&((const struct virtio_net *)dev)->rx);
}

static unsigned virtio_net_tx_held(const struct netdev *dev, unsigned q)
{
	return virtq_outstanding(&((const struct virtio_net *)dev)->tx);
}

static uint64_t virtio_net_doorbells(const struct netdev *dev)
{
	const struct virtio_net *net = (const struct virtio_net *)dev;

	return load_once(&net->rx.doorbells) + load_once(&net->tx.doorbells);
}

/*
 * After a failure the device is reset without waiting for it: asked for in one
 * poll, looked after in the next ones. Then its TX buffers can be taken back.
 */
static void poll_failed(struct virtio_net *net)
{
	net->dev.link = false;
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
static void read_link(struct virtio_net *net)
{
	bool up = !net->has_status ||
		  (virtio_pci_read16(&net->pci, CONFIG_STATUS) & CONFIG_STATUS_LINK_UP);

	if (net->dev.link != up) /* workers read this line */
		net->dev.link = up;
}

static void virtio_net_poll(struct netdev *dev)
{
	struct virtio_net *net = (struct virtio_net *)dev;
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
	else
		read_link(net);
}

static void virtio_net_stop(struct netdev *dev)
{
	struct virtio_net *net = (struct virtio_net *)dev;

	virtio_net_fail(dev, "stopped");
	dev->link = false;
	net->halted = virtio_pci_reset(&net->pci);
	pci_disable(net->pci.pci, net->pci.function); /* whatever it does: no DMA */
}

static const struct netdev_ops virtio_net_ops = {
	.rx = virtio_net_rx,
	.rx_room = virtio_net_rx_room,
	.rx_fill = virtio_net_rx_fill,
	.tx = virtio_net_tx,
	.tx_done = virtio_net_tx_done,
	.rx_held = virtio_net_rx_held,
	.tx_held = virtio_net_tx_held,
	.doorbells = virtio_net_doorbells,
	.poll = virtio_net_poll,
	.stop = virtio_net_stop,
};

/* ---------------------------------------------------------------- bring-up */

/* A locally administered address that is the same at every boot. */
static void make_up_mac(uint8_t mac[6], const struct pci *pci, const struct pci_function *f)
{
	mac[0] = 0x02;
	mac[1] = 0x62; /* "bw" */
	mac[2] = 0x77;
	mac[3] = (uint8_t)pci->host.segment;
	mac[4] = f->bus;
	mac[5] = (uint8_t)(f->device << 3 | f->function);
}

static bool mac_usable(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

/* Reads MAC, MTU and link state. */
static const char *read_identity(struct virtio_net *net, uint64_t features)
{
	struct netdev *dev = &net->dev;

	make_up_mac(dev->mac, net->pci.pci, net->pci.function);
	if (features & NET_F_MAC) {
		if (!virtio_pci_read_bytes(&net->pci, CONFIG_MAC, dev->mac, sizeof dev->mac))
			return "its configuration never stands still";
		if (!mac_usable(dev->mac))
			return "its MAC address is no station's";
	}
	dev->mtu_max = MTU_MAX;
	if (features & NET_F_MTU) {
		uint16_t mtu = virtio_pci_read16(&net->pci, CONFIG_MTU);

		if (mtu < MTU_MIN)
			return "its MTU is below 576";
		if (mtu < MTU_MAX)
			dev->mtu_max = mtu;
	}
	net->has_status = features & NET_F_STATUS;
	read_link(net);
	return NULL;
}

/* The depth to use of a queue: what the device offers, at most RING_SLOTS_MAX; 0: not usable. */
static uint16_t queue_depth(const struct virtio_net *net, unsigned number)
{
	unsigned size = virtio_pci_queue_size(&net->pci, number);

	if (size < RING_SLOTS_MIN || (size & (size - 1)) != 0) /* a power of two: 2.7 */
		return 0;
	return (uint16_t)(size < RING_SLOTS_MAX ? size : RING_SLOTS_MAX);
}

static const char *set_up_queues(struct virtio_net *net, const struct io_env *env)
{
	struct netdev *dev = &net->dev;
	const char *refusal;

	dev->rx_slots = queue_depth(net, QUEUE_RX);
	dev->tx_slots = queue_depth(net, QUEUE_TX);
	if (!dev->rx_slots || !dev->tx_slots)
		return "a queue's size is below 64 or no power of two";
	if (!virtq_init(&net->rx, env, QUEUE_RX, dev->rx_slots, VIRTQ_DESC_WRITE,
		    VIRTIO_NET_HEADER + PACKET_ROOM) ||
		!virtq_init(&net->tx, env, QUEUE_TX, dev->tx_slots, 0, 0))
		return "no memory for its queues";
	refusal = virtio_pci_queue_enable(&net->pci, &net->rx);
	return refusal ? refusal : virtio_pci_queue_enable(&net->pci, &net->tx);
}

static uint64_t features_wanted(const struct virtio_net *net)
{
	uint64_t wanted = NET_F_MAC | NET_F_STATUS | NET_F_MTU;

	/* A configuration cut short has no such field. */
	if (net->pci.config_bytes < CONFIG_MTU_END)
		wanted &= ~NET_F_MTU;
	if (net->pci.config_bytes < CONFIG_STATUS + 2)
		wanted = 0;
	return wanted;
}

/* VIRTIO 1.2 3.1.1, step by step. NULL, or why the device is refused. */
static const char *bring_up(
	struct virtio_net *net, struct pci *pci, struct pci_function *f, const struct io_env *env)
{
	const char *refusal = virtio_pci_open(&net->pci, pci, f, env);
	uint64_t features = 0;

	if (refusal)
		return refusal;
	if (!virtio_pci_reset(&net->pci))
		return "its reset does not end (device status)";
	refusal = virtio_pci_negotiate(
		&net->pci, VIRTIO_F_VERSION_1, features_wanted(net), &features);
	if (!refusal)
		refusal = read_identity(net, features);
	if (!refusal)
		refusal = set_up_queues(net, env);
	if (!refusal)
		virtio_pci_add_status(&net->pci, VIRTIO_STATUS_DRIVER_OK);
	return refusal;
}

bool virtio_net_match(const struct pci_function *f)
{
	return f->vendor_id == VENDOR_VIRTIO &&
	       (f->device_id == DEVICE_NET || f->device_id == DEVICE_NET_TRANSITIONAL);
}

struct netdev *virtio_net_probe(struct pci *pci, struct pci_function *f, const struct io_env *env)
{
	struct virtio_net *net = env->alloc(env->ctx, sizeof *net, CACHE_LINE);
	const char *refusal = "no memory";

	if (net)
		refusal = bring_up(net, pci, f, env);
	if (refusal) {
		env->log(env->ctx, "virtio-net %s: refused: %s", f->location, refusal);
		if (net)
			virtio_pci_refuse(&net->pci);
		return NULL;
	}
	net->dev.ops = &virtio_net_ops;
	net->dev.driver = "virtio-net";
	memcpy(net->dev.location, f->location, sizeof f->location);
	net->dev.rx_queues = net->dev.tx_queues = 1;
	return &net->dev;
}
