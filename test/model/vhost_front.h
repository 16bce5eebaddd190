/*
 * A vhost-user front end, as QEMU or a virtio driver in a process would be one.
 *
 * It shares one memfd: rings first, then buffers. Split and packed rings. Used by
 * units, where both ends live in one thread (`serve` lets the other one work
 * while an answer is awaited), and by the bench's peer, a process of its own.
 */
#ifndef TEST_MODEL_VHOST_FRONT_H
#define TEST_MODEL_VHOST_FRONT_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/pktgen/vhost_proto.h"

#define FRONT_RINGS     16u
#define FRONT_GUEST     UINT64_C(0x40000000) /* where the memory is for the device */
#define FRONT_RING_ROOM 0x40000u             /* bytes kept for one ring: up to 8,192 descriptors */

/* A piece of a buffer; address: of the device. */
struct front_piece {
	uint64_t address;
	uint32_t bytes;
	bool write;
};

struct front_ring {
	union {
		struct vring_desc *desc;
		struct vring_packed_desc *packed;
	};
	union {
		struct vring_avail *avail;
		struct vring_packed_desc_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct vring_packed_desc_event *device_event;
	};
	uint32_t size;
	uint16_t posted, taken; /* split: descriptors and returned buffers so far */
	uint16_t desc_next;     /* split: where the next chain goes */
	uint16_t at, wrap;      /* packed: the next to be offered */
	uint16_t used_at, used_wrap;
	uint16_t *length; /* packed: descriptors of a buffer, by id */
	int call, kick;
};

struct front {
	int fd; /* the connection */
	int memfd;
	uint8_t *memory;
	size_t bytes;
	size_t buffers; /* offset of what is behind the rings */
	bool is_packed;
	unsigned rings;
	uint64_t offered; /* features, by the device */
	struct front_ring ring[FRONT_RINGS];
	void (*serve)(void *ctx);
	void *ctx;
};

/* Memory for so many rings and bytes of buffers. huge: 2 MiB pages. false: errno. */
bool front_memory(struct front *f, unsigned rings, size_t bytes, bool huge);

/* Connects to a socket. false: errno. */
bool front_connect(struct front *f, const char *path);

/* Sends a message with fds; payload may be NULL. false: the device has gone. */
bool front_send(struct front *f, uint32_t request, const void *payload, uint32_t bytes,
	const int *fd, unsigned fds);

/* Waits for an answer of 8 bytes. false: there is none. */
bool front_answer(struct front *f, uint64_t *value);

/* Features, memory, and all rings of `size` descriptors, started and enabled. */
bool front_start(struct front *f, uint64_t features, unsigned rings, uint32_t size);

/* Parts of front_start. */
bool front_agree(struct front *f, uint64_t features);
bool front_share(struct front *f);
bool front_ring_start(struct front *f, unsigned index, uint32_t size);

/* Stops a ring: where it stood. */
bool front_ring_stop(struct front *f, unsigned index, uint32_t *base);

/* Offers a buffer of some pieces under an id (packed) or its place (split). */
void front_offer(
	struct front *f, unsigned index, const struct front_piece *piece, unsigned n, uint16_t id);

/* A buffer that the device has returned. false: none. */
bool front_take(struct front *f, unsigned index, uint16_t *id, uint32_t *bytes);

/* Where an address of the device is in this process, and the other way. */
static inline uint8_t *front_at(const struct front *f, uint64_t address)
{
	return f->memory + (address - FRONT_GUEST);
}

static inline uint64_t front_address(const struct front *f, size_t offset)
{
	return FRONT_GUEST + offset;
}

void front_close(struct front *f);

#endif
