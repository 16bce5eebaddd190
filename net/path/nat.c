/* NAT of new sessions: rules, then mappings. */
#include "net/path/nat.h"

#include "lib/atomic.h"
#include "net/path/frame.h"
#include "net/path/lane.h"
#include "net/path/nat_map.h"
#include "net/path/nat_rules.h"
#include "net/path/translate.h"

static const struct nat_rules *rules_of(const struct lane *lane)
{
	return load_acquire(&lane->tables->nat);
}

static uint32_t version_of(const struct nat_rules *rules)
{
	return rules ? rules->version : 0;
}

static void count(struct nat_state *s, unsigned slot)
{
	counter_add(&s->hits[slot], 1);
}

/* ---- ports of a key ---- */

/* ICMP: the identifier. */
static uint16_t source_port(const struct flow_key *key)
{
	return (uint16_t)(key->ports >> 16);
}

static uint16_t destination_port(const struct flow_key *key)
{
	return (uint16_t)(key->protocol == IPV4_ICMP ? key->ports >> 16 : key->ports);
}

static void set_source_port(struct flow_key *key, uint16_t port)
{
	key->ports = (key->ports & 0xffff) | (uint32_t)port << 16;
}

static void set_destination_port(struct flow_key *key, uint16_t port)
{
	if (key->protocol == IPV4_ICMP)
		set_source_port(key, port);
	else
		key->ports = (key->ports & 0xffff0000u) | port;
}

/* ---- destination ---- */

/*
 * The rule that a packet from inside would be translated by if it went out, or NAT_NO_RULE. What
 * came in where a rule would translate it on the way out is not from inside, whatever its
 * source: `from 0.0.0.0/0` is everybody's.
 */
static unsigned hairpin_rule(
	const struct nat_rules *rules, unsigned iface, const struct flow_key *key)
{
	if (nat_rules_source(rules, iface, key) != NAT_NO_RULE)
		return NAT_NO_RULE;
	unsigned s = nat_block_find(rules->source_block, rules->sources, 0, NAT_NO_RULE, key);

	return s == NAT_NO_RULE || rules->source[s].exempt ? NAT_NO_RULE : s;
}

/*
 * The mapping that a packet from inside addresses, and that rule; NAT_NO_MAPPING: none. An
 * ICMP query's identifier is its sender's, and can address nobody.
 */
static uint32_t hairpin_mapping(const struct nat_rules *rules, const struct nat_state *s,
	unsigned iface, const struct flow_key *key, unsigned *rule)
{
	uint32_t dst = (uint32_t)key->dst.lo;

	if (!s || key->protocol == IPV4_ICMP || !translate_has_ports(key->protocol) ||
		!nat_set_has(&rules->external, dst) ||
		!nat_set_has(&rules->inside, (uint32_t)key->src.lo))
		return NAT_NO_MAPPING;
	uint32_t mapping = nat_map_external(s, dst, destination_port(key), key->protocol);

	if (mapping == NAT_NO_MAPPING)
		return mapping;
	*rule = hairpin_rule(rules, iface, key);
	return *rule == NAT_NO_RULE ? NAT_NO_MAPPING : mapping;
}

/* Destination NAT without counting. The rule that did it, or NAT_NO_RULE. */
static enum nat_result find_destination(const struct nat_rules *rules, const struct nat_state *s,
	unsigned iface, struct flow_key *key, unsigned *hairpin, unsigned *rule)
{
	*rule = nat_rules_destination(rules, iface, key, hairpin);
	if (*rule != NAT_NO_RULE)
		return NAT_DONE;
	uint32_t mapping = hairpin_mapping(rules, s, iface, key, hairpin);

	if (mapping == NAT_NO_MAPPING) {
		*hairpin = NAT_NO_RULE;
		return NAT_NONE;
	}
	key->dst.lo = s->mapping[mapping].inside;
	set_destination_port(key, s->mapping[mapping].inside_port);
	return NAT_DONE;
}

enum nat_result nat_destination(
	struct lane *lane, unsigned iface, struct flow_key *key, struct nat_hold *hold)
{
	const struct nat_rules *rules = rules_of(lane);
	unsigned hairpin = NAT_NO_RULE, rule;
	enum nat_result result = NAT_NONE;

	*hold = NAT_HOLD_NONE;
	if (rules) {
		result = find_destination(rules, lane->nat, iface, key, &hairpin, &rule);
		if (rule != NAT_NO_RULE && lane->nat)
			count(lane->nat, rules->destination[rule].slot);
	}
	hold->version = version_of(rules);
	hold->in = (uint16_t)iface;
	hold->out = (uint16_t)hairpin;
	return result;
}

/* ---- source ---- */

