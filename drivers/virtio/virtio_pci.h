/*
 * The modern PCI transport of a virtio device (VIRTIO 1.2 4.1).
 *
 * Functions that can fail return NULL, or one line that says why the device is
 * refused. Control core only; no wait is longer than VIRTIO_RESET_US.
 */
#ifndef DRIVERS_VIRTIO_PCI_H
#define DRIVERS_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/io.h"
#include "drivers/pci.h"
#include "drivers/virtio/virtqueue.h"
#include "lib/err.h"

#define VIRTIO_RESET_US 1000000u

/* Device status (2.1). */
#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED      128u
#define VIRTIO_STATUS_GONE        255u /* all ones: nothing answers any more */

#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32) /* 6 */

struct virtio_pci {
	const struct pci *pci;
	const struct pci_function *function;
	const struct io_env *env;
	volatile uint8_t *common; /* 4.1.4.3 */
	volatile uint8_t *notify; /* 4.1.4.4 */
	volatile uint8_t *config; /* 4.1.4.6, the device type's own */
	uint32_t notify_bytes, notify_multiplier;
	uint32_t config_bytes;
};

/* Finds and maps the structures of a device and lets it do DMA. */
const char *virtio_pci_open(struct virtio_pci *v, const struct pci *pci,
	const struct pci_function *f, const struct io_env *env) MUST_CHECK;

/* Resets the device and waits until it says so; false: it does not. */
bool virtio_pci_reset(const struct virtio_pci *v) MUST_CHECK;

/* The two halves of it, for callers that must not wait. */
void virtio_pci_reset_start(const struct virtio_pci *v);
bool virtio_pci_reset_done(const struct virtio_pci *v);

/*
 * Acknowledges the (reset) device and agrees on features: all of `required`
 * and those of `wanted` that it offers. *agreed: the outcome.
 */
const char *virtio_pci_negotiate(const struct virtio_pci *v, uint64_t required, uint64_t wanted,
	uint64_t *agreed) MUST_CHECK;

/* How many descriptors queue `number` may have; 0 if there is no such queue. */
unsigned virtio_pci_queue_size(const struct virtio_pci *v, unsigned number);

/* Hands vq to the device, without interrupt, and finds its doorbell. */
const char *virtio_pci_queue_enable(const struct virtio_pci *v, struct virtq *vq) MUST_CHECK;

/* Device status; DRIVER_OK starts the device. */
uint8_t virtio_pci_status(const struct virtio_pci *v);
void virtio_pci_add_status(const struct virtio_pci *v, unsigned bits);

/*
 * Reads n 8-bit fields of the device's own configuration from `at`, all of the
 * same generation (2.5.2). false: out of range, or it never stands still.
 */
bool virtio_pci_read_bytes(
	const struct virtio_pci *v, unsigned at, uint8_t *out, unsigned n) MUST_CHECK;

/* One 16-bit field of it, which is read at once and so needs no generation (2.5.1); 0 beyond its
 * end. */
uint16_t virtio_pci_read16(const struct virtio_pci *v, unsigned at);

/* Gives the device up: marked failed, no more DMA. */
void virtio_pci_refuse(const struct virtio_pci *v);

#endif
