/*
 * The data path of an AF_XDP port: receive, refill, transmit, complete.
 *
 * The kernel names buffers by address, counted from the start of our memory; which
 * buffer that is follows from the pool it lies in. All four rings are the kernel's
 * format, read and written with libxdp's inline functions.
 */
#include <errno.h>
#include <sys/socket.h>

#include "kernel/hosted/xdp_port.h"

/* ---- from addresses to buffers ---- */

/* The buffer of pool p that `at` lies in; false: it is not in that pool. */
static bool buffer_of(const struct buffers *b, uint32_t p, uintptr_t at, uint32_t *index)
{
	uintptr_t in = at - xdp_pool_start(b, p);

	if (in >= (uint64_t)b->stride << POOL_SHIFT)
		return false;
	*index = (p << POOL_SHIFT) + (uint32_t)in / b->stride;
	return true;
}

static bool find_buffer(const struct buffers *b, uint32_t *likely, uintptr_t at, uint32_t *index)
{
	if (buffer_of(b, *likely, at, index))
		return true;
	for (uint32_t p = 0; p < b->pools; p++)
		if (buffer_of(b, p, at, index)) {
			*likely = p;
			return true;
		}
	return false;
}

/* ---- receive ---- */

/* The kernel sleeps until it is told that there are buffers again. */
static void wake_receiver(struct xdp_queue *q)
{
	if (!xsk_ring_prod__needs_wakeup(&q->fill))
		return;
	(void)recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	counter_add(&q->rx_wakeups, 1);
}

static unsigned xdp_rx(struct netdev *dev, unsigned number, uint64_t *word, unsigned max)
{
	struct xdp_port *port = xdp_port_of(dev);
	struct xdp_queue *q = &port->queue[number];
	const struct buffers *b = dev->buffers;
	uint32_t at = 0, n, index;

	if (!load_acquire(&port->ready))
		return 0;
	n = xsk_ring_cons__peek(&q->rx, max, &at);
	if (n == 0) {
		wake_receiver(q);
		return 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, at + i);
		uint8_t *frame = port->base + xsk_umem__add_offset_to_addr(d->addr);
		bool sound = buffer_of(b, q->rx_pool, (uintptr_t)frame, &index);

		if (!sound || frame != buffer_data(b, index)) {
			xdp_port_fail(dev, "the kernel's frames do not begin where they should");
			n = i;
			break;
		}
		__builtin_prefetch(frame);
		word[i] = packet_word(index, d->len <= b->room ? d->len : 0, 0);
	}
	xsk_ring_cons__release(&q->rx, n);
	store_once(&q->rx_held, q->rx_held - n);
	return n;
}

/* The kernel delivers a frame before it says that the buffer's place in the fill ring is free. */
static unsigned xdp_rx_room(struct netdev *dev, unsigned number)
{
	struct xdp_port *port = xdp_port_of(dev);
	struct xdp_queue *q = &port->queue[number];
	uint32_t lacks = dev->rx_slots - q->rx_held, places;

	if (!load_acquire(&port->ready))
		return 0;
	places = xsk_prod_nb_free(&q->fill, lacks);
	return lacks < places ? lacks : places;
}

static void xdp_rx_fill(struct netdev *dev, unsigned number, const uint32_t *index, unsigned n)
{
	struct xdp_port *port = xdp_port_of(dev);
	struct xdp_queue *q = &port->queue[number];
	uint32_t at = 0;

	/* There are so many places: xdp_rx_room. */
	if (!n || xsk_ring_prod__reserve(&q->fill, n, &at) != n)
		return;
	q->rx_pool = index[0] >> POOL_SHIFT;
	for (unsigned i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&q->fill, at + i) =
			(uint64_t)(buffer_data(dev->buffers, index[i]) - XDP_HEADROOM - port->base);
	xsk_ring_prod__submit(&q->fill, n);
	store_once(&q->rx_held, q->rx_held + n);
	wake_receiver(q);
}

/* ---- transmit ---- */

/* Sends what stands in the ring: without a driver that does it by itself, some frames a call. */
static void wake_sender(struct xdp_queue *q)
{
	if (!xsk_ring_prod__needs_wakeup(&q->tx) || load_once(q->tx.consumer) == *q->tx.producer)
		return;
	(void)sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0); /* it is asked again */
	counter_add(&q->tx_wakeups, 1);
}

static unsigned xdp_tx(struct netdev *dev, unsigned number, const uint64_t *word, unsigned n)
{
	struct xdp_port *port = xdp_port_of(dev);
	struct xdp_queue *q = &port->queue[number];
	uint32_t at = 0, room = dev->tx_slots - q->tx_held;

	if (n > room)
		n = room;
	if (!n || !load_acquire(&port->ready))
		return 0;
	n = xsk_ring_prod__reserve(&q->tx, n, &at) == n ? n : 0;
	for (unsigned i = 0; i < n; i++) {
		struct xdp_desc *d = xsk_ring_prod__tx_desc(&q->tx, at + i);

		d->addr = (uint64_t)(packet_frame(dev->buffers, word[i]) - port->base);
		d->len = packet_len(word[i]);
		d->options = 0;
	}
	xsk_ring_prod__submit(&q->tx, n);
	store_once(&q->tx_held, q->tx_held + n);
	wake_sender(q);
	return n;
}

static unsigned xdp_tx_done(struct netdev *dev, unsigned number, uint64_t *word, unsigned max)
{
	struct xdp_port *port = xdp_port_of(dev);
	struct xdp_queue *q = &port->queue[number];
	uint32_t at = 0, n, index;

	if (q->tx_held == 0)
		return 0;
	n = xsk_ring_cons__peek(&q->done, max, &at);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t address = *xsk_ring_cons__comp_addr(&q->done, at + i);

		if (!find_buffer(
			    dev->buffers, &q->tx_pool, (uintptr_t)port->base + address, &index)) {
			xdp_port_fail(dev, "the kernel returned what is no buffer");
			n = i;
			break;
		}
		word[i] = packet_word(index, 0, 0);
	}
	xsk_ring_cons__release(&q->done, n);
	store_once(&q->tx_held, q->tx_held - n);
	if (!load_once(&dev->failed))
		wake_sender(q);
	return n;
}

/* ---- books ---- */

static unsigned xdp_rx_held(const struct netdev *dev, unsigned number)
{
	return load_once(&((const struct xdp_port *)dev)->queue[number].rx_held);
}

static unsigned xdp_tx_held(const struct netdev *dev, unsigned number)
{
	return load_once(&((const struct xdp_port *)dev)->queue[number].tx_held);
}

static uint64_t xdp_doorbells(const struct netdev *dev)
{
	const struct xdp_port *port = (const struct xdp_port *)dev;
	uint64_t n = 0;

	for (unsigned i = 0; i < dev->rx_queues; i++)
		n += load_once(&port->queue[i].rx_wakeups) + load_once(&port->queue[i].tx_wakeups);
	return n;
}

const struct netdev_ops xdp_port_ops = {
	.rx = xdp_rx,
	.rx_room = xdp_rx_room,
	.rx_fill = xdp_rx_fill,
	.tx = xdp_tx,
	.tx_done = xdp_tx_done,
	.rx_held = xdp_rx_held,
	.tx_held = xdp_tx_held,
	.doorbells = xdp_doorbells,
	.poll = xdp_port_poll,
	.stop = xdp_port_stop,
};
