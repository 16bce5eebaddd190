/* The rules of NAT looked up: the first that matches, and what an address is. */
#include "net/path/nat_rules.h"

#include "lib/hash.h"
#include "net/path/nat.h"

/* ---- blocks ---- */

unsigned nat_block_find(const struct nat_block *block, unsigned n, unsigned from, unsigned iface,
	const struct flow_key *key)
{
	uint32_t src = (uint32_t)key->src.lo, dst = (uint32_t)key->dst.lo;
	uint32_t port = key->ports & 0xffff;
	uint32_t asked = iface == NAT_NO_RULE ? 0xffff : 0xffffffffu; /* of the kind */
	uint32_t kind = iface << 16 | key->protocol;

	for (unsigned first = from - from % NAT_BLOCK; first < n; first += NAT_BLOCK) {
		const struct nat_block *b = &block[first / NAT_BLOCK];
		uint32_t differs[NAT_BLOCK];

		for (unsigned k = 0; k < NAT_BLOCK; k++)
			differs[k] = ((src ^ b->src[k]) & b->src_mask[k]) |
				     ((dst ^ b->dst[k]) & b->dst_mask[k]) |
				     ((kind ^ b->kind[k]) & b->kind_mask[k] & asked) |
				     (uint32_t)(port - b->port[k] > b->port_span[k]);
		for (unsigned k = 0; k < NAT_BLOCK; k++)
			if (!differs[k] && first + k >= from && first + k < n)
				return first + k;
	}
	return NAT_NO_RULE;
}

/* ---- sets ---- */

bool nat_set_has(const struct nat_set *set, uint32_t address)
{
	const struct nat_range *range = set->range;
	uint32_t low = 0, n = set->ranges;

	/* The last that does not begin behind it is below low + n. */
	while (n > 1) {
		uint32_t half = n / 2;

		low += range[low + half].first <= address ? half : 0;
		n -= half;
	}
	return n && address - range[low].first <= range[low].last - range[low].first;
}

bool nat_is_external(const struct nat_rules *rules, uint32_t address)
{
	return rules && nat_set_has(&rules->external, address);
}

bool nat_is_inside(const struct nat_rules *rules, uint32_t address)
{
	return rules && nat_set_has(&rules->inside, address);
}

bool nat_is_target(const struct nat_rules *rules, uint32_t address)
{
	return rules && nat_set_has(&rules->target, address);
}

/* ---- rules ---- */

static void apply(const struct nat_destination_rule *rule, struct flow_key *key)
{
	key->dst.lo = rule->address;
	if (rule->to_port)
		key->ports += (uint32_t)rule->to_port - rule->port_first;
}

unsigned nat_rules_source(const struct nat_rules *rules, unsigned iface, const struct flow_key *key)
{
	return nat_block_find(rules->source_block, rules->sources, 0, iface, key);
}

/*
 * A packet from inside to what outside is ours: the first rule of source NAT that it would meet
 * if it went out, where a rule of destination NAT, as of one that came in there, fits.
 */
static unsigned hairpin_rule(
	const struct nat_rules *rules, unsigned iface, struct flow_key *key, unsigned *hairpin)
{
	unsigned s = NAT_NO_RULE;

	/* Where its like is translated on the way out, it is not from inside: see nat.c. */
	if (nat_rules_source(rules, iface, key) != NAT_NO_RULE)
		return NAT_NO_RULE;
	for (unsigned from = 0;; from = s + 1) {
		s = nat_block_find(rules->source_block, rules->sources, from, NAT_NO_RULE, key);
		if (s == NAT_NO_RULE || rules->source[s].exempt)
			return NAT_NO_RULE;
		unsigned d = nat_block_find(rules->destination_block, rules->destinations, 0,
			rules->source[s].out, key);

		if (d != NAT_NO_RULE) {
			*hairpin = s;
			return d;
		}
	}
}

unsigned nat_rules_destination(
	const struct nat_rules *rules, unsigned iface, struct flow_key *key, unsigned *hairpin)
{
	*hairpin = NAT_NO_RULE;
	if (!nat_set_has(&rules->aimed, (uint32_t)key->dst.lo))
		return NAT_NO_RULE;
	unsigned d = nat_block_find(rules->destination_block, rules->destinations, 0, iface, key);

	if (d == NAT_NO_RULE && nat_set_has(&rules->inside, (uint32_t)key->src.lo))
		d = hairpin_rule(rules, iface, key, hairpin);
	if (d != NAT_NO_RULE)
		apply(&rules->destination[d], key);
	return d;
}

bool nat_rule_destination(const struct nat_rules *rules, unsigned iface, struct flow_key *key)
{
	unsigned hairpin;

	return rules && key->family == 4 && !key->later &&
	       nat_rules_destination(rules, iface, key, &hairpin) != NAT_NO_RULE;
}

uint32_t nat_rules_address(const struct nat_source_rule *rule, uint32_t inside)
{
	uint64_t n = (uint64_t)rule->last - rule->first + 1;

	return rule->first + (uint32_t)((hash_mix(inside) >> 32) * n >> 32);
}

/* Those of 64 ports from `first` on that are of a rule. */
static uint64_t ports_of(const struct nat_destination_rule *rule, uint16_t first)
{
	uint32_t low = rule->port_first, high = rule->port_last;

	if (high < first || low > first + 63u)
		return 0;
	low = low > first ? low - first : 0;
	high = high < first + 63u ? high - first : 63;
	return (~UINT64_C(0) << low) & (~UINT64_C(0) >> (63 - high));
}

uint32_t nat_rules_first(const struct nat_rules *rules, uint32_t to)
{
	uint32_t low = 0, n = rules->destinations;

	while (n) {
		uint32_t half = n / 2;

		if (rules->destination[rules->reserved[low + half]].to < to) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

bool nat_rule_reserves(const struct nat_destination_rule *rule, uint32_t inside, uint8_t protocol)
{
	return rule->address != inside && (rule->any_protocol || rule->protocol == protocol);
}

uint64_t nat_rules_reserved(const struct nat_rules *rules, uint32_t external, uint32_t inside,
	uint8_t protocol, uint16_t first)
{
	uint64_t mask = 0;

	for (uint32_t i = nat_rules_first(rules, external); i < rules->destinations; i++) {
		const struct nat_destination_rule *rule = &rules->destination[rules->reserved[i]];

		/* They are in the order of their first ports. */
		if (rule->to != external || rule->port_first > first + 63u)
			break;
		if (nat_rule_reserves(rule, inside, protocol))
			mask |= ports_of(rule, first);
	}
	return mask;
}
