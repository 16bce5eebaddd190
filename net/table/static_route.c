/* Keeps the configured static routes in the RIB while they can be used. */
#include "net/table/static_route.h"

#include <stddef.h>

#include "net/table/iface6.h"
#include "net/table/resolve.h"

#define STATIC_ROUNDS 8u /* a route may make the gateway of another reachable, or no longer so */

/* What decides which routes can be used. */
struct context {
	struct iface *ifaces;
	unsigned ifaces_n;
	struct rib *rib; /* its bits tell the family */
	struct nexthop_table *t;
};

/* The lines of one prefix. */
struct set {
	struct static_route *line;
	unsigned n;
};

/* The lines from route[0] on, of n, that have its prefix. */
static struct set set_at(struct static_route *route, unsigned n)
{
	struct set s = {route, 1};

	while (s.n < n && ip6_equal(route[s.n].prefix, route->prefix) &&
		route[s.n].length == route->length)
		s.n++;
	return s;
}

/* How a line can be used now, the best last. */
enum use { UNUSABLE, RECURSIVE, DIRECT };

/* The interface on whose link or network a gateway is, or NULL; *near: it may be a neighbour there.
 */
static const struct iface *gateway_iface(
	const struct static_route *s, const struct context *c, bool *near)
{
	const struct iface *i;

	if (c->rib->bits == 32) {
		uint32_t gateway = (uint32_t)(s->gateway.hi >> 32);

		i = iface_to(c->ifaces, c->ifaces_n, gateway);
		*near = i && iface_neighbor(i, gateway);
		return i;
	}
	if (ip6_is_link_local(s->gateway)) {
		i = s->port < c->ifaces_n ? &c->ifaces[s->port] : NULL;
		*near = i && iface6_has_link(i);
		return i;
	}
	i = iface6_to(c->ifaces, c->ifaces_n, s->gateway);
	*near = i && iface6_neighbor(i, s->gateway);
	return i;
}

/* *iface: where a gateway that is a neighbour is reached; NULL else. */
static enum use line_use(
	const struct static_route *s, const struct context *c, const struct iface **iface)
{
	bool near;

	*iface = NULL;
	if (s->kind != STATIC_VIA)
		return DIRECT;
	const struct iface *i = gateway_iface(s, c, &near);

	if (!i)
		return resolve_gateway(c->rib, c->t, s->gateway) ? RECURSIVE : UNUSABLE;
	*iface = i;
	return near ? DIRECT : UNUSABLE;
}

static enum use set_use(const struct set *s, const struct context *c)
{
	enum use best = UNUSABLE;
	const struct iface *iface;

	for (unsigned i = 0; i < s->n && best != DIRECT; i++) {
		enum use use = line_use(&s->line[i], c, &iface);

		if (use > best)
			best = use;
	}
	return best;
}

static void set_remove(struct set *s, struct rib *rib, struct nexthop_table *t)
{
	uint32_t nexthop;

	if (rib_remove(rib, s->line->prefix, s->line->length, RIB_STATIC, &nexthop) == ERR_OK)
		nexthop_put(t, nexthop);
	for (unsigned i = 0; i < s->n; i++)
		s->line[i].installed = false;
}

static bool set_is_installed(const struct set *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->line[i].installed)
			return true;
	return false;
}

/* The next hop of one line, with a reference. */
static enum err line_nexthop(const struct static_route *s, const struct iface *i,
	const struct context *c, uint32_t *index)
{
	static const enum nexthop_action action[] = {
		[STATIC_VIA] = NEXTHOP_RESOLVE,
		[STATIC_BLACKHOLE] = NEXTHOP_BLACKHOLE,
		[STATIC_UNREACHABLE] = NEXTHOP_UNREACHABLE,
		[STATIC_PROHIBIT] = NEXTHOP_PROHIBIT,
	};

	if (s->kind == STATIC_VIA && !i)
		return resolve_get(c->rib, c->t, s->gateway, index);
	return nexthop_get_key(c->t, c->rib->bits, action[s->kind], i ? i->port : 0,
		i ? s->gateway : IP6_ANY, i ? i->mac : NULL, i ? i->mtu : 0, index);
}

/* The line has a part of the flows, but not now: others have it meanwhile, until it comes back. */
static bool line_is_gap(const struct static_route *line, enum use use)
{
	return use == DIRECT && line->kind == STATIC_VIA;
}

static struct nexthop_member line_member(const struct static_route *line, uint32_t index)
{
	return (struct nexthop_member){(uint16_t)index, line->weight ? line->weight : 1};
}

/*
 * The next hop of the lines that can be used as `use` says, with a reference:
 * one, or a group. Marks the lines in it as installed, the others not.
 */
static enum err set_nexthop(struct set *s, enum use use, const struct context *c, uint32_t *index)
{
	struct nexthop_member member[GROUP_MEMBERS];
	const struct iface *iface;
	enum err err = ERR_OK;
	unsigned members = 0, used = 0;

