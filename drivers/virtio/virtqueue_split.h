/*
 * Split virtqueue (VIRTIO 1.2 2.7): descriptors, a ring in which the driver
 * offers them, and a ring in which the device returns them.
 */
#ifndef DRIVERS_VIRTQUEUE_SPLIT_H
#define DRIVERS_VIRTQUEUE_SPLIT_H

#include "drivers/virtio/virtqueue.h"

struct virtq_desc {
	uint64_t address; /* bus address */
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};

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

_Static_assert(sizeof(struct virtq_desc) == 16 && offsetof(struct virtq_avail, ring) == 4 &&
		       offsetof(struct virtq_used, ring) == 4 &&
		       sizeof(struct virtq_used_elem) == 8,
	"VIRTIO 1.2 2.7.5, 2.7.6, 2.7.8");

/*
 * Lays the rings out in memory from env->alloc; size: a power of two. flags: of
 * every descriptor. false: no memory. Boot only.
 */
bool virtq_split_init(
	struct virtq *vq, const struct io_env *env, uint16_t number, uint16_t size, uint16_t flags);

/* Empties a ring that no device has as at first; held[] stays. */
void virtq_split_reset(struct virtq *vq);

/* Shows the device n more buffers, and rings if it asks for it. */
static inline void virtq_split_publish(struct virtq *vq, unsigned n)
{
	vq->posted = (uint16_t)(vq->posted + n);
	store_release(&vq->avail->idx, vq->posted); /* descriptors before the index: 2.7.13.2 */
	dma_mb(); /* the index before the device's flag is read: 2.7.13.3 */
	if (!(load_once(&vq->used->flags) & VIRTQ_USED_NO_NOTIFY))
		virtq_ring_doorbell(vq);
}

/*
 * How many buffers the device has returned and not yet been relieved of. More
 * than virtq_outstanding: it claims what it never had.
 */
static inline unsigned virtq_split_returned(const struct virtq *vq)
{
	/* The index before the elements. */
	return (uint16_t)(load_acquire(&vq->used->idx) - vq->taken);
}

/* The i-th of them. The device may write to it at any time: each field is loaded once. */
static inline const struct virtq_used_elem *virtq_split_used(const struct virtq *vq, unsigned i)
{
	return &vq->used->ring[(vq->taken + i) & (vq->size - 1u)];
}

#endif
