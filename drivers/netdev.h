/*
 * The contract between a NIC driver and the poll loop.
 *
 * A device has RX and TX queues; each queue is used by one core only, and no two
 * queues share a line that a worker writes. Functions are called once per batch.
 * A driver validates whatever the device writes: a device that breaks its contract
 * is stopped (`failed`), never believed. Any core may find that out; the others
 * then get nothing more from their queues, and the control core's polls reset the
 * device. Buffers posted meanwhile stay in the books of their queue.
 *
 * Buffers are named by index (lib/packet.h); a frame received lies at
 * buffer_data(index), one to be sent at packet_frame(word).
 */
#ifndef DRIVERS_NETDEV_H
#define DRIVERS_NETDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"
#include "lib/pool.h"

struct netdev;

struct netdev_frame {
	const uint8_t *at;
	uint32_t bytes;
};

/* What a device itself has counted since it was started. */
struct netdev_statistic {
	const char *name; /* a constant, stable: scripts read it */
	uint64_t value;
	bool lost; /* frames that never came to us: in no balance of the router's */
};

#define NETDEV_STATISTICS_MAX 24u

struct netdev_ops {
	/*
	 * RX queue q: takes up to max received frames as packet words (index,
	 * length without virtio header, flags 0). Returns how many; the first line of
	 * each is on its way to the cache. A frame the device marked bad, or of impossible
	 * length, is returned with length 0.
	 */
	unsigned (*rx)(struct netdev *dev, unsigned q, uint64_t *word, unsigned max);
	/* RX queue q: how many buffers it lacks. */
	unsigned (*rx_room)(struct netdev *dev, unsigned q);
	/* RX queue q: gives it n <= rx_room empty buffers, all of one pool; one doorbell if the
	 * device wants one. */
	void (*rx_fill)(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n);
	/*
	 * TX queue q: posts up to n frames in order, one doorbell at the end;
	 * returns how many had room. The frames may not be touched until tx_done.
	 */
	unsigned (*tx)(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n);
	/* TX queue q: takes up to max words of frames the device has finished with. */
	unsigned (*tx_done)(struct netdev *dev, unsigned q, uint64_t *word, unsigned max);
	/* Buffers now in RX queue q's, TX queue q's ring (given, not taken back), from the
	 * driver's own indices: for the audit. Exact while the queue's worker is parked. */
	unsigned (*rx_held)(const struct netdev *dev, unsigned q);
	unsigned (*tx_held)(const struct netdev *dev, unsigned q);
	/* Doorbells rung on all queues: a snapshot for 'show interfaces'. */
	uint64_t (*doorbells)(const struct netdev *dev);
	/*
	 * For a panic's report, all else stopped: the frames last taken from RX queue q whose
	 * buffers it has not been given others for, newest first; at most max. NULL: cannot say.
	 */
	unsigned (*rx_last)(
		const struct netdev *dev, unsigned q, struct netdev_frame *frame, unsigned max);
	/* Control core: lets frames of a VLAN through the device's filter, or no more; NULL where
	 * it has none. false: it does not answer. */
	bool (*vlan)(struct netdev *dev, uint16_t vid, bool pass);
	/* Control core: PAUSE frames are sent and obeyed, or (as at first) not; false: it cannot.
	 * NULL: the same. */
	bool (*flow_control)(struct netdev *dev, bool on);
	/*
	 * Control core: what it writes for RX queue q (tx: TX queue q) goes towards the cache of
	 * the core with this tag from now on (direct cache access, platform_dca_tag). false: it
	 * cannot; NULL: the same.
	 */
	bool (*dca)(struct netdev *dev, bool tx, unsigned q, uint8_t tag);
	/* Control core: what the device has counted, as of the last poll, at most max. Returns how
	 * many; NULL: it counts nothing. */
	unsigned (*statistics)(
		const struct netdev *dev, struct netdev_statistic *out, unsigned max);
	/* Control core: reads the link state into dev->link; may do slow MMIO. */
	void (*poll)(struct netdev *dev);
	/* Control core, workers stopped: resets the device; no DMA afterwards. */
	void (*stop)(struct netdev *dev);
};

/* What the router would like of each device; a driver's probe takes it as far as it can. */
struct netdev_request {
	unsigned queue_pairs; /* RX and TX queues each; 1 or more */
	unsigned queues_all;  /* RX queues of all devices together, as far as memory goes */
	uint32_t mtu;         /* that buffers will be made for */
};

struct netdev {
	const struct netdev_ops *ops;
	struct buffers *buffers; /* set by the router before rx_fill */
	const char *driver;      /* "virtio-net", "mem" */
	const char *rings;       /* the kind of its rings in a word, or NULL: "split", "packed" */
	const char *steering;    /* who spreads frames over RX queues, or NULL: "rss", "device" */
	char location[24];       /* "0000:00:03.0" */
	uint32_t front; /* bytes of its own that it writes before each frame; <= PACKET_FRONT_MAX */
	uint32_t node;  /* NUMA node it is on, or NODE_UNKNOWN; the platform's probe says */
	uint8_t mac[6];
	uint16_t mtu_max; /* largest IP MTU it can carry, at most MTU_MAX; see also buffers->mtu */
	uint16_t rx_queues, tx_queues; /* in use, 1 or more; numbered from 0 */
	uint16_t rx_slots, tx_slots;   /* ring depth of each queue */
	bool vlan_filter;              /* it drops tagged frames of VLANs it was not told of */
	bool flow_control;             /* see netdev_ops.flow_control */
	bool dca;                      /* it was told cores' tags, see netdev_ops.dca */
	bool link;                     /* written by poll */
	bool failed;         /* stopped because it broke its contract; any core may write it */
	const char *failure; /* one line, when failed */
	uint32_t speed_mbps; /* of the link, written by poll; 0: not known */
};

/* How many of the queue pairs wanted each of n devices can have, if all are to have as many. */
static inline unsigned netdev_queue_share(const struct netdev_request *want, unsigned n)
{
	unsigned most = RXQ_MAX < TXQ_MAX ? RXQ_MAX : TXQ_MAX;

	if (most > want->queues_all)
		most = want->queues_all;
	most /= n ? n : 1;
	if (most > want->queue_pairs)
		most = want->queue_pairs;
	return most ? most : 1;
}

#endif
