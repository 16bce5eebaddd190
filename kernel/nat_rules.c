/* From the configuration to the rules of NAT as workers look them up. */
#include <string.h>

#include "kernel/apply.h"
#include "kernel/control.h"
#include "kernel/nat.h"
#include "kernel/platform.h"
#include "lib/hash.h"

#define LEFT_US 1000000u /* for workers to leave what was in force before the last commit */

/* A rule whose interface is there, and what it says. */
struct wanted {
	const struct config_nat *config;
	uint16_t iface;
	uint64_t said;
};

static uint64_t said_by(const struct config_nat *c, unsigned iface)
{
	const struct nat_match *m = &c->match;
	const uint64_t part[] = {(uint64_t)m->src << 32 | m->src_mask,
		(uint64_t)m->dst << 32 | m->dst_mask, (uint64_t)c->first << 32 | c->last,
		(uint64_t)iface << 48 | (uint64_t)m->protocol << 40 |
			(uint64_t)m->any_protocol << 39 | (uint64_t)m->ports << 38 |
			(uint64_t)c->source << 37 | (uint64_t)c->exempt << 36 |
			(uint64_t)c->masquerade << 35 | c->number,
		(uint64_t)m->port_first << 48 | (uint64_t)m->port_last << 32 |
			(uint64_t)c->port_first << 16 | c->port_last,
		c->to_port};
	uint64_t h = 1;

	for (unsigned i = 0; i < sizeof part / sizeof *part; i++)
		h = hash_mix(h ^ part[i]) + i;
	return h;
}

/* Those of one kind from the configuration; how many. */
static unsigned collect(struct apply *a, bool source, struct wanted *want)
{
	const struct config *c = a->config;
	unsigned n = 0;

	for (unsigned i = 0; i < c->nats; i++) {
		int iface = wanted_by_name(a, c->nat[i].iface);

		control_yield(a->r);
		if (c->nat[i].source != source || iface < 0)
			continue;
		want[n++] = (struct wanted){.config = &c->nat[i],
			.iface = (uint16_t)iface,
			.said = said_by(&c->nat[i], (unsigned)iface)};
	}
	return n;
}

static uint64_t digest(const struct wanted *want, unsigned n)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < n; i++)
		h = hash_mix(h ^ want[i].said) + 1;
	return h;
}

/* Waits until no worker reads what is written over. false: one does, told. */
static bool wait_left(struct apply *a)
{
	struct nats *n = &a->r->nats;
	uint64_t start = platform_now_us();
	unsigned holdout;

	while (n->leaving && !rcu_grace_done(&a->r->rcu, &n->grace, &holdout)) {
		if (platform_now_us() - start > LEFT_US)
			return apply_fail(
				a, "nat: worker %u still reads the rules before", holdout);
		control_yield(a->r);
		platform_relax();
	}
	n->leaving = false;
	return true;
}

/* ---- slots ---- */

static uint64_t in_use[4 * NAT_RULES / 64 + 1];

static uint16_t slot_of(const struct nat_set_of_rules *s, unsigned i)
{
	unsigned sources = s->rules.sources;

	return i < sources ? s->rules.source[i].slot : s->rules.destination[i - sources].slot;
}

static unsigned rules_of(const struct nat_set_of_rules *s)
{
	return s->rules.sources + s->rules.destinations;
}

static void mark_slots(const struct nat_set_of_rules *now)
{
	memset(in_use, 0, sizeof in_use);
	for (unsigned i = 0; i < rules_of(now); i++)
		in_use[slot_of(now, i) / 64] |= UINT64_C(1) << slot_of(now, i) % 64;
}

/* That of the same rule in force, from *k on: both are in order. Or one that nobody counts in. */
static uint16_t slot_for(struct router *r, const struct nat_set_of_rules *now, uint64_t said,
	unsigned *k, unsigned end, unsigned *next)
{
	for (unsigned i = *k; i < end; i++)
		if (now->said[i] == said) {
			*k = i + 1;
			return slot_of(now, i);
		}
	while (in_use[*next / 64] >> *next % 64 & 1)
		++*next;
	nats_begin_slot(r, *next);
	return (uint16_t)(*next)++;
}

/* ---- rules ---- */

static void add_source(struct nat_rules *rules, const struct wanted *w, uint16_t slot)
{
	const struct config_nat *c = w->config;
	struct nat_source_spec spec = {.match = c->match,
		.rule = {.first = c->first,
			.last = c->last,
			.port_first = c->port_first,
			.port_last = c->port_last,
			.slot = slot,
			.exempt = c->exempt}};

	spec.match.iface = w->iface;
	nat_rules_add_source(rules, &spec);
}

static void add_destination(struct nat_rules *rules, const struct wanted *w, uint16_t slot)
{
	struct nat_destination_spec spec = {.match = w->config->match,
		.address = w->config->first,
		.to_port = w->config->to_port,
		.slot = slot};

	spec.match.iface = w->iface;
	nat_rules_add_destination(rules, &spec);
}

static void build(struct apply *a, const struct wanted *want, unsigned sources, unsigned n)
{
	struct nats *nats = &a->r->nats;
	const struct nat_set_of_rules *now = nats_now(nats);
	struct nat_set_of_rules *s = &nats->set[!nats->now];
	unsigned next = 0, from = 0, end = now->rules.sources;

	mark_slots(now);
	nat_rules_begin(&s->rules);
	for (unsigned i = 0; i < n; i++) {
		if (i == sources) {
			from = now->rules.sources;
			end = rules_of(now);
		}
		uint16_t slot = slot_for(a->r, now, want[i].said, &from, end, &next);

		if (i < sources)
			add_source(&s->rules, &want[i], slot);
		else
			add_destination(&s->rules, &want[i], slot);
		s->said[i] = want[i].said;
		s->number[i] = want[i].config->number;
		control_yield(a->r);
	}
	nats->version += nats->version == UINT32_MAX ? 2 : 1; /* 0 is of no rules */
	nat_rules_end(&s->rules, nats->version);
}

bool nats_prepare(struct apply *a)
{
	static struct wanted want[NAT_RULES + 1];
	struct nats *n = &a->r->nats;

	n->changes = false;
	if (a->config->nats > n->rules_max)
		return apply_fail(a, "nat: %u rules; %u fit", a->config->nats, n->rules_max);
	unsigned sources = collect(a, true, want);
	unsigned all = sources + collect(a, false, want + sources);
	uint64_t said = digest(want, all);

	if (said == nats_now(n)->digest)
		return true;
	if (!wait_left(a))
		return false;
	n->set[!n->now].digest = said;
	build(a, want, sources, all);
	n->changes = true;
	return true;
}
