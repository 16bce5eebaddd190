/* From the configuration to compiled access lists and what they are bound to. */
#include <string.h>

#include "kernel/apply.h"
#include "kernel/control.h"
#include "kernel/filter.h"
#include "kernel/platform.h"
#include "lib/hash.h"

#define STEPS   16u      /* of compiling between two looks at the clock; about a microsecond each */
#define LEFT_US 1000000u /* for workers to leave what was in force before the last commit */

static struct filter_set *set_now(struct router *r)
{
	return &r->filters.set[r->filters.set_now];
}

/* ---- whether anything is another ---- */

static uint64_t pack(const uint16_t *range)
{
	return (uint64_t)range[0] << 16 | range[1];
}

/* A hash of what a rule says, number and all. */
static uint64_t said_by(const struct config_rule *rule, const struct acl_rule *m)
{
	const uint64_t part[] = {m->from.hi, m->from.lo, m->to.hi, m->to.lo,
		pack(m->from_port) << 32 | pack(m->to_port),
		(uint64_t)m->from_length << 32 | (uint64_t)m->to_length << 24 | m->family << 16 |
			m->protocol << 8 | m->any_protocol << 3 | m->ports << 2 |
			(uint64_t)m->established << 4 << 32 | rule->permit << 1 | rule->log,
		rule->number};
	uint64_t h = 1;

	for (unsigned i = 0; i < sizeof part / sizeof *part; i++)
		h = hash_mix(h ^ part[i]) + i;
	return h;
}

/* Of all lists; 0: there are none. */
static uint64_t digest(struct router *r, const struct config *c)
{
	uint64_t h = 0;

	for (unsigned l = 0; l < c->acls; l++) {
		const struct config_acl *list = &c->acl[l];

		for (unsigned i = 0; i < ACL_NAME_MAX && list->name[i]; i++)
			h = hash_mix(h ^ (uint8_t)list->name[i]) + 1;
		h = hash_mix(h ^ list->rules) + 1;
		for (unsigned i = list->first; i < list->first + list->rules; i++) {
			h = hash_mix(h ^ said_by(&c->rule[i], &c->match[i])) + 1;
			control_yield(r);
		}
	}
	return h;
}

/* Number of a list + 1; 0: none is named. */
static uint16_t number_of(const struct config *c, const char *name)
{
	for (unsigned l = 0; *name && l < c->acls; l++)
		if (strcmp(c->acl[l].name, name) == 0)
			return (uint16_t)(l + 1);
	return 0;
}

/* ---- slots ---- */

/* The list of that name in a set, or NULL. */
static const struct filter_list *list_named(const struct filter_set *s, const char *name)
{
	for (unsigned l = 0; l < s->lists; l++)
		if (strcmp(s->name[l], name) == 0)
			return &s->list[l];
	return NULL;
}

static uint64_t in_use[(2 * (ACL_RULES + ACL_LISTS) + 63) / 64];

static bool is_in_use(unsigned slot)
{
	return in_use[slot / 64] >> slot % 64 & 1;
}

/*
 * Gives each rule of a list its slot: that of the same rule in force, or one that nobody
 * counts in. *next: where to look for such.
 */
static void number_list(struct router *r, const struct filter_set *old, struct filter_set *s,
	unsigned l, unsigned *next)
{
	const struct filter_list *list = &s->list[l], *was = list_named(old, s->name[l]);
	uint32_t k = was ? was->first : 0, end = was ? was->first + was->rules + 1 : 0;

	for (uint32_t i = list->first; i <= list->first + list->rules; i++) {
		while (k < end && old->number[k] < s->number[i])
			k++;
		if (k < end && old->number[k] == s->number[i] && old->said[k] == s->said[i]) {
			s->rule[i].slot = old->rule[k].slot;
			continue;
		}
		while (is_in_use(*next))
			++*next;
		s->rule[i].slot = (uint16_t)*next;
		filters_begin_slot(r, (*next)++);
		control_yield(r);
	}
}

static void number_slots(struct router *r, struct filter_set *s)
{
	const struct filter_set *old = set_now(r);
	unsigned next = 0;

	memset(in_use, 0, sizeof in_use);
	for (uint32_t i = 0; i < old->rules + old->lists; i++)
		in_use[old->rule[i].slot / 64] |= UINT64_C(1) << old->rule[i].slot % 64;
	for (unsigned l = 0; l < s->lists; l++)
		number_list(r, old, s, l, &next);
}

