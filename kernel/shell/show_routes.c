/* show routes: what the routing tables hold, route by route or as a summary. */
#include <stdio.h>
#include <string.h>

#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "lib/text.h"
#include "lib/text6.h"

#define LIST_MAX      1000u /* more routes: `show routes` alone prints the summary */
#define SUMMARY_SLICE 256u  /* routes counted before others may run */

static const struct column route_columns[] = {
	{"source", -10}, {"prefix", -18}, {"next_hop", -16}, {"interface", -10}, {"state", -1}};
static const struct column counted_columns[] = {{"source", -10}, {"prefix", -18}, {"next_hop", -16},
	{"interface", -10}, {"state", -12}, {"packets", 12}, {"bytes", 16}};

/* Which routes are wanted, and how far they have been shown; one `show` at a time. */
static struct route_cursor {
	bool four, six;    /* families still to come */
	bool begun;        /* of the family under way; then `last` is right */
	struct ip6 prefix; /* only routes inside it; an IPv4 prefix is the top 32 bits */
	uint8_t length;
	uint32_t waiting; /* index in the static routes */
	union {           /* the last one shown; it may be gone since */
		struct route4 last4;
		struct route6 last6;
	};
} cursor;

/* For the summary. */
static struct route_sums {
	uint32_t four[33], six[129];
} sums;

const char *shell_source_name(uint8_t source)
{
	static const char *const name[] = {
		[RIB_LOCAL] = "local",
		[RIB_CONNECTED] = "connected",
		[RIB_NEIGHBOR] = "neighbor",
		[RIB_STATIC] = "static",
		[RIB_FILE] = "file",
	};

	return source < sizeof name / sizeof *name ? name[source] : "unknown";
}

const char *shell_action_name(unsigned action)
{
	switch (action) {
	case NEXTHOP_LOCAL:
		return "local";
	case NEXTHOP_BLACKHOLE:
		return "blackhole";
	case NEXTHOP_UNREACHABLE:
		return "unreachable";
	case NEXTHOP_PROHIBIT:
		return "prohibit";
	case NEXTHOP_BROADCAST:
		return "broadcast";
	default:
		return "none";
	}
}

/* ---- one route ---- */

/* Columns next_hop and interface. false: the next hop is a gateway that nothing leads to now. */
static bool show_next_hop(struct output *o, const struct router *r, uint32_t index)
{
	const struct nexthop_table *t = &r->nexthops;
	const struct nexthop *n = &t->nexthop[index < NEXTHOP_MAX ? index : 0], *to = n;
	char text[TEXT_IPV6_MAX];

	if (n->action != NEXTHOP_RESOLVE && n->action != NEXTHOP_RECURSIVE) {
		output_text(o, NULL, "%s", shell_action_name(n->action));
		output_none(o, NULL);
		return true;
	}
	if (ip6_is_zero(n->gateway6))
		text_print_ipv4(text, n->gateway);
	else
		text_print_ipv6(text, n->gateway6.hi, n->gateway6.lo);
	output_text(o, NULL, "%s", n->gateway ? text : "direct");
	if (n->action == NEXTHOP_RECURSIVE)
		to = &t->nexthop[nexthop_pick(t, index, 0)];
	if (to->action == NEXTHOP_RESOLVE)
		output_text(o, NULL, "%s", shell_iface_name(to->port));
	else
		output_none(o, NULL);
	return to != n || n->action == NEXTHOP_RESOLVE;
}

/* What a route of a group of recursive next hops counts its members do not tell. */
static void show_count(struct output *o, const struct router *r, uint32_t index, bool of_group)
{
	if (!r->counts_nexthops)
		return;
	if (!of_group || r->nexthops.nexthop[index].action != NEXTHOP_RECURSIVE) {
		shell_output_count(o, r, index);
		return;
	}
	output_none(o, NULL);
	output_none(o, NULL);
}

/* A row per next hop: those of equal cost have one each. Returns how many. */
static unsigned show_route(struct output *o, const struct router *r, const struct route *route,
	const char *prefix, bool active)
{
	const struct nexthop *n = &r->nexthops.nexthop[route->nexthop];
	const struct nexthop_group *group =
		n->action == NEXTHOP_GROUP ? &r->nexthops.group[n->group] : NULL;
	unsigned rows = 0;

	for (unsigned i = 0; i < (group ? group->members : 1); i++) {
		if (group && group->member[i].index == NEXTHOP_NONE)
			continue; /* a path that cannot be used now */
		rows++;
		output_row(o);
		output_text(o, NULL, "%s", shell_source_name(route->source));
		output_text(o, NULL, "%s", prefix);
		uint32_t index = group ? group->member[i].index : route->nexthop;
		bool reachable = show_next_hop(o, r, index);

		output_text(o, NULL, "%s",
			!active     ? "shadowed"
			: reachable ? "active"
				    : "unreachable");
		show_count(o, r, index, group != NULL);
		output_close(o);
	}
	return rows;
}

