/*
 * The socket between a vhost-user front end and its back end: messages out, with
 * file descriptors, and bounded waits for replies. One thread at a time.
 */
#ifndef KERNEL_HOSTED_VHOST_LINK_H
#define KERNEL_HOSTED_VHOST_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/hosted/vhost_protocol.h"
#include "lib/err.h"

#define VHOST_REPLY_MS 1000 /* the longest wait for one reply */

struct vhost_link {
	int fd;            /* -1: not connected */
	int listener;      /* where the peer connects to us, or -1 */
	const char *path;  /* of the socket */
	bool acknowledges; /* REPLY_ACK is agreed on */
	bool lied;         /* it broke the protocol, and `trouble` says how; else it is gone */
	char trouble[96];  /* why the last call failed */
};

/* server: the peer connects to us. false: the socket cannot be made; `trouble` says why. */
bool vhost_link_open(struct vhost_link *l, const char *path, bool server) MUST_CHECK;

/* Connects, or takes a connection, if that can be done at once. */
bool vhost_link_connect(struct vhost_link *l) MUST_CHECK;

/* Ends the connection; the listener stays. */
void vhost_link_drop(struct vhost_link *l);
void vhost_link_close(struct vhost_link *l);

/* Is the peer there and silent, as it should be between requests? false: see above. */
bool vhost_link_quiet(struct vhost_link *l) MUST_CHECK;

/* Sends a request with n payload bytes, and fd, if it is not -1; waits for its
 * acknowledgement, if that is agreed on. */
bool vhost_link_tell(struct vhost_link *l, enum vhost_request request, const void *payload,
	size_t n, int fd) MUST_CHECK;

/* Sends a request, whose payload has n_out bytes, and waits for its reply, which has n. GET_CONFIG
 * may be answered with nothing: n zeros then. */
bool vhost_link_ask(struct vhost_link *l, enum vhost_request request, const void *out, size_t n_out,
	void *in, size_t n) MUST_CHECK;

#endif
