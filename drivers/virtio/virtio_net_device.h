/*
 * One virtio-net device, as the files of this folder share it: bring-up
 * (virtio_net.c), steering (virtio_net_steer.c), the VLAN filter
 * (virtio_net_vlan.c), state (virtio_net_state.c), return (virtio_net_renew.c) and the data path
 * over split or packed rings. Internal to drivers/virtio/.
 */
#ifndef DRIVERS_VIRTIO_NET_DEVICE_H
#define DRIVERS_VIRTIO_NET_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/netdev.h"
#include "drivers/virtio/virtio_control.h"
#include "drivers/virtio/virtio_transport.h"
#include "drivers/virtio/virtqueue.h"
#include "lib/limits.h"
#include "lib/packet.h"

#define VIRTIO_NET_PAIRS_MAX 16u /* queue pairs of one device that are used */

/* Features (5.1.3). */
#define VIRTIO_NET_F_MTU       (UINT64_C(1) << 3)
#define VIRTIO_NET_F_MAC       (UINT64_C(1) << 5)
#define VIRTIO_NET_F_STATUS    (UINT64_C(1) << 16)
#define VIRTIO_NET_F_CTRL_VQ   (UINT64_C(1) << 17)
#define VIRTIO_NET_F_CTRL_VLAN (UINT64_C(1) << 19)
#define VIRTIO_NET_F_MQ        (UINT64_C(1) << 22)
#define VIRTIO_NET_F_RSS       (UINT64_C(1) << 60)

/* Device configuration (5.1.4). */
#define VIRTIO_NET_CONFIG_MAC        0u
#define VIRTIO_NET_CONFIG_STATUS     6u
#define VIRTIO_NET_CONFIG_PAIRS_MAX  8u
#define VIRTIO_NET_CONFIG_MTU        10u
#define VIRTIO_NET_CONFIG_RSS_KEY    17u /* longest key, one byte */
#define VIRTIO_NET_CONFIG_RSS_TABLE  18u /* longest indirection table, entries */
#define VIRTIO_NET_CONFIG_RSS_HASHES 20u

#define VIRTIO_NET_HEADER 12u /* struct virtio_net_hdr with num_buffers (5.1.6) */

_Static_assert(VIRTIO_NET_HEADER <= PACKET_FRONT_MAX, "there is room for it before a frame");

struct virtio_net {
	struct netdev dev; /* first, so that a netdev is its virtio_net */
	struct virtio_transport *transport;
	struct virtio_control control;
	struct io_env env;
	uint64_t features; /* agreed on */
	bool control_lost; /* a command was not answered */
	bool lied;         /* it broke its contract: it is not used again */
	bool lost;         /* control core: it is gone, and may return */
	bool resetting;    /* control core: after a failure, the reset has been asked for */
	bool renewing;     /* control core: the queues are being made anew */
	bool halted;       /* the reset is done: the device touches no buffer any more */
	struct virtq rx[VIRTIO_NET_PAIRS_MAX], tx[VIRTIO_NET_PAIRS_MAX]; /* a line each */
	uint32_t renewals; /* see virtio_net_renew.c */
	uint32_t rx_renewed[VIRTIO_NET_PAIRS_MAX], tx_renewed[VIRTIO_NET_PAIRS_MAX];
	struct virtq_doorbell rx_doorbell[VIRTIO_NET_PAIRS_MAX], tx_doorbell[VIRTIO_NET_PAIRS_MAX];
};

_Static_assert(offsetof(struct virtio_net, dev) == 0, "a netdev is its virtio_net");

static inline struct virtio_net *virtio_net_of(struct netdev *dev)
{
	return (struct virtio_net *)dev;
}

/* Where the device's part of buffer 0 would start, were it of the same pool: see buffers.origin. */
static inline uintptr_t virtio_net_headers(const struct buffers *b, uint32_t index)
{
	return b->origin[index >> POOL_SHIFT] - VIRTIO_NET_HEADER;
}

/* Where the device's part of a buffer starts: its header, then the frame (5.1.6.3.1, 2.7.4.1). */
static inline uint8_t *virtio_net_header(const struct buffers *b, uint32_t index)
{
	return buffer_data(b, index) - VIRTIO_NET_HEADER;
}

/* ---------------------------------------------------------------- virtio_net_state.c */

/* Stops using a device that broke its contract; `failure`: a constant line. Any core, any time. */
void virtio_net_fail(struct netdev *dev, const char *failure);

/* Reads the link state into dev->link. Control core. */
void virtio_net_read_link(struct virtio_net *net);

/* Operations of struct netdev_ops that are the same for both kinds of ring. */
unsigned virtio_net_rx_room(struct netdev *dev, unsigned q);
unsigned virtio_net_rx_held(const struct netdev *dev, unsigned q);
unsigned virtio_net_tx_held(const struct netdev *dev, unsigned q);
uint64_t virtio_net_doorbells(const struct netdev *dev);
void virtio_net_poll(struct netdev *dev);
void virtio_net_stop(struct netdev *dev);

/* For rx_last: *frame, if a header at that address and a frame behind it, `bytes` both, are in a
 * buffer. */
bool virtio_net_frame(
	const struct buffers *b, uint64_t header, uint32_t bytes, struct netdev_frame *frame);

/* For tx_done of a failed device: gives back what queue q still held, once the device is reset. */
unsigned virtio_net_salvage(struct virtio_net *net, unsigned q, uint64_t *word, unsigned max);

/* ---------------------------------------------------------------- virtio_net_renew.c */

/* For rx of a failed device, for tx_done of one whose buffers are all back: queue q anew, if the
 * device may return and it has not been done yet. */
void virtio_net_renew_rx(struct virtio_net *net, unsigned q);
void virtio_net_renew_tx(struct virtio_net *net, unsigned q);

/* Control core, at each poll while a device is lost: goes on with bringing it back. */
void virtio_net_await(struct virtio_net *net);

/* ---------------------------------------------------------------- the data paths */

extern const struct netdev_ops virtio_net_split_ops;  /* virtio_net_split.c */
extern const struct netdev_ops virtio_net_packed_ops; /* virtio_net_packed.c */

/* ---------------------------------------------------------------- virtio_net_steer.c */

/* Can the device spread frames by the hash we want? Asked before its features are settled. */
bool virtio_net_rss_fits(const struct virtio_net *net);

/*
 * Switches a started device to its `dev.rx_queues` queue pairs: by RSS, or in
 * the device's own way; dev.steering says which. NULL, or why it stays at one
 * pair; then it must be reset. Control core at boot; waits two answers at most.
 */
const char *virtio_net_steer(struct virtio_net *net, const struct io_env *env) MUST_CHECK;

/* ---------------------------------------------------------------- virtio_net_vlan.c */

/* Makes the filter of a started device ready. NULL, or why it cannot be used; then it must be
 * reset. Control core at boot; waits for one answer at most. */
const char *virtio_net_filter(struct virtio_net *net) MUST_CHECK;

/* See struct netdev_ops. */
bool virtio_net_vlan(struct netdev *dev, uint16_t vid, bool pass);

#endif
