/*
 * Ports on Linux interfaces by AF_XDP: the kernel's driver writes received frames
 * straight into our buffers and sends from them (zero copy), or copies once each way
 * where it cannot do that. What the parts of it share.
 */
#ifndef KERNEL_HOSTED_XDP_H
#define KERNEL_HOSTED_XDP_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/io.h"
#include "drivers/netdev.h"
#include "kernel/hosted/memory.h"

#define XDP_QUEUES_MAX 16u
#define XDP_ANY_QUEUE  UINT32_MAX

/*
 * Opens queue `queue` of an interface, or (XDP_ANY_QUEUE) the first ones, as many as
 * want->queue_pairs says. memory: what all buffers lie in. NULL, with one line in
 * env->log. Whatever the interface receives on other queues goes to the kernel.
 * The sockets are opened by the first poll, when there are buffers, so that comes
 * before anything else. Control core at boot; env and memory must stay.
 */
struct netdev *xdp_port_open(const char *interface, uint32_t queue,
	const struct hosted_memory *memory, const struct netdev_request *want,
	const struct io_env *env);

/* ---- xdp_program.c: frames of an interface to the sockets of its queues ---- */

struct xdp_program {
	int map, link; /* file descriptors; all of it ends with them */
	bool native;   /* run by the interface's driver; else by the stack, after a copy */
};

/* Attaches the program to an interface, native if it can. NULL, or what failed (errno says why). */
const char *xdp_program_attach(struct xdp_program *p, unsigned interface) MUST_CHECK;

/* Gives the frames of a queue to a socket. false: errno says why. */
bool xdp_program_bind(const struct xdp_program *p, uint32_t queue, int socket) MUST_CHECK;

/* ---- xdp_interface.c: what the kernel says of an interface ---- */

struct xdp_interface {
	unsigned index;
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t queues; /* RX queues */
	bool link;
};

/* Reads it. false: there is no such interface, or it is no Ethernet. */
bool xdp_interface_read(int socket, const char *name, struct xdp_interface *i) MUST_CHECK;

/* Opens the socket for the above; while it is open the interface takes frames for all stations, or
 * only its own and some multicast. -1: errno says why. */
int xdp_interface_open(const char *name);

#endif
