/* Making the router be as a configuration says, all of it or nothing. */
#include "kernel/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "kernel/router.h"
#include "lib/text.h"

/* What an apply changes, so that it can be put back; the vectors are malloc'd. */
struct saved {
	struct iface iface[PORT_MAX];
	struct statics statics, statics6;
};

/* The static neighbours in force. */
static struct config_neighbor *neighbors;
static unsigned neighbors_n;

struct apply {
	struct router *r;
	const struct config *config;
	char *error;
	unsigned error_size;
};

static bool apply_fail(struct apply *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool apply_fail(struct apply *a, const char *format, ...)
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
		if (c && c->addrs6 && wanted_mtu(a->r, port, c) < MTU_MIN_IP6)
			return apply_fail(a, "interfaces %s: IPv6 needs an MTU of %u, RFC 8200 5",
				iface->name, MTU_MIN_IP6);
	}
	return true;
}

static bool check_sizes(struct apply *a)
{
	if (a->config->routes > a->r->statics.max)
		return apply_fail(
			a, "%u static routes: %u fit", a->config->routes, a->r->statics.max);
	if (a->config->routes6 > a->r->statics6.max)
		return apply_fail(
			a, "%u static IPv6 routes: %u fit", a->config->routes6, a->r->statics6.max);
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
		uint32_t gateway = (uint32_t)(r->route.gateway.hi >> 32);
		char prefix_text[TEXT_PREFIX_MAX], gateway_text[TEXT_IPV4_MAX];
		bool found = false;

		if (r->dev[0] == 0 || port_by_name(a->r, r->dev) < 0)
			continue;
		for (unsigned k = 0; c && k < c->addrs; k++)
			found |= ((c->addr[k].address ^ gateway) & rib4_mask(c->addr[k].length)) ==
				 0;
		if (found)
			continue;
		text_print_ipv4_prefix(
			prefix_text, (uint32_t)(r->route.prefix.hi >> 32), r->route.length);
		text_print_ipv4(gateway_text, gateway);
		return apply_fail(a, "routes %s: %s is on no network of %s", prefix_text,
			gateway_text, r->dev);
	}
	return true;
}

/* ---- interfaces ---- */

static bool same_addresses(const struct iface *i, const struct iface_addr *addr, unsigned n)
{
	if (i->addrs != n)
		return false;
	for (unsigned k = 0; k < n; k++)
		if (i->addr[k].address != addr[k].address || i->addr[k].length != addr[k].length)
			return false;
	return true;
}

static void set_mtu(struct router *r, unsigned port, uint32_t mtu)
{
	r->iface[port].mtu = mtu;
	router_set_frame_max(r, port, mtu + 14);
	nexthop_set_mtu(&r->nexthops, port, mtu);
}

/* What one interface shall be. */
struct wanted {
	uint32_t mtu;
	unsigned addrs, addrs6;
	const struct iface_addr *addr;
	struct iface_addr6 addr6[IFACE_ADDR6_MAX];
	bool enabled, router_advert;
};

static bool is_as_wanted(const struct iface *i, const struct wanted *w)
{
	return i->enabled == w->enabled && same_addresses(i, w->addr, w->addrs) &&
	       config_same_addresses6(i, w->addr6, w->addrs6);
}

static void take_down(struct router *r, unsigned port)
{
	stack_link_changed(&r->stack, port, false, platform_now_us() / 1000);
	iface6_withdraw(&r->iface[port], &r->rib6, &r->nexthops);
	iface_withdraw(&r->iface[port], &r->rib, &r->nexthops);
}