	for (unsigned i = 0; i < s->n; i++) {
		struct static_route *line = &s->line[i];
		bool alone =
			use == RECURSIVE || line->kind != STATIC_VIA; /* no member of a group */

		line->installed = false;
		if (err != ERR_OK || members == GROUP_MEMBERS || (alone && used))
			continue;
		if (line_use(line, c, &iface) != use) {
			if (line_is_gap(line, use))
				member[members++] = line_member(line, NEXTHOP_NONE);
			continue;
		}
		err = line_nexthop(line, iface, c, index);
		if (err != ERR_OK)
			continue;
		member[members++] = line_member(line, *index);
		used++;
		line->installed = true;
	}
	if (err == ERR_OK && used > 1)
		err = nexthop_get_group(c->t, member, members, index);
	else if (err == ERR_OK)
		return ERR_OK;
	/* The group has its own references now, or there is none. */
	for (unsigned i = 0; i < members; i++)
		if (member[i].index != NEXTHOP_NONE)
			nexthop_put(c->t, member[i].index);
	return err;
}

/* The RIB has the usable lines of the prefix. *added: it had none of them before. */
static enum err set_install(struct set *s, enum use use, const struct context *c, bool *added)
{
	struct ip6 prefix = s->line->prefix;
	struct route route = {.length = s->line->length, .source = RIB_STATIC, .distance = 1};
	const struct route *have = rib_find(c->rib, prefix, route.length, RIB_STATIC);
	uint32_t old = NEXTHOP_NONE;
	enum err err = set_nexthop(s, use, c, &route.nexthop);

	if (err != ERR_OK) {
		set_remove(s, c->rib, c->t); /* better none than a wrong one */
		return err;
	}
	if (!have)
		err = rib_add(c->rib, prefix, &route);
	else if (have->nexthop != route.nexthop)
		err = rib_replace(c->rib, prefix, route.length, RIB_STATIC, route.nexthop, &old);
	else
		old = route.nexthop;
	if (old != NEXTHOP_NONE)
		nexthop_put(c->t, old);
	if (err != ERR_OK) {
		nexthop_put(c->t, route.nexthop);
		set_remove(s, c->rib, c->t);
	}
	*added |= err == ERR_OK && !have;
	return err;
}

/* What can no longer be used goes first: that makes room. */
enum phase { REMOVING, ADDING, DONE };

/* Takes a prefix out if it can no longer be used: that may make others useless. */
static void remove_useless(struct static_job *job, struct set *s, const struct context *c)
{
	if (!set_is_installed(s) || set_use(s, c) != UNUSABLE)
		return;
	set_remove(s, c->rib, c->t);
	job->again = true;
}

/* Installs what can be used of a prefix: that may make others usable. */
static void add_usable(struct static_job *job, struct set *s, const struct context *c)
{
	enum use use = set_use(s, c);
	enum err err = ERR_OK;

	if (use == UNUSABLE)
		job->waiting = true;
	else
		err = set_install(s, use, c, &job->again);
	if (err != ERR_OK)
		job->result = err;
}

/* All lines were looked at: once more, or what is next. */
static void end_round(struct static_job *job, const struct context *c)
{
	bool again = job->again && (job->phase == REMOVING || job->waiting);

	job->at = 0;
	job->again = job->waiting = false;
	if (again && job->rounds++ < STATIC_ROUNDS) {
		job->result = ERR_OK; /* what did not fit is tried again */
		return;
	}
	job->rounds = 0;
	if (++job->phase == DONE)
		resolve_refresh(c->rib, c->t);
}

bool static_refresh_step(struct static_job *job, struct statics *s, struct iface *ifaces,
	unsigned ifaces_n, struct nexthop_table *t, unsigned max)
{
	const struct context c = {ifaces, ifaces_n, s->rib, t};

	for (unsigned seen = 0; job->phase != DONE && seen < max;) {
		if (job->at == s->n) {
			end_round(job, &c);
			continue;
		}
		struct set set = set_at(s->route + job->at, s->n - job->at);

		job->at += set.n;
		seen += set.n;
		(job->phase == REMOVING ? remove_useless : add_usable)(job, &set, &c);
	}
	return job->phase == DONE;
}

enum err static_refresh(struct static_route *route, unsigned n, struct iface *ifaces,
	unsigned ifaces_n, struct rib *rib, struct nexthop_table *t)
{
	struct statics s = {.route = route, .n = n, .max = n, .rib = rib};
	struct static_job job = {0};

	while (!static_refresh_step(&job, &s, ifaces, ifaces_n, t, n + 1))
		;
	return job.result;
}

void static_withdraw(
	struct static_route *route, unsigned n, struct rib *rib, struct nexthop_table *t)
{
	for (unsigned i = 0; i < n; i++) {
		struct set s = {&route[i], 1};

		if (route[i].installed)
			set_remove(&s, rib, t);
	}
}
