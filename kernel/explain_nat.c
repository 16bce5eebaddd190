/* explain, where there is NAT: a private state with copies of the mappings that a frame can meet.
 */
#include "kernel/explain_track.h"
#include "kernel/nat.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "net/path/nat_map.h"
#include "net/path/nat_rules.h"

#define MAPPINGS 8u
#define SPACES   8u /* external addresses, by kind of port */

static struct {
	void *memory;
	struct nat_state state;
	const struct nat_state *from;
	const struct nat_rules *rules; /* NULL: none are in force */
	uint32_t copied;               /* mappings that are copies */
} nat;

static unsigned owners_of(const struct router *r)
{
	return r->tables.owners ? r->tables.owners : 1;
}

bool explain_nat_init(const struct router *r)
{
	nat.memory = platform_alloc(
		nat_state_bytes(MAPPINGS, SPACES, owners_of(r), r->nats.slots), CACHE_LINE);
	return nat.memory != NULL;
}

void explain_nat_begin(const struct router *r, struct lane *lane, const struct lane *owner)
{
	nat.from = owner->nat;
	nat.rules = load_acquire(&r->tables.nat);
	nat.copied = 0;
	if (!nat.from)
		return;
	/* What is drawn is the same in each run about one frame: seed and time are. */
	nat_state_init(&nat.state, nat.memory, MAPPINGS, SPACES, nat.from->spaces.owner,
		nat.from->spaces.owners, r->nats.slots, 1);
	lane->nat = &nat.state;
}

/* A mapping of the owner in the private state: its number there, or NAT_NO_MAPPING. */
static uint32_t copy_mapping(uint32_t number)
{
	struct nat_mapping m;

	if (number >= load_acquire(&nat.from->high) || !nat_map_copy(nat.from, number, &m))
		return NAT_NO_MAPPING;
	uint32_t there =
		nat_map_inside(&nat.state, m.inside, m.inside_port, m.protocol, m.external);

	if (there != NAT_NO_MAPPING)
		return there;
	const struct nat_port_wish wish = {.external = m.external,
		.inside = m.inside,
		.port = m.inside_port,
		.first = m.external_port,
		.last = m.external_port,
		.protocol = m.protocol};

	there = nat_map_begin(&nat.state, nat.rules, &wish, 0);
	nat.copied += there != NAT_NO_MAPPING;
	return there;
}

struct nat_hold explain_nat_copy_hold(struct nat_hold hold)
{
	if (hold.mapping != NAT_NO_MAPPING)
		hold.mapping = nat.from && nat.rules ? copy_mapping(hold.mapping) : NAT_NO_MAPPING;
	return hold;
}

/* As nat_source and nat_destination look for them. */
void explain_nat_copy(const struct flow_key *key)
{
	uint32_t src = (uint32_t)key->src.lo, dst = (uint32_t)key->dst.lo, found;

	if (!nat.from || !nat.rules || key->family != 4)
		return;
	for (unsigned i = 0; i < nat.rules->sources; i++) {
		const struct nat_source_rule *rule = &nat.rules->source[i];

		if (rule->exempt)
			continue;
		found = nat_map_inside(nat.from, src, (uint16_t)(key->ports >> 16), key->protocol,
			nat_rules_address(rule, src));
		if (found != NAT_NO_MAPPING)
			copy_mapping(found);
	}
	found = nat_map_external(nat.from, dst, (uint16_t)key->ports, key->protocol);
	if (found != NAT_NO_MAPPING)
		copy_mapping(found);
}

void explain_nat_tell(const struct router *r, struct explain *e)
{
	const struct nat_set_of_rules *set = nats_now(&r->nats);

	if (!nat.from || !nat.rules)
		return;
	e->port_drawn = nat.state.live > nat.copied;
	for (unsigned i = 0; i < nat.rules->sources; i++)
		if (nat.state.hits[nat.rules->source[i].slot])
			e->nat_source = set->number[i];
	for (unsigned i = 0; i < nat.rules->destinations; i++)
		if (nat.state.hits[nat.rules->destination[i].slot])
			e->nat_destination = set->number[nat.rules->sources + i];
}
