/*
 * What split and packed virtqueues share (VIRTIO 1.2 2.6): buffers of one
 * descriptor each, polled by the one core that uses the queue.
 *
 * `held` remembers, by buffer id, which packet word the device has, so that
 * whatever id it returns can be checked.
 *
 * Free ids need no list of their own: `free_id` is a ring of them. It starts as
 * 0, 1, 2, ... and the id that the device returns as its n-th is put back at
 * position n, which has been posted by then and is posted next as position
 * n + size. With a device that works in order nothing ever changes there, so
 * the lines are never written again.
 *
 * Loops over a batch pass the functions here a local copy of the struct: no
 * store into a ring can alias that.
 */
#ifndef DRIVERS_VIRTQUEUE_H
#define DRIVERS_VIRTQUEUE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/io.h"
#include "lib/atomic.h"

/* Descriptor flags (2.7.5, 2.8.1). */
#define VIRTQ_DESC_NEXT  1u /* the buffer goes on in another descriptor */
#define VIRTQ_DESC_WRITE 2u /* the device writes to it */

#define VIRTQ_NONE UINT64_MAX /* in held[]: the device does not have this buffer */

struct virtq_desc;
struct virtq_avail;
struct virtq_used;
struct virtq_packed_desc;
struct virtq_event;

/* How the device is told that its queue has something for it: filled in by the transport. */
struct virtq_doorbell {
	void (*ring)(const struct virtq_doorbell *bell, uint16_t number);
	volatile void *address; /* a register, */
	int fd;                 /* or what an operating system gave */
};

struct virtq {
	/* The three areas of 2.6; their meaning depends on the kind of the ring. */
	alignas(CACHE_LINE) union {
		void *descriptor_area;
		struct virtq_desc *desc;          /* split */
		struct virtq_packed_desc *packed; /* packed: written by both sides */
	};
	union {
		void *driver_area;                /* written by the driver */
		struct virtq_avail *avail;        /* split */
		struct virtq_event *driver_event; /* packed */
	};
	union {
		const void *device_area;                /* written by the device */
		const struct virtq_used *used;          /* split */
		const struct virtq_event *device_event; /* packed */
	};
	uint16_t *free_id; /* by position; of a split ring: the available ring itself */
	uint64_t *held;    /* packet word by buffer id, or VIRTQ_NONE */
	struct virtq_doorbell *doorbell;
	uint16_t number; /* what the doorbell is told */
	uint16_t size;   /* descriptors, a power of two */
	uint16_t posted; /* descriptors ever given to the device, modulo 65536 */
	uint16_t taken;  /* descriptors ever taken back */
	uint64_t doorbells;
};

_Static_assert(sizeof(struct virtq) == CACHE_LINE, "a queue's state is one line");

/* Descriptors the device has. */
static inline unsigned virtq_outstanding(const struct virtq *vq)
{
	return (uint16_t)(vq->posted - vq->taken);
}

/* Descriptors it could be given. */
static inline unsigned virtq_room(const struct virtq *vq)
{
	return vq->size - virtq_outstanding(vq);
}

/* Id for the i-th buffer of a batch to be posted; the caller has room for it and sets held[id]. */
static inline unsigned virtq_next_free(const struct virtq *vq, unsigned i)
{
	unsigned mask = vq->size - 1u;

	return vq->free_id[(vq->posted + i) & mask] & mask;
}

/*
 * Takes back the i-th returned buffer, which the device calls `id`, and gives
 * its packet word; VIRTQ_NONE if the device does not have it. The caller then
 * adds how many it took to vq->taken.
 */
static inline uint64_t virtq_take(const struct virtq *vq, unsigned i, uint32_t id)
{
	unsigned at = (vq->taken + i) & (vq->size - 1u);
	uint64_t word;

	if (id >= vq->size)
		return VIRTQ_NONE;
	word = vq->held[id];
	vq->held[id] = VIRTQ_NONE;
	if (vq->free_id[at] != id)
		vq->free_id[at] = (uint16_t)id;
	return word;
}

static inline void virtq_ring_doorbell(struct virtq *vq)
{
	vq->doorbell->ring(vq->doorbell, vq->number);
	counter_add(&vq->doorbells, 1);
}

/* Rings it though there may be nothing new, beside the queue's own core. */
static inline void virtq_remind(const struct virtq *vq)
{
	vq->doorbell->ring(vq->doorbell, vq->number);
}

/* Takes up to max words out of a queue whose device has been reset. Returns how many. */
unsigned virtq_drain(struct virtq *vq, uint64_t *word, unsigned max);

#endif