/* ---- a set ---- */

/* One family of a list. NULL: no room. */
static const struct acl *compile(
	struct apply *a, struct filter_set *s, const struct config_acl *list, unsigned family)
{
	struct filters *f = &a->r->filters;
	struct acl_build *b = acl_build_begin(f->scratch, s->memory + s->used,
		f->memory_bytes - s->used, a->config->match + list->first, list->rules, family);
	bool done;

	do {
		control_yield(a->r);
		if (acl_build_step(b, STEPS, &done))
			return NULL;
	} while (!done);
	const struct acl *acl = acl_build_end(b);

	s->used += (acl_bytes(acl) + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	return acl;
}

static bool add_list(struct apply *a, struct filter_set *s, const struct config_acl *list)
{
	struct filter_list *to = &s->list[s->lists];
	uint32_t at = s->rules + s->lists;

	*to = (struct filter_list){.first = at, .rules = list->rules};
	memcpy(s->name[s->lists], list->name, ACL_NAME_MAX);
	for (unsigned i = list->first; i < list->first + list->rules; i++, at++) {
		const struct config_rule *rule = &a->config->rule[i];

		s->number[at] = rule->number;
		s->said[at] = said_by(rule, &a->config->match[i]);
		s->rule[at].flags = (uint16_t)((rule->permit ? FILTER_PERMIT : 0) |
					       (rule->log ? FILTER_LOG : 0));
		control_yield(a->r);
	}
	s->number[at] = FILTER_NO_RULE;
	s->said[at] = s->rule[at].flags = 0;
	s->lists++;
	s->rules += list->rules;
	to->four = compile(a, s, list, 4);
	to->six = to->four ? compile(a, s, list, 6) : NULL;
	return to->six ||
	       apply_fail(a, "acl %s: %u rules in all lists do not fit %u KiB compiled", list->name,
		       s->rules, (unsigned)(a->r->filters.memory_bytes >> 10));
}

/* Waits until no worker reads what is written over. false: one does, told. */
static bool wait_left(struct apply *a)
{
	struct filters *f = &a->r->filters;
	uint64_t start = platform_now_us();
	unsigned holdout;

	while (f->leaving && !rcu_grace_done(&a->r->rcu, &f->grace, &holdout)) {
		if (platform_now_us() - start > LEFT_US)
			return apply_fail(
				a, "acl: worker %u still reads the lists before", holdout);
		control_yield(a->r);
		platform_relax();
	}
	f->leaving = false;
	return true;
}

static bool build_set(struct apply *a, uint64_t said)
{
	struct filters *f = &a->r->filters;
	struct filter_set *s = &f->set[!f->set_now];
	const struct config *c = a->config;

	filters_log(a->r, platform_now_us()); /* it may name lists that go now */
	s->lists = s->rules = 0;
	s->used = 0;
	s->digest = said;
	for (unsigned l = 0; l < c->acls; l++) {
		if (s->rules + c->acl[l].rules > f->rules_max)
			return apply_fail(a, "acl %s: %u rules in all lists; %u fit",
				c->acl[l].name, c->rules, f->rules_max);
		if (!add_list(a, s, &c->acl[l]))
			return false;
	}
	number_slots(a->r, s);
	return true;
}

/* ---- the whole ---- */

bool filters_prepare(struct apply *a)
{
	static uint16_t in[IFACE_MAX], out[IFACE_MAX];
	struct filters *f = &a->r->filters;
	const struct filter *now = &f->bound[f->bound_now];
	uint64_t said = digest(a->r, a->config);
	bool other = said != set_now(a->r)->digest;

	f->changes = false;
	for (unsigned n = 0; n < IFACE_MAX; n++) {
		const struct config_iface *c = a->match.of[n];

		in[n] = c ? number_of(a->config, c->acl_in) : 0;
		out[n] = c ? number_of(a->config, c->acl_out) : 0;
	}
	if (!other && !memcmp(in, now->in, sizeof in) && !memcmp(out, now->out, sizeof out))
		return true;
	if (!wait_left(a) || (other && !build_set(a, said)))
		return false;
	struct filter *next = &f->bound[!f->bound_now];

	f->set_next = (uint8_t)(other ? !f->set_now : f->set_now);
	next->list = f->set[f->set_next].list;
	next->rule = f->set[f->set_next].rule;
	memcpy(next->in, in, sizeof in);
	memcpy(next->out, out, sizeof out);
	f->changes = true;
	return true;
}
