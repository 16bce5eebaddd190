/* An AF_XDP port: its sockets, memory and program, and what becomes of the interface. */
#include "kernel/hosted/xdp_port.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLOTS         512u
#define FRAME_ROOM    (PAGE - XDP_HEADROOM) /* the kernel has pages: no frame is longer */
#define FRAME_MTU_MAX (FRAME_ROOM - PACKET_OVERHEAD)
#define PAGE          4096u

/* ---- failure ---- */

void xdp_port_fail(struct netdev *dev, const char *failure)
{
	if (load_once(&dev->failed))
		return;
	store_once(&dev->failure, failure);
	store_release(&dev->failed, true); /* the reason before the fact */
	store_once(&xdp_port_of(dev)->ready, false);
}

/* ---- sockets ---- */

static int open_socket(struct xdp_port *port, struct xdp_queue *q, unsigned mode)
{
	/* A frame may come back as sent before the kernel says that its place in the ring is free:
	 * so there are places for those. */
	const struct xsk_socket_config config = {
		.rx_size = SLOTS,
		.tx_size = 2 * SLOTS,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = (uint16_t)(mode | XDP_USE_NEED_WAKEUP),
	};

	return xsk_socket__create(
		&q->socket, port->interface, q->number, q->memory, &q->rx, &q->tx, &config);
}

/*
 * Each socket gets the memory of all buffers, as they come from all pools: whole
 * pages, which stay where they are. Chunks of no fixed place may overlap in front:
 * the kernel writes a frame and nothing before it.
 */
static const char *open_queue(struct xdp_port *port, struct xdp_queue *q, uint64_t bytes)
{
	const struct xsk_umem_config config = {
		.fill_size = SLOTS,
		.comp_size = SLOTS,
		.frame_size = port->chunk,
		.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG,
	};

	errno = -xsk_umem__create(&q->memory, port->base, bytes, &q->fill, &q->done, &config);
	if (errno)
		return "the kernel does not take its memory";
	/* A frame in two pieces cannot be left where it is. */
	if (port->memory->one_piece && open_socket(port, q, XDP_ZEROCOPY) == 0)
		port->zero_copy = true;
	else
		errno = -open_socket(port, q, XDP_COPY);
	if (errno)
		return "no AF_XDP socket";
	q->fd = xsk_socket__fd(q->socket);
	return xdp_program_bind(&port->program, q->number, q->fd) ? NULL
								  : "its socket is not accepted";
}

