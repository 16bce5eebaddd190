/* Applying a configuration: its static routes, in slices. */
#include "kernel/apply.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/control.h"

#define SLICE_LINES 64u /* routes between looks at the clock */

/* ---- order ---- */

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

/* ---- sets ---- */

static bool allocate(struct apply *a, struct route_sets *s)
{
	s->four.route = malloc((s->four.n + 1) * sizeof *s->four.route);
	s->six.route = malloc((s->six.n + 1) * sizeof *s->six.route);
	if (s->four.route && s->six.route)
		return true;
	routes_free(s);
	return apply_fail(a, "not enough memory");
}

static void want(struct apply *a, const struct config_route *line, struct route_set *s)
{
	bool in_order = true;

	for (unsigned i = 0; i < s->n; i++) {
		int port = line[i].dev[0] ? wanted_by_name(a, line[i].dev) : -1;

		s->route[i] = line[i].route;
		s->route[i].installed = false;
		s->route[i].port = port < 0 ? IFACE_NONE : (uint16_t)port;
		in_order &= i == 0 || compare_routes(&s->route[i - 1], &s->route[i]) < 0;
		if (i % SLICE_LINES == 0)
			control_yield(a->r);
	}
	if (!in_order) /* as a rule they are: so are the lines they come from */
		qsort(s->route, s->n, sizeof *s->route, compare_routes);
}

bool routes_want(struct apply *a, struct route_sets *s)
{
	const struct config *c = a->config;

	*s = (struct route_sets){.four.n = c->routes, .six.n = c->routes6};
	if (!allocate(a, s))
		return false;
	want(a, c->route, &s->four);
	want(a, c->route6, &s->six);
	return true;
}

bool routes_save(struct apply *a, struct route_sets *s)
{
	const struct router *r = a->r;

	*s = (struct route_sets){.four.n = r->statics.n, .six.n = r->statics6.n};
	if (!allocate(a, s))
		return false;
	memcpy(s->four.route, r->statics.route, s->four.n * sizeof *s->four.route);
	memcpy(s->six.route, r->statics6.route, s->six.n * sizeof *s->six.route);
	return true;
}

void routes_free(struct route_sets *s)
{
	free(s->four.route);
	free(s->six.route);
	*s = (struct route_sets){0};
}

/* ---- replacing ---- */

static void replace(struct router *r, struct statics *have, const struct route_set *set)
{
	struct static_route *want = set->route;
	unsigned n = set->n, w = 0;

	for (unsigned i = 0; i < have->n; i++) {
		struct static_route *old = &have->route[i];

		while (w < n && compare_routes(&want[w], old) < 0)
			want[w++].installed = false;
		if (w < n && same_route(&want[w], old))
			want[w++].installed = old->installed;
		else
			static_withdraw(old, 1, have->rib, &r->nexthops);
		if (i % SLICE_LINES == 0)
			control_yield(r);
	}
	for (; w < n; w++)
		want[w].installed = false;
	if (n)
		memcpy(have->route, want, n * sizeof *want);
	have->n = n;
}

void routes_replace(struct apply *a, const struct route_sets *want)
{
	replace(a->r, &a->r->statics, &want->four);
	replace(a->r, &a->r->statics6, &want->six);
}

static enum err install(struct router *r, struct statics *s)
{
	struct static_job job = {0};

	while (!static_refresh_step(&job, s, r->iface, r->ifaces, &r->nexthops, SLICE_LINES))
		control_yield(r);
	return job.result;
}

bool routes_install(struct apply *a)
{
	if (install(a->r, &a->r->statics) != ERR_OK)
		return apply_fail(a, "the static routes do not fit the routing table");
	if (install(a->r, &a->r->statics6) != ERR_OK)
		return apply_fail(a, "the static IPv6 routes do not fit the routing table");
	return true;
}
