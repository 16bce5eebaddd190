/* The vhost-user protocol on the wire: requests, their payloads and feature bits. */
#ifndef PKTGEN_VHOST_PROTO_H
#define PKTGEN_VHOST_PROTO_H

#include <stddef.h>
#include <stdint.h>

/* QEMU docs/interop/vhost-user.rst, "Front-end message types". */
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
	VHOST_GET_MAX_MEM_SLOTS = 36,
	VHOST_ADD_MEM_REG = 37,
	VHOST_REM_MEM_REG = 38,
};

/* In the flags of a message. */
#define VHOST_VERSION      1u
#define VHOST_VERSION_MASK 3u
#define VHOST_REPLY        (1u << 2)
#define VHOST_NEED_REPLY   (1u << 3)

/* A virtio feature bit that never reaches the driver. */
#define VHOST_F_PROTOCOL_FEATURES (UINT64_C(1) << 30)

#define VHOST_PROTOCOL_MQ        (UINT64_C(1) << 0)
#define VHOST_PROTOCOL_REPLY_ACK (UINT64_C(1) << 3)
#define VHOST_PROTOCOL_MEM_SLOTS (UINT64_C(1) << 15)

#define VHOST_TABLE_REGIONS 8u /* in one SET_MEM_TABLE */
#define VHOST_FDS_MAX       8u /* with one message */

/* In the value of SET_VRING_KICK, _CALL, _ERR. */
#define VHOST_VRING_INDEX 0xffu
#define VHOST_VRING_NOFD  (1u << 8)

struct vhost_region {
	uint64_t guest;  /* address in descriptors */
	uint64_t size;   /* bytes */
	uint64_t user;   /* address in the front end's process: rings are named by it */
	uint64_t offset; /* in the file */
};

struct vhost_state {
	uint32_t index, value;
};

struct vhost_address {
	uint32_t index, flags;
	uint64_t descriptor, used, available, log;
};

struct vhost_table {
	uint32_t count, padding;
	struct vhost_region region[VHOST_TABLE_REGIONS];
};

struct vhost_slot {
	uint64_t padding;
	struct vhost_region region;
};

struct vhost_header {
	uint32_t request, flags;
	uint32_t size; /* bytes of the payload */
};

#define VHOST_PAYLOAD_MAX 512u

struct vhost_msg {
	struct vhost_header header;
	uint32_t align; /* not on the wire: payload begins at a multiple of 8 */
	union {
		uint64_t value;
		struct vhost_state state;
		struct vhost_address address;
		struct vhost_table table;
		struct vhost_slot slot;
		uint8_t raw[VHOST_PAYLOAD_MAX];
	} payload;
};

_Static_assert(sizeof(struct vhost_header) == 12 && sizeof(struct vhost_region) == 32 &&
		       sizeof(struct vhost_address) == 40 && sizeof(struct vhost_table) == 264,
	"vhost-user.rst: message structures");

#endif
