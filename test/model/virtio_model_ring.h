/* What the files of the virtio model share; tests include virtio_model.h alone. */
#ifndef TEST_MODEL_VIRTIO_MODEL_RING_H
#define TEST_MODEL_VIRTIO_MODEL_RING_H

#include "test/model/virtio_model.h"

/* One descriptor as the driver posted it, from either kind of ring. */
struct virtio_model_part {
	uint64_t address;
	uint32_t bytes;
	unsigned flags; /* VIRTQ_DESC_NEXT, VIRTQ_DESC_WRITE */
};

/* Notes the driver's first breach of the specification. */
void virtio_model_complain(struct virtio_model *m, const char *what);

/*
 * Takes the next buffer that the driver posted: its parts, at most max of them,
 * and its id. Returns how many parts it has; 0: none there, or not fit for use.
 */
unsigned virtio_model_take(struct virtio_model *m, unsigned queue, struct virtio_model_part *part,
	unsigned max, uint32_t *id);

/* Returns a buffer to the driver as `done` says. */
void virtio_model_return(struct virtio_model *m, unsigned queue, struct virtio_model_done done);

/* Carries out the commands waiting in the control queue. */
void virtio_model_control(struct virtio_model *m);

/* The number of the control queue (5.1.2). */
unsigned virtio_model_control_queue(const struct virtio_model *m);

#endif
