/* The routing tables of IPv4 and of IPv6, as typed calls of the one for either. */
#include "net/table/rib_any.h"

#define SAME_HEAD(type)                                                                            \
	_Static_assert(                                                                            \
		offsetof(struct type, nexthop) == offsetof(struct route, nexthop) &&               \
			offsetof(struct type, next) == offsetof(struct route, next) &&             \
			offsetof(struct type, length) == offsetof(struct route, length) &&         \
			offsetof(struct type, source) == offsetof(struct route, source) &&         \
			offsetof(struct type, distance) == offsetof(struct route, distance),       \
		"both families begin alike")
SAME_HEAD(route4);
SAME_HEAD(route6);

/* ---- IPv4: an address is the top 32 bits of a key ---- */

size_t rib4_size(uint32_t routes)
{
	return rib_size(routes, sizeof(struct route4));
}

void rib4_init(struct rib4 *rib, void *mem, uint32_t routes)
{
	rib_init(&rib->rib, mem, routes, 32, sizeof(struct route4));
}

enum err rib4_add(struct rib4 *rib, const struct route4 *route)
{
	return rib_add_whole(
		&rib->rib, (const struct route *)route, rib4_key(route->prefix), false);
}

enum err rib4_add_quietly(struct rib4 *rib, const struct route4 *route)
{
	return rib_add_whole(&rib->rib, (const struct route *)route, rib4_key(route->prefix), true);
}

enum err rib4_remove(struct rib4 *rib, uint32_t prefix, unsigned length, enum rib_source source,
	struct route4 *removed)
{
	return rib_remove_whole(
		&rib->rib, rib4_key(prefix), length, source, (struct route *)removed);
}

enum err rib4_replace(struct rib4 *rib, uint32_t prefix, unsigned length, enum rib_source source,
	uint32_t nexthop, uint32_t *old)
{
	return rib_replace(&rib->rib, rib4_key(prefix), length, source, nexthop, old);
}

const struct route4 *rib4_find(
	const struct rib4 *rib, uint32_t prefix, unsigned length, enum rib_source source)
{
	return (const struct route4 *)rib_find(&rib->rib, rib4_key(prefix), length, source);
}

const struct route4 *rib4_match(const struct rib4 *rib, uint32_t address, bool skip_neighbors)
{
	return (const struct route4 *)rib_match(&rib->rib, rib4_key(address), 32, skip_neighbors);
}

const struct route4 *rib4_match_upto(const struct rib4 *rib, uint32_t address, unsigned longest)
{
	return (const struct route4 *)rib_match(&rib->rib, rib4_key(address), longest, false);
}

const struct route4 *rib4_first(const struct rib4 *rib)
{
	return rib4_from(rib, 0, 0);
}

const struct route4 *rib4_from(const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	return (const struct route4 *)rib_from(&rib->rib, rib4_key(prefix), length);
}

const struct route4 *rib4_next(const struct rib4 *rib, const struct route4 *route)
{
	return (const struct route4 *)rib_next(
		&rib->rib, (const struct route *)route, rib4_key(route->prefix));
}

uint32_t rib4_span(const struct rib4 *rib, uint32_t address, uint32_t *last)
{
	struct ip6 end;
	uint32_t nexthop = rib_span(&rib->rib, rib4_key(address), &end);

	*last = (uint32_t)(end.hi >> 32);
	return nexthop;
}

bool rib4_take_change(struct rib4 *rib, uint32_t *prefix, unsigned *length)
{
	struct rib_change change;

	if (!rib_take_change(&rib->rib, &change))
		return false;
	*prefix = (uint32_t)(change.key.hi >> 32);
	*length = change.length;
	return true;
}

/* ---- IPv6 ---- */

size_t rib6_size(uint32_t routes)
{
	return rib_size(routes, sizeof(struct route6));
}

void rib6_init(struct rib6 *rib, void *mem, uint32_t routes)
{
	rib_init(&rib->rib, mem, routes, 128, sizeof(struct route6));
}

enum err rib6_add(struct rib6 *rib, const struct route6 *route)
{
	return rib_add_whole(&rib->rib, (const struct route *)route, route->prefix, false);
}

enum err rib6_add_quietly(struct rib6 *rib, const struct route6 *route)
{
	return rib_add_whole(&rib->rib, (const struct route *)route, route->prefix, true);
}

enum err rib6_remove(struct rib6 *rib, struct ip6 prefix, unsigned length, enum rib_source source,
	struct route6 *removed)
{
	return rib_remove_whole(&rib->rib, prefix, length, source, (struct route *)removed);
}

enum err rib6_replace(struct rib6 *rib, struct ip6 prefix, unsigned length, enum rib_source source,
	uint32_t nexthop, uint32_t *old)
{
	return rib_replace(&rib->rib, prefix, length, source, nexthop, old);
}

const struct route6 *rib6_find(
	const struct rib6 *rib, struct ip6 prefix, unsigned length, enum rib_source source)
{
	return (const struct route6 *)rib_find(&rib->rib, prefix, length, source);
}

const struct route6 *rib6_match(const struct rib6 *rib, struct ip6 address, bool skip_neighbors)
{
	return (const struct route6 *)rib_match(&rib->rib, address, 128, skip_neighbors);
}

const struct route6 *rib6_match_upto(const struct rib6 *rib, struct ip6 address, unsigned longest)
{
	return (const struct route6 *)rib_match(&rib->rib, address, longest, false);
}

const struct route6 *rib6_first(const struct rib6 *rib)
{
	return rib6_from(rib, (struct ip6){0, 0}, 0);
}

const struct route6 *rib6_from(const struct rib6 *rib, struct ip6 prefix, unsigned length)
{
	return (const struct route6 *)rib_from(&rib->rib, prefix, length);
}

const struct route6 *rib6_next(const struct rib6 *rib, const struct route6 *route)
{
	return (const struct route6 *)rib_next(
		&rib->rib, (const struct route *)route, route->prefix);
}

uint32_t rib6_span(const struct rib6 *rib, struct ip6 address, struct ip6 *last)
{
	return rib_span(&rib->rib, address, last);
}

bool rib6_take_change(struct rib6 *rib, struct ip6 *prefix, unsigned *length)
{
	struct rib_change change;

	if (!rib_take_change(&rib->rib, &change))
		return false;
	*prefix = change.key;
	*length = change.length;
	return true;
}