/* Of routes to one prefix the best is used. */
static unsigned show_route4(struct output *o, const struct router *r, const struct route4 *route)
{
	bool active = rib4_match_upto(&r->rib, route->prefix, route->length) == route;
	char prefix[TEXT_PREFIX_MAX];

	text_print_ipv4_prefix(prefix, route->prefix, route->length);
	return show_route(o, r, (const struct route *)route, prefix, active);
}

static unsigned show_route6(struct output *o, const struct router *r, const struct route6 *route)
{
	bool active = rib6_match_upto(&r->rib6, route->prefix, route->length) == route;
	char prefix[TEXT_IPV6_PREFIX_MAX];

	text_print_ipv6_prefix(prefix, route->prefix.hi, route->prefix.lo, route->length);
	return show_route(o, r, (const struct route *)route, prefix, active);
}

/* ---- routes in order ---- */

static bool wanted(struct ip6 prefix, uint8_t length)
{
	return length >= cursor.length && ip6_agree(prefix, cursor.prefix, cursor.length);
}

/* The next wanted route of the family under way, or NULL. */
static const struct route4 *next_route4(const struct router *r)
{
	const struct route4 *route =
		cursor.begun
			? rib4_next(&r->rib, &cursor.last4)
			: rib4_from(&r->rib, (uint32_t)(cursor.prefix.hi >> 32), cursor.length);

	return route && wanted(rib4_key(route->prefix), route->length) ? route : NULL;
}

static const struct route6 *next_route6(const struct router *r)
{
	const struct route6 *route = cursor.begun
					     ? rib6_next(&r->rib6, &cursor.last6)
					     : rib6_from(&r->rib6, cursor.prefix, cursor.length);

	return route && wanted(route->prefix, route->length) ? route : NULL;
}

static void use_rows(unsigned *rows, unsigned used)
{
	*rows -= used < *rows ? used : *rows;
}

/*
 * Calls for one route after another, until they have used up *rows rows (the
 * last one may take more). true: there are no more.
 */
static bool walk_routes(const struct router *r, unsigned *rows,
	unsigned (*four)(const struct router *r, const struct route4 *route),
	unsigned (*six)(const struct router *r, const struct route6 *route))
{
	while (cursor.four && *rows > 0) {
		const struct route4 *route = next_route4(r);

		cursor.four = cursor.begun = route != NULL;
		if (!route)
			break;
		use_rows(rows, four(r, route));
		cursor.last4 = *route;
	}
	while (!cursor.four && cursor.six && *rows > 0) {
		const struct route6 *route = next_route6(r);

		cursor.six = cursor.begun = route != NULL;
		if (!route)
			break;
		use_rows(rows, six(r, route));
		cursor.last6 = *route;
	}
	return !cursor.four && !cursor.six;
}

static struct output *out; /* of the `show` under way */

static unsigned list4(const struct router *r, const struct route4 *route)
{
	return show_route4(out, r, route);
}

static unsigned list6(const struct router *r, const struct route6 *route)
{
	return show_route6(out, r, route);
}

/* ---- routes whose gateway cannot be reached now ---- */

static void show_waiting_route(
	struct output *o, const char *prefix, const char *gateway, bool counted)
{
	output_row(o);
	output_text(o, NULL, "%s", shell_source_name(RIB_STATIC));
	output_text(o, NULL, "%s", prefix);
	output_text(o, NULL, "%s", gateway);
	output_none(o, NULL);
	output_text(o, NULL, "waiting");
	for (unsigned i = 0; counted && i < 2; i++)
		output_none(o, NULL);
	output_close(o);
}

static bool show_waiting_one(struct output *o, const struct static_route *s, bool six, bool counted)
{
	char prefix[TEXT_IPV6_PREFIX_MAX], gateway[TEXT_IPV6_MAX];

	if (s->installed || !wanted(s->prefix, s->length))
		return false;
	if (six) {
		text_print_ipv6_prefix(prefix, s->prefix.hi, s->prefix.lo, s->length);
		text_print_ipv6(gateway, s->gateway.hi, s->gateway.lo);
	} else {
		text_print_ipv4_prefix(prefix, (uint32_t)(s->prefix.hi >> 32), s->length);
		text_print_ipv4(gateway, (uint32_t)(s->gateway.hi >> 32));
	}
	show_waiting_route(o, prefix, s->kind == STATIC_VIA ? gateway : "none", counted);
	return true;
}

/* At most *rows of them. true: those were the last. */
static bool show_waiting(
	struct output *o, const struct router *r, unsigned *rows, bool four, bool six)
{
	bool counted = r->counts_nexthops;

