/* Groups of next hops, and recursive ones: an index that stands for others. */
#include "net/table/nexthop.h"

#include <string.h>

#include "lib/atomic.h"
#include "net/table/nexthop_internal.h"

#define WEIGHT_MAX 255u

_Static_assert((GROUP_SPREAD & (GROUP_SPREAD - 1)) == 0, "a place is picked by a mask");
_Static_assert(GROUP_MEMBERS <= GROUP_SPREAD, "every member gets a place");
_Static_assert(GROUP_MAX < 0xffff, "a group's number fits 16 bits");

static bool is_group(const struct nexthop *n)
{
	return n->action == NEXTHOP_GROUP || n->action == NEXTHOP_RECURSIVE;
}

/* ---- places ---- */

/* The places of a group, shared with workers. */
static uint16_t *group_places(const struct nexthop_table *t, unsigned group)
{
	return t->place + (size_t)group * GROUP_SPREAD;
}

static void group_write(struct nexthop_table *t, unsigned group, unsigned place, uint32_t index)
{
	store_release(&group_places(t, group)[place], (uint16_t)index);
}

/*
 * Spreads the members over the places by weight. Member m ends where the sum of
 * weights up to it falls, rounded down, but each gets one place at least.
 */
static void group_spread(struct nexthop_table *t, unsigned group)
{
	const struct nexthop_group *g = &t->group[group];
	uint32_t total = 0, sum = 0;
	unsigned place = 0;

	for (unsigned m = 0; m < g->members; m++)
		total += g->member[m].weight;
	for (unsigned m = 0; m < g->members; m++) {
		unsigned left = g->members - m - 1u;

		sum += g->member[m].weight;
		unsigned end = GROUP_SPREAD * sum / total;

		end = end <= place ? place + 1 : end;
		end = end > GROUP_SPREAD - left ? GROUP_SPREAD - left : end;
		while (place < end)
			group_write(t, group, place++, g->member[m].index);
	}
}

/* ---- making and ending ---- */

/* A group's number, or GROUP_MAX. */
static unsigned group_take(struct nexthop_table *t)
{
	unsigned g = t->group_free;

	if (g) {
		t->group_free = t->group[g - 1].next;
		return g - 1;
	}
	return t->group_used < GROUP_MAX ? t->group_used++ : GROUP_MAX;
}

/* A next hop with a group of its own, no members yet; NEXTHOP_NONE: no room. */
static uint32_t group_make(struct nexthop_table *t, enum nexthop_action action, uint32_t key)
{
	unsigned group = group_take(t);
	uint32_t i = group < GROUP_MAX ? nexthop_make(t, action, 0, key) : NEXTHOP_NONE;

	if (group < GROUP_MAX) {
		t->group[group] = (struct nexthop_group){.owner = (uint16_t)i};
		if (i == NEXTHOP_NONE) {
			t->group[group].next = t->group_free;
			t->group_free = (uint16_t)(group + 1);
		}
	}
	if (i == NEXTHOP_NONE)
		return i;
	t->nexthop[i].group = (uint16_t)group;
	t->adjacency[i].place = group * GROUP_SPREAD;
	t->adjacency[i].mask = GROUP_SPREAD - 1;
	return i;
}

void nexthop_group_leave(struct nexthop_table *t, uint32_t index)
{
	if (!is_group(&t->nexthop[index]))
		return;
	struct nexthop_group *g = &t->group[t->nexthop[index].group];

	t->recursive -= t->nexthop[index].action == NEXTHOP_RECURSIVE;
	while (g->members)
		nexthop_put(t, g->member[--g->members].index);
}

void nexthop_group_free(struct nexthop_table *t, uint32_t index)
{
	unsigned group = t->nexthop[index].group;

	if (!is_group(&t->nexthop[index]))
		return;
	t->group[group].owner = 0;
	t->group[group].next = t->group_free;
	t->group_free = (uint16_t)(group + 1);
}

/* ---- equal-cost paths ---- */

/* Puts members in order of index, the same one once. false: not what a group can have. */
static bool members_sort(const struct nexthop_table *t, const struct nexthop_member *member,
	unsigned n, struct nexthop_group *sorted)
{
	*sorted = (struct nexthop_group){0};
	if (n == 0 || n > GROUP_MEMBERS)
		return false;
	for (unsigned i = 0; i < n; i++) {
		unsigned at = sorted->members;

		if (member[i].index >= t->used || !t->nexthop[member[i].index].refs ||
			is_group(&t->nexthop[member[i].index]) || member[i].weight == 0 ||
			member[i].weight > WEIGHT_MAX)
			return false;
		while (at && sorted->member[at - 1].index >= member[i].index)
			at--;
		if (at < sorted->members && sorted->member[at].index == member[i].index) {
			sorted->member[at].weight += member[i].weight;
			continue;
		}
		memmove(&sorted->member[at + 1], &sorted->member[at],
			(sorted->members - at) * sizeof *member);
		sorted->member[at] = member[i];
		sorted->members++;
	}
	return true;
}

