/* Packed virtqueue: memory and first state. */
#include "drivers/virtio/virtqueue_packed.h"

bool virtq_packed_init(struct virtq *vq, const struct io_env *env, uint16_t number, uint16_t size)
{
	*vq = (struct virtq){
		.packed = env->alloc(env->ctx, size * sizeof(struct virtq_packed_desc), CACHE_LINE),
		.driver_event = env->alloc(env->ctx, sizeof(struct virtq_event), CACHE_LINE),
		.device_event = env->alloc(env->ctx, sizeof(struct virtq_event), CACHE_LINE),
		.free_id = env->alloc(env->ctx, size * sizeof(uint16_t), CACHE_LINE),
		.held = env->alloc(env->ctx, size * sizeof(uint64_t), CACHE_LINE),
		.number = number,
		.size = size,
	};
	if (!vq->packed || !vq->driver_event || !vq->device_event || !vq->free_id || !vq->held)
		return false;
	for (unsigned id = 0; id < size; id++)
		vq->held[id] = VIRTQ_NONE;
	virtq_packed_reset(vq);
	return true;
}

void virtq_packed_reset(struct virtq *vq)
{
	/* Nobody else writes to it now. */
	struct virtq_event *device_event = (struct virtq_event *)(uintptr_t)vq->device_event;

	vq->posted = vq->taken = 0;
	vq->driver_event->flags = VIRTQ_EVENT_DISABLE;
	device_event->flags = 0;
	for (unsigned id = 0; id < vq->size; id++) {
		vq->packed[id] = (struct virtq_packed_desc){0};
		vq->free_id[id] = (uint16_t)id;
	}
}
