/* Next hops: found by hash, counted by reference, changed in place under the workers' eyes. */
#include "net/table/nexthop.h"

#include <string.h>

#include "lib/atomic.h"
#include "net/table/nexthop_internal.h"

_Static_assert(NEXTHOP_MAX <= 0x10000, "an index fits the 16-bit chains");

void nexthop_init(struct nexthop_table *t, const struct nexthop_memory *memory)
{
	memset(t, 0, sizeof *t);
	t->adjacency = memory->adjacency;
	t->nexthop = memory->nexthop;
	t->place = memory->place;
	t->leads = memory->leads;
	t->group = memory->group;
	t->used = 1;
	t->count = 1;
	t->nexthop[NEXTHOP_NONE].refs = 1; /* its own: never freed */
	t->nexthop[NEXTHOP_NONE].action = NEXTHOP_NO_ROUTE;
	t->leads[NEXTHOP_NONE] = NEXTHOP_NOWHERE;
	store_release(&t->adjacency[NEXTHOP_NONE].out, adjacency_out(NEXTHOP_NO_ROUTE, NO_MTU));
}

uint16_t *nexthop_bucket(
	struct nexthop_table *t, enum nexthop_action action, unsigned port, uint32_t gateway)
{
	uint32_t key = gateway ^ port << 24 ^ (uint32_t)action << 16;

	/* Fibonacci hashing: the top bits of the product depend on all of the key. */
	return &t->bucket[key * 0x9e3779b1u / (0x100000000u / NEXTHOP_BUCKETS)];
}

uint32_t nexthop_find(struct nexthop_table *t, enum nexthop_action action, unsigned port,
	uint32_t gateway, struct ip6 gateway6)
{
	uint32_t i = *nexthop_bucket(t, action, port, gateway);

	while (i) {
		const struct nexthop *n = &t->nexthop[i];

		if (n->action == action && n->port == port && n->gateway == gateway &&
			ip6_equal(n->gateway6, gateway6))
			break;
		i = n->next;
	}
	return i;
}

uint32_t nexthop_make(
	struct nexthop_table *t, enum nexthop_action action, unsigned port, uint32_t gateway)
{
	uint32_t i = t->free;

	if (i)
		t->free = t->nexthop[i].next;
	else if (t->used < NEXTHOP_MAX)
		i = t->used++;
	else
		return NEXTHOP_NONE;

	uint16_t *bucket = nexthop_bucket(t, action, port, gateway);

	t->nexthop[i] = (struct nexthop){.gateway = gateway,
		.port = (uint16_t)port,
		.action = (uint16_t)action,
		.next = *bucket};
	*bucket = (uint16_t)i;
	nexthop_count_anew(t, i);
	t->count++;
	return i;
}

/* The next hop by a gateway of either family: see nexthop_find. */
static enum err nexthop_get_any(struct nexthop_table *t, enum nexthop_action action, unsigned port,
	uint32_t gateway, struct ip6 gateway6, const uint8_t *src_mac, uint32_t mtu,
	uint32_t *index)
{
	bool forwards = action == NEXTHOP_RESOLVE;

	if (!forwards) {
		port = gateway = 0;
		gateway6 = IP6_ANY;
	}
	uint32_t i = action == NEXTHOP_NO_ROUTE ? NEXTHOP_NONE
						: nexthop_find(t, action, port, gateway, gateway6);

	if (i == NEXTHOP_NONE && action != NEXTHOP_NO_ROUTE) {
		i = nexthop_make(t, action, port, gateway);
		if (i == NEXTHOP_NONE)
			return ERR_FULL;
		t->nexthop[i].gateway6 = gateway6;
		if (forwards)
			memcpy(t->adjacency[i].mac + 6, src_mac, 6);
		store_once(&t->leads[i], (uint16_t)(forwards ? port : NEXTHOP_NOWHERE));
		store_release(&t->adjacency[i].out, adjacency_out(action, forwards ? mtu : NO_MTU));
	}
	t->nexthop[i].refs++;
	*index = i;
	return ERR_OK;
}

enum err nexthop_get(struct nexthop_table *t, enum nexthop_action action, unsigned port,
	uint32_t gateway, const uint8_t *src_mac, uint32_t mtu, uint32_t *index)
{
	return nexthop_get_any(t, action, port, gateway, IP6_ANY, src_mac, mtu, index);
}

