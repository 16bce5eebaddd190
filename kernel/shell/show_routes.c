/* show routes, neighbors and fib: what the tables hold. */
#include <stdio.h>
#include <string.h>

#include "kernel/publish.h"
#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "lib/text.h"

static const struct column route_columns[] = {
	{"source", -10}, {"prefix", -18}, {"next_hop", -16}, {"interface", -10}, {"state", -1}};

/* Which routes are wanted, and how far they have been shown; one `show` at a time. */
static struct route_cursor {
	uint32_t prefix, mask;
	uint8_t length; /* only routes at least this long */
	bool begun;     /* `last` is right */
	bool rib_done;
	uint32_t waiting;   /* index in the static routes */
	struct route4 last; /* the last one shown; it may be gone since */
} cursor;

static const char *source_name(uint8_t source)
{
	static const char *const name[] = {
		[RIB_LOCAL] = "local",
		[RIB_CONNECTED] = "connected",
		[RIB_NEIGHBOR] = "neighbor",
		[RIB_STATIC] = "static",
	};

	return source < sizeof name / sizeof *name ? name[source] : "unknown";
}

static const char *action_name(unsigned action)
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
	case NEXTHOP_GROUP:
		return "group";
	default:
		return "none";
	}
}

static void show_next_hop(struct output *o, const struct router *r, uint32_t index)
{
	const struct nexthop *n = &r->nexthops.nexthop[index < NEXTHOP_MAX ? index : 0];
	char text[TEXT_IPV4_MAX];

	if (n->action != NEXTHOP_RESOLVE && n->action != NEXTHOP_RECURSIVE) {
		output_text(o, NULL, "%s", action_name(n->action));
		output_none(o, NULL);
		return;
	}
	text_print_ipv4(text, n->gateway);
	output_text(o, NULL, "%s", n->gateway ? text : "direct");
	if (n->action == NEXTHOP_RESOLVE)
		output_text(o, NULL, "%s", shell_port_name(n->port));
	else
		output_none(o, NULL);
}

/* Of routes to one prefix the best is used. */
static void show_route(struct output *o, const struct router *r, const struct route4 *route)
{
	bool active = rib4_match_upto(&r->rib, route->prefix, route->length) == route;
	char prefix[TEXT_PREFIX_MAX];

	text_print_ipv4_prefix(prefix, route->prefix, route->length);
	output_row(o);
	output_text(o, NULL, "%s", source_name(route->source));
	output_text(o, NULL, "%s", prefix);
	show_next_hop(o, r, route->nexthop);
	output_text(o, NULL, "%s", active ? "active" : "shadowed");
	output_close(o);
}

static bool wanted(uint32_t prefix, uint8_t length)
{
	return (prefix & cursor.mask) == cursor.prefix && length >= cursor.length;
}

/* At most *rows of the RIB. true: those were the last. */
static bool show_rib(struct output *o, const struct router *r, unsigned *rows)
{
	const struct route4 *route;

	while (!cursor.rib_done && *rows > 0) {
		route = cursor.begun ? rib4_next(&r->rib, &cursor.last)
				     : rib4_from(&r->rib, cursor.prefix, cursor.length);
		cursor.rib_done = !route || !wanted(route->prefix, route->length);
		if (cursor.rib_done)
			break;
		--*rows;
		show_route(o, r, route);
		cursor.last = *route;
		cursor.begun = true;
	}
	return cursor.rib_done;
}

static void show_waiting_route(struct output *o, const struct static4 *s)
{
	char prefix[TEXT_PREFIX_MAX], gateway[TEXT_IPV4_MAX];

	text_print_ipv4_prefix(prefix, s->prefix, s->length);
	text_print_ipv4(gateway, s->gateway);
	output_row(o);
	output_text(o, NULL, "%s", source_name(RIB_STATIC));
	output_text(o, NULL, "%s", prefix);
	output_text(o, NULL, "%s", s->kind == STATIC4_VIA ? gateway : "none");
	output_none(o, NULL);
	output_text(o, NULL, "waiting");
	output_close(o);
}