static bool bring_up(struct apply *a, unsigned port, const struct wanted *w)
{
	struct router *r = a->r;
	struct iface *iface = &r->iface[port];

	iface->addrs = w->addrs;
	for (unsigned k = 0; k < w->addrs; k++)
		iface->addr[k] = w->addr[k];
	iface->addrs6 = w->addrs6;
	memcpy(iface->addr6, w->addr6, sizeof iface->addr6);
	for (unsigned k = 0; k < w->addrs6; k++)
		iface->addr6[k].has = 0; /* what it had is withdrawn */
	iface->enabled = w->enabled;
	router_set_disabled(r, port, !w->enabled);
	if (!iface->link || !w->enabled)
		return true;
	if (iface_install(iface, &r->rib, &r->nexthops) != ERR_OK ||
		iface6_install(iface, &r->rib6, &r->nexthops) != ERR_OK)
		return apply_fail(a, "interfaces %s: its addresses do not fit the routing table",
			iface->name);
	stack_link_changed(&r->stack, port, true, platform_now_us() / 1000);
	return true;
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
		if (r->iface[port].mtu != want[port].mtu)
			set_mtu(r, port, want[port].mtu);
		r->iface[port].router_advert = want[port].router_advert;
		changes[port] = !is_as_wanted(&r->iface[port], &want[port]);
		if (changes[port])
			take_down(r, port);
	}
	for (unsigned port = 0; port < r->ports; port++)
		if (changes[port])
			ok = bring_up(a, port, &want[port]) && ok;
	return ok;
}

static bool configure_ifaces(struct apply *a)
{
	struct wanted want[PORT_MAX];

	for (unsigned port = 0; port < a->r->ports; port++) {
		const struct config_iface *c = config_of(a->config, a->r->iface[port].name);

		want[port] = (struct wanted){
			.mtu = wanted_mtu(a->r, port, c),
			.addrs = c ? c->addrs : 0,
			.addr = c ? c->addr : NULL,
			.enabled = !c || !c->disabled,
			.router_advert = c && c->router_advert,
		};
		want[port].addrs6 = config_addresses6(c, a->r->iface[port].mac, want[port].addr6);
		if (want[port].enabled)
			config_keep_valid6(&a->r->iface[port], want[port].addr6, want[port].addrs6);
	}
	return set_ifaces(a, want);
}

/* ---- static routes ---- */

static int compare_routes(const void *x, const void *y)
{
	const struct static_route *a = x, *b = y;

	if (!ip6_equal(a->prefix, b->prefix))
		return ip6_less(a->prefix, b->prefix) ? -1 : 1;
	if (a->length != b->length || a->kind != b->kind)
		return a->length != b->length ? a->length - b->length : a->kind - b->kind;
	if (!ip6_equal(a->gateway, b->gateway))
		return ip6_less(a->gateway, b->gateway) ? -1 : 1;
	return a->port - b->port;
}

static bool same_route(const struct static_route *a, const struct static_route *b)
{
	return compare_routes(a, b) == 0 && a->weight == b->weight;
}

/*
 * Replaces the static routes of a family by want[0..n), sorted. Those in both
 * stay installed, so their traffic sees no change.
 */
static bool set_statics(
	struct apply *a, struct statics *have, struct static_route *want, unsigned n)
{
	struct router *r = a->r;
	unsigned w = 0;

	for (unsigned i = 0; i < have->n; i++) {
		struct static_route *old = &have->route[i];

		while (w < n && compare_routes(&want[w], old) < 0)
			want[w++].installed = false;
		if (w < n && same_route(&want[w], old))
			want[w++].installed = old->installed;
		else
			static_withdraw(old, 1, have->rib, &r->nexthops);
	}
	for (; w < n; w++)
		want[w].installed = false;
	if (n)
		memcpy(have->route, want, n * sizeof *want);
	have->n = n;
	if (static_refresh(have->route, n, r->iface, r->ports, have->rib, &r->nexthops) != ERR_OK)
		return apply_fail(a, "the static routes do not fit the routing table");
	return true;
}

static bool set_routes(
	struct apply *a, struct statics *have, const struct config_route *route, unsigned n)
{
	struct static_route *want = malloc((n + 1) * sizeof *want);
	bool ok;

	if (!want)
		return apply_fail(a, "not enough memory");
	for (unsigned i = 0; i < n; i++) {
		int port = port_by_name(a->r, route[i].dev);

		want[i] = route[i].route;
		want[i].port = port < 0 ? PORT_MAX : (uint16_t)port;
	}
	qsort(want, n, sizeof *want, compare_routes);
	ok = set_statics(a, have, want, n);
	free(want);
	return ok;
}

/* ---- static neighbours ---- */

