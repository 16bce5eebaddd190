/* Files of routes: reading, order, and the longest match. */
#include "tools/pktgen/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "net/table/route_text.h"

/* ---- reading ---- */

/* `PREFIX INDEX`, as tables without gateways are kept. false: not such a line. */
static bool indexed(
	const char *at, const char *end, const struct address *base, struct route_line *route)
{
	char digits[12];
	size_t n = 0;
	uint64_t index;

	if (!base->family || route_text_prefix(&at, end, route))
		return false;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (at < end && *at >= '0' && *at <= '9' && n + 1 < sizeof digits)
		digits[n++] = *at++;
	digits[n] = '\0';
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	if (at != end || !text_parse_number(digits, 0, 0xffffffff, &index))
		return false;
	route->gateway = base->ip;
	if (base->family == 4)
		route->gateway.hi += index << 32;
	else
		route->gateway.lo += index;
	return route->family == base->family;
}

static bool grow(struct routes *r, uint32_t *room)
{
	if (r->count < *room)
		return true;
	*room = *room ? 2 * *room : 4096;

	struct routes_entry *larger = realloc(r->entry, *room * sizeof *larger);

	if (larger)
		r->entry = larger;
	return larger != NULL;
}

static int order(const void *a, const void *b)
{
	const struct routes_entry *x = a, *y = b;

	if (!ip6_equal(x->prefix, y->prefix))
		return ip6_less(x->prefix, y->prefix) ? -1 : 1;
	return (int)x->length - (int)y->length;
}

/* One entry for each prefix, and each its parent: the open prefixes are a chain of parents. */
static void arrange(struct routes *r)
{
	uint32_t kept = 0, open = ROUTES_NONE;

	qsort(r->entry, r->count, sizeof *r->entry, order);
	for (uint32_t i = 0; i < r->count; i++) {
		struct routes_entry e = r->entry[i];
		struct routes_entry *last = kept ? &r->entry[kept - 1] : NULL;

		if (last && order(last, &e) == 0) {
			last->several |= !ip6_equal(last->gateway, e.gateway);
			continue;
		}
		while (open != ROUTES_NONE &&
			!ip6_agree(e.prefix, r->entry[open].prefix, r->entry[open].length))
			open = r->entry[open].parent;
		e.parent = open;
		open = kept;
		r->entry[kept++] = e;
	}
	r->count = kept;
}

const char *routes_read(struct routes *r, const char *text, size_t n, uint8_t family,
	const struct address *base, uint32_t *line)
{
	const char *end = text + n;
	uint32_t room = 0;

	*r = (struct routes){NULL, 0};
	*line = 0;
	for (const char *at = text; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		struct route_text one = {.at = at, .end = stop};
		struct route_line route;

		++*line;
		if (!indexed(at, stop, base, &route) && !route_text_next(&one, &route)) {
			if (one.error)
				return one.error;
			at = stop + 1; /* empty, or a comment */
			continue;
		}
		at = stop + 1;
		if (route.family != family)
			continue;
		if (!grow(r, &room))
			return "no memory";
		r->entry[r->count++] = (struct routes_entry){
			.prefix = ip6_first(route.prefix, route.length),
			.gateway = route.gateway,
			.length = route.length,
		};
	}
	if (!r->count)
		return "no route of this family";
	arrange(r);
	return NULL;
}

void routes_free(struct routes *r)
{
	free(r->entry);
	*r = (struct routes){NULL, 0};
}

/* ---- files ---- */

static char *read_all(FILE *f, size_t *n)
{
	size_t room = 0, have = 0;
	char *text = NULL;

	do {
		char *larger = realloc(text, room += room + (1 << 20));

		if (!larger) {
			free(text);
			return NULL;
		}
		text = larger;
		have += fread(text + have, 1, room - have, f);
	} while (have == room);
	*n = have;
	return text;
}

bool routes_file(struct routes *r, const char *name, uint8_t family, const struct address *base,
	char *error, size_t room)
{
	size_t n = strlen(name), bytes = 0;
	bool packed = n > 3 && strcmp(name + n - 3, ".gz") == 0;
	char command[512];
	const char *why = NULL;
	uint32_t line;

	if (packed && (strchr(name, '\'') || *name == '-'))
		return snprintf(error, room, "%s: not a name for gzip", name), false;
	snprintf(command, sizeof command, "gzip -dc '%s'", name);

	FILE *f = packed ? popen(command, "r") : fopen(name, "r");
	char *text = f ? read_all(f, &bytes) : NULL;

	if (f && (packed ? pclose(f) : fclose(f)) != 0)
		why = "cannot be read";
	if (!text || why)
		return free(text), snprintf(error, room, "%s: cannot be read", name), false;
	why = routes_read(r, text, bytes, family, base, &line);
	free(text);
	if (why) {
		routes_free(r);
		snprintf(error, room, "%s:%u: %s", name, line, why);
	}
	return !why;
}

/* ---- look-up ---- */

uint32_t routes_match(const struct routes *r, struct ip6 address)
{
	uint32_t low = 0, high = r->count;

	/* The last prefix that begins at or before the address, then outwards. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ip6_less(address, r->entry[middle].prefix))
			high = middle;
		else
			low = middle + 1;
	}
	for (uint32_t i = low ? low - 1 : ROUTES_NONE; i != ROUTES_NONE; i = r->entry[i].parent)
		if (ip6_agree(address, r->entry[i].prefix, r->entry[i].length))
			return i;
	return ROUTES_NONE;
}
