/*
 * Packed virtqueue (VIRTIO 1.2 2.8): one ring of descriptors that both sides
 * write, and a word from each side that says whether it wants to be told.
 *
 * Two flag bits of a descriptor say whose it is. Each side counts how often it
 * has gone round; in the first, third, ... round AVAIL set and USED clear offers
 * a descriptor and both set return it, in the rounds between all is inverted
 * (2.8.1). Sizes are powers of two here, so a running index holds both the
 * position and, in the bit above it, the round.
 *
 * The device may return buffers in any order: it writes the id of the one it
 * has finished to the next position. `free_id` is a copy that it cannot write.
 */
#ifndef DRIVERS_VIRTQUEUE_PACKED_H
#define DRIVERS_VIRTQUEUE_PACKED_H

#include "drivers/virtio/virtqueue.h"

struct virtq_packed_desc {
	uint64_t address; /* bus address */
	uint64_t state;   /* bits 0-31 bytes | 32-47 buffer id | 48-63 flags */
};

#define VIRTQ_PACKED_AVAIL (1u << 7)
#define VIRTQ_PACKED_USED  (1u << 15)

/* Event suppression (2.8.14); descriptor events need a feature that is never accepted. */
struct virtq_event {
	uint16_t position;
	uint16_t flags;
};

#define VIRTQ_EVENT_DISABLE 1u
#define VIRTQ_EVENT_MASK    3u

_Static_assert(sizeof(struct virtq_packed_desc) == 16 && sizeof(struct virtq_event) == 4,
	"VIRTIO 1.2 2.8.13, 2.8.14");

/* Lays the ring out in memory from env->alloc; size: a power of two. false: no memory. Boot only.
 */
bool virtq_packed_init(struct virtq *vq, const struct io_env *env, uint16_t number, uint16_t size);

/* Empties a ring that no device has as at first; held[] stays. */
void virtq_packed_reset(struct virtq *vq);

/*
 * Offers the device the i-th buffer of a batch under the id from virtq_next_free.
 * One store makes the descriptor its own, so it may be at work before the batch
 * is published.
 */
static inline void virtq_packed_post(const struct virtq *vq, unsigned i, unsigned id,
	uint64_t address, uint32_t bytes, unsigned flags)
{
	unsigned at = vq->posted + i;
	struct virtq_packed_desc *d = &vq->packed[at & (vq->size - 1u)];

	flags |= at & vq->size ? VIRTQ_PACKED_USED : VIRTQ_PACKED_AVAIL;
	d->address = address;
	store_release(&d->state, bytes | (uint64_t)id << 32 | (uint64_t)flags << 48);
}

/* Counts n descriptors as posted, and rings if the device asks for it. */
static inline void virtq_packed_publish(struct virtq *vq, unsigned n)
{
	vq->posted = (uint16_t)(vq->posted + n);
	dma_mb(); /* the descriptors before the device's flags are read: 2.8.21.3.1 */
	if ((load_once(&vq->device_event->flags) & VIRTQ_EVENT_MASK) != VIRTQ_EVENT_DISABLE)
		virtq_ring_doorbell(vq);
}

/*
 * Has the device returned the i-th of the buffers it has? *state: the descriptor
 * as it wrote it, loaded once. i: below virtq_outstanding.
 */
static inline bool virtq_packed_returned(const struct virtq *vq, unsigned i, uint64_t *state)
{
	const uint64_t both = (uint64_t)(VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED) << 48;
	unsigned at = vq->taken + i;

	*state = load_acquire(&vq->packed[at & (vq->size - 1u)].state);
	return (*state & both) == (at & vq->size ? 0 : both);
}

static inline uint32_t virtq_packed_bytes(uint64_t state)
{
	return (uint32_t)state;
}

static inline uint32_t virtq_packed_id(uint64_t state)
{
	return (uint16_t)(state >> 32);
}

#endif
