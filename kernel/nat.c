/* NAT of the router: memory, what is in force, counters. */
#include "kernel/nat.h"

#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/router_build.h"
#include "lib/hash.h"

#define SHARE         32u        /* one part in so many of the spare memory at boot */
#define MAPPINGS_MOST (1u << 20) /* of all workers */
#define MAPPINGS_FEW  512u       /* of each */
#define SPACES_MOST   4096u      /* see nat_ports.h: three for each address in use, at most */
#define SPACES_FEW    12u

_Static_assert(2 * NAT_RULES <= UINT16_MAX, "a slot has 16 bits");

/* ---- boot ---- */

static unsigned owners_of(const struct router *r)
{
	return r->tables.owners ? r->tables.owners : 1;
}

/* A third of the share is for spaces, the rest for mappings. */
static void size(const struct router *r, uint32_t *mappings, uint32_t *spaces)
{
	const struct nats *n = &r->nats;
	unsigned owners = owners_of(r);
	uint64_t share = router_spare(r) / SHARE / owners;

	*spaces = SPACES_MOST;
	while (*spaces > SPACES_FEW && nat_spaces_bytes(*spaces, owners) > share / 3)
		*spaces -= (*spaces + 7) / 8;
	if (*spaces < SPACES_FEW)
		*spaces = SPACES_FEW;
	*mappings = MAPPINGS_MOST / owners;
	while (*mappings > MAPPINGS_FEW &&
		nat_state_bytes(*mappings, *spaces, owners, n->slots) > share)
		*mappings -= *mappings / 8;
	if (*mappings < MAPPINGS_FEW)
		*mappings = MAPPINGS_FEW;
}

static bool init_set(struct nats *n, struct nat_set_of_rules *s)
{
	void *memory = platform_alloc(nat_rules_bytes(n->rules_max), CACHE_LINE);

	s->said = platform_alloc(2 * n->rules_max * sizeof *s->said, CACHE_LINE);
	s->number = platform_alloc(2 * n->rules_max * sizeof *s->number, CACHE_LINE);
	if (!memory || !s->said || !s->number)
		return false;
	nat_rules_init(&s->rules, memory, n->rules_max);
	return true;
}

static bool init_actor(struct router *r, unsigned actor, uint32_t mappings, uint32_t spaces)
{
	struct nats *n = &r->nats;
	uint32_t node = build_node(r, actor);
	uint64_t bytes = nat_state_bytes(mappings, spaces, owners_of(r), n->slots);
	uint64_t seed = hash_mix(platform_tsc() + actor * UINT64_C(0x9e3779b97f4a7c15));
	void *memory = platform_reserve_near(bytes, CACHE_LINE, node);

	n->state[actor] = platform_alloc_near(sizeof *n->state[actor], CACHE_LINE, node);
	if (!memory || !n->state[actor])
		return false;
	nat_state_init(
		n->state[actor], memory, mappings, spaces, actor - 1, owners_of(r), n->slots, seed);
	n->bytes += bytes;
	return true;
}

bool nats_init(struct router *r)
{
	struct nats *n = &r->nats;
	uint32_t mappings, spaces;

	n->rules_max = NAT_RULES;
	if (nat_rules_bytes(NAT_RULES) > router_spare(r) / SHARE)
		n->rules_max = NAT_RULES_FEW;
	n->slots = 4 * n->rules_max;
	n->bytes = 2 * nat_rules_bytes(n->rules_max);
	size(r, &mappings, &spaces);
	n->start = platform_alloc(n->slots * sizeof *n->start, CACHE_LINE);
	if (!n->start || !init_set(n, &n->set[0]) || !init_set(n, &n->set[1]))
		return false;
	for (unsigned a = 1; a <= owners_of(r) && a < r->actors; a++)
		if (!init_actor(r, a, mappings, spaces))
			return false;
	for (unsigned l = 0; l < r->lanes; l++)
		r->lane[l].nat = n->state[r->lane[l].actor];
	return true;
}

/* ---- in force ---- */

bool nats_change(const struct router *r)
{
	return r->nats.changes;
}

void nats_publish(struct router *r)
{
	struct nats *n = &r->nats;

	if (!n->changes)
		return;
	n->changes = false;
	n->now = !n->now;
	struct nat_set_of_rules *s = &n->set[n->now];

	store_release(&r->tables.nat, s->digest ? &s->rules : NULL);
	rcu_grace_start(&r->rcu, &n->grace);
	n->leaving = r->rcu.readers && !r->booting;
}

/* Anything that source NAT gives out or destination NAT is about, in a network of the interface. */
bool nats_stands_in(const struct router *r, unsigned iface, uint32_t address)
{
	const struct nat_rules *rules = r->tables.nat;

	return rules && iface < r->ifaces && iface_neighbor(&r->iface[iface], address) &&
	       (nat_set_has(&rules->external, address) || nat_set_has(&rules->aimed, address));
}

/* ---- counters ---- */

static uint64_t sum(const struct router *r, unsigned slot)
{
	uint64_t n = 0;

	for (unsigned a = 0; a < r->actors; a++)
		if (r->nats.state[a])
			n += load_once(&r->nats.state[a]->hits[slot]);
	return n;
}

uint64_t nats_counted(const struct router *r, unsigned slot)
{
	return sum(r, slot) - r->nats.start[slot];
}

void nats_begin_slot(struct router *r, unsigned slot)
{
	r->nats.start[slot] = sum(r, slot);
}

void nats_clear(struct router *r)
{
	for (unsigned slot = 0; slot < r->nats.slots; slot++)
		nats_begin_slot(r, slot);
}

uint64_t nats_live(const struct router *r)
{
	uint64_t n = 0;

	for (unsigned a = 0; a < r->actors; a++)
		n += r->nats.state[a] ? load_once(&r->nats.state[a]->live) : 0;
	return n;
}

uint64_t nats_max(const struct router *r)
{
	uint64_t n = 0;

	for (unsigned a = 0; a < r->actors; a++)
		n += r->nats.state[a] ? r->nats.state[a]->max : 0;
	return n;
}
