/* What is the same over every transport: reset, greeting, features, configuration. */
#include "drivers/virtio/virtio_transport.h"

#define GENERATION_TRIES 16u

bool virtio_reset(struct virtio_transport *t)
{
	uint64_t start = t->env->now_us(t->env->ctx);

	t->ops->reset_start(t);
	while (!t->ops->reset_done(t))
		if (t->env->now_us(t->env->ctx) - start > VIRTIO_RESET_US)
			return false;
	return true;
}

const char *virtio_greet(struct virtio_transport *t, uint64_t *offered)
{
	/* The order of 3.1.1. */
	t->ops->add_status(t, VIRTIO_STATUS_ACKNOWLEDGE);
	t->ops->add_status(t, VIRTIO_STATUS_DRIVER);
	*offered = t->ops->features_offered(t);
	return *offered & VIRTIO_F_VERSION_1 ? NULL
					     : "it lacks a feature that is needed (VERSION_1)";
}

const char *virtio_agree(struct virtio_transport *t, uint64_t features)
{
	t->ops->features_accept(t, features);
	t->ops->add_status(t, VIRTIO_STATUS_FEATURES_OK);
	if (!(t->ops->status(t) & VIRTIO_STATUS_FEATURES_OK))
		return "it refuses the features agreed on";
	return NULL;
}

bool virtio_read_bytes(struct virtio_transport *t, unsigned at, uint8_t *out, unsigned n)
{
	if (at > t->config_bytes || n > t->config_bytes - at)
		return false;
	for (unsigned tries = 0; tries < GENERATION_TRIES; tries++) {
		uint8_t before = t->ops->config_generation(t);

		for (unsigned i = 0; i < n; i++)
			out[i] = (uint8_t)t->ops->config_read(t, at + i, 1);
		if (t->ops->config_generation(t) == before)
			return true;
	}
	return false;
}

uint16_t virtio_read16(struct virtio_transport *t, unsigned at)
{
	return at + 2 <= t->config_bytes ? (uint16_t)t->ops->config_read(t, at, 2) : 0;
}

uint32_t virtio_read32(struct virtio_transport *t, unsigned at)
{
	return at + 4 <= t->config_bytes ? t->ops->config_read(t, at, 4) : 0;
}

void virtio_refuse(struct virtio_transport *t)
{
	t->ops->add_status(t, VIRTIO_STATUS_FAILED);
	t->ops->cut_off(t);
}
