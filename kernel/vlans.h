/*
 * VLAN subinterfaces as the router has them: made, opened to workers, removed.
 *
 * Interfaces are numbered: ports first, behind them the subinterfaces, number n
 * at ports + n. r->ifaces is behind the last. Control core.
 */
#ifndef KERNEL_VLANS_H
#define KERNEL_VLANS_H

#include <stdbool.h>

#include "kernel/router.h"

struct config;
struct config_match;

/* What a subinterface is to the control core. */
enum vlan_state {
	VLAN_FREE,
	VLAN_MADE,    /* it has a number and an interface, which is disabled; nothing comes in */
	VLAN_OPEN,    /* frames with its tag are received */
	VLAN_LEAVING, /* removed; a worker may still send by its number */
};

/* The number of a subinterface, from its interface. */
static inline unsigned vlans_number(const struct router *r, const struct iface *i)
{
	return (unsigned)(i - r->iface) - r->ports;
}

/* The interface by which a packet came in, by its packet word; IFACE_NONE: the control core's. */
unsigned vlans_ingress(const struct router *r, uint64_t word);

/* Settings of a subinterface have changed: what workers see of them follows. */
void vlans_refresh(struct router *r, const struct iface *i);

/* What was counted by a number, over all actors; r->vlan_start was another's. A snapshot. */
void vlans_counters(const struct router *r, unsigned number, struct vlan_counters *sum);

/* ---- for config_apply: vlans_prepare, then the interfaces, then vlans_settle ---- */

/* Makes what the configuration has and the router has not. false: `error` says why; settle then. */
bool vlans_prepare(struct router *r, const struct config *c, char *error, unsigned error_size);

/* Between the two: some were made. */
bool vlans_are_new(const struct router *r);

/* Opens what was made, removes what is not configured. */
void vlans_settle(struct router *r, const struct config_match *m);

/* What was made goes again. */
void vlans_forget(struct router *r);

#endif
