/* Groups of next hops, and recursive ones: an index that stands for others. */
#include "net/table/nexthop.h"

#include <string.h>

#include "lib/atomic.h"
#include "net/table/nexthop_internal.h"

#define WEIGHT_MAX 255u

_Static_assert((GROUP_SPREAD & (GROUP_SPREAD - 1)) == 0, "a place is picked by a mask");
_Static_assert(GROUP_MEMBERS <= GROUP_SPREAD, "every member gets a place");
_Static_assert(GROUP_MEMBERS <= 32, "members are bits of a word");
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

/* A member that packets can be sent to: a recursive one needs something that leads there. */
static bool member_leads(const struct nexthop_table *t, uint32_t member)
{
	return t->nexthop[member].action != NEXTHOP_RECURSIVE ||
	       adjacency_leads_on(t->adjacency[member].out);
}

/* What place number i of the n that a member has comes to: a recursive one shares them again. */
static uint32_t member_place(const struct nexthop_table *t, uint32_t member, unsigned i, unsigned n)
{
	const struct nexthop *m = &t->nexthop[member];

	return m->action == NEXTHOP_RECURSIVE ? group_places(t, m->group)[i * GROUP_SPREAD / n]
					      : member;
}

/* Its neighbour does not answer; of a recursive one, that of what it stands for. */
static bool member_is_silent(const struct nexthop_table *t, uint32_t member)
{
	const struct nexthop *n = &t->nexthop[member];

	if (n->action == NEXTHOP_RECURSIVE)
		n = &t->nexthop[t->group[n->group].member[0].index];
	return n->silent;
}

/* The members that lead anywhere, a bit each: those that answer, if any does. */
static uint32_t group_usable(const struct nexthop_table *t, const struct nexthop_group *g)
{
	uint32_t usable = 0, silent = 0;

	for (unsigned m = 0; m < g->members; m++) {
		uint32_t member = g->member[m].index;

		if (member == NEXTHOP_NONE || !member_leads(t, member))
			continue;
		usable |= 1u << m;
		silent |= (uint32_t)member_is_silent(t, member) << m;
	}
	return usable & ~silent ? usable & ~silent : usable;
}

/*
 * Shares the places from `from` to `to` among the members that are not in
 * `without`, by weight: a member ends where the sum of weights up to it falls,
 * rounded down, but each gets a place if there are as many. What falls to one
 * that is not usable is shared in turn, without it: so whatever fails or comes
 * back, no place moves but those of that member. usable: not all in `without`.
 * As deep as there are members.
 */
static void group_share(struct nexthop_table *t, unsigned group, unsigned from, unsigned to,
	uint32_t usable, uint32_t without)
{
	const struct nexthop_group *g = &t->group[group];
	unsigned left = g->members - (unsigned)__builtin_popcount(without), place = from;
	uint32_t total = 0, sum = 0, least = left <= to - from;

	for (unsigned m = 0; m < g->members; m++)
		total += without >> m & 1 ? 0 : g->member[m].weight;
	if (total == 0) /* nobody to share among: the caller has seen to that */
		return;
	for (unsigned m = 0; m < g->members && place < to; m++) {
		if (without >> m & 1)
			continue;
		left--;
		sum += g->member[m].weight;
		unsigned end = from + (to - from) * sum / total;

		end = least && end <= place ? place + 1 : end;
		end = least && end > to - left ? to - left : end;
		if (!(usable >> m & 1) && end > place)
			group_share(t, group, place, end, usable, without | 1u << m);
		for (unsigned i = place; i < end && (usable >> m & 1); i++)
			group_write(t, group, i,
				member_place(t, g->member[m].index, i - place, end - place));
		place = end;
	}
}

/* Spreads the members over the places. false: none of them can be used. */
static bool group_spread(struct nexthop_table *t, unsigned group)
{
	uint32_t usable = group_usable(t, &t->group[group]);

	if (usable)
		group_share(t, group, 0, GROUP_SPREAD, usable, 0);
	return usable != 0;
}

/* The group says what its members say now. */
static void group_refresh(struct nexthop_table *t, unsigned group)
{
	struct adjacency *a = &t->adjacency[t->group[group].owner];

	adjacency_retarget(a, group_spread(t, group) ? NEXTHOP_GROUP : NEXTHOP_UNREACHABLE);
}