	for (; cursor.waiting < r->statics.n + r->statics6.n; cursor.waiting++) {
		uint32_t i = cursor.waiting;

		if (*rows == 0)
			return false;
		if (i < r->statics.n)
			*rows -= four && show_waiting_one(o, &r->statics.route[i], false, counted);
		else
			*rows -= six && show_waiting_one(o, &r->statics6.route[i - r->statics.n],
						true, counted);
	}
	return true;
}

/* ---- the summary ---- */

static unsigned count4(const struct router *r, const struct route4 *route)
{
	sums.four[route->length]++;
	return 1;
}

static unsigned count6(const struct router *r, const struct route6 *route)
{
	sums.six[route->length]++;
	return 1;
}

static void summary_sources(struct output *o, const struct router *r)
{
	static const struct column columns[] = {{"family", -7}, {"source", -10}, {"routes", 9}};

	output_table(o, "sources", columns, sizeof columns / sizeof *columns);
	for (unsigned family = 0; family < 2; family++) {
		const struct rib *rib = family ? &r->rib6.rib : &r->rib.rib;

		for (unsigned source = 0; source < RIB_SOURCES; source++) {
			if (!rib->count_of[source])
				continue;
			output_row(o);
			output_text(o, NULL, "%s", family ? "IPv6" : "IPv4");
			output_text(o, NULL, "%s", shell_source_name((uint8_t)source));
			output_number(o, NULL, rib->count_of[source]);
			output_close(o);
		}
	}
	output_close(o);
}

static void summary_lengths(struct output *o)
{
	static const struct column columns[] = {{"family", -7}, {"length", 6}, {"routes", 13}};

	output_table(o, "lengths", columns, sizeof columns / sizeof *columns);
	for (unsigned i = 0; i < 33 + 129; i++) {
		uint32_t routes = i < 33 ? sums.four[i] : sums.six[i - 33];

		if (!routes)
			continue;
		output_row(o);
		output_text(o, NULL, "%s", i < 33 ? "IPv4" : "IPv6");
		output_number(o, NULL, i < 33 ? i : i - 33);
		output_number(o, NULL, routes);
		output_close(o);
	}
	output_close(o);
}

/* Counts all routes a slice at a time, then prints. */
bool show_routes_summary(struct call *call)
{
	const struct router *r = call->env->router;
	unsigned rows = SUMMARY_SLICE;

	if (call->step == 0) {
		cursor = (struct route_cursor){.four = true, .six = true};
		sums = (struct route_sums){0};
	}
	if (!walk_routes(r, &rows, count4, count6))
		return false;
	summary_sources(call->out, r);
	summary_lengths(call->out);
	return true;
}

/* ---- the command ---- */

/* The longest match; true: `what` is an address. */
static bool show_match(struct output *o, const struct router *r, const char *what)
{
	struct ip6 ip;
	uint32_t ipv4;

	if (text_parse_ipv4(what, &ipv4)) {
		const struct route4 *route = rib4_match(&r->rib, ipv4, false);

		if (route)
			show_route4(o, r, route);
		return true;
	}
	if (text_parse_ipv6(what, &ip.hi, &ip.lo)) {
		const struct route6 *route = rib6_match(&r->rib6, ip, false);

		if (route)
			show_route6(o, r, route);
		return true;
	}
	return false;
}

static void begin_table(struct output *o, bool counted)
{
	if (counted)
		output_table(o, "routes", counted_columns,
			sizeof counted_columns / sizeof *counted_columns);
	else
		output_table(
			o, "routes", route_columns, sizeof route_columns / sizeof *route_columns);
}

static void begin_list(const char *what)
{
	uint32_t prefix;
	unsigned length = 0;

	cursor = (struct route_cursor){.four = true, .six = true};
	if (!what)
		return;
	if (text_parse_ipv4_prefix(what, &prefix, &length)) {
		cursor.prefix = rib4_key(prefix);
		cursor.six = false;
	} else if (text_parse_ipv6_prefix(what, &cursor.prefix.hi, &cursor.prefix.lo, &length)) {
		cursor.four = false;
	}
	cursor.length = (uint8_t)length;
}

bool show_routes(struct call *call)
{
	const struct router *r = call->env->router;
	const char *what = call_word(call, 2);
	static bool summary, four, six;
	unsigned rows = SHOW_SLICE;
	bool done;

	if (call->step == 0)
		summary = !what && r->rib.rib.count + r->rib6.rib.count > LIST_MAX;
	if (summary)
		return show_routes_summary(call);
	if (call->step == 0) {
		begin_table(call->out, r->counts_nexthops);
		begin_list(what);
		four = cursor.four;
		six = cursor.six;
	}
	out = call->out;
	done = (what && show_match(out, r, what)) ||
	       (walk_routes(r, &rows, list4, list6) && show_waiting(out, r, &rows, four, six));
	if (done)
		output_close(out);
	return done;
}
