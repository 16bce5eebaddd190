/* virtio-net: bring-up (VIRTIO 1.2 5.1.5). */
#include "drivers/virtio/virtio_net.h"

#include <string.h>

#include "drivers/virtio/virtio_net_device.h"
#include "drivers/virtio/virtqueue_packed.h"
#include "drivers/virtio/virtqueue_split.h"

/* Queue numbers (5.1.2); the control queue follows all the pairs that the device has. */
#define QUEUE_RX(pair)       (2u * (pair))
#define QUEUE_TX(pair)       (2u * (pair) + 1u)
#define QUEUE_CONTROL(pairs) (2u * (pairs))

/* ---------------------------------------------------------------- identity */

static bool mac_usable(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

/* The MTU the device tells (5.1.4), whether or not the feature is agreed on; 0: it tells none. */
static uint16_t device_mtu(const struct virtio_net *net, uint64_t offered)
{
	return offered & VIRTIO_NET_F_MTU ? virtio_read16(net->transport, VIRTIO_NET_CONFIG_MTU)
					  : 0;
}

/* Reads MAC, MTU and link state. */
static const char *read_identity(struct virtio_net *net, uint64_t offered)
{
	struct netdev *dev = &net->dev;
	uint16_t mtu = device_mtu(net, offered);

	memcpy(dev->mac, net->transport->mac, sizeof dev->mac);
	if (net->features & VIRTIO_NET_F_MAC) {
		if (!virtio_read_bytes(
			    net->transport, VIRTIO_NET_CONFIG_MAC, dev->mac, sizeof dev->mac))
			return "its configuration never stands still";
		if (!mac_usable(dev->mac))
			return "its MAC address is no station's";
	}
	if (mtu && mtu < MTU_MIN)
		return "its MTU is below 576";
	dev->mtu_max = mtu && mtu < MTU_MAX ? mtu : MTU_MAX;
	virtio_net_read_link(net);
	return NULL;
}

/* ---------------------------------------------------------------- queues */

static unsigned queue_size(const struct virtio_net *net, unsigned number)
{
	return net->transport->ops->queue_size(net->transport, number);
}

static const char *queue_enable(const struct virtio_net *net, struct virtq *vq)
{
	return net->transport->ops->queue_enable(net->transport, vq);
}

/*
 * The depth to use of a queue: what the device offers, at most `max`; 0: not
 * usable. Packed rings of any size may be used in part (4.1.4.3.2), so theirs
 * is rounded down to a power of two; split rings have one (2.7).
 */
static uint16_t queue_depth(
	const struct virtio_net *net, unsigned number, unsigned min, unsigned max)
{
	unsigned size = queue_size(net, number), depth = max;

	if (size < min || (!(net->features & VIRTIO_F_RING_PACKED) && (size & (size - 1)) != 0))
		return 0;
	while (depth > size)
		depth /= 2;
	return (uint16_t)depth;
}

static bool init_queue(struct virtio_net *net, struct virtq *vq, const struct io_env *env,
	unsigned number, uint16_t depth, uint16_t flags)
{
	return net->features & VIRTIO_F_RING_PACKED
		       ? virtq_packed_init(vq, env, (uint16_t)number, depth)
		       : virtq_split_init(vq, env, (uint16_t)number, depth, flags);
}

/* All RX queues have the depth of the first, and so the TX queues: a device has one kind of each.
 */
static const char *set_up_pair(struct virtio_net *net, unsigned pair, const struct io_env *env)
{
	const uint16_t rx = net->dev.rx_slots, tx = net->dev.tx_slots;
	const char *refusal;

	if (queue_size(net, QUEUE_RX(pair)) < rx || queue_size(net, QUEUE_TX(pair)) < tx)
		return "its queues differ in size";
	if (!init_queue(net, &net->rx[pair], env, QUEUE_RX(pair), rx, VIRTQ_DESC_WRITE) ||
		!init_queue(net, &net->tx[pair], env, QUEUE_TX(pair), tx, 0))
		return "no memory for its queues";
	net->rx[pair].doorbell = &net->rx_doorbell[pair];
	net->tx[pair].doorbell = &net->tx_doorbell[pair];
	refusal = queue_enable(net, &net->rx[pair]);
	return refusal ? refusal : queue_enable(net, &net->tx[pair]);
}

static const char *set_up_control(struct virtio_net *net, const struct io_env *env)
{
	bool many =
		net->features & (VIRTIO_NET_F_MQ | VIRTIO_NET_F_RSS); /* else it has one, 5.1.2 */
	unsigned number = QUEUE_CONTROL(
		many ? virtio_read16(net->transport, VIRTIO_NET_CONFIG_PAIRS_MAX) : 1u);
	uint16_t depth =
		queue_depth(net, number, VIRTIO_CONTROL_SLOTS_MIN, VIRTIO_CONTROL_SLOTS_MAX);

	if (!depth)
		return "its control queue is not usable";
	if (!virtio_control_init(&net->control, env, net->features & VIRTIO_F_RING_PACKED,
		    (uint16_t)number, depth))
		return "no memory for its control queue";
	return queue_enable(net, &net->control.vq);
}

static const char *set_up_queues(struct virtio_net *net, const struct io_env *env)
{
	struct netdev *dev = &net->dev;
	const char *refusal = NULL;

	dev->rx_slots = queue_depth(net, QUEUE_RX(0), RING_SLOTS_MIN, RING_SLOTS_MAX);
	dev->tx_slots = queue_depth(net, QUEUE_TX(0), RING_SLOTS_MIN, RING_SLOTS_MAX);
	if (!dev->rx_slots || !dev->tx_slots)
		return "a queue's size is below 64 or no power of two";
	for (unsigned pair = 0; pair < dev->rx_queues && !refusal; pair++)
		refusal = set_up_pair(net, pair, env);
	if (!refusal && (net->features & VIRTIO_NET_F_CTRL_VQ))
		refusal = set_up_control(net, env);
	return refusal;
}

/* ---------------------------------------------------------------- features */

/* Queue pairs to use of a device that offers `offered`: at least 1. */
static unsigned choose_pairs(const struct virtio_net *net, uint64_t offered, unsigned wanted)
{
	unsigned have = virtio_read16(net->transport, VIRTIO_NET_CONFIG_PAIRS_MAX);
	bool ask = !net->transport->pairs_by_queue;

	if ((ask && !(offered & VIRTIO_NET_F_CTRL_VQ)) ||
		!(offered & (VIRTIO_NET_F_MQ | VIRTIO_NET_F_RSS)) || have > 0x8000 /* 5.1.4.1 */)
		return 1;
	if (!(offered & VIRTIO_NET_F_MQ) && !virtio_net_rss_fits(net))
		return 1;
	if (wanted > VIRTIO_NET_PAIRS_MAX)
		wanted = VIRTIO_NET_PAIRS_MAX;
	if (wanted > have)
		wanted = have;
	return wanted ? wanted : 1;
}

/*
 * What to accept of what is offered. Nothing else is: no offloads, no merged
 * buffers (lib/packet.h says why), no hash report (it makes the header longer,
 * and the frame would begin elsewhere).
 */
static uint64_t choose_features(
	const struct virtio_net *net, uint64_t offered, bool filter, uint32_t mtu)
{
	uint64_t wanted = VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED;

	/* A configuration cut short has no such field. */
	if (net->transport->config_bytes >= VIRTIO_NET_CONFIG_STATUS + 2)
		wanted |= VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS;
	/* Whoever accepts the MTU must have buffers for it (5.1.4.2). */
	if (net->transport->config_bytes >= VIRTIO_NET_CONFIG_MTU + 2 &&
		device_mtu(net, offered) <= mtu)
		wanted |= VIRTIO_NET_F_MTU;
	if (net->dev.rx_queues > 1)
		wanted |= VIRTIO_NET_F_MQ;
	if (net->dev.rx_queues > 1 && !net->transport->pairs_by_queue)
		wanted |= VIRTIO_NET_F_CTRL_VQ;
	if (net->dev.rx_queues > 1 && virtio_net_rss_fits(net))
		wanted |= VIRTIO_NET_F_RSS;
	if (filter && (offered & VIRTIO_NET_F_CTRL_VLAN))
		wanted |= VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_VLAN;
	if (!(offered & VIRTIO_NET_F_CTRL_VQ)) /* 5.1.3.1: what needs it */
		wanted &= ~VIRTIO_NET_F_CTRL_VLAN;
	return offered & wanted;
}

/* ---------------------------------------------------------------- bring-up */

/*
 * Starts the device, reset first, with as many as `pairs` queue pairs, and its
 * VLAN filter if it has one and `filter` (VIRTIO 1.2 3.1.1, step by step). NULL, or
 * why it is refused.
 */
static const char *start(
	struct virtio_net *net, unsigned pairs, bool filter, uint32_t mtu, const struct io_env *env)
{
	struct netdev *dev = &net->dev;
	struct virtio_transport *t = net->transport;
	uint64_t offered = 0;
	const char *refusal;
	bool lost = false;

	if (!virtio_reset(t))
		return "its reset does not end (device status)";
	refusal = virtio_greet(t, &offered);
	if (refusal)
		return refusal;
	dev->rx_queues = dev->tx_queues = (uint16_t)choose_pairs(net, offered, pairs);
	net->features = choose_features(net, offered, filter, mtu);
	refusal = virtio_agree(t, net->features);
	if (!refusal)
		refusal = read_identity(net, offered);
	if (!refusal)
		refusal = set_up_queues(net, env);
	if (refusal)
		return refusal;
	if (dev->rx_queues > 1 && t->pairs_by_queue)
		dev->steering = "device";
	t->ops->add_status(t, VIRTIO_STATUS_DRIVER_OK);
	refusal = t->ops->trouble(t, &lost);
	return lost ? NULL : refusal; /* one that is lost may return, see virtio_net_renew.c */
}

/* What a started device is asked over its control queue. */
static const char *command(struct virtio_net *net, const struct io_env *env)
{
	const char *refusal = NULL;

	if (net->dev.rx_queues > 1)
		refusal = virtio_net_steer(net, env);
	if (!refusal && (net->features & VIRTIO_NET_F_CTRL_VLAN))
		refusal = virtio_net_filter(net);
	return refusal;
}

/*
 * Whatever goes wrong with the control queue costs only what needs it: the device
 * is started again, first without the VLAN filter, then with one queue pair. The
 * memory of a try is lost, at most 70 KiB a pair.
 */
static const char *bring_up(
	struct virtio_net *net, const struct netdev_request *want, const struct io_env *env)
{
	uint32_t mtu = want->mtu < MTU_DEFAULT ? MTU_DEFAULT : want->mtu;
	unsigned pairs = want->queue_pairs;
	bool filter = true;

	for (;;) {
		const char *refusal;

		net->features = 0;
		refusal = start(net, pairs, filter, mtu, env);
		if (!(net->features & VIRTIO_NET_F_CTRL_VQ))
			return refusal;
		if (!refusal)
			refusal = command(net, env);
		if (!refusal)
			return NULL;
		bool again = net->features & VIRTIO_NET_F_CTRL_VLAN;

		env->log(env->ctx, "virtio-net %s: %s: %s", net->transport->location,
			again ? "no VLAN filter" : "one queue pair", refusal);
		if (!again)
			pairs = 1;
		filter = false;
	}
}

struct netdev *virtio_net_create(struct virtio_transport *transport,
	const struct netdev_request *want, const struct io_env *env)
{
	struct virtio_net *net = env->alloc(env->ctx, sizeof *net, CACHE_LINE);
	const char *refusal = "no memory";
	bool packed;

	if (net) {
		net->transport = transport;
		net->env = *env;
		refusal = bring_up(net, want, env);
	}
	if (refusal) {
		env->log(env->ctx, "virtio-net %s: refused: %s", transport->location, refusal);
		transport->refusal = refusal;
		virtio_refuse(transport);
		return NULL;
	}
	packed = net->features & VIRTIO_F_RING_PACKED;
	net->dev.ops = packed ? &virtio_net_packed_ops : &virtio_net_split_ops;
	net->dev.rings = packed ? "packed" : "split";
	net->dev.driver = "virtio-net";
	net->dev.node = NODE_UNKNOWN;
	net->dev.front = VIRTIO_NET_HEADER;
	strncpy(net->dev.location, transport->location, sizeof net->dev.location - 1);
	return &net->dev;
}
