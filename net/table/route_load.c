/* Reads tables of routes: the lines of a prefix are gathered, then become one route. */
#include "net/table/route_load.h"

#include <string.h>

#include "lib/text.h"
#include "net/table/route_text.h"

/* The lines of one prefix. */
struct set {
	struct route_line first;
	uint32_t line; /* number of the first */
	unsigned members;
	struct nexthop_member member[GROUP_MEMBERS];
};

static void wrong(struct route_load *l, uint32_t line, const char *why)
{
	l->wrong_lines++;
	l->wrong(l->ctx, line, why);
}

/* ---- one line ---- */

/* `ethN` of a port there is; "" is any. */
static bool line_port(const struct route_load *l, const struct route_line *r, unsigned *port)
{
	uint64_t number;

	*port = NEXTHOP_ANY_PORT;
	if (!r->dev[0])
		return true;
	if (memcmp(r->dev, "eth", 3) != 0 || !l->ports ||
		!text_parse_number(r->dev + 3, 0, l->ports - 1, &number))
		return false;
	*port = (unsigned)number;
	return true;
}

/* The next hop of a line, with a reference. */
static enum err line_nexthop(
	struct route_load *l, const struct route_line *r, unsigned port, uint32_t *index)
{
	if (r->family == 4)
		return nexthop_get_recursive(
			l->nexthops, (uint32_t)(r->gateway.hi >> 32), port, index);
	return nexthop_get_recursive6(l->nexthops, r->gateway, port, index);
}

/* Adds a line to the set of its prefix. What is wrong with it, or NULL. */
static const char *set_add(struct route_load *l, struct set *s, const struct route_line *r)
{
	unsigned port;
	uint32_t index;

	if (s->members == GROUP_MEMBERS)
		return "too many gateways for one prefix";
	if (!line_port(l, r, &port))
		return "there is no such interface";
	if (r->family == 6 && ip6_is_link_local(r->gateway))
		return "a link-local gateway, for which there is 'set routes'";
	if (line_nexthop(l, r, port, &index) != ERR_OK)
		return "too many different next hops";
	s->member[s->members++] = (struct nexthop_member){(uint16_t)index, r->weight};
	return NULL;
}

/* ---- one prefix ---- */

static enum err add_route(struct route_load *l, const struct route_line *r, uint32_t nexthop)
{
	if (r->family == 6)
		return rib6_add(l->rib6, &(struct route6){.nexthop = nexthop,
						 .length = r->length,
						 .source = RIB_FILE,
						 .distance = 1,
						 .prefix = r->prefix});
	return rib4_add(l->rib4, &(struct route4){.nexthop = nexthop,
					 .length = r->length,
					 .source = RIB_FILE,
					 .distance = 1,
					 .prefix = (uint32_t)(r->prefix.hi >> 32)});
}

static const char *why(enum err err)
{
	switch (err) {
	case ERR_OK:
		return NULL;
	case ERR_EXISTS:
		return "this prefix stands further up: its lines must stand together";
	case ERR_FULL:
		return "no room";
	default:
		return "not a route";
	}
}

/* The one next hop of a set, with a reference; the members' own are given up. */
static enum err set_nexthop(struct route_load *l, const struct set *s, uint32_t *index)
{
	enum err err = ERR_OK;

	*index = s->member[0].index;
	if (s->members > 1)
		err = nexthop_get_group(l->nexthops, s->member, s->members, index);
	else
		l->nexthops->nexthop[*index].refs++;
	for (unsigned i = 0; i < s->members; i++)
		nexthop_put(l->nexthops, s->member[i].index);
	return err;
}

/* The set becomes a route; it is empty then. */
static void set_end(struct route_load *l, struct set *s)
{
	uint32_t index;

	if (!s->members)
		return;
	enum err err = set_nexthop(l, s, &index);

	if (err == ERR_OK) {
		err = add_route(l, &s->first, index);
		if (err != ERR_OK)
			nexthop_put(l->nexthops, index);
	}
	if (err != ERR_OK)
		wrong(l, s->line, why(err));
	else if (s->first.family == 4)
		l->routes4++;
	else
		l->routes6++;
	s->members = 0;
}

static bool set_holds(const struct set *s, const struct route_line *r)
{
	return s->members && s->first.family == r->family && s->first.length == r->length &&
	       ip6_equal(s->first.prefix, r->prefix);
}

void route_load_text(struct route_load *l, const char *text, size_t n)
{
	struct route_text reader = {.at = text, .end = text + n};
	struct set set = {.members = 0};
	struct route_line line;

	for (;;) {
		bool good = route_text_next(&reader, &line);
		const char *error = reader.error;

		if (!good && !error)
			break;
		if (good && !set_holds(&set, &line)) {
			set_end(l, &set);
			set.first = line;
			set.line = reader.line;
		}
		if (good)
			error = set_add(l, &set, &line);
		if (error)
			wrong(l, reader.line, error);
	}
	set_end(l, &set);
}
