/*
 * Making the router be as a configuration says, all of it or nothing.
 *
 * First the RIBs become so, in slices, while nothing else looks at them and
 * workers read FIBs that stay as they are. If something does not fit, all is put
 * back. Else the other pair of FIBs follows and takes the place of the first: no
 * packet sees a part of it. If more changes that workers read, they stand still
 * for it, some microseconds. Nothing of that can fail.
 */
#include "kernel/apply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/audit.h"
#include "kernel/control.h"
#include "kernel/filter.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "kernel/vlans.h"
#include "kernel/watchdog.h"
#include "lib/text.h"
#include "net/table/generation.h"

#define READY_US 1000000u /* for workers to leave the pair of FIBs of the commit before */

/* What one interface shall be. */
struct wanted {
	uint32_t mtu;
	unsigned addrs, addrs6;
	const struct iface_addr *addr;
	struct iface_addr6 addr6[IFACE_ADDR6_MAX]; /* in their states */
	bool enabled, router_advert;
};

/* What is in force before. */
struct saved {
	struct iface iface[IFACE_MAX];
	struct route_sets routes;
};

bool apply_fail(struct apply *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(a->error, a->error_size, format, args);
	va_end(args);
	return false;
}

int port_by_name(const struct router *r, const char *name)
{
	for (unsigned port = 0; port < r->ifaces; port++)
		if (strcmp(r->iface[port].name, name) == 0)
			return (int)port;
	return -1;
}

static const struct config_iface *config_of(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->ifaces; i++)
		if (strcmp(c->iface[i].name, name) == 0)
			return &c->iface[i];
	return NULL;
}

void config_match(struct config_match *m, struct router *r, const struct config *c)
{
	*m = (struct config_match){0};
	for (unsigned n = 0; n < r->ifaces; n++) {
		m->of[n] = config_of(c, r->iface[n].name);
		control_yield(r);
	}
}

int wanted_by_name(const struct apply *a, const char *name)
{
	int port = port_by_name(a->r, name);

	return port >= (int)a->r->ports && !a->match.of[port] ? -1 : port;
}

/* The MTU an interface shall have: as configured, or the most the device can up to 1500. */
static uint32_t port_mtu(const struct router *r, unsigned port, const struct config_iface *c)
{
	uint32_t can = r->dev[port]->mtu_max < MTU_DEFAULT ? r->dev[port]->mtu_max : MTU_DEFAULT;

	return c && c->mtu ? c->mtu : can;
}

/* What is configured of the port that carries an interface: of a port, itself. */
static const struct config_iface *parent_config(const struct apply *a, unsigned port)
{
	return a->match.of[a->r->iface[port].parent];
}

/* The same of a VLAN subinterface: as its port. */
static uint32_t wanted_mtu(const struct apply *a, unsigned port, const struct config_iface *c)
{
	if (c && c->mtu)
		return c->mtu;
	return port_mtu(a->r, a->r->iface[port].parent, parent_config(a, port));
}

/* A subinterface that is no longer configured is disabled before it goes. */
static bool wanted_enabled(const struct apply *a, unsigned port, const struct config_iface *c)
{
	const struct config_iface *parent = parent_config(a, port);

	if (port >= a->r->ports && !c)
		return false;
	return !(c && c->disabled) && !(parent && parent->disabled);
}

/* ---- checks that need no change ---- */

static bool check_ifaces(struct apply *a)
{
	for (unsigned port = 0; port < a->r->ifaces; port++) {
		const struct iface *iface = &a->r->iface[port];
		const struct config_iface *c = a->match.of[port];

		control_yield(a->r);
		uint32_t carries = port_mtu(a->r, iface->parent, parent_config(a, port));

		if (c && port >= a->r->ports && c->mtu > carries)
			return apply_fail(a, "interfaces %s vlan %u mtu %u: the MTU of %s is %u",
				c->parent, c->vid, c->mtu, c->parent, carries);
		if (c && port < a->r->ports && c->mtu > a->r->dev[port]->mtu_max)
			return apply_fail(a, "interfaces %s mtu %u: the device carries %u at most",
				iface->name, c->mtu, a->r->dev[port]->mtu_max);
		if (c && c->flow_control && !a->r->dev[port]->ops->flow_control)
			return apply_fail(
				a, "interfaces %s flow-control: the device has none", iface->name);
		if (c && c->mtu > a->r->buffers.mtu)
			return apply_fail(a,
				"interfaces %s mtu %u: the buffers made at boot hold %u; "
				"an MTU in the boot configuration makes larger ones",
				iface->name, c->mtu, a->r->buffers.mtu);
		if (c && c->addrs6 && wanted_mtu(a, port, c) < MTU_MIN_IP6)
			return apply_fail(a, "interfaces %s: IPv6 needs an MTU of %u, RFC 8200 5",
				iface->name, MTU_MIN_IP6);
	}
	return true;
}

