/*
 * The server's side of a vfio-user connection: messages are taken off a socket, checked and
 * answered. What the device does stands behind struct server_device. It never waits for the client;
 * a client that breaks the protocol is let go.
 */
#ifndef IXGBE_SIM_SERVER_H
#define IXGBE_SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/ixgbe-sim/irqs.h"
#include "tools/ixgbe-sim/memory.h"
#include "tools/ixgbe-sim/proto.h"

#define SERVER_DATA_MAX 65536u /* bytes of one access */
#define SERVER_FDS_MAX  64u    /* files with one message */

/* The device; bytes and offsets have been checked against the region. */
struct server_device {
	void *ctx;
	/* Bytes of a region (VFIO_PCI_*_REGION_INDEX); 0: not there. */
	uint64_t (*region_bytes)(void *ctx, unsigned region);
	/* False: the region takes no access of this size, or at this place. */
	bool (*read)(void *ctx, unsigned region, uint64_t at, uint8_t *data, uint32_t bytes);
	bool (*write)(void *ctx, unsigned region, uint64_t at, const uint8_t *data, uint32_t bytes);
	void (*reset)(void *ctx);
	/* The client is gone, its memory and interrupts with it; why: NULL, it just left. */
	void (*left)(void *ctx, const char *why);
};

struct server_message {
	struct vfio_user_header header;
	union {
		struct vfio_user_version version;
		struct vfio_user_map map;
		struct vfio_user_unmap unmap;
		struct vfio_user_device_info device;
		struct vfio_user_region_info region;
		struct vfio_user_irq_info irq;
		struct vfio_user_irq_set irqs;
		struct vfio_user_access access;
		uint8_t raw[sizeof(struct vfio_user_access) + SERVER_DATA_MAX];
	} payload;
};

_Static_assert(offsetof(struct server_message, payload) == sizeof(struct vfio_user_header),
	"as on the wire");

struct server {
	struct server_device device;
	struct memory memory;
	struct irqs irqs;
	int listener;
	int fd;                 /* of the client, or -1 */
	bool agreed;            /* on a version */
	uint64_t reads, writes; /* accesses to regions */
	/* What has come of the message under way. */
	size_t got;
	unsigned fds;
	int file[SERVER_FDS_MAX];
	struct server_message msg;
};

/* Listens at a path, whose socket is made anew. False with errno. */
bool server_open(struct server *s, const char *path, const struct server_device *device);
void server_close(struct server *s);

/* Takes a client that waits, if there is none yet. True: there is a new one. */
bool server_accept(struct server *s);

/* Serves what has come, but no more than some messages. False: the client is gone. */
bool server_serve(struct server *s);

/* Lets the client go; why: as for `left`. */
void server_drop(struct server *s, const char *why);

#endif
