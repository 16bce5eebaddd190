/*
 * The perfect NIC's driver on DPDK's side: net_perfect, built in DPDK's own tree.
 *
 *   --vdev=net_perfect0,flows=FILE,kind=forward,seconds=S
 *
 * It works as the vector drivers of real NICs do: mbufs come from the lcore's cache of the mempool
 * and return there in bulk (MBUF_FAST_FREE), 32 bytes of an mbuf are written on receipt, packet
 * type and checksums are the hardware's business. One queue pair, 512 slots.
 */
#include <ethdev_driver.h>
#include <ethdev_vdev.h>
#include <rte_kvargs.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "test/bench/peers/run.h"

#define SLOT(n) ((n) & (PERFECT_SLOTS - 1))

typedef uint64_t words4 __attribute__((vector_size(32)));

/* What is written into an mbuf on receipt, as it lies there from rearm_data on. */
union receipt {
	struct {
		uint64_t rearm, flags;
		uint32_t type, bytes;
		uint16_t data_bytes, vlan;
		uint32_t hash;
	};
	words4 words;
};

_Static_assert(
	offsetof(struct rte_mbuf, rearm_data) + 8 == offsetof(struct rte_mbuf, ol_flags) &&
		offsetof(struct rte_mbuf, rearm_data) + 16 ==
			offsetof(struct rte_mbuf, packet_type) &&
		offsetof(struct rte_mbuf, rearm_data) + 28 == offsetof(struct rte_mbuf, hash),
	"an mbuf is laid out as a receipt");

struct queue {
	uint32_t at; /* next slot; grows without end */
	union receipt receipt;
	struct rte_mempool *pool;
	uint64_t data; /* from an mbuf to its data, bytes */
	unsigned port; /* the number in its name */
	alignas(64) struct rte_mbuf *mbuf[PERFECT_SLOTS];
	alignas(64) struct perfect_desc ring[PERFECT_SLOTS];
};

struct perfect {
	struct queue rx, tx;
	struct rte_ether_addr mac;
};

/* ---- receive ---- */

static void take(struct queue *q, unsigned at, struct rte_mbuf **restrict pkts, unsigned n)
{
	const struct perfect_desc *restrict desc = q->ring + at;
	struct rte_mbuf *const *restrict mbuf = q->mbuf + at;
	const words4 length = {0, 0, 0xffff, 0xffff}, shift = {0, 0, 32, 0};
	const words4 blank = q->receipt.words;
	uint64_t done = PERFECT_DONE;

	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = mbuf[i];
		words4 receipt = ((words4){0} + desc[i].control) & length;

		done &= desc[i].control;
		receipt = (receipt << shift) | blank;
		memcpy(&m->rearm_data, &receipt, sizeof receipt);
		pkts[i] = m;
	}
	if (!done)
		rte_panic("net_perfect: a descriptor is not done\n");
}

/* Mbufs into empty slots, from the top of the lcore's cache. */
static void refill(struct queue *q, unsigned at, unsigned n)
{
	struct rte_mempool_cache *cache = rte_mempool_default_cache(q->pool, rte_lcore_id());
	struct perfect_desc *restrict desc = q->ring + at;
	struct rte_mbuf **restrict mbuf = q->mbuf + at;

	if (cache->len < n) {
		unsigned more = cache->size + n - cache->len;

		if (rte_mempool_ops_dequeue_bulk(q->pool, cache->objs + cache->len, more) < 0)
			rte_panic("net_perfect: the pool is too small\n");
		cache->len += more;
	}
	cache->len -= n;
	struct rte_mbuf *const *restrict fresh = (struct rte_mbuf **)cache->objs + cache->len;
	uint64_t data = q->data;

	for (unsigned i = 0; i < n; i++) {
		mbuf[i] = fresh[i];
		desc[i].address = (uintptr_t)fresh[i] + data;
		desc[i].control = 0;
	}
}

static uint16_t perfect_rx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct queue *q = queue;

	for (unsigned done = 0; done < n;) { /* twice where the ring ends */
		unsigned at = SLOT(q->at), some = RTE_MIN(n - done, PERFECT_SLOTS - at);

		perfect_deliver(&run.source, q->port, q->ring + at, some);
		take(q, at, pkts + done, some);
		refill(q, at, some);
		q->at += some;
		done += some;
	}
	return n;
}

/* ---- transmit ---- */

static void verify(unsigned port, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		run_verify(port, rte_pktmbuf_mtod(pkts[i], const uint8_t *), pkts[i]->pkt_len);
}

static void post(struct queue *q, unsigned at, struct rte_mbuf **restrict pkts, unsigned n)
{
	struct perfect_desc *restrict desc = q->ring + at;
	struct rte_mbuf **restrict mbuf = q->mbuf + at;

	for (unsigned i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];

		mbuf[i] = pkts[i];
		desc[i].address = (uintptr_t)m->buf_addr + m->data_off;
		desc[i].control = m->data_len | PERFECT_SEND;
	}
}

static uint16_t perfect_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct queue *q = queue;

	if (unlikely(run.verifying))
		verify(q->port, pkts, n);
	for (unsigned done = 0; done < n;) {
		unsigned at = SLOT(q->at), some = RTE_MIN(n - done, PERFECT_SLOTS - at);

		if (likely(q->mbuf[at] != NULL)) /* sent is what stood here */
			rte_mempool_put_bulk(q->pool, (void **)q->mbuf + at, some);
		else
			q->pool = pkts[0]->pool;
		post(q, at, pkts + done, some);
		q->at += some;
		done += some;
	}
	run_sent(n);
	return n;
}

/* ---- control ---- */

