/* Adds the routes of a forwarding table made elsewhere to the RIBs, block by block. */
#include "net/table/fibfill.h"

#include <string.h>

static uint32_t routes_of(const struct fibfill_family *f)
{
	return f->fill->image->routes[f->family];
}

static uint32_t block_of(const struct fibfill_family *f, struct ip6 address)
{
	return (uint32_t)(address.hi >> (64 - f->block_bits));
}

static struct fibimage_route route_at(const struct fibfill_family *f, uint32_t i)
{
	return fibimage_route(f->fill->image, f->family, i);
}

static bool block_is_in(const struct fibfill_family *f, uint32_t block)
{
	return f->in[block / 8] >> block % 8 & 1;
}

/* ---- one route ---- */

static enum err add4(struct rib4 *rib, const struct fibimage_route *r)
{
	return rib4_add_quietly(rib, &(struct route4){.nexthop = r->nexthop,
					     .length = (uint8_t)r->length,
					     .source = RIB_FILE,
					     .distance = 1,
					     .prefix = (uint32_t)(r->prefix.hi >> 32)});
}

static enum err add6(struct rib6 *rib, const struct fibimage_route *r)
{
	return rib6_add_quietly(rib, &(struct route6){.nexthop = r->nexthop,
					     .length = (uint8_t)r->length,
					     .source = RIB_FILE,
					     .distance = 1,
					     .prefix = r->prefix});
}

/* A block that was interrupted begins again: some of its routes are there already. */
static void add(struct fibfill_family *f, uint32_t i)
{
	struct fibfill *fill = f->fill;
	struct fibimage_route r = route_at(f, i);
	enum err err = ERR_INVALID;

	if (r.nexthop <= fill->image->nexthops)
		err = f->family == 0 ? add4(fill->rib4, &r) : add6(fill->rib6, &r);
	if (err == ERR_OK) {
		fill->nexthops->nexthop[r.nexthop].refs++;
	} else if (err != ERR_EXISTS) {
		fill->failed++;
	}
}

/* ---- blocks ---- */

/* The first route of a block or of one after it, among those that are not short. */
static uint32_t block_first(const struct fibfill_family *f, uint32_t block)
{
	uint32_t low = f->fill->image->shorts[f->family], high = routes_of(f);

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (block_of(f, route_at(f, middle).prefix) < block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds up to *most routes of a block, which is less by that many then. true: it is all in. */
static bool block_bring(struct fibfill_family *f, uint32_t block, uint32_t *most)
{
	if (block_is_in(f, block))
		return true;
	if (!f->block.begun || f->block.number != block) {
		f->block.begun = true;
		f->block.number = block;
		f->block.at = block_first(f, block);
	}
	while (f->block.at < routes_of(f) &&
		block_of(f, route_at(f, f->block.at).prefix) == block) {
		if (*most == 0)
			return false;
		(*most)--;
		add(f, f->block.at++);
	}
	f->in[block / 8] |= (uint8_t)(1u << block % 8);
	f->block.begun = false;
	return true;
}

static bool supply_bring(void *ctx, struct ip6 address, uint32_t most)
{
	struct fibfill_family *f = ctx;

	return block_bring(f, block_of(f, address), &most);
}

/* ---- all of them ---- */

static void family_begin(struct fibfill *fill, unsigned family, uint8_t *in)
{
	struct fibfill_family *f = &fill->family[family];

	*f = (struct fibfill_family){
		.fill = fill,
		.family = family,
		.block_bits = family == 0 ? RIB4_BLOCK : RIB6_BLOCK,
		.in = in,
		.supply = {supply_bring, f},
	};
	while (f->next < fill->image->shorts[family])
		add(f, f->next++);
}

/* true: the family has more routes to be added. */
static bool family_step(struct fibfill_family *f, uint32_t *most)
{
	while (f->next < routes_of(f)) {
		uint32_t block = block_of(f, route_at(f, f->next).prefix);

		if (!block_bring(f, block, most))
			return true;
		f->next = block_first(f, block + 1);
	}
	return false;
}

void fibfill_begin(struct fibfill *fill, const struct fibimage *image, struct rib4 *rib4,
	struct rib6 *rib6, struct nexthop_table *nexthops)
{
	memset(fill, 0, sizeof *fill);
	fill->image = image;
	fill->rib4 = rib4;
	fill->rib6 = rib6;
	fill->nexthops = nexthops;
	family_begin(fill, 0, fill->in4);
	family_begin(fill, 1, fill->in6);
	rib4->rib.supply = &fill->family[0].supply;
	rib6->rib.supply = &fill->family[1].supply;
}

bool fibfill_step(struct fibfill *fill, uint32_t most)
{
	if (!fill->rib4->rib.supply)
		return false;
	if (family_step(&fill->family[0], &most) || family_step(&fill->family[1], &most))
		return true;
	fill->rib4->rib.supply = fill->rib6->rib.supply = NULL;
	fibimage_release(fill->image, fill->nexthops);
	return false;
}

uint32_t fibfill_left(const struct fibfill *fill)
{
	uint32_t left = 0;

	for (unsigned family = 0; family < 2 && fill->rib4->rib.supply; family++)
		left += routes_of(&fill->family[family]) - fill->family[family].next;
	return left;
}