/* At most *rows static routes whose gateway cannot be reached now. true: those were the last. */
static bool show_waiting(struct output *o, const struct router *r, unsigned *rows)
{
	for (; cursor.waiting < r->statics_n; cursor.waiting++) {
		const struct static4 *s = &r->statics[cursor.waiting];

		if (s->installed || !wanted(s->prefix, s->length))
			continue;
		if (*rows == 0)
			return false;
		--*rows;
		show_waiting_route(o, s);
	}
	return true;
}

static void show_match(struct output *o, const struct router *r, uint32_t address)
{
	const struct route4 *route = rib4_match(&r->rib, address, false);

	if (route)
		show_route(o, r, route);
}

bool show_routes(struct call *call)
{
	const struct router *r = call->env->router;
	const char *what = call_word(call, 2);
	struct output *o = call->out;
	uint32_t address = 0;
	unsigned length = 0;
	bool done = true;

	if (what)
		text_parse_ipv4_prefix(what, &address, &length);
	if (call->step == 0) {
		cursor = (struct route_cursor){
			.prefix = address, .mask = rib4_mask(length), .length = (uint8_t)length};
		output_table(
			o, "routes", route_columns, sizeof route_columns / sizeof *route_columns);
	}
	if (what && text_parse_ipv4(what, &address)) {
		show_match(o, r, address);
	} else {
		unsigned rows = SHOW_SLICE;

		done = show_rib(o, r, &rows) && show_waiting(o, r, &rows);
	}
	if (done)
		output_close(o);
	return done;
}

static void show_neighbor(struct output *o, const struct arp_entry *e, uint64_t now_ms)
{
	char address[TEXT_IPV4_MAX], mac[TEXT_MAC_MAX];

	text_print_ipv4(address, e->address);
	text_print_mac(mac, e->mac);
	output_row(o);
	output_text(o, NULL, "%s", address);
	output_text(o, NULL, "%s", shell_port_name(e->port));
	if (e->state == ARP_INCOMPLETE || e->state == ARP_FAILED)
		output_none(o, NULL);
	else
		output_text(o, NULL, "%s", mac);
	output_text(o, NULL, "%s", arp_state_name(e->state));
	output_number(o, NULL, now_ms > e->since_ms ? (now_ms - e->since_ms) / 1000 : 0);
	output_close(o);
}

/* A slice is as many entries of the table, free ones included, as cost little to look at. */
bool show_neighbors(struct call *call)
{
	static const struct column columns[] = {
		{"address", -16}, {"interface", -10}, {"mac", -18}, {"state", -12}, {"age_s", 6}};
	const struct arp_table *arp = &call->env->router->stack.arp;
	uint64_t now_ms = call->env->now_us(call->env->ctx) / 1000;
	unsigned first = call->step * SHOW_SLICE, end = first + SHOW_SLICE;

	if (call->step == 0)
		output_table(call->out, "neighbors", columns, sizeof columns / sizeof *columns);
	for (unsigned i = first; i < end && i < NEIGHBOR_MAX; i++)
		if (arp->entry[i].state != ARP_FREE)
			show_neighbor(call->out, &arp->entry[i], now_ms);
	if (end < NEIGHBOR_MAX)
		return false;
	output_close(call->out);
	return true;
}

bool show_fib(struct call *call)
{
	const struct router *r = call->env->router;
	uint64_t now = call->env->now_us(call->env->ctx);
	struct output *o = call->out;
	struct publish_stats p;
	struct fib4_stats f;

	publish_stats(r, &p);
	fib4_stats(r->fib4, &f);
	output_number(o, "routes", r->rib.rib.count);
	output_number(o, "bytes", f.bytes);
	output_number(o, "generation", r->rib.rib.generation);
	output_text(o, "current", "%s",
		p.current   ? "yes"
		: p.no_room ? "no room"
			    : "being updated");
	output_number(o, "age_s", now > p.update_us ? (now - p.update_us) / 1000000 : 0);
	output_number(o, "build_us", p.build_took_us);
	return true;
}
