/*
 * Messages of the vfio-user protocol, version 0.0 ("vfio-user Protocol Specification", QEMU's
 * docs/interop/vfio-user.rst). All fields are in the machine's own byte order. Flags and indices
 * are those of Linux's VFIO, which stand in <linux/vfio.h>.
 */
#ifndef IXGBE_SIM_PROTO_H
#define IXGBE_SIM_PROTO_H

#include <stdint.h>

/* "Commands": those that a client sends to a device. */
enum vfio_user_command {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_DEVICE_GET_INFO = 4,
	VFIO_USER_DEVICE_GET_REGION_INFO = 5,
	VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
	VFIO_USER_DEVICE_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DEVICE_RESET = 13,
};

/* "Header": flags. */
#define VFIO_USER_TYPE_MASK 0xfu /* 0: a command */
#define VFIO_USER_REPLY     0x1u
#define VFIO_USER_NO_REPLY  0x10u
#define VFIO_USER_ERROR     0x20u

struct vfio_user_header {
	uint16_t id; /* of the command; its reply has the same */
	uint16_t command;
	uint32_t bytes; /* of the message, with this header */
	uint32_t flags;
	uint32_t error; /* errno, in replies with VFIO_USER_ERROR */
};

/* Followed by a JSON object, which ends with a zero. */
struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
};

#define VFIO_USER_MAP_READ  0x1u
#define VFIO_USER_MAP_WRITE 0x2u

/* Its file, if it has one, goes with the message. */
struct vfio_user_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset; /* in the file */
	uint64_t address;
	uint64_t bytes;
};

#define VFIO_USER_UNMAP_ALL 0x2u

struct vfio_user_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t address;
	uint64_t bytes;
};

struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t regions;
	uint32_t irqs;
};

struct vfio_user_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t capabilities;
	uint64_t bytes;
	uint64_t offset;
};

struct vfio_user_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};

/* Followed by a byte per interrupt with VFIO_IRQ_SET_DATA_BOOL. */
struct vfio_user_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};

/* Followed by the data of a write, and of the reply to a read. */
struct vfio_user_access {
	uint64_t offset;
	uint32_t region;
	uint32_t bytes;
};

_Static_assert(sizeof(struct vfio_user_header) == 16 && sizeof(struct vfio_user_version) == 4 &&
		       sizeof(struct vfio_user_map) == 32 && sizeof(struct vfio_user_unmap) == 24 &&
		       sizeof(struct vfio_user_device_info) == 16 &&
		       sizeof(struct vfio_user_region_info) == 32 &&
		       sizeof(struct vfio_user_irq_info) == 16 &&
		       sizeof(struct vfio_user_irq_set) == 20 &&
		       sizeof(struct vfio_user_access) == 16,
	"as on the wire");

#endif
