/*
 * Ports that are PCI functions of the host, taken from Linux by VFIO: their registers
 * mapped, our memory shown to them by the IOMMU at the addresses we know it by.
 */
#ifndef KERNEL_HOSTED_VFIO_H
#define KERNEL_HOSTED_VFIO_H

#include <stdbool.h>

#include "drivers/io.h"
#include "drivers/netdev.h"
#include "kernel/hosted/memory.h"

#define VFIO_LOCATION_MAX 13u /* "0000:03:00.0" and its zero */

/* Is it a place on the PCI bus, in full? */
bool vfio_is_location(const char *text);

/*
 * Opens the function at `location`, which must be bound to vfio-pci, with the ixgbe driver.
 * memory: what all buffers and rings lie in. NULL, with one line in env->log. Control core
 * at boot; env and memory must stay.
 */
struct netdev *vfio_port_open(const char *location, const struct hosted_memory *memory,
	const struct netdev_request *want, const struct io_env *env);

#endif
