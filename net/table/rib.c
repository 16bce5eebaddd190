/* The IPv4 routing table as one sorted array. */
#include "net/table/rib.h"

#include <stddef.h>
#include <string.h>

void rib4_init(struct rib4 *rib, struct route4 *mem)
{
	rib->route = mem;
	rib->count = 0;
	rib->generation = 0;
}

/* Negative, zero or positive as a comes before, with or after b in the table. */
static int route_compare(const struct route4 *a, const struct route4 *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	if (a->length != b->length)
		return (int)a->length - (int)b->length;
	if (a->distance != b->distance)
		return (int)a->distance - (int)b->distance;
	return (int)a->source - (int)b->source;
}

/* Index of the first route in [0, end) that does not come before `key`; `end` if all do. */
static uint32_t rib4_position(const struct rib4 *rib, const struct route4 *key, uint32_t end)
{
	uint32_t low = 0, high = end;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (route_compare(&rib->route[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Index of the first route of a prefix, or of where it would stand. */
static uint32_t rib4_first(const struct rib4 *rib, uint32_t prefix, unsigned length, uint32_t end)
{
	struct route4 key = {.prefix = prefix, .length = (uint8_t)length};

	return rib4_position(rib, &key, end);
}

static bool rib4_is_of(const struct rib4 *rib, uint32_t i, uint32_t prefix, unsigned length)
{
	return i < rib->count && rib->route[i].prefix == prefix && rib->route[i].length == length;
}

const struct route4 *rib4_find(
	const struct rib4 *rib, uint32_t prefix, unsigned length, enum rib_source source)
{
	uint32_t i = rib4_first(rib, prefix, length, rib->count);

	for (; rib4_is_of(rib, i, prefix, length); i++)
		if (rib->route[i].source == source)
			return &rib->route[i];
	return NULL;
}

enum err rib4_add(struct rib4 *rib, const struct route4 *route)
{
	if (route->length > 32 || (route->prefix & ~rib4_mask(route->length)))
		return ERR_INVALID;
	if (rib4_find(rib, route->prefix, route->length, route->source))
		return ERR_EXISTS;
	if (rib->count == RIB4_MAX)
		return ERR_FULL;

	uint32_t i = rib4_position(rib, route, rib->count);

	memmove(&rib->route[i + 1], &rib->route[i], (rib->count - i) * sizeof *route);
	rib->route[i] = *route;
	rib->count++;
	rib->generation++;
	return ERR_OK;
}

enum err rib4_remove(struct rib4 *rib, uint32_t prefix, unsigned length, enum rib_source source,
	struct route4 *removed)
{
	const struct route4 *route = rib4_find(rib, prefix, length, source);

	if (!route)
		return ERR_NOT_FOUND;
	if (removed)
		*removed = *route;

	uint32_t i = (uint32_t)(route - rib->route);

	rib->count--;
	memmove(&rib->route[i], &rib->route[i + 1], (rib->count - i) * sizeof *route);
	rib->generation++;
	return ERR_OK;
}

const struct route4 *rib4_match(const struct rib4 *rib, uint32_t address, bool skip_neighbors)
{
	uint32_t end = rib->count;

	/* A shorter prefix of the same address stands before a longer one: `end` only falls. */
	for (unsigned length = 33; length-- > 0;) {
		uint32_t prefix = address & rib4_mask(length);
		uint32_t first = rib4_first(rib, prefix, length, end);

		for (uint32_t i = first; rib4_is_of(rib, i, prefix, length); i++)
			if (!skip_neighbors || rib->route[i].source != RIB_NEIGHBOR)
				return &rib->route[i];
		end = first;
	}
	return NULL;
}
