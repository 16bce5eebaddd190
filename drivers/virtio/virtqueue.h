/*
 * Split virtqueue of single-descriptor buffers (VIRTIO 1.2 2.7), for polling.
 *
 * Each buffer takes one descriptor. `held` remembers, by descriptor id, which
 * packet word the device has, so whatever id it returns can be checked.
 *
 * Free ids need no list of their own: they wait in the available ring. The
 * ring starts as 0, 1, 2, ... and the id that the device returns as its n-th is
 * put back at position n, which the device has read by then and which will be
 * used next as position n + size. A device that works in order thus never makes
 * the driver write to that ring, and its cache lines stay shared.
 *
 * One core uses a queue. Loops over a batch pass the functions below a local
 * copy of the struct: no store into a ring can alias that.
 */
#ifndef DRIVERS_VIRTQUEUE_H
#define DRIVERS_VIRTQUEUE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/io.h"
#include "lib/atomic.h"

struct virtq_desc {
	uint64_t address; /* bus address */
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};

#define VIRTQ_DESC_WRITE 2u /* the device writes to it */

struct virtq_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];
};

#define VIRTQ_AVAIL_NO_INTERRUPT 1u

struct virtq_used_elem {
	uint32_t id;
	uint32_t bytes; /* written by the device */
};

struct virtq_used {
	uint16_t flags;
	uint16_t idx;
	struct virtq_used_elem ring[];
};

#define VIRTQ_USED_NO_NOTIFY 1u

#define VIRTQ_NONE UINT64_MAX /* in held[]: the device does not have this descriptor */

struct virtq {
	alignas(CACHE_LINE) struct virtq_desc *desc;
	struct virtq_avail *avail;     /* written by the driver */
	const struct virtq_used *used; /* written by the device */
	uint64_t *held;                /* packet word by descriptor id, or VIRTQ_NONE */
	volatile void *doorbell;
	uint16_t number; /* what the doorbell is told */
	uint16_t size;   /* descriptors, a power of two */
	uint16_t posted; /* buffers ever given to the device, modulo 65536 */
	uint16_t taken;  /* buffers ever taken back */
	uint64_t doorbells;
};

_Static_assert(sizeof(struct virtq_desc) == 16 && offsetof(struct virtq_avail, ring) == 4 &&
		       offsetof(struct virtq_used, ring) == 4 &&
		       sizeof(struct virtq_used_elem) == 8,
	"VIRTIO 1.2 2.7.5, 2.7.6, 2.7.8");
_Static_assert(sizeof(struct virtq) == CACHE_LINE, "a queue's state is one line");

/*
 * Lays the rings out in memory from env->alloc. flags: of every descriptor;
 * bytes: their length, if it is constant. false: no memory. Boot only.
 */
bool virtq_init(struct virtq *vq, const struct io_env *env, uint16_t number, uint16_t size,
	uint16_t flags, uint32_t bytes);

/* Buffers the device has. */
static inline unsigned virtq_outstanding(const struct virtq *vq)
{
	return (uint16_t)(vq->posted - vq->taken);
}

/* Buffers it could be given. */
static inline unsigned virtq_room(const struct virtq *vq)
{
	return vq->size - virtq_outstanding(vq);
}

/*
 * Descriptor for the i-th buffer of a batch to be posted; the caller has room
 * for it, fills desc[id] and sets held[id].
 */
static inline unsigned virtq_next_free(const struct virtq *vq, unsigned i)
{
	unsigned mask = vq->size - 1u;

	return vq->avail->ring[(vq->posted + i) & mask] & mask;
}

/* Shows the device n more buffers, and rings if it asks for it. */
static inline void virtq_publish(struct virtq *vq, unsigned n)
{
	vq->posted = (uint16_t)(vq->posted + n);
	store_release(&vq->avail->idx, vq->posted); /* descriptors before the index: 2.7.13.2 */
	dma_mb(); /* the index before the device's flag is read: 2.7.13.3 */
	if (!(load_once(&vq->used->flags) & VIRTQ_USED_NO_NOTIFY)) {
		mmio_write16(vq->doorbell, vq->number);
		counter_add(&vq->doorbells, 1);
	}
}

/*
 * How many buffers the device has returned and not yet been relieved of. More
 * than virtq_outstanding: it claims what it never had.
 */
static inline unsigned virtq_returned(const struct virtq *vq)
{
	return (uint16_t)(load_acquire(&vq->used->idx) -
			  vq->taken); /* the index before the elements */
}

/* The i-th of them. The device may write to it at any time: each field is loaded once. */
static inline const struct virtq_used_elem *virtq_used_at(const struct virtq *vq, unsigned i)
{
	return &vq->used->ring[(vq->taken + i) & (vq->size - 1u)];
}

/*
 * Takes back the i-th returned buffer, descriptor id, and gives its packet
 * word; VIRTQ_NONE if the device does not have it. The caller then adds how
 * many it took to vq->taken.
 */
static inline uint64_t virtq_take(const struct virtq *vq, unsigned i, uint32_t id)
{
	unsigned at = (vq->taken + i) & (vq->size - 1u);
	uint64_t word;

	if (id >= vq->size)
		return VIRTQ_NONE;
	word = vq->held[id];
	vq->held[id] = VIRTQ_NONE;
	if (vq->avail->ring[at] != id)
		vq->avail->ring[at] = (uint16_t)id;
	return word;
}

/* Takes up to max words out of a queue whose device has been reset. Returns how many. */
unsigned virtq_drain(struct virtq *vq, uint64_t *word, unsigned max);

#endif
