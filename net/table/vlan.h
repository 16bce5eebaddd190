/*
 * VLAN subinterfaces (IEEE 802.1Q) as workers see them.
 *
 * A subinterface has a number below VLAN_MAX. What comes in on a port with a tag
 * finds it by the VID; what goes out finds it by the adjacency, whose target is
 * NEXTHOP_VLAN + number in place of a port (nexthop.h). The control core writes
 * single words under the workers' eyes. A number whose subinterface is gone is
 * given to another only after a grace period: until then a worker may be about
 * to send by it.
 */
#ifndef NET_TABLE_VLAN_H
#define NET_TABLE_VLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"

#define VID_COUNT 4096u /* 12 bits; 0: only a priority, 4095: reserved (802.1Q 9.6) */
#define VID_FIRST 1u    /* of a VLAN that can be configured */
#define VID_LAST  4094u
#define VLAN_NONE VLAN_MAX

struct vlan {
	uint16_t port; /* that carries it; constant while it is known */
	uint16_t vid;
	uint32_t max_frame; /* Ethernet header without tag + MTU, bytes; 0: it is disabled */
};

struct vlans {
	struct vlan vlan[VLAN_MAX];
	uint16_t of[PORT_MAX][VID_COUNT]; /* number + 1; 0: none */
};

/* The number of a port's subinterface, or VLAN_NONE. Any core. */
static inline unsigned vlan_find(const struct vlans *v, unsigned port, unsigned vid)
{
	unsigned n = load_acquire(&v->of[port][vid]);

	return n ? n - 1 : VLAN_NONE;
}

/* What is sent by this number leaves so tagged by this port. Control core; nobody uses it yet. */
static inline void vlan_make(struct vlans *v, unsigned number, unsigned port, unsigned vid)
{
	v->vlan[number] = (struct vlan){.port = (uint16_t)port, .vid = (uint16_t)vid};
}

/* Workers receive by it from now on, or no longer. Control core. */
static inline void vlan_open(struct vlans *v, unsigned number, bool open)
{
	const struct vlan *vlan = &v->vlan[number];

	store_release(&v->of[vlan->port][vlan->vid], (uint16_t)(open ? number + 1 : 0));
}

#endif
