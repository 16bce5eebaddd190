/* Reads tables of routes given at boot. */
#include "kernel/routefile.h"

#include <string.h>

#include "kernel/log.h"
#include "kernel/router.h"
#include "net/table/resolve4.h"
#include "net/table/resolve6.h"
#include "net/table/route_text.h"

#define TOLD_MAX 8u /* wrong lines named in the log */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strcspn(name, " "), k = strlen(suffix); /* a loader may add arguments */

	return n >= k && !memcmp(name + n - k, suffix, k);
}

bool routefile_is(const char *name, const char *text, size_t n)
{
	if (has_suffix(name, ".routes"))
		return true;
	struct route_text reader = {.at = text, .end = text + n};
	struct route_line first;

	return route_text_next(&reader, &first);
}

/* ---- one route ---- */

static const char *why(enum err err)
{
	switch (err) {
	case ERR_OK:
		return NULL;
	case ERR_EXISTS:
		return "a second line for this prefix";
	case ERR_FULL:
		return "no room";
	default:
		return "not a route";
	}
}

static enum err add4(struct router *r, const struct route_line *l, uint32_t nexthop)
{
	return rib4_add(&r->rib, &(struct route4){.nexthop = nexthop,
					 .length = l->length,
					 .source = RIB_FILE,
					 .distance = 1,
					 .prefix = (uint32_t)(l->prefix.hi >> 32)});
}

static enum err add6(struct router *r, const struct route_line *l, uint32_t nexthop)
{
	return rib6_add(&r->rib6, &(struct route6){.nexthop = nexthop,
					  .length = l->length,
					  .source = RIB_FILE,
					  .distance = 1,
					  .prefix = l->prefix});
}

/* The next hop of a line, with a reference; gateways are resolved at the end. */
static enum err line_nexthop(struct router *r, const struct route_line *l, uint32_t *index)
{
	if (l->family == 4)
		return nexthop_get_recursive(&r->nexthops, (uint32_t)(l->gateway.hi >> 32), index);
	if (!ip6_is_link_local(l->gateway))
		return nexthop_get_recursive6(&r->nexthops, l->gateway, index);
	for (unsigned port = 0; port < r->ports; port++) {
		const struct iface *i = &r->iface[port];

		if (strcmp(i->name, l->dev) == 0)
			return nexthop_get6(&r->nexthops, NEXTHOP_RESOLVE, port, l->gateway, i->mac,
				i->mtu, index);
	}
	return ERR_NOT_FOUND;
}

static const char *add(struct router *r, const struct route_line *l)
{
	uint32_t index;

	enum err err = line_nexthop(r, l, &index);

	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? "a link-local gateway, and no such interface"
					    : "too many different next hops";
	err = l->family == 6 ? add6(r, l, index) : add4(r, l, index);

	if (err != ERR_OK)
		nexthop_put(&r->nexthops, index);
	return why(err);
}

/* ---- the whole ---- */

struct routefile_result routefile_load(
	struct router *r, const char *name, const char *text, size_t n)
{
	struct route_text reader = {.at = text, .end = text + n};
	struct routefile_result result = {0, 0};
	struct route_line route;

	for (;;) {
		bool good = route_text_next(&reader, &route);

		if (!good && !reader.error)
			break;
		const char *wrong = good ? add(r, &route) : reader.error;

		if (!wrong)
			result.routes++;
		else if (result.wrong++ < TOLD_MAX)
			log_text("routes %s: line %u: %s", name, (unsigned)reader.line, wrong);
	}
	if (result.wrong > TOLD_MAX)
		log_text("routes %s: %u more lines are wrong", name,
			(unsigned)(result.wrong - TOLD_MAX));
	resolve4_refresh(&r->rib, &r->nexthops);
	resolve6_refresh(&r->rib6, &r->nexthops);
	return result;
}
