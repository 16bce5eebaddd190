/*
 * The control virtqueue of a device (VIRTIO 1.2 5.1.6.5): commands, one at a
 * time, each waited for. Control core.
 */
#ifndef DRIVERS_VIRTIO_CONTROL_H
#define DRIVERS_VIRTIO_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/io.h"
#include "drivers/virtio/virtqueue.h"

#define VIRTIO_CONTROL_US        1000000u /* the longest wait for an answer at boot, */
#define VIRTIO_CONTROL_RUN_US    100000u  /* and later, while the control core has other work */
#define VIRTIO_CONTROL_SLOTS_MIN 2u       /* a command is two descriptors */
#define VIRTIO_CONTROL_SLOTS_MAX 16u
#define VIRTIO_CONTROL_DATA_MAX  384u /* bytes after class and command */

/* What the device reads and writes; its own memory, since a late answer may come at any time. */
struct virtio_control_memory {
	uint8_t class, command;
	uint8_t data[VIRTIO_CONTROL_DATA_MAX];
	alignas(CACHE_LINE) uint8_t ack;
};

struct virtio_control {
	struct virtq vq;
	struct virtq_doorbell doorbell;
	struct virtio_control_memory *memory;
	bool packed;
	uint32_t wait_us; /* for an answer */
};

enum virtio_answer {
	VIRTIO_ANSWER_OK,
	VIRTIO_ANSWER_REFUSED,
	VIRTIO_ANSWER_NONE, /* none in time, or nonsense: the queue cannot be used any more */
};

/*
 * Lays the queue out in memory from env->alloc; size: a power of two between
 * the limits above. false: no memory. It is then handed over by
 * the transport's queue_enable.
 */
bool virtio_control_init(struct virtio_control *c, const struct io_env *env, bool packed,
	uint16_t number, uint16_t size);

/* Sends a command with n <= VIRTIO_CONTROL_DATA_MAX bytes of data and waits for the answer. */
enum virtio_answer virtio_control_command(struct virtio_control *c, const struct io_env *env,
	uint8_t class, uint8_t command, const void *data, uint32_t n);

#endif
