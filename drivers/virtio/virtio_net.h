/*
 * virtio-net (VIRTIO 1.2 5.1), polled, with one or more queue pairs, over whatever
 * transport carries it.
 *
 * Legacy-only devices and devices that break the protocol are refused with one
 * line. See drivers/netdev.h for what the device then does.
 */
#ifndef DRIVERS_VIRTIO_NET_H
#define DRIVERS_VIRTIO_NET_H

#include <stdbool.h>

#include "drivers/io.h"
#include "drivers/netdev.h"
#include "drivers/pci.h"
#include "drivers/virtio/virtio_transport.h"

/* Is this function a virtio network device, of whatever age? */
bool virtio_net_match(const struct pci_function *f);

/*
 * Brings the device up to where it takes buffers: reset, features, queues with
 * memory from env->alloc, link state. It gets up to want->queue_pairs queue
 * pairs (16 at most), one if it has or can do no more; dev->rx_queues says how
 * many. Packed rings are used where offered. NULL when it is refused, with one
 * line in env->log. dev->buffers must be set before the first rx_fill or tx.
 * A VLAN filter is used where there is one. A device that is lost (a process that
 * ended) starts with its link down. Control core at boot; waits for three
 * resets and five commands at most, a second each.
 */
struct netdev *virtio_net_create(struct virtio_transport *transport,
	const struct netdev_request *want, const struct io_env *env);

/* The same for a PCI function. */
struct netdev *virtio_net_probe(struct pci *pci, struct pci_function *f,
	const struct netdev_request *want, const struct io_env *env);

#endif
