/*
 * What carries a virtio device (VIRTIO 1.2 4): how the driver reaches its status,
 * features, configuration and queues. A PCI function (virtio_pci.h), or a process
 * behind a socket (kernel/hosted/vhost_user.h).
 *
 * All of it is control core and setting up: once a queue is handed over, both sides
 * work in its memory, and the transport only has the bell that is rung when the
 * device asks for it, once a batch at most.
 */
#ifndef DRIVERS_VIRTIO_TRANSPORT_H
#define DRIVERS_VIRTIO_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/io.h"
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

/* Features of every type of device (6). */
#define VIRTIO_F_VERSION_1   (UINT64_C(1) << 32)
#define VIRTIO_F_RING_PACKED (UINT64_C(1) << 34)

struct virtio_transport;

/*
 * Functions that return a line return NULL, or why the device is refused. None
 * waits longer than a second.
 */
struct virtio_transport_ops {
	/* A reset, in two halves for callers that must not wait. A device in reset touches no
	 * memory. */
	void (*reset_start)(struct virtio_transport *t);
	bool (*reset_done)(struct virtio_transport *t);
	uint8_t (*status)(struct virtio_transport *t);
	/* Sets bits of it; DRIVER_OK starts the device. */
	void (*add_status)(struct virtio_transport *t, unsigned bits);
	uint64_t (*features_offered)(struct virtio_transport *t);
	void (*features_accept)(struct virtio_transport *t, uint64_t features);
	/* How many descriptors queue `number` may have; 0 if there is no such queue. */
	unsigned (*queue_size)(struct virtio_transport *t, unsigned number);
	/* Hands vq to the device, without interrupt, and fills in its doorbell. */
	const char *(*queue_enable)(struct virtio_transport *t, struct virtq *vq);
	/* The generation of the device's own configuration; a field of it of 1, 2 or 4 bytes,
	 * which lies within config_bytes. */
	uint8_t (*config_generation)(struct virtio_transport *t);
	uint32_t (*config_read)(struct virtio_transport *t, unsigned at, unsigned bytes);
	/* Gives the device up for good: no more access to memory, whatever it does. */
	void (*cut_off)(struct virtio_transport *t);
	/* What is wrong with a started device, or NULL. *lost: it is merely gone and may return. */
	const char *(*trouble)(struct virtio_transport *t, bool *lost);
	/*
	 * For a device that was lost, once its queues have been made anew where they were: is
	 * it there again, and has it taken them? Asked from time to time. NULL where nothing
	 * that is lost returns.
	 */
	bool (*back)(struct virtio_transport *t);
};

struct virtio_transport {
	const struct virtio_transport_ops *ops;
	const struct io_env *env;
	uint32_t config_bytes; /* of the device's own configuration */
	bool pairs_by_queue;   /* uses all queue pairs that are handed over, unasked */
	uint8_t mac[6];        /* for a device that tells none; the same at every boot */
	const char *location;  /* for messages and 'show interfaces' */
	const char *refusal;   /* why the device was refused, a constant */
};

/* Resets the device and waits until it says so; false: it does not. */
bool virtio_reset(struct virtio_transport *t) MUST_CHECK;

/* Acknowledges the (reset) device; *offered: its features, with VERSION_1 among them. */
const char *virtio_greet(struct virtio_transport *t, uint64_t *offered) MUST_CHECK;

/* Settles on `features`, some of those offered. */
const char *virtio_agree(struct virtio_transport *t, uint64_t features) MUST_CHECK;

/*
 * Reads n 8-bit fields of the device's own configuration from `at`, all of the
 * same generation (2.5.2). false: out of range, or it never stands still.
 */
bool virtio_read_bytes(
	struct virtio_transport *t, unsigned at, uint8_t *out, unsigned n) MUST_CHECK;

/* One field of it, which is read at once and so needs no generation (2.5.1); 0 beyond its end. */
uint16_t virtio_read16(struct virtio_transport *t, unsigned at);
uint32_t virtio_read32(struct virtio_transport *t, unsigned at);

/* Gives the device up: marked failed, cut off. */
void virtio_refuse(struct virtio_transport *t);

#endif
