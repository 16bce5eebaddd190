/*
 * Messages of the vhost-user protocol that both of its sides know ("Vhost-user Protocol" in QEMU's
 * documentation, docs/interop/vhost-user.rst). All fields are in the machine's own byte order.
 */
#ifndef LIB_VHOST_USER_H
#define LIB_VHOST_USER_H

#include <stdint.h>

/* "Front-end message types" */
enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_GET_CONFIG = 24,
	VHOST_GET_MAX_MEM_SLOTS = 36,
	VHOST_ADD_MEM_REG = 37,
	VHOST_REM_MEM_REG = 38
};

/* Header flags: the version in the two lowest bits. */
#define VHOST_VERSION      1u
#define VHOST_VERSION_MASK 3u
#define VHOST_REPLY        4u
#define VHOST_NEED_REPLY   8u

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t bytes; /* of the payload */
};

/* Beside the device's own features; it never reaches the driver. */
#define VHOST_F_PROTOCOL_FEATURES (UINT64_C(1) << 30)

#define VHOST_PROTOCOL_F_MQ        (UINT64_C(1) << 0)
#define VHOST_PROTOCOL_F_REPLY_ACK (UINT64_C(1) << 3)
#define VHOST_PROTOCOL_F_CONFIG    (UINT64_C(1) << 9)
#define VHOST_PROTOCOL_F_MEM_SLOTS (UINT64_C(1) << 15)

struct vhost_vring_state {
	uint32_t index;
	uint32_t value;
};

struct vhost_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t descriptors, used, available; /* in the front end's address space */
	uint64_t log;
};

/* A piece of the front end's memory; its file goes with the message. */
struct vhost_region {
	uint64_t guest;  /* address in descriptors */
	uint64_t size;   /* bytes */
	uint64_t user;   /* as in struct vhost_vring_addr */
	uint64_t offset; /* in the file */
};

_Static_assert(sizeof(struct vhost_header) == 12 && sizeof(struct vhost_vring_addr) == 40 &&
		       sizeof(struct vhost_region) == 32,
	"as on the wire");

#endif
