/* Virtqueues of either kind: what is left in one after a reset. */
#include "drivers/virtio/virtqueue.h"

unsigned virtq_drain(struct virtq *vq, uint64_t *word, unsigned max)
{
	unsigned n = 0;

	for (unsigned id = 0; id < vq->size && n < max; id++) {
		if (vq->held[id] == VIRTQ_NONE)
			continue;
		word[n++] = vq->held[id];
		vq->held[id] = VIRTQ_NONE;
	}
	vq->taken = (uint16_t)(vq->taken + n);
	return n;
}