/* From the first buffer of any pool to the last, in whole pages. Returns how many bytes. */
static uint64_t span_buffers(struct xdp_port *port)
{
	const struct buffers *b = port->dev.buffers;
	uintptr_t first = UINTPTR_MAX, last = 0;

	for (uint32_t p = 0; p < b->pools; p++) {
		uintptr_t at = xdp_pool_start(b, p);
		uintptr_t end = at + ((uintptr_t)b->stride << POOL_SHIFT);

		first = at < first ? at : first;
		last = end > last ? end : last;
	}
	first = (first + XDP_BEFORE - XDP_HEADROOM) & ~(uintptr_t)(PAGE - 1);
	port->base = (uint8_t *)port->memory->base + (first - (uintptr_t)port->memory->base);
	return (last - first + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static void open_queues(struct xdp_port *port)
{
	const struct io_env *env = port->env;
	uint64_t bytes = span_buffers(port);
	const char *trouble = NULL;

	for (unsigned i = 0; i < port->dev.rx_queues && !trouble; i++)
		trouble = open_queue(port, &port->queue[i], bytes);
	if (!trouble) {
		env->log(env->ctx, "xdp %s: %s, %s", port->interface,
			port->program.native ? "native" : "generic",
			port->zero_copy ? "zero copy" : "frames are copied");
		store_release(&port->ready, true);
		return;
	}
	snprintf(port->failure, sizeof port->failure, "%s: %s", trouble, strerror(errno));
	xdp_port_fail(&port->dev, port->failure);
}

/* ---- link, end ---- */

/* The first poll comes when there are buffers, and before any core uses the port. */
void xdp_port_poll(struct netdev *dev)
{
	struct xdp_port *port = xdp_port_of(dev);
	struct xdp_interface facts;
	bool link = false;

	if (!load_once(&dev->failed) && !port->ready)
		open_queues(port);
	if (!load_once(&dev->failed)) {
		if (xdp_interface_read(port->facts, port->interface, &facts))
			link = facts.link;
		else
			xdp_port_fail(dev, "its interface is gone");
	}
	if (dev->link != link) /* workers read this line */
		store_once(&dev->link, link);
}

/* No frame comes any more; the sockets end with the process. */
void xdp_port_stop(struct netdev *dev)
{
	struct xdp_port *port = xdp_port_of(dev);

	xdp_port_fail(dev, "stopped");
	store_once(&dev->link, false);
	if (port->program.link >= 0)
		close(port->program.link);
	port->program.link = -1;
}

/* ---- opening ---- */

static void fill_in(struct xdp_port *port, const struct xdp_interface *facts)
{
	struct netdev *dev = &port->dev;

	dev->ops = &xdp_port_ops;
	dev->driver = port->program.native ? "xdp" : "xdp-generic";
	dev->node = NODE_UNKNOWN;
	memcpy(dev->mac, facts->mac, sizeof dev->mac);
	dev->mtu_max = (uint16_t)(facts->mtu < FRAME_MTU_MAX ? facts->mtu : FRAME_MTU_MAX);
	dev->tx_queues = dev->rx_queues;
	dev->rx_slots = dev->tx_slots = SLOTS;
	dev->link = facts->link;
	snprintf(dev->location, sizeof dev->location, "xdp:%s", port->interface);
}

static unsigned choose_queues(
	const struct xdp_interface *facts, uint32_t queue, const struct netdev_request *want)
{
	unsigned n = facts->queues < want->queue_pairs ? facts->queues : want->queue_pairs;

	if (queue != XDP_ANY_QUEUE || n == 0)
		return 1;
	return n < XDP_QUEUES_MAX ? n : XDP_QUEUES_MAX;
}

static const char *bring_up(
	struct xdp_port *port, uint32_t queue, const struct netdev_request *want)
{
	struct xdp_interface facts;
	const char *trouble;

	port->facts = xdp_interface_open(port->interface);
	if (port->facts < 0 || !xdp_interface_read(port->facts, port->interface, &facts))
		return "no such Ethernet interface";
	if (facts.mtu < MTU_MIN) {
		errno = 0;
		return "its MTU is below 576";
	}
	trouble = xdp_program_attach(&port->program, facts.index);
	if (trouble)
		return trouble;
	port->dev.rx_queues = (uint16_t)choose_queues(&facts, queue, want);
	for (unsigned i = 0; i < port->dev.rx_queues; i++)
		port->queue[i].number = (queue == XDP_ANY_QUEUE ? 0 : queue) + i;
	fill_in(port, &facts);
	if (facts.queues > port->dev.rx_queues && queue == XDP_ANY_QUEUE)
		port->env->log(port->env->ctx,
			"xdp %s: %u of %u queues; the others' frames go to the kernel",
			port->interface, port->dev.rx_queues, facts.queues);
	return NULL;
}

struct netdev *xdp_port_open(const char *interface, uint32_t queue,
	const struct hosted_memory *memory, const struct netdev_request *want,
	const struct io_env *env)
{
	struct xdp_port *port = env->alloc(env->ctx, sizeof *port, CACHE_LINE);
	uint32_t room = XDP_HEADROOM + packet_room(want->mtu);
	const char *trouble = "no memory";

	errno = 0;
	if (port) {
		port->env = env;
		port->memory = memory;
		port->chunk = room < PAGE ? room : PAGE;
		port->program.link = port->facts = -1;
		snprintf(port->interface, sizeof port->interface, "%s", interface);
		trouble = bring_up(port, queue, want);
	}
	if (!trouble)
		return &port->dev;
	env->log(env->ctx, "xdp %s: refused: %s%s%s", interface, trouble, errno ? ": " : "",
		errno ? strerror(errno) : "");
	if (port && port->facts >= 0)
		close(port->facts);
	return NULL;
}