static uint32_t members_hash(const struct nexthop_group *g)
{
	uint32_t h = g->members;

	for (unsigned m = 0; m < g->members; m++)
		h = (h ^ g->member[m].index ^ (uint32_t)g->member[m].weight << 16) * 0x85ebca6bu;
	return h;
}

/* The index of the group with just these members, or NEXTHOP_NONE. */
static uint32_t group_find(struct nexthop_table *t, const struct nexthop_group *want, uint32_t hash)
{
	uint32_t i = *nexthop_bucket(t, NEXTHOP_GROUP, 0, hash);

	for (; i; i = t->nexthop[i].next) {
		const struct nexthop *n = &t->nexthop[i];
		const struct nexthop_group *g = &t->group[n->group];

		if (n->action == NEXTHOP_GROUP && n->gateway == hash &&
			g->members == want->members &&
			memcmp(g->member, want->member, g->members * sizeof *g->member) == 0)
			break;
	}
	return i;
}

enum err nexthop_get_group(
	struct nexthop_table *t, const struct nexthop_member *member, unsigned n, uint32_t *index)
{
	struct nexthop_group want;

	if (!members_sort(t, member, n, &want))
		return ERR_INVALID;
	uint32_t hash = members_hash(&want);
	uint32_t i = want.members == 1 ? want.member[0].index : group_find(t, &want, hash);

	if (i == NEXTHOP_NONE && want.members > 1) {
		i = group_make(t, NEXTHOP_GROUP, hash);
		if (i == NEXTHOP_NONE)
			return ERR_FULL;
		struct nexthop_group *g = &t->group[t->nexthop[i].group];

		g->members = want.members;
		memcpy(g->member, want.member, sizeof g->member);
		for (unsigned m = 0; m < g->members; m++)
			t->nexthop[g->member[m].index].refs++;
		group_spread(t, t->nexthop[i].group);
		store_release(&t->adjacency[i].out, adjacency_out(NEXTHOP_GROUP, NO_MTU));
	}
	t->nexthop[i].refs++;
	*index = i;
	return ERR_OK;
}

/* ---- recursive next hops ---- */

enum err nexthop_get_recursive(struct nexthop_table *t, uint32_t gateway, uint32_t *index)
{
	uint32_t i = *nexthop_bucket(t, NEXTHOP_RECURSIVE, 0, gateway);

	while (i &&
		!(t->nexthop[i].action == NEXTHOP_RECURSIVE && t->nexthop[i].gateway == gateway))
		i = t->nexthop[i].next;
	if (i == NEXTHOP_NONE) {
		i = group_make(t, NEXTHOP_RECURSIVE, gateway);
		if (i == NEXTHOP_NONE)
			return ERR_FULL;
		t->recursive++;
		store_release(&t->adjacency[i].out, adjacency_out(NEXTHOP_UNREACHABLE, NO_MTU));
	}
	t->nexthop[i].refs++;
	*index = i;
	return ERR_OK;
}

/* The places come to what those of `to` say, or all to `to` itself. */
static void redirect_places(struct nexthop_table *t, unsigned group, uint32_t to)
{
	const struct nexthop *n = &t->nexthop[to];

	for (unsigned p = 0; p < GROUP_SPREAD; p++)
		group_write(t, group, p, is_group(n) ? group_places(t, n->group)[p] : to);
}

void nexthop_redirect(struct nexthop_table *t, uint32_t index, uint32_t to)
{
	struct nexthop *n = &t->nexthop[index];
	struct nexthop_group *g = &t->group[n->group];
	struct adjacency *a = &t->adjacency[index];
	uint32_t old = g->members ? g->member[0].index : NEXTHOP_NONE;

	if (to == old || n->held)
		return;
	if (to == NEXTHOP_NONE) {
		adjacency_retarget(a, NEXTHOP_UNREACHABLE);
		g->members = 0;
	} else {
		t->nexthop[to].refs++;
		redirect_places(t, n->group, to);
		store_release(&a->mask, is_group(&t->nexthop[to]) ? GROUP_SPREAD - 1 : 0);
		adjacency_retarget(a, NEXTHOP_GROUP);
		g->member[0] = (struct nexthop_member){(uint16_t)to, 1};
		g->members = 1;
	}
	if (old != NEXTHOP_NONE)
		nexthop_put(t, old); /* workers may still be on their way to it: its grace period */
}

uint32_t nexthop_pick(const struct nexthop_table *t, uint32_t index, uint32_t hash)
{
	const struct adjacency *a = &t->adjacency[index];

	return adjacency_target(a->out) == NEXTHOP_GROUP ? t->place[a->place + (hash & a->mask)]
							 : index;
}