/* The rule for what leaves by `iface`, or NULL. */
static const struct nat_source_rule *find_source(
	const struct nat_rules *rules, unsigned iface, const struct flow_key *key, unsigned hairpin)
{
	unsigned s = nat_rules_source(rules, iface, key);

	if (s == NAT_NO_RULE)
		s = hairpin;
	return s >= rules->sources || rules->source[s].exempt ? NULL : &rules->source[s];
}

/* A rule that is read is of the rules that the hold is of, or the hold is none's. */
enum nat_result nat_source(
	struct lane *lane, unsigned iface, struct flow_key *key, struct nat_hold *hold)
{
	const struct nat_rules *rules = rules_of(lane);
	unsigned hairpin = hold->version == version_of(rules) ? hold->out : NAT_NO_RULE;
	const struct nat_source_rule *rule = rules ? find_source(rules, iface, key, hairpin) : NULL;
	struct nat_state *s = lane->nat;
	uint32_t inside = (uint32_t)key->src.lo;

	hold->out = (uint16_t)iface;
	if (!rule)
		return NAT_NONE;
	if (!s)
		return NAT_FULL;
	uint32_t external = nat_rules_address(rule, inside);

	if (translate_has_ports(key->protocol)) {
		const struct nat_port_wish wish = {.external = external,
			.inside = inside,
			.port = source_port(key),
			.first = rule->port_first,
			.last = rule->port_last,
			.protocol = key->protocol};
		uint32_t m = nat_map_inside(s, inside, wish.port, key->protocol, external);

		if (m != NAT_NO_MAPPING)
			store_once(&s->mapping[m].sessions, s->mapping[m].sessions + 1);
		else
			m = nat_map_begin(s, rules, &wish, lane->received);
		if (m == NAT_NO_MAPPING) {
			counter_add(&s->full, 1);
			return NAT_FULL;
		}
		hold->mapping = m;
		set_source_port(key, s->mapping[m].external_port);
	}
	key->src.lo = external;
	count(s, rule->slot);
	return NAT_DONE;
}

bool nat_concerns(const struct lane *lane, unsigned in, unsigned out, const struct flow_key *key)
{
	const struct nat_rules *rules = rules_of(lane);
	struct flow_key to = *key;
	unsigned hairpin, rule;

	return rules && (find_destination(rules, lane->nat, in, &to, &hairpin, &rule) == NAT_DONE ||
				find_source(rules, out, &to, NAT_NO_RULE));
}

void nat_release(struct lane *lane, struct nat_hold hold)
{
	if (hold.mapping != NAT_NO_MAPPING)
		nat_map_leave(lane->nat, hold.mapping);
}

/* ---- sessions that go on ---- */

/* A rule would give out this port of ICMP's, or of others'. */
static bool may_have(const struct nat_source_rule *rule, uint8_t protocol, uint16_t port)
{
	return protocol == IPV4_ICMP || !rule->port_last ||
	       (port >= rule->port_first && port <= rule->port_last);
}

/* What `rules` make of the key, the port of the mapping that the session holds kept. */
static bool translate_again(const struct nat_rules *rules, const struct nat_state *s,
	const struct nat_hold *hold, struct flow_key *key)
{
	unsigned hairpin, ignored;

	(void)find_destination(rules, s, hold->in, key, &hairpin, &ignored);
	const struct nat_source_rule *rule = find_source(rules, hold->out, key, hairpin);

	if (!rule)
		return hold->mapping == NAT_NO_MAPPING;
	uint32_t inside = (uint32_t)key->src.lo;

	key->src.lo = nat_rules_address(rule, inside);
	if (!translate_has_ports(key->protocol))
		return true;
	if (!s || hold->mapping == NAT_NO_MAPPING)
		return false;
	const struct nat_mapping *m = &s->mapping[hold->mapping];

	set_source_port(key, m->external_port);
	return m->external == (uint32_t)key->src.lo &&
	       may_have(rule, key->protocol, m->external_port) &&
	       !(nat_rules_reserved(
			 rules, m->external, inside, key->protocol, m->external_port & 0xffc0) >>
			       m->external_port % 64 &
		       1);
}

/* Addresses and numbers of one are those of the other, turned round. */
static bool is_answered_by(const struct flow_key *key, const struct flow_key *answer)
{
	uint32_t ports = key->ports << 16 | key->ports >> 16;

	if (!ip6_equal(key->src, answer->dst) || !ip6_equal(key->dst, answer->src))
		return false;
	return key->protocol == IPV4_ICMP ? key->ports >> 16 == answer->ports >> 16
					  : ports == answer->ports;
}

bool nat_still(struct lane *lane, const struct flow_key key[2], struct nat_hold *hold)
{
	const struct nat_rules *rules = rules_of(lane);
	struct flow_key becomes = key[0];

	if (hold->version == version_of(rules) || key[0].family != 4)
		return true;
	if (rules && !translate_again(rules, lane->nat, hold, &becomes))
		return false;
	if (!is_answered_by(&becomes, &key[1]))
		return false;
	hold->version = version_of(rules);
	return true;
}