/* The groups that have this recursive member follow it. */
static void groups_follow(struct nexthop_table *t, uint32_t member)
{
	for (unsigned group = 0; t->sets && group < t->group_used; group++) {
		const struct nexthop_group *g = &t->group[group];
		unsigned m = 0;

		if (!g->owner || t->nexthop[g->owner].action != NEXTHOP_GROUP)
			continue;
		while (m < g->members && g->member[m].index != member)
			m++;
		if (m < g->members)
			group_refresh(t, group);
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
static uint32_t group_make(
	struct nexthop_table *t, enum nexthop_action action, unsigned port, uint32_t key)
{
	unsigned group = group_take(t);
	uint32_t i = group < GROUP_MAX ? nexthop_make(t, action, port, key) : NEXTHOP_NONE;

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
	store_once(&t->leads[i], (uint16_t)NEXTHOP_BY_PLACES);
	store_release(&t->adjacency[i].out, adjacency_out(NEXTHOP_UNREACHABLE, NO_MTU));
	return i;
}

/* A group of recursive next hops: its places follow theirs. */
static bool is_set(const struct nexthop_table *t, const struct nexthop_group *g)
{
	return t->nexthop[g->owner].action == NEXTHOP_GROUP && g->members &&
	       t->nexthop[g->member[0].index].action == NEXTHOP_RECURSIVE;
}

void nexthop_group_leave(struct nexthop_table *t, uint32_t index)
{
	if (!is_group(&t->nexthop[index]))
		return;
	struct nexthop_group *g = &t->group[t->nexthop[index].group];

	t->recursive -= t->nexthop[index].action == NEXTHOP_RECURSIVE;
	t->sets -= is_set(t, g);
	while (g->members)
		if (g->member[--g->members].index != NEXTHOP_NONE)
			nexthop_put(t, g->member[g->members].index);
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

/* May be in a group, all of whose members are recursive or none. */
static bool member_is_good(
	const struct nexthop_table *t, const struct nexthop_member *m, bool recursive)
{
	const struct nexthop *n = &t->nexthop[m->index];

	if (m->weight == 0 || m->weight > WEIGHT_MAX)
		return false;
	if (m->index == NEXTHOP_NONE)
		return !recursive;
	return m->index < t->used && n->refs && n->action != NEXTHOP_GROUP &&
	       (n->action == NEXTHOP_RECURSIVE) == recursive;
}

/* Where a member comes among those there are: recursive ones stay, so theirs is by index. */
static unsigned member_position(
	const struct nexthop_group *g, const struct nexthop_member *m, bool recursive)
{
	unsigned at = 0;

	while (at < g->members && g->member[at].index != m->index &&
		(!recursive || g->member[at].index < m->index))
		at++;
	return m->index == NEXTHOP_NONE ? g->members : at;
}

/* Puts members in order, the same one once. false: not what a group can have. */
static bool members_sort(const struct nexthop_table *t, const struct nexthop_member *member,
	unsigned n, struct nexthop_group *sorted)
{
	bool recursive = n && t->nexthop[member[0].index].action == NEXTHOP_RECURSIVE;
	bool any = false;

	*sorted = (struct nexthop_group){0};
	if (n == 0 || n > GROUP_MEMBERS)
		return false;
	for (unsigned i = 0; i < n; i++) {
		unsigned at = member_position(sorted, &member[i], recursive);

		if (!member_is_good(t, &member[i], recursive))
			return false;
		any |= member[i].index != NEXTHOP_NONE;
		if (at < sorted->members && sorted->member[at].index == member[i].index) {
			sorted->member[at].weight += member[i].weight;
			continue;
		}
		memmove(&sorted->member[at + 1], &sorted->member[at],
			(sorted->members - at) * sizeof *member);
		sorted->member[at] = member[i];
		sorted->members++;
	}
	return any;
}

/* The only member that is no gap, or NEXTHOP_NONE if there are more, or none. */
static uint32_t only_member(const struct nexthop_group *g)
{
	uint32_t only = NEXTHOP_NONE;

	for (unsigned m = 0; m < g->members; m++) {
		if (g->member[m].index == NEXTHOP_NONE)
			continue;
		if (only != NEXTHOP_NONE)
			return NEXTHOP_NONE;
		only = g->member[m].index;
	}
	return only;
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
	uint32_t hash = members_hash(&want), i = only_member(&want);

	if (i == NEXTHOP_NONE)
		i = group_find(t, &want, hash);
	if (i == NEXTHOP_NONE) {
		i = group_make(t, NEXTHOP_GROUP, 0, hash);
		if (i == NEXTHOP_NONE)
			return ERR_FULL;
		struct nexthop_group *g = &t->group[t->nexthop[i].group];

		g->members = want.members;
		memcpy(g->member, want.member, sizeof g->member);
		for (unsigned m = 0; m < g->members; m++)
			if (g->member[m].index != NEXTHOP_NONE)
				t->nexthop[g->member[m].index].refs++;
		t->sets += is_set(t, g);
		group_refresh(t, t->nexthop[i].group);
	}
	t->nexthop[i].refs++;
	*index = i;
	return ERR_OK;
}

/* ---- recursive next hops ---- */

/* gateway: the IPv4 one, or the hash of the IPv6 one. */
static enum err get_recursive(struct nexthop_table *t, uint32_t gateway, struct ip6 gateway6,
	unsigned port, uint32_t *index)
{
	uint32_t i = nexthop_find(t, NEXTHOP_RECURSIVE, port, gateway, gateway6);

	if (i == NEXTHOP_NONE) {
		i = group_make(t, NEXTHOP_RECURSIVE, port, gateway);
		if (i == NEXTHOP_NONE)
			return ERR_FULL;
		t->nexthop[i].gateway6 = gateway6;
		t->recursive++;
	}
	t->nexthop[i].refs++;
	*index = i;
	return ERR_OK;
}

enum err nexthop_get_recursive(
	struct nexthop_table *t, uint32_t gateway, unsigned port, uint32_t *index)
{
	return get_recursive(t, gateway, IP6_ANY, port, index);
}

enum err nexthop_get_recursive6(
	struct nexthop_table *t, struct ip6 gateway, unsigned port, uint32_t *index)
{
	return get_recursive(t, gateway6_hash(gateway), gateway, port, index);
}

enum err nexthop_get_recursive_key(
	struct nexthop_table *t, unsigned bits, struct ip6 gateway, unsigned port, uint32_t *index)
{
	if (bits == 32)
		return nexthop_get_recursive(t, (uint32_t)(gateway.hi >> 32), port, index);
	return nexthop_get_recursive6(t, gateway, port, index);
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
	uint32_t out = adjacency_out(NEXTHOP_UNREACHABLE, NO_MTU);
	uint32_t old = g->members ? g->member[0].index : NEXTHOP_NONE;

	n->moves = n->held && to != old;
	if (to == old || n->held)
		return;
	if (to == NEXTHOP_NONE) {
		g->members = 0;
	} else {
		t->nexthop[to].refs++;
		redirect_places(t, n->group, to);
		out = is_group(&t->nexthop[to]) ? adjacency_out(NEXTHOP_GROUP, NO_MTU)
						: adjacency_out(NEXTHOP_ONE, to);
		g->member[0] = (struct nexthop_member){(uint16_t)to, 1};
		g->members = 1;
	}
	store_release(&t->adjacency[index].out, out);
	groups_follow(t, index);
	t->changes++;
	if (old != NEXTHOP_NONE)
		nexthop_put(t, old); /* workers may still be on their way to it: its grace period */
}

bool nexthop_any_moves(const struct nexthop_table *t)
{
	for (unsigned group = 0; group < t->group_used; group++) {
		uint32_t owner = t->group[group].owner;

		if (owner && t->nexthop[owner].refs && t->nexthop[owner].moves)
			return true;
	}
	return false;
}

/* ---- neighbours that do not answer ---- */

static bool has_member(const struct nexthop_group *g, uint32_t index)
{
	unsigned m = 0;

	while (m < g->members && g->member[m].index != index)
		m++;
	return g->owner && m < g->members;
}

/*
 * An index has come to say something else: groups that it is in share anew, what
 * is recursive and stands for it copies it, and so do those above. Three levels
 * at most: a group, a recursive next hop by that, a group of such.
 */
static void index_changed(struct nexthop_table *t, uint32_t index)
{
	for (unsigned group = 0; group < t->group_used; group++) {
		uint32_t owner = t->group[group].owner;

		if (!has_member(&t->group[group], index))
			continue;
		if (t->nexthop[owner].action == NEXTHOP_GROUP)
			group_refresh(t, group);
		else
			redirect_places(t, group, index);
		index_changed(t, owner);
	}
}

void nexthop_set_silent(struct nexthop_table *t, uint32_t index, bool silent)
{
	t->nexthop[index].silent = silent;
	index_changed(t, index);
	t->changes++;
}

bool nexthop_shared(const struct nexthop_table *t, uint32_t at, uint32_t *index)
{
	const struct nexthop_group *g = &t->group[at / GROUP_MEMBERS];
	unsigned m = at % GROUP_MEMBERS;

	*index = NEXTHOP_NONE;
	if (at >= t->group_used * GROUP_MEMBERS)
		return false;
	if (!g->owner || t->nexthop[g->owner].action != NEXTHOP_GROUP || m >= g->members)
		return true;
	uint32_t i = g->member[m].index;

	if (t->nexthop[i].action == NEXTHOP_RECURSIVE)
		i = member_leads(t, i) ? t->group[t->nexthop[i].group].member[0].index
				       : NEXTHOP_NONE;
	if (t->nexthop[i].action == NEXTHOP_RESOLVE && t->nexthop[i].gateway)
		*index = i;
	return true;
}

uint32_t nexthop_pick(const struct nexthop_table *t, uint32_t index, uint32_t hash)
{
	const struct adjacency *a = &t->adjacency[index];

	if (adjacency_target(a->out) == NEXTHOP_ONE)
		return adjacency_one(a->out);
	return adjacency_leads_on(a->out) ? t->place[a->place + (hash & a->mask)] : index;
}
