/*
 * One front end: its connection, what was agreed with it, its memory and rings.
 *
 * The device is the server. It speaks when spoken to, and a front end that breaks
 * the protocol is told goodbye with a sentence in `reason`; it may come back.
 * Everything here belongs to the one thread that serves the port.
 */
#ifndef PKTGEN_VHOST_H
#define PKTGEN_VHOST_H

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdbool.h>

#include "tools/pktgen/memory.h"
#include "tools/pktgen/ring.h"
#include "tools/pktgen/vhost_proto.h"

#define VHOST_PAIRS_MAX  16u
#define VHOST_QUEUES_MAX (2 * VHOST_PAIRS_MAX)

#define VHOST_BIT(feature) (UINT64_C(1) << (feature))

/* What is offered, unless the user takes some of it away. */
#define VHOST_FEATURES                                                                             \
	(VHOST_F_PROTOCOL_FEATURES | VHOST_BIT(VIRTIO_F_VERSION_1) |                               \
		VHOST_BIT(VIRTIO_F_ANY_LAYOUT) | VHOST_BIT(VIRTIO_F_RING_PACKED) |                 \
		VHOST_BIT(VIRTIO_F_IN_ORDER) | VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF) |                 \
		VHOST_BIT(VIRTIO_NET_F_MQ) | VHOST_BIT(VIRTIO_NET_F_CTRL_VQ))
#define VHOST_PROTOCOL_FEATURES                                                                    \
	(VHOST_PROTOCOL_F_MQ | VHOST_PROTOCOL_F_REPLY_ACK | VHOST_PROTOCOL_F_MEM_SLOTS)

/* A queue as messages have described it; `ring` is live when all of it is there. */
struct vhost_queue {
	struct ring ring;
	uint32_t size;
	struct vhost_vring_addr address;
	uint32_t base;
	bool addressed, started, enabled;
	int kick, error; /* eventfds, or -1 */
};

/* A message that has arrived in part. */
struct vhost_inbox {
	struct vhost_msg msg;
	size_t got; /* bytes */
	int fd[VHOST_FDS_MAX];
	unsigned fds;
};

struct vhost {
	int fd;            /* the connection, or -1 */
	unsigned pairs;    /* queue pairs there may be */
	uint64_t offered;  /* features */
	uint64_t features; /* agreed on */
	uint64_t protocol; /* protocol features agreed on */
	struct memory memory;
	struct vhost_inbox inbox;
	struct vhost_queue queue[VHOST_QUEUES_MAX]; /* even: the driver receives; odd: it sends */
	char reason[192]; /* why the last front end was sent away, or "" */
};

/* Takes over a connection (nonblocking); v is zero, or was closed. */
void vhost_open(struct vhost *v, int fd, unsigned pairs, uint64_t offered);

/* Lets the front end go: rings stop, memory is unmapped, file descriptors are closed. */
void vhost_close(struct vhost *v);

/* As vhost_close, for a reason that is kept. */
void vhost_refuse(struct vhost *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Serves what has arrived. false: the front end is gone (`reason` is empty) or was refused. */
bool vhost_serve(struct vhost *v);

/* Refuses the front end if one of its rings is broken. */
bool vhost_sound(struct vhost *v);

/*
 * Does what a message asks; fd[i] becomes -1 where kept. *reply: bytes of the
 * payload to be sent back, 0 for none. NULL, or what is wrong with it.
 */
MUST_CHECK const char *vhost_handle(
	struct vhost *v, struct vhost_msg *msg, int *fd, unsigned fds, uint32_t *reply);

/* Bytes before each frame: struct virtio_net_hdr, with num_buffers where agreed (VIRTIO 1.2 5.1.6).
 */
static inline uint32_t vhost_header_bytes(const struct vhost *v)
{
	return v->features & (VHOST_BIT(VIRTIO_F_VERSION_1) | VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF))
		       ? 12
		       : 10;
}

#endif
