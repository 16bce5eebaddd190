/* Messages of the vhost-user protocol as our front end sends them: see lib/vhost_user.h. */
#ifndef KERNEL_HOSTED_VHOST_PROTOCOL_H
#define KERNEL_HOSTED_VHOST_PROTOCOL_H

#include <stdint.h>

#include "lib/vhost_user.h"

/* All memory is one region. */
struct vhost_memory_table {
	uint32_t regions;
	uint32_t padding;
	struct vhost_region region;
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

_Static_assert(sizeof(struct vhost_memory_table) == 40 &&
		       sizeof(struct vhost_config) == 12 + VHOST_CONFIG_BYTES,
	"as on the wire");

#endif
