/*
 * A virtio device that another process is: the vhost-user front end as a transport of
 * drivers/virtio. The back end gets the process's memory and works in our rings.
 *
 * A back end that ends, or is not there yet, is waited for: the port has its link
 * down until one is there that can do what was agreed on. One whose answers break
 * the protocol is refused at boot, and later let go with a line of log; one that
 * speaks unasked, or lies in its rings, is not used again.
 */
#ifndef KERNEL_HOSTED_VHOST_USER_H
#define KERNEL_HOSTED_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/virtio/virtio_transport.h"
#include "kernel/hosted/memory.h"

struct vhost_options {
	const char *path; /* of the socket */
	bool server;      /* the back end connects to us */
	bool has_mac;
	uint8_t mac[6];
	unsigned wait_ms; /* for a back end, before the port starts without */
	/* What is agreed on if there is none. */
	unsigned pairs; /* queue pairs, 1 or more */
	bool packed;
};

/*
 * Opens the socket and greets the back end. NULL, with one line in env->log, if there
 * is no memory for it, no socket can be made, or the back end breaks the protocol.
 * path, memory and env must stay. Control core at boot.
 */
struct virtio_transport *vhost_user_open(const struct vhost_options *options,
	const struct hosted_memory *memory, const struct io_env *env);

#endif
