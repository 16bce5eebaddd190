/* Split virtqueue: memory and first state. */
#include "drivers/virtio/virtqueue_split.h"

bool virtq_split_init(
	struct virtq *vq, const struct io_env *env, uint16_t number, uint16_t size, uint16_t flags)
{
	/* Rings of their own lines; both may end in an event index that is not used (2.7.10). */
	*vq = (struct virtq){
		.desc = env->alloc(env->ctx, size * sizeof(struct virtq_desc), CACHE_LINE),
		.avail = env->alloc(
			env->ctx, sizeof(struct virtq_avail) + 2u * (size + 1u), CACHE_LINE),
		.used = env->alloc(env->ctx,
			sizeof(struct virtq_used) + size * sizeof(struct virtq_used_elem) + 2,
			CACHE_LINE),
		.held = env->alloc(env->ctx, size * sizeof(uint64_t), CACHE_LINE),
		.number = number,
		.size = size,
	};
	if (!vq->desc || !vq->avail || !vq->used || !vq->held)
		return false;
	vq->free_id = vq->avail->ring;
	for (unsigned id = 0; id < size; id++) {
		vq->desc[id].flags = flags;
		vq->held[id] = VIRTQ_NONE;
	}
	virtq_split_reset(vq);
	return true;
}

void virtq_split_reset(struct virtq *vq)
{
	struct virtq_used *used =
		(struct virtq_used *)(uintptr_t)vq->used; /* nobody else writes to it now */

	vq->posted = vq->taken = 0;
	vq->avail->flags = VIRTQ_AVAIL_NO_INTERRUPT;
	vq->avail->idx = 0;
	used->flags = 0;
	used->idx = 0;
	for (unsigned id = 0; id < vq->size; id++)
		vq->free_id[id] = (uint16_t)id;
}
