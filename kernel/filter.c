/* Access lists of the router: memory, what is in force, counters. */
#include "kernel/filter.h"

#include <string.h>

#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/router_build.h"

#define SHARE      16u         /* one part in so many of the spare memory at boot */
#define LISTS_MOST (32u << 20) /* bytes of the compiled lists of one set */
#define LISTS_FEW  (512u << 10)

_Static_assert(2 * (ACL_RULES + ACL_LISTS) <= UINT16_MAX, "a slot has 16 bits");

/* ---- boot ---- */

/* Places of a set: its rules, and for each list what no rule matches. */
static size_t places(unsigned rules)
{
	return rules + ACL_LISTS;
}

/* Bytes that so many rules take, beside the compiled lists. */
static size_t rules_bytes(unsigned rules, unsigned actors)
{
	size_t set =
		places(rules) * (sizeof(struct filter_rule) + sizeof(uint32_t) + sizeof(uint64_t));

	return acl_scratch_bytes(rules) +
	       2 * (set + places(rules) * sizeof(struct filter_hits) * (actors + 1));
}

/* A third of the share is for the rules, the rest for what they are compiled to. */
static void size(const struct router *r, struct filters *f, unsigned actors)
{
	uint64_t share = router_spare(r) / SHARE;

	f->rules_max = ACL_RULES;
	while (f->rules_max > ACL_FEW && rules_bytes(f->rules_max, actors) > share / 3)
		f->rules_max -= f->rules_max / 8;
	if (f->rules_max < ACL_FEW)
		f->rules_max = ACL_FEW;
	f->memory_bytes = (size_t)(share / 3) & ~(size_t)(CACHE_LINE - 1);
	if (f->memory_bytes < LISTS_FEW)
		f->memory_bytes = LISTS_FEW;
	if (f->memory_bytes > LISTS_MOST)
		f->memory_bytes = LISTS_MOST;
	f->slots = 2 * (unsigned)places(f->rules_max);
}

static bool init_set(struct filters *f, struct filter_set *s)
{
	size_t n = places(f->rules_max);

	s->rule = platform_alloc(n * sizeof *s->rule, CACHE_LINE);
	s->number = platform_alloc(n * sizeof *s->number, CACHE_LINE);
	s->said = platform_alloc(n * sizeof *s->said, CACHE_LINE);
	s->memory = platform_reserve(f->memory_bytes, CACHE_LINE);
	return s->rule && s->number && s->said && s->memory;
}

static bool init_actor(struct router *r, unsigned actor)
{
	struct filters *f = &r->filters;
	unsigned core = actor == ACTOR_CONTROL ? 0 : r->worker[actor - 1]->core;
	uint32_t node = platform_core(core)->node;

	f->hits[actor] = platform_alloc_near(f->slots * sizeof *f->hits[actor], CACHE_LINE, node);
	f->log[actor] = platform_alloc_near(sizeof *f->log[actor], CACHE_LINE, node);
	return f->hits[actor] && f->log[actor];
}

bool filters_init(struct router *r)
{
	struct filters *f = &r->filters;

	size(r, f, r->actors);
	f->scratch = platform_reserve(acl_scratch_bytes(f->rules_max), CACHE_LINE);
	f->start = platform_alloc(f->slots * sizeof *f->start, CACHE_LINE);
	if (!f->scratch || !f->start || !init_set(f, &f->set[0]) || !init_set(f, &f->set[1]))
		return false;
	for (unsigned a = 0; a < r->actors; a++)
		if (!init_actor(r, a))
			return false;
	for (unsigned l = 0; l < r->lanes; l++) {
		r->lane[l].hits = f->hits[r->lane[l].actor];
		r->lane[l].filter_log = f->log[r->lane[l].actor];
	}
	acl_select(platform_isa());
	return true;
}

/* ---- in force ---- */

bool filters_change(const struct router *r)
{
	return r->filters.changes;
}

/* Whether any interface that a port carries has a list for what comes in; any at all one for what
 * goes out. */
static unsigned lane_flags(const struct router *r, const struct filter *filter, unsigned port)
{
	unsigned flags = 0;

	for (unsigned n = 0; n < r->ifaces; n++) {
		if (filter->in[n] && r->iface[n].parent == port)
			flags |= FILTER_IN;
		if (filter->out[n])
			flags |= FILTER_OUT;
	}
	return flags;
}

/* Nothing that either filter looks at is passed over in between: flags come first and go last. */
static void flag_lanes(struct router *r, const struct filter *filter, bool add)
{
	for (unsigned l = 0; l < r->lanes; l++) {
		struct lane *lane = &r->lane[l];

		if (lane->port >= r->ports)
			continue;
		unsigned flags = lane_flags(r, filter, lane->port);

		store_once(&lane->filter, (uint8_t)(add ? flags | lane->filter : flags));
	}
}

void filters_publish(struct router *r)
{
	struct filters *f = &r->filters;

	if (!f->changes)
		return;
	f->changes = false;
	f->set_now = f->set_next;
	f->bound_now = !f->bound_now;
	flag_lanes(r, &f->bound[f->bound_now], true);
	store_release(&r->tables.filter, &f->bound[f->bound_now]);
	flag_lanes(r, &f->bound[f->bound_now], false);
	rcu_grace_start(&r->rcu, &f->grace);
	f->leaving = r->rcu.readers && !r->booting;
}

/* ---- counters ---- */

static void add_up(const struct router *r, unsigned slot, struct filter_hits *sum)
{
	*sum = (struct filter_hits){0, 0};
	for (unsigned a = 0; a < r->actors; a++) {
		sum->packets += load_once(&r->filters.hits[a][slot].packets);
		sum->bytes += load_once(&r->filters.hits[a][slot].bytes);
	}
}

void filters_counted(const struct router *r, uint32_t i, struct filter_hits *sum)
{
	unsigned slot = filters_now(&r->filters)->rule[i].slot;

	add_up(r, slot, sum);
	sum->packets -= r->filters.start[slot].packets;
	sum->bytes -= r->filters.start[slot].bytes;
}

void filters_begin_slot(struct router *r, unsigned slot)
{
	add_up(r, slot, &r->filters.start[slot]);
}

void filters_clear(struct router *r)
{
	const struct filter_set *s = filters_now(&r->filters);

	for (uint32_t i = 0; i < s->rules + s->lists; i++)
		filters_begin_slot(r, s->rule[i].slot);
}
