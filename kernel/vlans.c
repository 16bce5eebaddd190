/* VLAN subinterfaces: numbers and interfaces for those configured, and their counters. */
#include "kernel/vlans.h"

#include <stdio.h>
#include <string.h>

#include "kernel/config.h"
#include "kernel/control.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "net/path/tag.h"

unsigned vlans_ingress(const struct router *r, uint64_t word)
{
	unsigned port = r->tables.pool_port[packet_pool(word)];

	if (port == CONTROL_PORT)
		return IFACE_NONE;
	if (!tag_is_off(word))
		return port;
	unsigned n = tag_note(packet_frame(&r->buffers, word)).vlan;

	return n ? r->ports + n - 1 : port;
}

void vlans_refresh(struct router *r, const struct iface *i)
{
	store_once(&r->vlans->vlan[vlans_number(r, i)].max_frame,
		i->enabled ? ETH_HEADER + i->mtu : 0);
}

void vlans_counters(const struct router *r, unsigned number, struct vlan_counters *sum)
{
	*sum = (struct vlan_counters){0};
	for (unsigned a = 0; a < r->actors; a++) {
		const struct vlan_counters *c = &r->counters[a]->vlan[number];

		sum->rx_packets += load_once(&c->rx_packets);
		sum->rx_bytes += load_once(&c->rx_bytes);
		sum->tx_packets += load_once(&c->tx_packets);
		sum->tx_bytes += load_once(&c->tx_bytes);
		sum->policed.packets += load_once(&c->policed.packets);
		sum->policed.bytes += load_once(&c->policed.bytes);
	}
}

/* ---- making and removing ---- */

static int iface_by_name(const struct router *r, const char *name)
{
	for (unsigned i = 0; i < r->ifaces; i++)
		if (strcmp(r->iface[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* A number that no worker knows; VLAN_NONE: there is none. */
static unsigned free_number(struct router *r)
{
	unsigned holdout;
	bool passed = rcu_grace_done(&r->rcu, &r->vlan_grace, &holdout);

	for (unsigned n = 0; n < VLAN_MAX; n++) {
		if (r->vlan_state[n] == VLAN_LEAVING && passed)
			r->vlan_state[n] = VLAN_FREE;
		if (r->vlan_state[n] == VLAN_FREE)
			return n;
	}
	return VLAN_NONE;
}

static void set_ifaces(struct router *r)
{
	unsigned n = VLAN_MAX;

	while (n && (r->vlan_state[n - 1] == VLAN_FREE || r->vlan_state[n - 1] == VLAN_LEAVING))
		n--;
	r->ifaces = r->stack.ifaces = r->ports + n;
}

static bool make(struct router *r, unsigned port, const struct config_iface *c)
{
	unsigned n = free_number(r);

	if (n == VLAN_NONE)
		return false;
	const struct iface *parent = &r->iface[port];

	r->iface[r->ports + n] = (struct iface){
		.port = (uint16_t)(r->ports + n),
		.parent = (uint16_t)port,
		.vid = c->vid,
		.txq = (uint16_t)(NEXTHOP_VLAN + n),
		.mtu = parent->mtu,
		.link = parent->link,
	};
	memcpy(r->iface[r->ports + n].name, c->name, IFACE_NAME_MAX);
	memcpy(r->iface[r->ports + n].mac, parent->mac, 6);
	vlan_make(r->vlans, n, port, c->vid);
	vlans_counters(r, n, &r->vlan_start[n]);
	r->vlan_state[n] = VLAN_MADE;
	return true;
}

/* Opens or closes it to the workers, and the device's filter. */
static void open_to(struct router *r, unsigned n, bool open)
{
	struct netdev *dev = r->dev[r->vlans->vlan[n].port];
	uint16_t vid = r->vlans->vlan[n].vid;

	vlan_open(r->vlans, n, open);
	if (dev->ops->vlan && !load_once(&dev->failed) && !dev->ops->vlan(dev, vid, open))
		log_text("%s: its VLAN filter does not take VLAN %u", r->iface[r->ports + n].name,
			vid);
}

bool vlans_prepare(struct router *r, const struct config *c, char *error, unsigned error_size)
{
	for (unsigned k = 0; k < c->ifaces; k++) {
		const struct config_iface *want = &c->iface[k];
		int port = want->vid ? iface_by_name(r, want->parent) : -1;

		if (port < 0 || iface_by_name(r, want->name) >= 0)
			continue;
		if (!make(r, (unsigned)port, want)) {
			snprintf(error, error_size, "interfaces %s vlan %u: %u VLANs fit",
				want->parent, want->vid, VLAN_MAX);
			return false;
		}
		set_ifaces(r);
		control_yield(r);
	}
	return true;
}

bool vlans_are_new(const struct router *r)
{
	for (unsigned n = 0; n < VLAN_MAX; n++)
		if (r->vlan_state[n] == VLAN_MADE)
			return true;
	return false;
}

/* It goes: whoever still may send by its number is waited for before another gets it. */
static void leave(struct router *r, unsigned n)
{
	struct iface *i = &r->iface[r->ports + n];

	if (r->vlan_state[n] == VLAN_OPEN)
		open_to(r, n, false);
	stack_removed(&r->stack, r->ports + n, platform_now_us() / 1000);
	*i = (struct iface){.port = i->port};
	r->vlan_state[n] = VLAN_LEAVING;
}

/* After some have left. */
static void left(struct router *r)
{
	rcu_grace_start(&r->rcu, &r->vlan_grace);
	set_ifaces(r);
}

void vlans_settle(struct router *r, const struct config_match *m)
{
	bool any = false;

	for (unsigned n = 0; n < VLAN_MAX; n++) {
		if (r->vlan_state[n] == VLAN_MADE) {
			open_to(r, n, true);
			r->vlan_state[n] = VLAN_OPEN;
		} else if (r->vlan_state[n] == VLAN_OPEN && !m->of[r->ports + n]) {
			leave(r, n);
			any = true;
		}
	}
	if (any)
		left(r);
}

void vlans_forget(struct router *r)
{
	bool any = false;

	for (unsigned n = 0; n < VLAN_MAX; n++) {
		if (r->vlan_state[n] != VLAN_MADE)
			continue;
		leave(r, n);
		any = true;
	}
	if (any)
		left(r);
}