enum err nexthop_get6(struct nexthop_table *t, enum nexthop_action action, unsigned port,
	struct ip6 gateway, const uint8_t *src_mac, uint32_t mtu, uint32_t *index)
{
	return nexthop_get_any(
		t, action, port, gateway6_hash(gateway), gateway, src_mac, mtu, index);
}

enum err nexthop_get_key(struct nexthop_table *t, unsigned bits, enum nexthop_action action,
	unsigned port, struct ip6 gateway, const uint8_t *src_mac, uint32_t mtu, uint32_t *index)
{
	if (bits == 32)
		return nexthop_get(
			t, action, port, (uint32_t)(gateway.hi >> 32), src_mac, mtu, index);
	return nexthop_get6(t, action, port, gateway, src_mac, mtu, index);
}

/* What is to happen to the next hop happens after the end of a grace period begun from now on. */
static void nexthop_want_grace(struct nexthop_table *t, uint32_t index)
{
	struct nexthop *n = &t->nexthop[index];

	if (n->grace != NEXTHOP_WANTS_GRACE)
		t->wants_grace++;
	n->grace = NEXTHOP_WANTS_GRACE;
	if (n->listed)
		return;
	n->listed = true;
	n->next_wait = t->waiting;
	t->waiting = (uint16_t)index;
}

/* It leaves the list when that is walked next. */
static void nexthop_settle(struct nexthop_table *t, struct nexthop *n)
{
	if (n->grace == NEXTHOP_WANTS_GRACE)
		t->wants_grace--;
	n->grace = NEXTHOP_SETTLED;
}

void nexthop_put(struct nexthop_table *t, uint32_t index)
{
	struct nexthop *n = &t->nexthop[index];

	if (--n->refs)
		return;

	uint16_t *link = nexthop_bucket(t, n->action, n->port, n->gateway);

	while (*link != index)
		link = &t->nexthop[*link].next;
	*link = n->next;
	t->count--;
	t->freed++;
	nexthop_want_grace(t, index);
	nexthop_group_leave(t, index);
}

void nexthop_hold_all(struct nexthop_table *t)
{
	for (uint32_t i = 1; i < t->used; i++) {
		struct nexthop *n = &t->nexthop[i];

		n->held = n->refs > 0;
		n->unlearn = n->moves = false;
		n->refs += n->held;
	}
}

static void write_mac(struct nexthop_table *t, uint32_t i, const uint8_t *mac, unsigned txq)
{
	struct nexthop *n = &t->nexthop[i];
	struct adjacency *a = &t->adjacency[i];

	n->unlearn = false;
	if (memcmp(a->mac, mac, 6) == 0) {
		/* The address in place is right: workers may be pointed at it at any time. */
		n->resolved = true;
		nexthop_settle(t, n);
		adjacency_retarget(a, txq);
		return;
	}
	if (adjacency_target(a->out) != NEXTHOP_RESOLVE) {
		adjacency_retarget(a, NEXTHOP_RESOLVE);
		nexthop_want_grace(t, i); /* a worker may be about to read the old address */
	}
	n->resolved = true;
	n->new_txq = (uint16_t)txq;
	memcpy(n->new_mac, mac, 6);
	if (n->grace == NEXTHOP_SETTLED) {
		memcpy(a->mac, mac, 6);
		adjacency_retarget(a, txq); /* releases: the address before the queue */
	}
}

static void set_mac(struct nexthop_table *t, uint32_t i, const uint8_t *mac, unsigned txq)
{
	if (i == NEXTHOP_NONE)
		return;
	write_mac(t, i, mac, txq);
	if (t->nexthop[i].silent)
		nexthop_set_silent(t, i, false);
}

void nexthop_set_mac(
	struct nexthop_table *t, unsigned port, uint32_t gateway, const uint8_t *mac, unsigned txq)
{
	set_mac(t, nexthop_find(t, NEXTHOP_RESOLVE, port, gateway, IP6_ANY), mac, txq);
}

void nexthop_set_mac6(struct nexthop_table *t, unsigned port, struct ip6 gateway,
	const uint8_t *mac, unsigned txq)
{
	uint32_t hash = gateway6_hash(gateway);

	set_mac(t, nexthop_find(t, NEXTHOP_RESOLVE, port, hash, gateway), mac, txq);
}

/* The neighbour's address is not to be used from now on. */
static void unlearn(struct nexthop_table *t, uint32_t i)
{
	struct adjacency *a = &t->adjacency[i];

	if (adjacency_target(a->out) != NEXTHOP_RESOLVE) {
		adjacency_retarget(a, NEXTHOP_RESOLVE);
		nexthop_want_grace(t, i); /* before another address may be written */
	}
	t->nexthop[i].resolved = false;
}