static int rx_setup(struct rte_eth_dev *dev, uint16_t number, uint16_t slots, unsigned socket,
	const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct queue *q = &((struct perfect *)dev->data->dev_private)->rx;

	if (number || slots != PERFECT_SLOTS || !pool->cache_size)
		return -EINVAL;
	q->pool = pool;
	q->data = sizeof(struct rte_mbuf) + rte_pktmbuf_priv_size(pool) + RTE_PKTMBUF_HEADROOM;
	struct rte_mbuf like = {.data_off = RTE_PKTMBUF_HEADROOM,
		.refcnt = 1,
		.nb_segs = 1,
		.port = dev->data->port_id};

	memcpy(&q->receipt.rearm, &like.rearm_data, sizeof q->receipt.rearm);
	q->receipt.flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	q->receipt.type = RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_UDP;
	if (rte_mempool_get_bulk(pool, (void **)q->mbuf, PERFECT_SLOTS) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < PERFECT_SLOTS; i++)
		q->ring[i].address = (uintptr_t)q->mbuf[i] + q->data;
	dev->data->rx_queues[0] = q;
	return 0;
}

/* Mbufs go back in bulk, which FAST_FREE allows: all of one pool, nobody else holds them. */
static int tx_setup(struct rte_eth_dev *dev, uint16_t number, uint16_t slots, unsigned socket,
	const struct rte_eth_txconf *conf)
{
	if (number || slots != PERFECT_SLOTS ||
		!((conf->offloads | dev->data->dev_conf.txmode.offloads) &
			RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE))
		return -EINVAL;
	dev->data->tx_queues[0] = &((struct perfect *)dev->data->dev_private)->tx;
	return 0;
}

static int info_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	static const struct rte_eth_desc_lim slots = {
		.nb_max = PERFECT_SLOTS, .nb_min = PERFECT_SLOTS, .nb_align = 1};

	info->max_mac_addrs = 1;
	info->max_rx_pktlen = RTE_ETHER_MAX_LEN;
	info->max_rx_queues = info->max_tx_queues = 1;
	info->rx_desc_lim = info->tx_desc_lim = slots;
	info->rx_offload_capa = RTE_ETH_RX_OFFLOAD_CHECKSUM; /* l3fwd checks none itself */
	info->tx_offload_capa = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	return 0;
}

static const uint32_t *ptypes_get(struct rte_eth_dev *dev)
{
	static const uint32_t types[] = {
		RTE_PTYPE_L2_ETHER, RTE_PTYPE_L3_IPV4, RTE_PTYPE_L3_IPV6, RTE_PTYPE_UNKNOWN};

	return types;
}

static int dev_start(struct rte_eth_dev *dev)
{
	dev->data->dev_link.link_status = RTE_ETH_LINK_UP;
	return 0;
}

static int nothing(struct rte_eth_dev *dev)
{
	return 0;
}

static int link_update(struct rte_eth_dev *dev, int wait)
{
	return 0;
}

static int stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats)
{
	return 0;
}

static const struct eth_dev_ops ops = {
	.dev_configure = nothing,
	.dev_start = dev_start,
	.dev_stop = nothing,
	.dev_close = nothing,
	.dev_infos_get = info_get,
	.dev_supported_ptypes_get = ptypes_get,
	.rx_queue_setup = rx_setup,
	.tx_queue_setup = tx_setup,
	.link_update = link_update,
	.stats_get = stats_get,
	.promiscuous_enable = nothing,
};

/* ---- the device ---- */

static int keep(const char *key, const char *value, void *to)
{
	char **kept = to;

	*kept = strdup(value);
	return *kept ? 0 : -ENOMEM;
}

/* The words after the name of the device, into the run. */
static int read_words(struct rte_vdev_device *vdev)
{
	static const char *const keys[] = {"flows", "kind", "seconds", NULL};
	struct rte_kvargs *args = rte_kvargs_parse(rte_vdev_device_args(vdev), keys);
	char *word[3] = {NULL, NULL, NULL};
	struct run_options options = {.seconds = 1};

	for (unsigned i = 0; args && i < 3; i++)
		if (rte_kvargs_process(args, keys[i], keep, &word[i]) < 0)
			return -EINVAL;
	rte_kvargs_free(args);
	if (!word[0] || !word[1] || !run_kind_of(word[1], &options.kind))
		return -EINVAL;
	options.flows = word[0];
	if (word[2])
		options.seconds = atof(word[2]);
	run_begin(&options);
	return 0;
}

static int probe(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev;
	struct perfect *p;

	if (read_words(vdev) < 0)
		return -EINVAL;
	dev = rte_eth_vdev_allocate(vdev, sizeof *p);
	if (!dev)
		return -ENOMEM;
	p = dev->data->dev_private;
	p->rx.port = p->tx.port = atoi(rte_vdev_device_name(vdev) + strlen("net_perfect"));
	if (p->rx.port >= PERFECT_PORTS)
		return -EINVAL;
	run_port_mac(p->rx.port, p->mac.addr_bytes);
	dev->data->mac_addrs = &p->mac;
	dev->data->dev_link = (struct rte_eth_link){.link_speed = RTE_ETH_SPEED_NUM_100G,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = RTE_ETH_LINK_UP};
	dev->dev_ops = &ops;
	dev->rx_pkt_burst = perfect_rx;
	dev->tx_pkt_burst = perfect_tx;
	rte_eth_dev_probing_finish(dev);
	return 0;
}

static int leave(struct rte_vdev_device *vdev)
{
	return 0;
}

static struct rte_vdev_driver driver = {.probe = probe, .remove = leave};

RTE_PMD_REGISTER_VDEV(net_perfect, driver);
RTE_PMD_REGISTER_PARAM_STRING(net_perfect, "flows=<file> kind=forward|io|macswap seconds=<s>");
