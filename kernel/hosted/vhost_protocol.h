/*
 * Messages of the vhost-user protocol, as its front end sends them ("Vhost-user
 * Protocol" in QEMU's documentation, docs/interop/vhost-user.rst). All fields are in
 * the machine's own byte order.
 */
#ifndef KERNEL_HOSTED_VHOST_PROTOCOL_H
#define KERNEL_HOSTED_VHOST_PROTOCOL_H

#include <stdint.h>

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_GET_CONFIG = 24,
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

#define VHOST_F_PROTOCOL_FEATURES (UINT64_C(1) << 30) /* beside the device's own features */

#define VHOST_PROTOCOL_F_MQ        (UINT64_C(1) << 0)
#define VHOST_PROTOCOL_F_REPLY_ACK (UINT64_C(1) << 3)
#define VHOST_PROTOCOL_F_CONFIG    (UINT64_C(1) << 9)

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

/* One piece of memory; its file goes with the message. */
struct vhost_memory_table {
	uint32_t regions;
	uint32_t padding;
	uint64_t guest_address; /* as in descriptors */
	uint64_t bytes;
	uint64_t user_address; /* as in struct vhost_vring_addr */
	uint64_t file_offset;
};

#define VHOST_CONFIG_BYTES 24u /* as much of struct virtio_net_config as is used */

struct vhost_config {
	uint32_t offset;
	uint32_t bytes;
	uint32_t flags;
	uint8_t data[VHOST_CONFIG_BYTES];
};

/* Where the rings begin; of packed ones both indices, each with its wrap counter set. */
#define VHOST_BASE_SPLIT  0u
#define VHOST_BASE_PACKED 0x80008000u

_Static_assert(sizeof(struct vhost_header) == 12 && sizeof(struct vhost_vring_addr) == 40 &&
		       sizeof(struct vhost_memory_table) == 40 &&
		       sizeof(struct vhost_config) == 12 + VHOST_CONFIG_BYTES,
	"as on the wire");

#endif
