/* Applying a configuration: its static routes, in slices. */
#include "kernel/apply.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/control.h"

#define SLICE_LINES 64u /* routes between looks at the clock */

/* ---- order ---- */

static int compare_routes(const void *x, const void *y)
{
	const struct static4 *a = x, *b = y;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	if (a->length != b->length || a->kind != b->kind)
		return a->length != b->length ? a->length - b->length : a->kind - b->kind;
	return a->gateway < b->gateway ? -1 : a->gateway > b->gateway;
}

static bool same_route(const struct static4 *a, const struct static4 *b)
{
	return compare_routes(a, b) == 0 && a->weight == b->weight;
}

static int compare_routes6(const void *x, const void *y)
{
	const struct static6 *a = x, *b = y;

	if (!ip6_equal(a->prefix, b->prefix))
		return ip6_less(a->prefix, b->prefix) ? -1 : 1;
	if (a->length != b->length || a->kind != b->kind)
		return a->length != b->length ? a->length - b->length : a->kind - b->kind;
	return ip6_less(a->gateway, b->gateway) ? -1 : ip6_less(b->gateway, a->gateway);
}

/* ---- sets ---- */

static bool allocate(struct apply *a, struct statics *s)
{
	s->four = malloc((s->fours + 1) * sizeof *s->four);
	s->six = malloc((s->sixes + 1) * sizeof *s->six);
	if (s->four && s->six)
		return true;
	statics_free(s);
	return apply_fail(a, "not enough memory");
}

bool statics_want(struct apply *a, struct statics *s)
{
	const struct config *c = a->config;
	bool in_order = true, in_order6 = true;

	*s = (struct statics){.fours = c->routes, .sixes = c->routes6};
	if (!allocate(a, s))
		return false;
	for (unsigned i = 0; i < s->fours; i++) {
		s->four[i] = c->route[i].route;
		s->four[i].installed = false;
		in_order &= i == 0 || compare_routes(&s->four[i - 1], &s->four[i]) < 0;
		if (i % SLICE_LINES == 0)
			control_yield(a->r);
	}
	for (unsigned i = 0; i < s->sixes; i++) {
		s->six[i] = c->route6[i].route;
		s->six[i].installed = false;
		in_order6 &= i == 0 || compare_routes6(&s->six[i - 1], &s->six[i]) < 0;
		if (i % SLICE_LINES == 0)
			control_yield(a->r);
	}
	/* As a rule they are: so are the lines they come from. */
	if (!in_order)
		qsort(s->four, s->fours, sizeof *s->four, compare_routes);
	if (!in_order6)
		qsort(s->six, s->sixes, sizeof *s->six, compare_routes6);
	return true;
}

bool statics_save(struct apply *a, struct statics *s)
{
	*s = (struct statics){.fours = a->r->statics_n, .sixes = a->r->statics6_n};
	if (!allocate(a, s))
		return false;
	memcpy(s->four, a->r->statics, s->fours * sizeof *s->four);
	memcpy(s->six, a->r->statics6, s->sixes * sizeof *s->six);
	return true;
}

void statics_free(struct statics *s)
{
	free(s->four);
	free(s->six);
	*s = (struct statics){0};
}

/* ---- replacing ---- */

static void replace4(struct apply *a, struct static4 *want, unsigned n)
{
	struct router *r = a->r;
	unsigned w = 0;

	for (unsigned i = 0; i < r->statics_n; i++) {
		struct static4 *have = &r->statics[i];

		while (w < n && compare_routes(&want[w], have) < 0)
			want[w++].installed = false;
		if (w < n && same_route(&want[w], have))
			want[w++].installed = have->installed;
		else
			static4_withdraw(have, 1, &r->rib, &r->nexthops);
		if (i % SLICE_LINES == 0)
			control_yield(r);
	}
	for (; w < n; w++)
		want[w].installed = false;
	if (n)
		memcpy(r->statics, want, n * sizeof *want);
	r->statics_n = n;
}

static void replace6(struct apply *a, struct static6 *want, unsigned n)
{
	struct router *r = a->r;
	unsigned w = 0;

	for (unsigned i = 0; i < r->statics6_n; i++) {
		struct static6 *have = &r->statics6[i];

		while (w < n && compare_routes6(&want[w], have) < 0)
			want[w++].installed = false;
		if (w < n && compare_routes6(&want[w], have) == 0)
			want[w++].installed = have->installed;
		else
			static6_withdraw(have, 1, &r->rib6, &r->nexthops);
		if (i % SLICE_LINES == 0)
			control_yield(r);
	}
	for (; w < n; w++)
		want[w].installed = false;
	if (n)
		memcpy(r->statics6, want, n * sizeof *want);
	r->statics6_n = n;
}

void statics_replace(struct apply *a, const struct statics *want)
{
	replace4(a, want->four, want->fours);
	replace6(a, want->six, want->sixes);
}

bool statics_install(struct apply *a)
{
	struct router *r = a->r;
	struct static4_job job = {0};

	while (!static4_refresh_step(&job, r->statics, r->statics_n, r->iface, r->ports, &r->rib,
		&r->nexthops, SLICE_LINES))
		control_yield(r);
	if (job.result != ERR_OK)
		return apply_fail(a, "the static routes do not fit the routing table");
	if (static6_refresh(r->statics6, r->statics6_n, &r->rib6, &r->nexthops) != ERR_OK)
		return apply_fail(a, "the static IPv6 routes do not fit the routing table");
	return true;
}