static void clear_neighbors(struct router *r)
{
	for (unsigned i = 0; i < neighbors_n; i++) {
		int port = port_by_name(r, neighbors[i].iface);

		if (port >= 0)
			config_clear_neighbor(r, (unsigned)port, &neighbors[i]);
	}
}

static enum err install_neighbors(struct router *r, const struct config_neighbor *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int port = port_by_name(r, list[i].iface);
		enum err err = ERR_OK;

		if (port >= 0)
			err = config_set_neighbor(r, (unsigned)port, &list[i]);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static bool set_neighbors(struct apply *a)
{
	unsigned n = a->config->neighbors;

	if (n == neighbors_n &&
		(n == 0 || memcmp(neighbors, a->config->neighbor, n * sizeof *neighbors) == 0))
		return true;
	struct config_neighbor *copy = malloc((n + 1) * sizeof *copy);

	if (!copy)
		return apply_fail(a, "not enough memory");
	if (n)
		memcpy(copy, a->config->neighbor, n * sizeof *copy);
	clear_neighbors(a->r);
	if (install_neighbors(a->r, copy, n) != ERR_OK) {
		for (unsigned i = 0; i < n; i++) {
			int port = port_by_name(a->r, copy[i].iface);

			if (port >= 0)
				config_clear_neighbor(a->r, (unsigned)port, &copy[i]);
		}
		free(copy);
		(void)!install_neighbors(a->r, neighbors, neighbors_n); /* they fitted before */
		return apply_fail(a, "the static neighbors do not fit the table");
	}
	free(neighbors);
	neighbors = copy;
	neighbors_n = n;
	return true;
}

/* ---- the whole ---- */

static bool save_statics(const struct statics *now, struct statics *copy)
{
	*copy = *now;
	copy->route = malloc((now->n + 1) * sizeof *copy->route);
	if (copy->route)
		memcpy(copy->route, now->route, now->n * sizeof *copy->route);
	return copy->route != NULL;
}

static void forget(struct saved *s)
{
	free(s->statics.route);
	free(s->statics6.route);
}

static bool save(const struct router *r, struct saved *s)
{
	bool ok = save_statics(&r->statics, &s->statics);

	ok &= save_statics(&r->statics6, &s->statics6);
	if (!ok) {
		forget(s);
		return false;
	}
	memcpy(s->iface, r->iface, sizeof s->iface);
	return true;
}

/* Back to what was in force; it fitted before, and no worker has seen anything else. */
static void restore(struct apply *a, struct saved *s)
{
	char ignored[8];
	struct apply back = {a->r, a->config, ignored, sizeof ignored};

	struct wanted want[PORT_MAX];

	for (unsigned port = 0; port < a->r->ports; port++) {
		const struct iface *old = &s->iface[port];

		want[port] = (struct wanted){.mtu = old->mtu,
			.addrs = old->addrs,
			.addr = old->addr,
			.addrs6 = old->addrs6,
			.enabled = old->enabled,
			.router_advert = old->router_advert};
		memcpy(want[port].addr6, old->addr6, sizeof old->addr6);
	}
	(void)set_ifaces(&back, want);
	(void)set_statics(&back, &a->r->statics, s->statics.route, s->statics.n);
	(void)set_statics(&back, &a->r->statics6, s->statics6.route, s->statics6.n);
}

bool config_apply(struct router *r, const struct config *c, char *error, unsigned error_size)
{
	struct apply a = {r, c, error, error_size};
	struct saved s;

	if (!check_ifaces(&a) || !check_sizes(&a) || !check_routes(&a))
		return false;
	if (!save(r, &s))
		return apply_fail(&a, "not enough memory");
	nexthop_hold_all(&r->nexthops); /* so that what was in force still fits */
	bool ok = configure_ifaces(&a) && set_routes(&a, &r->statics, c->route, c->routes) &&
		  set_routes(&a, &r->statics6, c->route6, c->routes6) && set_neighbors(&a);

	if (ok) {
		config_apply_queues(r, c);
		config_apply_protocols(r, c);
		publish_want_grace(); /* its old rates: router_set_rate */
	} else {
		restore(&a, &s);
	}
	nexthop_release_all(&r->nexthops);
	forget(&s);
	control_routes_changed(r);
	(void)control_sync(r); /* a worker that does not answer is named in the log */
	return ok;
}