static void clear_mac(struct nexthop_table *t, uint32_t i)
{
	if (i == NEXTHOP_NONE)
		return;
	if (t->nexthop[i].held)
		t->nexthop[i].unlearn = true;
	else
		unlearn(t, i);
}

void nexthop_clear_mac(struct nexthop_table *t, unsigned port, uint32_t gateway)
{
	clear_mac(t, nexthop_find(t, NEXTHOP_RESOLVE, port, gateway, IP6_ANY));
}

void nexthop_clear_mac6(struct nexthop_table *t, unsigned port, struct ip6 gateway)
{
	uint32_t hash = gateway6_hash(gateway);

	clear_mac(t, nexthop_find(t, NEXTHOP_RESOLVE, port, hash, gateway));
}

static void silence(struct nexthop_table *t, uint32_t i)
{
	if (i != NEXTHOP_NONE && !t->nexthop[i].silent)
		nexthop_set_silent(t, i, true);
}

void nexthop_silence(struct nexthop_table *t, unsigned port, uint32_t gateway)
{
	silence(t, nexthop_find(t, NEXTHOP_RESOLVE, port, gateway, IP6_ANY));
}

void nexthop_silence6(struct nexthop_table *t, unsigned port, struct ip6 gateway)
{
	silence(t, nexthop_find(t, NEXTHOP_RESOLVE, port, gateway6_hash(gateway), gateway));
}

bool nexthop_is_gateway6(struct nexthop_table *t, unsigned port, struct ip6 gateway)
{
	return nexthop_find(t, NEXTHOP_RESOLVE, port, gateway6_hash(gateway), gateway) !=
	       NEXTHOP_NONE;
}

void nexthop_release_all(struct nexthop_table *t)
{
	for (uint32_t i = 1; i < t->used; i++) {
		struct nexthop *n = &t->nexthop[i];

		if (!n->held)
			continue;
		n->held = false;
		if (n->unlearn && n->refs > 1)
			unlearn(t, i);
		nexthop_put(t, i);
	}
}

void nexthop_set_mtu(struct nexthop_table *t, unsigned port, uint32_t mtu)
{
	for (uint32_t i = 1; i < t->used; i++) {
		struct adjacency *a = &t->adjacency[i];
		const struct nexthop *n = &t->nexthop[i];

		if (n->refs && n->action == NEXTHOP_RESOLVE && n->port == port)
			store_release(&a->out, adjacency_out(adjacency_target(a->out), mtu));
	}
}

bool nexthop_wants_grace(const struct nexthop_table *t, bool unnamed)
{
	return unnamed ? t->wants_grace > 0 : t->wants_grace > t->freed;
}

void nexthop_grace_begin(struct nexthop_table *t, bool unnamed)
{
	if (!nexthop_wants_grace(t, unnamed))
		return;
	for (uint32_t i = t->waiting; i; i = t->nexthop[i].next_wait) {
		struct nexthop *n = &t->nexthop[i];

		if (n->grace != NEXTHOP_WANTS_GRACE || !(n->refs || unnamed))
			continue;
		n->grace = NEXTHOP_IN_GRACE;
		t->wants_grace--;
		t->freed -= n->refs == 0;
	}
}

/* The grace period of this next hop has passed. */
static void nexthop_passed(struct nexthop_table *t, uint32_t i)
{
	struct nexthop *n = &t->nexthop[i];
	struct adjacency *a = &t->adjacency[i];

	nexthop_settle(t, n);
	if (!n->refs) {
		nexthop_group_free(t, i);
		n->next = t->free;
		t->free = (uint16_t)i;
	} else if (n->resolved) {
		memcpy(a->mac, n->new_mac, 6);
		adjacency_retarget(a, n->new_txq); /* releases: the address before the queue */
	}
}

void nexthop_grace_passed(struct nexthop_table *t)
{
	uint16_t *link = &t->waiting;

	while (*link) {
		uint32_t i = *link;
		struct nexthop *n = &t->nexthop[i];

		if (n->grace == NEXTHOP_IN_GRACE)
			nexthop_passed(t, i);
		if (n->grace == NEXTHOP_SETTLED) {
			n->listed = false;
			*link = n->next_wait;
		} else {
			link = &n->next_wait;
		}
	}
}