/* ---- interfaces: their part of the RIBs ---- */

static bool same_addresses(const struct iface *i, const struct iface_addr *addr, unsigned n)
{
	if (i->addrs != n)
		return false;
	for (unsigned k = 0; k < n; k++)
		if (i->addr[k].address != addr[k].address || i->addr[k].length != addr[k].length)
			return false;
	return true;
}

static bool differs4(const struct iface *i, const struct wanted *w)
{
	return i->enabled != w->enabled || !same_addresses(i, w->addr, w->addrs);
}

static bool differs6(const struct iface *i, const struct wanted *w)
{
	return i->enabled != w->enabled || !config_same_addresses6(i, w->addr6, w->addrs6);
}

static bool bring_up(struct apply *a, unsigned port, const struct wanted *w, bool four, bool six)
{
	struct iface *iface = &a->r->iface[port];
	bool ok = true;

	for (unsigned k = 0; four && k < w->addrs; k++)
		iface->addr[k] = w->addr[k];
	iface->addrs = w->addrs;
	for (unsigned k = 0; six && k < w->addrs6; k++)
		iface->addr6[k] = w->addr6[k];
	iface->addrs6 = w->addrs6;
	iface->enabled = w->enabled;
	if (!iface->link || !w->enabled)
		return true;
	if (four)
		ok = iface_install(iface, &a->r->rib, &a->r->nexthops) == ERR_OK;
	if (six)
		ok = ok && iface6_install(iface, &a->r->rib6, &a->r->nexthops) == ERR_OK;
	return ok || apply_fail(a, "interfaces %s: its addresses do not fit the routing table",
			     iface->name);
}

/*
 * Brings the interfaces that differ from want[] to it, each family by itself;
 * their routes follow. All of them let go before any takes, so that a network can
 * move between ports.
 */
static bool set_ifaces(struct apply *a, const struct wanted *want)
{
	struct router *r = a->r;
	bool four[IFACE_MAX] = {false}, six[IFACE_MAX] = {false}, ok = true;

	for (unsigned port = 0; port < r->ifaces; port++) {
		struct iface *iface = &r->iface[port];

		iface->mtu = want[port].mtu;
		iface->router_advert = want[port].router_advert;
		four[port] = differs4(iface, &want[port]);
		six[port] = differs6(iface, &want[port]);
		if (six[port])
			iface6_withdraw(iface, &r->rib6, &r->nexthops);
		if (four[port])
			iface_withdraw(iface, &r->rib, &r->nexthops);
	}
	for (unsigned port = 0; port < r->ifaces; port++) {
		if (four[port] || six[port])
			ok = bring_up(a, port, &want[port], four[port], six[port]) && ok;
		control_yield(r);
	}
	return ok;
}

/* Addresses that an interface has and goes on having are as well known as before. */
static void keep_states(struct wanted *w, struct iface *i)
{
	for (unsigned k = 0; i->enabled && w->enabled && k < w->addrs6; k++) {
		const struct iface_addr6 *has = iface6_own(i, w->addr6[k].address);

		if (!has)
			continue;
		w->addr6[k].state = has->state;
		w->addr6[k].probed = has->probed;
		w->addr6[k].due_ms = has->due_ms;
	}
}

