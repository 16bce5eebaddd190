/* The rules of NAT made into what workers look up. */
#include <stddef.h>
#include <string.h>

#include "net/path/nat_rules.h"

#define NOTHING 0xffffffffu /* no interface and protocol are that */

/* ---- memory ---- */

static uint32_t blocks_of(uint32_t rules)
{
	return (rules + NAT_BLOCK - 1) / NAT_BLOCK;
}

static uint64_t round_up(uint64_t bytes)
{
	return (bytes + CACHE_LINE - 1) & ~(uint64_t)(CACHE_LINE - 1);
}

uint64_t nat_rules_bytes(unsigned max)
{
	return 2 * blocks_of(max) * sizeof(struct nat_block) +
	       round_up(max * sizeof(struct nat_source_rule)) +
	       round_up(max * sizeof(struct nat_destination_rule)) +
	       round_up(max * sizeof(uint16_t)) + 4 * round_up(max * sizeof(struct nat_range));
}

static void *part(uint8_t **at, uint64_t bytes)
{
	void *p = *at;

	*at += round_up(bytes);
	return p;
}

void nat_rules_init(struct nat_rules *rules, void *memory, unsigned max)
{
	uint8_t *at = memory;
	struct nat_set *set[] = {&rules->inside, &rules->external, &rules->target, &rules->aimed};

	*rules = (struct nat_rules){.max = max};
	rules->source_block = part(&at, blocks_of(max) * sizeof(struct nat_block));
	rules->destination_block = part(&at, blocks_of(max) * sizeof(struct nat_block));
	rules->source = part(&at, max * sizeof(struct nat_source_rule));
	rules->destination = part(&at, max * sizeof(struct nat_destination_rule));
	rules->reserved = part(&at, max * sizeof(uint16_t));
	for (unsigned i = 0; i < sizeof set / sizeof set[0]; i++)
		set[i]->range = part(&at, max * sizeof(struct nat_range));
	nat_rules_begin(rules);
}

/* ---- blocks ---- */

static void clear(struct nat_block *block, unsigned blocks)
{
	memset(block, 0, blocks * sizeof *block);
	for (unsigned i = 0; i < blocks; i++)
		for (unsigned k = 0; k < NAT_BLOCK; k++)
			block[i].kind[k] = block[i].kind_mask[k] = NOTHING;
}

/* Writes what rule number i asks into its block. */
static void ask(struct nat_block *block, unsigned i, const struct nat_match *match)
{
	struct nat_block *b = &block[i / NAT_BLOCK];
	unsigned k = i % NAT_BLOCK;

	b->src[k] = match->src & match->src_mask;
	b->src_mask[k] = match->src_mask;
	b->dst[k] = match->dst & match->dst_mask;
	b->dst_mask[k] = match->dst_mask;
	b->kind[k] = (uint32_t)match->iface << 16 | (match->any_protocol ? 0 : match->protocol);
	b->kind_mask[k] = 0xffff0000u | (match->any_protocol ? 0 : 0xff);
	b->port[k] = match->ports ? match->port_first : 0;
	b->port_span[k] = match->ports ? (uint32_t)(match->port_last - match->port_first) : NOTHING;
}

/* ---- sets ---- */

static void add_range(struct nat_set *set, uint32_t first, uint32_t last)
{
	set->range[set->ranges++] = (struct nat_range){first, last};
}

/* Ranges in order; what touches is joined. They come nearly in order, and are some thousand at
 * most: by insertion. */
static void join(struct nat_set *set)
{
	struct nat_range *range = set->range;
	uint32_t left = 0;

	for (uint32_t i = 1; i < set->ranges; i++) {
		struct nat_range r = range[i];
		uint32_t k = i;

		for (; k && range[k - 1].first > r.first; k--)
			range[k] = range[k - 1];
		range[k] = r;
	}
	for (uint32_t i = 0; i < set->ranges; i++) {
		if (left && (range[left - 1].last == NOTHING ||
				    range[i].first <= range[left - 1].last + 1)) {
			if (range[i].last > range[left - 1].last)
				range[left - 1].last = range[i].last;
			continue;
		}
		range[left++] = range[i];
	}
	set->ranges = left;
}

/* ---- rules ---- */

void nat_rules_begin(struct nat_rules *rules)
{
	rules->sources = rules->destinations = 0;
	rules->inside.ranges = rules->external.ranges = 0;
	rules->target.ranges = rules->aimed.ranges = 0;
	clear(rules->source_block, blocks_of(rules->max));
	clear(rules->destination_block, blocks_of(rules->max));
}

void nat_rules_add_source(struct nat_rules *rules, const struct nat_source_spec *spec)
{
	struct nat_source_rule *rule = &rules->source[rules->sources];
	const struct nat_match *m = &spec->match;

	*rule = spec->rule;
	rule->out = m->iface;
	ask(rules->source_block, rules->sources++, m);
	if (rule->exempt)
		return;
	add_range(&rules->inside, m->src & m->src_mask, m->src | ~m->src_mask);
	add_range(&rules->external, rule->first, rule->last);
}

/* By address, and then by first port. */
static bool is_behind(const struct nat_destination_rule *a, const struct nat_destination_rule *b)
{
	return a->to > b->to || (a->to == b->to && a->port_first > b->port_first);
}

void nat_rules_add_destination(struct nat_rules *rules, const struct nat_destination_spec *spec)
{
	const struct nat_match *m = &spec->match;
	uint32_t i = rules->destinations++, k = i;

	rules->destination[i] = (struct nat_destination_rule){.to = m->dst,
		.address = spec->address,
		.port_first = m->ports ? m->port_first : 0,
		.port_last = m->ports ? m->port_last : 65535,
		.to_port = spec->to_port,
		.slot = spec->slot,
		.protocol = m->protocol,
		.any_protocol = m->any_protocol};
	ask(rules->destination_block, i, m);
	for (; k && is_behind(&rules->destination[rules->reserved[k - 1]], &rules->destination[i]);
		k--)
		rules->reserved[k] = rules->reserved[k - 1];
	rules->reserved[k] = (uint16_t)i;
	add_range(&rules->target, spec->address, spec->address);
	add_range(&rules->aimed, m->dst, m->dst);
}

void nat_rules_end(struct nat_rules *rules, uint32_t version)
{
	join(&rules->inside);
	join(&rules->external);
	join(&rules->target);
	join(&rules->aimed);
	rules->version = version;
}
