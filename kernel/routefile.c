/* Reads tables of routes given at boot. */
#include "kernel/routefile.h"

#include <string.h>

#include "kernel/log.h"
#include "kernel/router.h"
#include "net/table/resolve4.h"
#include "net/table/routeline.h"

#define TOLD_MAX 8u /* wrong lines named in the log */

/* Takes a line off the front of a text; returns it, without its end. */
static const char *take_line(const char **text, size_t *left, size_t *n)
{
	const char *line = *text, *end = memchr(line, '\n', *left);
	size_t whole = end ? (size_t)(end - line) + 1 : *left;

	*n = end ? whole - 1 : whole;
	*text += whole;
	*left -= whole;
	return line;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strcspn(name, " "), k = strlen(suffix); /* a loader may add arguments */

	return n >= k && !memcmp(name + n - k, suffix, k);
}

bool routefile_is(const char *name, const char *text, size_t n)
{
	if (has_suffix(name, ".routes"))
		return true;
	while (n) {
		struct routeline route;
		size_t length;
		const char *line = take_line(&text, &n, &length);
		const char *wrong = routeline_parse(&route, line, length);

		if (wrong || !route.blank)
			return !wrong;
	}
	return false;
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

static enum err add4(struct router *r, const struct routeline *l, uint32_t nexthop)
{
	return rib4_add(&r->rib, &(struct route4){.nexthop = nexthop,
					 .length = l->length,
					 .source = RIB_FILE,
					 .distance = 1,
					 .prefix = (uint32_t)(l->prefix.hi >> 32)});
}

static enum err add6(struct router *r, const struct routeline *l, uint32_t nexthop)
{
	return rib6_add(&r->rib6, &(struct route6){.nexthop = nexthop,
					  .length = l->length,
					  .source = RIB_FILE,
					  .distance = 1,
					  .prefix = l->prefix});
}

/* The next hop of a line, with a reference; gateways are resolved at the end. */
static enum err line_nexthop(struct router *r, const struct routeline *l, uint32_t *index)
{
	enum nexthop_action action = (enum nexthop_action)l->action;

	if (action == NEXTHOP_RESOLVE && !l->ipv6)
		return nexthop_get_recursive(&r->nexthops, (uint32_t)(l->gateway.hi >> 32), index);
	if (action == NEXTHOP_RESOLVE)
		action = NEXTHOP_UNREACHABLE;
	return nexthop_get(&r->nexthops, action, 0, 0, NULL, 0, index);
}

static const char *add(struct router *r, const struct routeline *l)
{
	uint32_t index;

	if (line_nexthop(r, l, &index) != ERR_OK)
		return "too many different next hops";
	enum err err = l->ipv6 ? add6(r, l, index) : add4(r, l, index);

	if (err != ERR_OK)
		nexthop_put(&r->nexthops, index);
	return why(err);
}

/* ---- the whole ---- */

struct routefile_result routefile_load(
	struct router *r, const char *name, const char *text, size_t n)
{
	struct routefile_result result = {0, 0};
	uint32_t number = 0;

	while (n) {
		struct routeline route;
		size_t length;
		const char *line = take_line(&text, &n, &length);
		const char *wrong = routeline_parse(&route, line, length);

		number++;
		if (!wrong && route.blank)
			continue;
		if (!wrong)
			wrong = add(r, &route);
		if (!wrong)
			result.routes++;
		else if (result.wrong++ < TOLD_MAX)
			log_text("routes %s: line %u: %s", name, (unsigned)number, wrong);
	}
	if (result.wrong > TOLD_MAX)
		log_text("routes %s: %u more lines are wrong", name,
			(unsigned)(result.wrong - TOLD_MAX));
	resolve4_refresh(&r->rib, &r->nexthops);
	return result;
}