static bool configure_ifaces(struct apply *a)
{
	static struct wanted want[IFACE_MAX];

	for (unsigned port = 0; port < a->r->ifaces; port++) {
		struct iface *iface = &a->r->iface[port];
		const struct config_iface *c = a->match.of[port];

		control_yield(a->r);
		want[port] = (struct wanted){
			.mtu = wanted_mtu(a, port, c),
			.addrs = c ? c->addrs : 0,
			.addr = c ? c->addr : NULL,
			.enabled = wanted_enabled(a, port, c),
			.router_advert = c && c->router_advert,
		};
		want[port].addrs6 = config_addresses6(c, iface->mac, want[port].addr6);
		keep_states(&want[port], iface);
	}
	return set_ifaces(a, want);
}

/* ---- goodbyes ---- */

/* Interfaces that are up and will not be, or without IPv6, say so while they can. */
static void say_goodbye(struct apply *a)
{
	uint64_t now_ms = platform_now_us() / 1000;

	for (unsigned port = 0; port < a->r->ifaces; port++) {
		const struct iface *i = &a->r->iface[port];
		const struct config_iface *c = config_of(a->config, i->name);

		if (!i->installed)
			continue;
		if (!wanted_enabled(a, port, c))
			stack_farewell(&a->r->stack, port, now_ms);
		else if (i->addrs6 && !(c && c->addrs6))
			stack_farewell6(&a->r->stack, port, now_ms);
	}
}

/* ---- the RIBs ---- */

/* Back to what was in force; it fitted before, and nobody has seen anything else. */
static void restore(struct apply *a, const struct saved *s)
{
	char ignored[8];
	static struct apply back;
	static struct wanted want[IFACE_MAX];

	back = *a;
	back.error = ignored;
	back.error_size = sizeof ignored;
	for (unsigned port = 0; port < a->r->ifaces; port++) {
		const struct iface *old = &s->iface[port];

		want[port] = (struct wanted){.mtu = old->mtu,
			.addrs = old->addrs,
			.addr = old->addr,
			.addrs6 = old->addrs6,
			.enabled = old->enabled,
			.router_advert = old->router_advert};
		for (unsigned k = 0; k < old->addrs6; k++) {
			want[port].addr6[k] = old->addr6[k];
			want[port].addr6[k].has = 0; /* none is installed yet */
		}
	}
	routes_replace(&back, &s->routes);
	(void)set_ifaces(&back, want);
	(void)routes_install(&back);
}

/* The RIBs and interfaces as configured; false: as before. Nobody else looks at them meanwhile. */
static bool change_ribs(struct apply *a, const struct route_sets *want, const struct saved *s)
{
	bool ok;

	control_freeze(true);
	routes_replace(a, want);
	ok = configure_ifaces(a) && routes_install(a);
	if (ok)
		stack_configured(&a->r->stack, platform_now_us() / 1000);
	else
		restore(a, s);
	control_freeze(false);
	return ok;
}

/* ---- what workers see ---- */

/* Waits until the pair of FIBs that stands by has followed. false: somebody may still read it. */
static bool wait_ready(struct router *r)
{
	uint64_t start = platform_now_us();

	while (!publish_is_ready(r)) {
		publish_turn(r);
		if (publish_standby_is_read() && platform_now_us() - start > READY_US)
			return false;
		control_yield(r);
	}
	return true;
}

/*
 * What the swap of FIBs does not carry: sizes, switched-off ports, uRPF, access lists, policing,
 * classes and rates, and what recursive next hops stand for. A packet that met a part of it
 * would meet half of the commit.
 */
static bool changes_more_than_fibs(const struct apply *a, const struct saved *s)
{
	const struct router *r = a->r;

	for (unsigned port = 0; port < r->ifaces; port++)
		if (r->iface[port].mtu != s->iface[port].mtu ||
			r->iface[port].enabled != s->iface[port].enabled)
			return true;
	return nexthop_any_moves(&r->nexthops) || config_urpf_changes(r, &a->match) ||
	       filters_change(r) || nats_change(r) || config_meters_change(r, &a->match) ||
	       r->queues != config_queues_digest(r, a->config);
}

