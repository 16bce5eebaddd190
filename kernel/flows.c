/* The workers' flow caches: memory at boot, and when lanes ask them. */
#include "kernel/flows.h"

#include "kernel/config.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/router_build.h"
#include "lib/text.h"
#include "lib/text6.h"

#ifndef FLOWS
#	define FLOWS 0
#endif

#define SHARE       16u        /* one part in so many of the spare memory at boot, for all */
#define LINES_USUAL (1u << 20) /* at most, unless FLOWS says more: a million IPv4 flows */

/* Rules from which on a cache is faster than the list, with 64 K flows: make bench-flow. */
#define AUTO_RULES 1u

static const uint32_t flows_asked = FLOWS;

_Static_assert(FLOWS <= FLOW_LINES_MAX, "so many flows fit one cache");

/* ---- boot ---- */

/* Twice the places that IPv4 flows need, so that most stand in the first of their two lines. */
static uint32_t lines_for(const struct router *r)
{
	uint32_t lines = FLOW_LINES_MIN;

	while (lines < FLOW_LINES_MAX && lines < flows_asked)
		lines *= 2;
	if (flows_asked)
		return lines;
	while (lines < LINES_USUAL && flow_bytes(2 * lines) * r->workers <= router_spare(r) / SHARE)
		lines *= 2;
	return lines;
}

bool flows_init(struct router *r)
{
	r->flows.lines = lines_for(r);
	r->flows.automatic = true; /* until somebody says otherwise */
	for (unsigned w = 0; w < r->workers; w++) {
		void *memory = platform_alloc_near(
			flow_bytes(r->flows.lines), CACHE_LINE, r->worker[w]->node);

		if (!memory)
			return false;
		flow_init(&r->flows.of[w], memory, r->flows.lines, platform_random());
	}
	return true;
}

/* ---- in force ---- */

/* The rules of the list that an interface has; `number` as in struct filter. */
static unsigned rules_of(const struct filter *f, uint16_t number)
{
	return number ? f->list[number - 1].rules : 0;
}

/* The most rules that a list has that packets of a lane may meet. */
static unsigned rules_met(const struct router *r, const struct lane *lane)
{
	const struct filter *f = r->tables.filter;
	unsigned most = 0;

	for (unsigned n = 0; f && lane->filter && n < r->ifaces; n++) {
		unsigned in = r->iface[n].parent == lane->port ? rules_of(f, f->in[n]) : 0;
		unsigned out = rules_of(f, f->out[n]);

		most = in > most ? in : most;
		most = out > most ? out : most;
	}
	return most;
}

static bool is_wanted(const struct config *c, unsigned rules)
{
	if (c->flow_table == FLOW_TABLE_AUTO)
		return rules >= AUTO_RULES;
	return c->flow_table == FLOW_TABLE_ON;
}

void config_apply_flows(struct router *r, const struct config *c)
{
	r->flows.on = false;
	r->flows.automatic = c->flow_table == FLOW_TABLE_AUTO;
	r->flows.rules = 0;
	for (unsigned w = 0; w < r->workers; w++)
		store_once(&r->flows.of[w].shadow, c->flow_shadow);
	for (unsigned l = 0; l + 1 < r->lanes; l++) {
		struct lane *lane = &r->lane[l];
		unsigned rules = rules_met(r, lane);
		bool on = is_wanted(c, rules);

		store_once(&lane->flow, on ? &r->flows.of[lane->actor - 1] : NULL);
		r->flows.on |= on;
		r->flows.rules = rules > r->flows.rules ? rules : r->flows.rules;
	}
}

/* ---- told ---- */

uint64_t flows_lines_used(const struct router *r)
{
	uint64_t lines = 0;

	for (unsigned w = 0; w < r->workers; w++)
		lines += (uint64_t)load_once(&r->flows.of[w].mask) + 1;
	return lines;
}

/* Since boot. */
static struct flow_sums add_up(const struct router *r)
{
	struct flow_sums sum = {0};

	for (unsigned w = 0; w < r->workers; w++) {
		const struct flows *f = &r->flows.of[w];

		sum.hits += load_once(&f->hits);
		sum.misses += load_once(&f->misses);
		sum.kept += load_once(&f->kept);
		sum.evicted += load_once(&f->evicted);
		sum.refused += load_once(&f->refused);
		sum.aged += load_once(&f->aged);
		sum.shadowed += load_once(&f->shadowed);
		sum.differed += load_once(&f->differed);
	}
	return sum;
}

void flows_sum(const struct router *r, struct flow_sums *sum)
{
	const struct flow_sums *start = &r->flows.start;

	*sum = add_up(r);
	sum->hits -= start->hits;
	sum->misses -= start->misses;
	sum->kept -= start->kept;
	sum->evicted -= start->evicted;
	sum->refused -= start->refused;
	sum->aged -= start->aged;
	sum->shadowed -= start->shadowed;
	sum->differed -= start->differed;
}

void flows_clear(struct router *r)
{
	r->flows.start = add_up(r);
}

static void print_address(char out[TEXT_IPV6_MAX], const struct flow_key *key, struct ip6 address)
{
	if (key->family == 6)
		text_print_ipv6(out, address.hi, address.lo);
	else
		text_print_ipv4(out, (uint32_t)address.lo);
}

void flows_log(struct router *r)
{
	char from[TEXT_IPV6_MAX], to[TEXT_IPV6_MAX];
	uint64_t differed = 0;
	const struct flow_key *key = NULL;

	for (unsigned w = 0; w < r->workers; w++) {
		differed += load_once(&r->flows.of[w].differed);
		if (r->flows.of[w].differed)
			key = &r->flows.of[w].suspect;
	}
	if (differed == r->flows.told || !key)
		return;
	print_address(from, key, key->src);
	print_address(to, key, key->dst);
	log_text("flows: %llu decisions kept differ from those taken again; protocol %u, %s %u > "
		 "%s %u",
		(unsigned long long)(differed - r->flows.told), key->protocol, from,
		key->ports >> 16, to, key->ports & 0xffff);
	r->flows.told = differed;
}
