/* One AF_XDP port, as its two files share it: opening it, and its data path. */
#ifndef KERNEL_HOSTED_XDP_PORT_H
#define KERNEL_HOSTED_XDP_PORT_H

#include <xdp/xsk.h>

#include "kernel/hosted/xdp.h"
#include "lib/atomic.h"
#include "lib/packet.h"

/* The kernel writes a frame so many bytes behind where a buffer begins for it. */
#define XDP_HEADROOM 256u

/* What lies before the frames of a pool's buffers, whatever device it is for. */
#define XDP_BEFORE (PACKET_HEADROOM + PACKET_FRONT_MAX)

/* One queue pair; receiving and sending are one core's each. */
struct xdp_queue {
	alignas(CACHE_LINE) struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	uint32_t rx_held; /* buffers given and not taken back */
	uint32_t rx_pool; /* whose they are */
	uint64_t rx_wakeups;
	alignas(CACHE_LINE) struct xsk_ring_prod tx;
	struct xsk_ring_cons done;
	uint32_t tx_held;
	uint32_t tx_pool; /* of the last buffer that came back: others are likely of it as well */
	uint64_t tx_wakeups;
	int fd;
	uint32_t number; /* the interface's */
	struct xsk_umem *memory;
	struct xsk_socket *socket;
};

struct xdp_port {
	struct netdev dev; /* first, so that a netdev is its xdp_port */
	char interface[16];
	char failure[96];
	uint8_t *base; /* addresses that the kernel is told count from here */
	bool ready;    /* its sockets are open, and nothing has failed */
	const struct hosted_memory *memory;
	const struct io_env *env;
	uint32_t chunk; /* bytes of a buffer as the kernel sees it */
	int facts;      /* socket for what the kernel says of the interface */
	struct xdp_program program;
	bool zero_copy;
	struct xdp_queue queue[XDP_QUEUES_MAX];
};

static inline struct xdp_port *xdp_port_of(struct netdev *dev)
{
	return (struct xdp_port *)dev;
}

/* Each buffer of pool p has its frame in the next stride of bytes from here on. */
static inline uintptr_t xdp_pool_start(const struct buffers *b, uint32_t p)
{
	return (uintptr_t)buffer_data(b, p << POOL_SHIFT) - XDP_BEFORE;
}

/* Stops using it; `failure`: a line that stays. Any core. */
void xdp_port_fail(struct netdev *dev, const char *failure);

extern const struct netdev_ops xdp_port_ops; /* xdp_path.c */

/* Control core: struct netdev_ops. */
void xdp_port_poll(struct netdev *dev);
void xdp_port_stop(struct netdev *dev);

#endif