static void write_settings(struct apply *a, const struct saved *s)
{
	struct router *r = a->r;

	for (unsigned port = 0; port < r->ifaces; port++) {
		const struct iface *iface = &r->iface[port];

		router_set_disabled(r, port, !iface->enabled);
		if (iface->mtu == s->iface[port].mtu)
			continue;
		router_set_frame_max(r, port, iface->mtu + 14);
		nexthop_set_mtu(&r->nexthops, port, iface->mtu);
	}
	config_apply_queues(r, a->config);
	config_apply_urpf(r, &a->match);
	config_apply_flow_control(r, &a->match);
	filters_publish(r);
	config_apply_flows(r, a->config);
	nats_publish(r);
	sessions_apply(r, a->config);
	config_apply_meters(r, &a->match);
	config_apply_counting(r, a->config);
	config_apply_protocols(r, a->config);
	watchdog_set(a->config->watchdog);
	publish_want_grace(); /* its old rates: router_set_rate */
}

/* Workers stand still only if they must; before they run nobody needs to. */
static void switch_over(
	struct apply *a, const struct saved *s, struct static_neighbors *want, bool swap)
{
	struct router *r = a->r;
	unsigned holdout;
	bool fresh = vlans_are_new(r);
	bool parked = r->rcu.readers && changes_more_than_fibs(a, s) &&
		      audit_park(r, &holdout); /* a stuck one is in the log */

	write_settings(a, s);
	vlans_settle(r, &a->match);
	publish_release(r, swap);
	nexthop_release_all(&r->nexthops);
	control_routes_changed(r);
	generation_next(&r->tables); /* all of it, before a worker goes on */
	if (parked)
		audit_release(r);
	neighbors_replace(r, want, fresh);
}

/* Neighbours of ports that are down are forgotten; the others hear of new addresses. */
static void tell_neighbors(struct router *r, const struct saved *s)
{
	uint64_t now_ms = platform_now_us() / 1000;

	for (unsigned port = 0; port < r->ifaces; port++) {
		const struct iface *is = &r->iface[port], *was = &s->iface[port];
		bool four = !same_addresses(is, was->addr, was->addrs);
		bool six = !config_same_addresses6(is, was->addr6, was->addrs6);

		if (is->enabled != was->enabled && (!is->enabled || is->link))
			stack_link_changed(&r->stack, port, is->enabled, now_ms);
		else if (is->enabled && is->link)
			stack_addresses_changed(&r->stack, port, four, six, now_ms);
		control_yield(r);
	}
}

/* ---- the whole ---- */

static bool apply(struct apply *a, const struct route_sets *want, const struct saved *s,
	struct static_neighbors *hosts)
{
	struct router *r = a->r;

	say_goodbye(a);
	publish_hold();
	nexthop_hold_all(&r->nexthops); /* so that what was in force still fits */
	bool ok = change_ribs(a, want, s);

	if (ok) {
		bool swap = !r->booting && !publish_idle(r) && wait_ready(r);

		switch_over(a, s, hosts, swap);
		tell_neighbors(r, s);
	} else {
		publish_release(r, false);
		nexthop_release_all(&r->nexthops);
		control_routes_changed(r);
	}
	(void)control_sync(r); /* a worker that does not answer is named in the log */
	return ok;
}

bool config_apply(struct router *r, const struct config *c, char *error, unsigned error_size)
{
	static struct apply a;
	struct static_neighbors hosts = {0};
	struct route_sets want = {0};
	static struct saved s;
	bool ok = vlans_prepare(r, c, error, error_size);

	a = (struct apply){.r = r, .config = c, .error = error, .error_size = error_size};
	config_match(&a.match, r, c);
	ok = ok && check_ifaces(&a) && apply_check_sizes(&a) && apply_check_routes(&a) &&
	     routes_want(&a, &want) && routes_save(&a, &s.routes) && neighbors_want(&a, &hosts) &&
	     filters_prepare(&a) && nats_prepare(&a);
	if (ok) {
		memcpy(s.iface, r->iface, sizeof s.iface);
		ok = apply(&a, &want, &s, &hosts);
	}
	if (!ok)
		vlans_forget(r);
	routes_free(&want);
	routes_free(&s.routes);
	free(hosts.list);
	return ok;
}
