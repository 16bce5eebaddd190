/* The vhost-user protocol's messages as a back end takes them: see lib/vhost_user.h. */
#ifndef PKTGEN_VHOST_PROTO_H
#define PKTGEN_VHOST_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "lib/vhost_user.h"

#define VHOST_TABLE_REGIONS 8u /* in one SET_MEM_TABLE */
#define VHOST_FDS_MAX       8u /* with one message */

/* In the value of SET_VRING_KICK, _CALL, _ERR. */
#define VHOST_VRING_INDEX 0xffu
#define VHOST_VRING_NOFD  (1u << 8)

struct vhost_table {
	uint32_t count, padding;
	struct vhost_region region[VHOST_TABLE_REGIONS];
};

struct vhost_slot {
	uint64_t padding;
	struct vhost_region region;
};

#define VHOST_PAYLOAD_MAX 512u

struct vhost_msg {
	struct vhost_header header;
	uint32_t align; /* not on the wire: payload begins at a multiple of 8 */
	union {
		uint64_t value;
		struct vhost_vring_state state;
		struct vhost_vring_addr address;
		struct vhost_table table;
		struct vhost_slot slot;
		uint8_t raw[VHOST_PAYLOAD_MAX];
	} payload;
};

_Static_assert(sizeof(struct vhost_table) == 264, "as on the wire");

#endif
