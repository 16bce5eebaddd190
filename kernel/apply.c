/*
 * Making the router be as a configuration says, all of it or nothing.
 *
 * First the RIBs become so, in slices, while nothing else looks at them and
 * workers read FIBs that stay as they are. If something does not fit, all is put
 * back. Else the other pair of FIBs follows, and then, while the workers stand
 * still for some microseconds, it takes the place of the first, and all else that
 * they read of the configuration is written: no packet sees a part of it. Nothing
 * of that can fail.
 */
#include "kernel/apply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/audit.h"
#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "lib/text.h"

#define READY_US 1000000u /* for workers to leave the pair of FIBs of the commit before */

/* What one interface shall be. */
struct wanted {
	uint32_t mtu;
	unsigned addrs;
	const struct iface_addr *addr;
	bool enabled;
};

/* What is in force before. */
struct saved {
	struct iface iface[PORT_MAX];
	struct statics statics;
};

/* The static neighbours in force. */
static struct neighbors {
	struct config_neighbor *list;
	unsigned n;
} neighbors;

bool apply_fail(struct apply *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(a->error, a->error_size, format, args);
	va_end(args);
	return false;
}

static int port_by_name(const struct router *r, const char *name)
{
	for (unsigned port = 0; port < r->ports; port++)
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

/* The MTU an interface shall have: as configured, or the most the device can up to 1500. */
static uint32_t wanted_mtu(const struct router *r, unsigned port, const struct config_iface *c)
{
	uint32_t can = r->dev[port]->mtu_max < MTU_DEFAULT ? r->dev[port]->mtu_max : MTU_DEFAULT;

	return c && c->mtu ? c->mtu : can;
}

/* ---- checks that need no change ---- */

static bool check_ifaces(struct apply *a)
{
	for (unsigned port = 0; port < a->r->ports; port++) {
		const struct iface *iface = &a->r->iface[port];
		const struct config_iface *c = config_of(a->config, iface->name);

		if (c && c->mtu > a->r->dev[port]->mtu_max)
			return apply_fail(a, "interfaces %s mtu %u: the device carries %u at most",
				iface->name, c->mtu, a->r->dev[port]->mtu_max);
		if (c && c->mtu > a->r->buffers.mtu)
			return apply_fail(a,
				"interfaces %s mtu %u: the buffers made at boot hold %u; "
				"an MTU in the boot configuration makes larger ones",
				iface->name, c->mtu, a->r->buffers.mtu);
	}
	return true;
}

static bool check_sizes(struct apply *a)
{
	if (a->config->routes > a->r->statics_max)
		return apply_fail(
			a, "%u static routes: %u fit", a->config->routes, a->r->statics_max);
	if (a->config->routes6 > a->r->statics6_max)
		return apply_fail(
			a, "%u static IPv6 routes: %u fit", a->config->routes6, a->r->statics6_max);
	if (a->config->neighbors > NEIGHBOR_MAX / 2)
		return apply_fail(
			a, "%u static neighbors: %u fit", a->config->neighbors, NEIGHBOR_MAX / 2);
	return true;
}

/* A route's 'dev', if present, must be where its gateway is; networks do not overlap. */
static bool check_routes(struct apply *a)
{
	for (unsigned i = 0; i < a->config->routes; i++) {
		const struct config_route *r = &a->config->route[i];
		const struct config_iface *c = config_of(a->config, r->dev);
		char prefix[TEXT_PREFIX_MAX], gateway[TEXT_IPV4_MAX];
		bool found = false;

		control_yield(a->r);
		if (r->dev[0] == 0 || port_by_name(a->r, r->dev) < 0)
			continue;
		for (unsigned k = 0; c && k < c->addrs; k++)
			found |= ((c->addr[k].address ^ r->route.gateway) &
					 rib4_mask(c->addr[k].length)) == 0;
		if (found)
			continue;
		text_print_ipv4_prefix(prefix, r->route.prefix, r->route.length);
		text_print_ipv4(gateway, r->route.gateway);
		return apply_fail(
			a, "routes %s: %s is on no network of %s", prefix, gateway, r->dev);
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

static bool is_as_wanted(const struct iface *i, const struct wanted *w)
{
	return i->enabled == w->enabled && same_addresses(i, w->addr, w->addrs);
}

static bool bring_up(struct apply *a, unsigned port, const struct wanted *w)
{
	struct iface *iface = &a->r->iface[port];

	iface->addrs = w->addrs;
	for (unsigned k = 0; k < w->addrs; k++)
		iface->addr[k] = w->addr[k];
	iface->enabled = w->enabled;
	if (!iface->link || !w->enabled)
		return true;
	if (iface_install(iface, &a->r->rib, &a->r->nexthops) == ERR_OK)
		return true;
	return apply_fail(
		a, "interfaces %s: its addresses do not fit the routing table", iface->name);
}

/*
 * Brings the interfaces that differ from want[] to it; their routes follow. All
 * of them let go before any takes, so that a network can move between ports.
 */
static bool set_ifaces(struct apply *a, const struct wanted *want)
{
	struct router *r = a->r;
	bool changes[PORT_MAX] = {false}, ok = true;

	for (unsigned port = 0; port < r->ports; port++) {
		r->iface[port].mtu = want[port].mtu;
		changes[port] = !is_as_wanted(&r->iface[port], &want[port]);
		if (changes[port])
			iface_withdraw(&r->iface[port], &r->rib, &r->nexthops);
	}
	for (unsigned port = 0; port < r->ports; port++) {
		if (changes[port])
			ok = bring_up(a, port, &want[port]) && ok;
		control_yield(r);
	}
	return ok;
}

static bool configure_ifaces(struct apply *a)
{
	struct wanted want[PORT_MAX] = {{0}};

	for (unsigned port = 0; port < a->r->ports; port++) {
		const struct config_iface *c = config_of(a->config, a->r->iface[port].name);

		want[port] = (struct wanted){
			.mtu = wanted_mtu(a->r, port, c),
			.addrs = c ? c->addrs : 0,
			.addr = c ? c->addr : NULL,
			.enabled = !c || !c->disabled,
		};
	}
	return set_ifaces(a, want);
}

/* ---- the RIBs ---- */

/* Back to what was in force; it fitted before, and nobody has seen anything else. */
static void restore(struct apply *a, const struct saved *s)
{
	char ignored[8];
	struct apply back = {a->r, a->config, ignored, sizeof ignored};
	struct wanted want[PORT_MAX] = {{0}};

	for (unsigned port = 0; port < a->r->ports; port++) {
		const struct iface *old = &s->iface[port];

		want[port] = (struct wanted){old->mtu, old->addrs, old->addr, old->enabled};
	}
	statics_replace(&back, &s->statics);
	(void)set_ifaces(&back, want);
	(void)statics_install(&back);
}

/* The RIBs and interfaces as configured; false: as before. Nobody else looks at them meanwhile. */
static bool change_ribs(struct apply *a, const struct statics *want, const struct saved *s)
{
	bool ok;

	control_freeze(true);
	statics_replace(a, want);
	ok = configure_ifaces(a) && statics_install(a);
	if (ok)
		stack_configured(&a->r->stack, platform_now_us() / 1000);
	else
		restore(a, s);
	control_freeze(false);
	return ok;
}

/* ---- static neighbours ---- */

static bool copy_neighbors(struct apply *a, struct neighbors *copy)
{
	*copy = (struct neighbors){.n = a->config->neighbors};
	copy->list = malloc((copy->n + 1) * sizeof *copy->list);
	if (!copy->list)
		return apply_fail(a, "not enough memory");
	if (copy->n)
		memcpy(copy->list, a->config->neighbor, copy->n * sizeof *copy->list);
	return true;
}

static bool has_neighbor(const struct neighbors *in, const struct config_neighbor *x)
{
	for (unsigned i = 0; i < in->n; i++)
		if (in->list[i].address == x->address && strcmp(in->list[i].iface, x->iface) == 0)
			return true;
	return false;
}

/* They fit: half of the table is theirs, see check_sizes; the rest makes room. */
static void set_neighbors(struct router *r, struct neighbors *want)
{
	int port;

	if (neighbors.n == want->n &&
		(!want->n || memcmp(neighbors.list, want->list, want->n * sizeof *want->list) == 0))
		return;
	for (unsigned i = 0; i < neighbors.n; i++) {
		const struct config_neighbor *x = &neighbors.list[i];

		if (!has_neighbor(want, x) && (port = port_by_name(r, x->iface)) >= 0)
			arp_clear_static(&r->stack, (unsigned)port, x->address);
	}
	for (unsigned i = 0; i < want->n; i++) {
		const struct config_neighbor *x = &want->list[i];

		if ((port = port_by_name(r, x->iface)) >= 0)
			(void)!arp_set_static(&r->stack, (unsigned)port, x->address, x->mac);
	}
	free(neighbors.list);
	neighbors = *want;
	*want = (struct neighbors){0};
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

static void write_settings(struct apply *a, const struct saved *s)
{
	struct router *r = a->r;

	for (unsigned port = 0; port < r->ports; port++) {
		const struct iface *iface = &r->iface[port];

		router_set_disabled(r, port, !iface->enabled);
		if (iface->mtu == s->iface[port].mtu)
			continue;
		router_set_frame_max(r, port, iface->mtu + 14);
		nexthop_set_mtu(&r->nexthops, port, iface->mtu);
	}
	config_apply_queues(r, a->config);
	publish_want_grace(); /* its old rates: router_set_rate */
}

/* Before the workers run nobody needs to stand still. */
static void switch_over(struct apply *a, const struct saved *s, struct neighbors *want, bool swap)
{
	struct router *r = a->r;
	unsigned holdout;
	bool parked = r->rcu.readers && audit_park(r, &holdout); /* a stuck one is in the log */

	write_settings(a, s);
	publish_release(r, swap);
	nexthop_release_all(&r->nexthops);
	control_routes_changed(r);
	set_neighbors(r, want);
	if (parked)
		audit_release(r);
}

/* Neighbours of ports that are down are forgotten; the others hear of new addresses. */
static void tell_neighbors(struct router *r, const struct saved *s)
{
	uint64_t now_ms = platform_now_us() / 1000;

	for (unsigned port = 0; port < r->ports; port++) {
		const struct iface *is = &r->iface[port], *was = &s->iface[port];

		if (is->enabled == was->enabled && same_addresses(is, was->addr, was->addrs))
			continue;
		if (!is->enabled || is->link)
			stack_link_changed(&r->stack, port, is->enabled, now_ms);
	}
}

/* ---- the whole ---- */

static bool apply(
	struct apply *a, const struct statics *want, const struct saved *s, struct neighbors *hosts)
{
	struct router *r = a->r;

	publish_hold();
	nexthop_hold_all(&r->nexthops); /* so that what was in force still fits */
	bool ok = change_ribs(a, want, s);

	if (ok) {
		bool swap = !publish_idle(r) && wait_ready(r);

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
	struct apply a = {r, c, error, error_size};
	struct neighbors hosts = {0};
	struct statics want = {0};
	struct saved s = {0};
	bool ok = check_ifaces(&a) && check_sizes(&a) && check_routes(&a) &&
		  statics_want(&a, &want) && statics_save(&a, &s.statics) &&
		  copy_neighbors(&a, &hosts);

	if (ok) {
		memcpy(s.iface, r->iface, sizeof s.iface);
		ok = apply(&a, &want, &s, &hosts);
	}
	statics_free(&want);
	statics_free(&s.statics);
	free(hosts.list);
	return ok;
}

void config_bind_ports(const struct config *c, struct netdev **dev, unsigned n)
{
	for (unsigned i = 0; i < c->ifaces; i++) {
		const struct config_iface *iface = &c->iface[i];
		uint64_t want;

		if (!iface->has_mac || strncmp(iface->name, "eth", 3) != 0 ||
			!text_parse_number(iface->name + 3, 0, n - 1, &want))
			continue;
		for (unsigned d = 0; d < n; d++) {
			if (memcmp(dev[d]->mac, iface->mac, 6) != 0)
				continue;
			struct netdev *other = dev[want];

			dev[want] = dev[d];
			dev[d] = other;
			break;
		}
	}
}
