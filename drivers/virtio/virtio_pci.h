/* The modern PCI transport of a virtio device (VIRTIO 1.2 4.1). Control core only. */
#ifndef DRIVERS_VIRTIO_PCI_H
#define DRIVERS_VIRTIO_PCI_H

#include "drivers/pci.h"
#include "drivers/virtio/virtio_transport.h"

struct virtio_pci {
	struct virtio_transport transport; /* first, so that a transport is its virtio_pci */
	const struct pci *pci;
	const struct pci_function *function;
	volatile uint8_t *common; /* 4.1.4.3 */
	volatile uint8_t *notify; /* 4.1.4.4 */
	volatile uint8_t *config; /* 4.1.4.6, the device type's own */
	uint32_t notify_bytes, notify_multiplier;
};

/*
 * Finds and maps the structures of a device and lets it do DMA. NULL, or one line
 * that says why it is refused; it may be given up (virtio_refuse) all the same.
 */
const char *virtio_pci_open(struct virtio_pci *v, const struct pci *pci,
	const struct pci_function *f, const struct io_env *env) MUST_CHECK;

#endif
