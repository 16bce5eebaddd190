/*
 * What a vhost-user front end says to its back end, in two parts: a greeting, that
 * tells what the back end can do, and the handing over of memory and queues.
 */
#ifndef KERNEL_HOSTED_VHOST_PEER_H
#define KERNEL_HOSTED_VHOST_PEER_H

#include "drivers/virtio/virtqueue.h"
#include "kernel/hosted/vhost_link.h"
#include "kernel/hosted/vhost_user.h"

struct vhost_peer {
	struct vhost_link link;
	uint64_t features; /* it offers */
	uint64_t protocol; /* features of the protocol that are agreed on */
	uint64_t pairs;    /* queue pairs it can have */
	bool has_config;
	uint8_t config[VHOST_CONFIG_BYTES]; /* as the back end tells it, if it does */
};

/* A queue as it is handed over. */
struct vhost_queue {
	const struct virtq *vq;
	int call; /* eventfd for notifications to us, which nobody waits for */
};

/* Asks a connected back end what it can do. false: link.trouble. */
bool vhost_peer_greet(struct vhost_peer *p) MUST_CHECK;

/* Gives it the features agreed on, memory and n queues, whose doorbells are eventfds, and starts
 * them. It is silent again when it has all. false: link.trouble. */
bool vhost_peer_hand_over(struct vhost_peer *p, uint64_t features,
	const struct hosted_memory *memory, const struct vhost_queue *queue, unsigned n) MUST_CHECK;

#endif
