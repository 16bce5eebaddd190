/* Commands over a control virtqueue of either kind, polled for a bounded time. */
#include "drivers/virtio/virtio_control.h"

#include <string.h>

#include "drivers/virtio/virtqueue_packed.h"
#include "drivers/virtio/virtqueue_split.h"

/* A command is a chain of two: what the device reads, and the byte it answers with. */
#define COMMAND_ID    0u /* of the chain: there is only ever one */
#define COMMAND_PARTS 2u
#define ACK_OK        0u
#define ACK_NONE      255u /* not written yet; the device writes 0 or 1 (5.1.6.5) */

bool virtio_control_init(struct virtio_control *c, const struct io_env *env, bool packed,
	uint16_t number, uint16_t size)
{
	c->packed = packed;
	c->wait_us = VIRTIO_CONTROL_US;
	c->memory = env->alloc(env->ctx, sizeof *c->memory, CACHE_LINE);
	if (!c->memory)
		return false;
	if (!(packed ? virtq_packed_init(&c->vq, env, number, size)
		     : virtq_split_init(&c->vq, env, number, size, 0)))
		return false;
	c->vq.doorbell = &c->doorbell;
	return true;
}

/* ---------------------------------------------------------------- split */

/* Descriptors 0 and 1 serve every command, because the one before has been answered. */
static void split_send(struct virtio_control *c, uint32_t bytes)
{
	struct virtq *vq = &c->vq;

	vq->desc[0] =
		(struct virtq_desc){(uintptr_t)c->memory, bytes, VIRTQ_DESC_NEXT, COMMAND_ID + 1};
	vq->desc[1] = (struct virtq_desc){(uintptr_t)&c->memory->ack, 1, VIRTQ_DESC_WRITE, 0};
	vq->avail->ring[vq->posted & (vq->size - 1u)] = COMMAND_ID;
	virtq_split_publish(vq, 1);
}

/* One chain is one entry of the rings. */
static bool split_returned(struct virtio_control *c, bool *sound)
{
	unsigned n = virtq_split_returned(&c->vq);

	if (n == 0)
		return false;
	*sound = n == 1 && load_once(&virtq_split_used(&c->vq, 0)->id) == COMMAND_ID;
	c->vq.taken = c->vq.posted;
	return true;
}

/* ---------------------------------------------------------------- packed */

/* The first descriptor is offered last, when the chain behind it is whole (2.8.21.1). */
static void packed_send(struct virtio_control *c, uint32_t bytes)
{
	virtq_packed_post(&c->vq, 1, COMMAND_ID, (uintptr_t)&c->memory->ack, 1, VIRTQ_DESC_WRITE);
	virtq_packed_post(&c->vq, 0, COMMAND_ID, (uintptr_t)c->memory, bytes, VIRTQ_DESC_NEXT);
	virtq_packed_publish(&c->vq, COMMAND_PARTS);
}

/* A chain is returned in its first descriptor, and the rest of it is skipped (2.8.6). */
static bool packed_returned(struct virtio_control *c, bool *sound)
{
	uint64_t state;

	if (!virtq_packed_returned(&c->vq, 0, &state))
		return false;
	*sound = virtq_packed_id(state) == COMMAND_ID;
	c->vq.taken = c->vq.posted;
	return true;
}

/* ---------------------------------------------------------------- both */

static bool returned(struct virtio_control *c, bool *sound)
{
	return c->packed ? packed_returned(c, sound) : split_returned(c, sound);
}

/* Waits for the answer; false: it does not come, or not as it should. */
static bool await(struct virtio_control *c, const struct io_env *env)
{
	uint64_t start = env->now_us(env->ctx);
	bool sound = false;

	while (!returned(c, &sound))
		if (env->now_us(env->ctx) - start > c->wait_us)
			return false;
	return sound;
}

enum virtio_answer virtio_control_command(struct virtio_control *c, const struct io_env *env,
	uint8_t class, uint8_t command, const void *data, uint32_t n)
{
	struct virtio_control_memory *memory = c->memory;
	const uint32_t bytes = offsetof(struct virtio_control_memory, data) + n;
	uint8_t ack;

	memory->class = class;
	memory->command = command;
	memcpy(memory->data, data, n);
	memory->ack = ACK_NONE;
	if (c->packed)
		packed_send(c, bytes);
	else
		split_send(c, bytes);
	if (!await(c, env))
		return VIRTIO_ANSWER_NONE;
	ack = load_once(&memory->ack);
	if (ack == ACK_NONE)
		return VIRTIO_ANSWER_NONE;
	return ack == ACK_OK ? VIRTIO_ANSWER_OK : VIRTIO_ANSWER_REFUSED;
}
