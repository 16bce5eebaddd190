/* Next hops: found by hash, counted by reference, changed in place under the workers' eyes. */
#include "net/table/nexthop.h"

#include <string.h>

#include "lib/atomic.h"

/* Actions other than a TX queue have no limit of length. */
#define NO_MTU 0xffffu

_Static_assert(NEXTHOP_MAX <= 0xffff, "an index fits the 16-bit chains");

static uint32_t adjacency_out(uint32_t target, uint32_t mtu)
{
	return target | mtu << 16;
}

/* What workers do with the index from now on; the MTU stays. */
static void adjacency_retarget(struct adjacency *a, uint32_t target)
{
	store_release(&a->out, adjacency_out(target, adjacency_mtu(a->out)));
}

void nexthop_init(struct nexthop_table *t, struct adjacency *adjacency, struct nexthop *nexthop)
{
	memset(t, 0, sizeof *t);
	t->adjacency = adjacency;
	t->nexthop = nexthop;
	t->used = 1;
	nexthop[NEXTHOP_NONE].refs = 1; /* its own: never freed */
	nexthop[NEXTHOP_NONE].action = NEXTHOP_NO_ROUTE;
	store_release(&adjacency[NEXTHOP_NONE].out, adjacency_out(NEXTHOP_NO_ROUTE, NO_MTU));
}

static uint16_t *bucket_of(
	struct nexthop_table *t, enum nexthop_action action, unsigned port, uint32_t gateway)
{
	uint32_t key = gateway ^ port << 24 ^ (uint32_t)action << 16;

	/* Fibonacci hashing: the top bits of the product depend on all of the key. */
	return &t->bucket[key * 0x9e3779b1u / (0x100000000u / NEXTHOP_BUCKETS)];
}

/* Index of a live next hop, or NEXTHOP_NONE. */
static uint32_t nexthop_find(
	struct nexthop_table *t, enum nexthop_action action, unsigned port, uint32_t gateway)
{
	uint32_t i = *bucket_of(t, action, port, gateway);

	while (i) {
		const struct nexthop *n = &t->nexthop[i];

		if (n->action == action && n->port == port && n->gateway == gateway)
			break;
		i = n->next;
	}
	return i;
}

/* An index nobody knows, or NEXTHOP_NONE. */
static uint32_t nexthop_take_free(struct nexthop_table *t)
{
	uint32_t i = t->free;

	if (i)
		t->free = t->nexthop[i].next;
	else if (t->used < NEXTHOP_MAX)
		i = t->used++;
	return i;
}

enum err nexthop_get(struct nexthop_table *t, enum nexthop_action action, unsigned port,
	uint32_t gateway, const uint8_t *src_mac, uint32_t mtu, uint32_t *index)
{
	bool forwards = action == NEXTHOP_RESOLVE;

	if (!forwards)
		port = gateway = 0;

	uint32_t i =
		action == NEXTHOP_NO_ROUTE ? NEXTHOP_NONE : nexthop_find(t, action, port, gateway);

	if (i == NEXTHOP_NONE && action != NEXTHOP_NO_ROUTE) {
		i = nexthop_take_free(t);
		if (i == NEXTHOP_NONE)
			return ERR_FULL;

		struct nexthop *n = &t->nexthop[i];
		uint16_t *bucket = bucket_of(t, action, port, gateway);

		*n = (struct nexthop){.gateway = gateway,
			.port = (uint16_t)port,
			.action = (uint16_t)action,
			.next = *bucket};
		*bucket = (uint16_t)i;
		if (forwards)
			memcpy(t->adjacency[i].mac + 6, src_mac, 6);
		store_release(&t->adjacency[i].out, adjacency_out(action, forwards ? mtu : NO_MTU));
	}
	t->nexthop[i].refs++;
	*index = i;
	return ERR_OK;
}

/* All that follows `n` until the end of the next grace period waits for it. */
static void nexthop_want_grace(struct nexthop_table *t, struct nexthop *n)
{
	if (n->grace == NEXTHOP_SETTLED)
		t->waiting++;
	if (n->grace != NEXTHOP_WANTS_GRACE)
		t->wants_grace++;
	n->grace = NEXTHOP_WANTS_GRACE;
}

static void nexthop_settle(struct nexthop_table *t, struct nexthop *n)
{
	if (n->grace != NEXTHOP_SETTLED)
		t->waiting--;
	if (n->grace == NEXTHOP_WANTS_GRACE)
		t->wants_grace--;
	n->grace = NEXTHOP_SETTLED;
}

void nexthop_put(struct nexthop_table *t, uint32_t index)
{
	struct nexthop *n = &t->nexthop[index];

	if (--n->refs)
		return;

	uint16_t *link = bucket_of(t, n->action, n->port, n->gateway);

	while (*link != index)
		link = &t->nexthop[*link].next;
	*link = n->next;
	nexthop_want_grace(t, n);
}

void nexthop_hold_all(struct nexthop_table *t)
{
	for (uint32_t i = 1; i < t->used; i++) {
		struct nexthop *n = &t->nexthop[i];

		n->held = n->refs > 0;
		n->refs += n->held;
	}
}

void nexthop_release_all(struct nexthop_table *t)
{
	for (uint32_t i = 1; i < t->used; i++) {
		if (!t->nexthop[i].held)
			continue;
		t->nexthop[i].held = false;
		nexthop_put(t, i);
	}
}

void nexthop_set_mac(
	struct nexthop_table *t, unsigned port, uint32_t gateway, const uint8_t *mac, unsigned txq)
{
	uint32_t i = nexthop_find(t, NEXTHOP_RESOLVE, port, gateway);
	struct nexthop *n = &t->nexthop[i];
	struct adjacency *a = &t->adjacency[i];

	if (i == NEXTHOP_NONE)
		return;
	if (memcmp(a->mac, mac, 6) == 0) {
		/* The address in place is right: workers may be pointed at it at any time. */
		n->resolved = true;
		nexthop_settle(t, n);
		adjacency_retarget(a, txq);
		return;
	}
	if (adjacency_target(a->out) != NEXTHOP_RESOLVE) {
		adjacency_retarget(a, NEXTHOP_RESOLVE);
		nexthop_want_grace(t, n); /* a worker may be about to read the old address */
	}
	n->resolved = true;
	n->new_txq = (uint16_t)txq;
	memcpy(n->new_mac, mac, 6);
	if (n->grace == NEXTHOP_SETTLED) {
		memcpy(a->mac, mac, 6);
		adjacency_retarget(a, txq); /* releases: the address before the queue */
	}
}

void nexthop_clear_mac(struct nexthop_table *t, unsigned port, uint32_t gateway)
{
	uint32_t i = nexthop_find(t, NEXTHOP_RESOLVE, port, gateway);
	struct adjacency *a = &t->adjacency[i];

	if (i == NEXTHOP_NONE)
		return;
	if (adjacency_target(a->out) != NEXTHOP_RESOLVE) {
		adjacency_retarget(a, NEXTHOP_RESOLVE);
		nexthop_want_grace(t, &t->nexthop[i]); /* before another address may be written */
	}
	t->nexthop[i].resolved = false;
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

bool nexthop_wants_grace(const struct nexthop_table *t)
{
	return t->wants_grace > 0;
}

void nexthop_grace_begin(struct nexthop_table *t)
{
	for (uint32_t i = 1; i < t->used && t->wants_grace; i++) {
		if (t->nexthop[i].grace != NEXTHOP_WANTS_GRACE)
			continue;
		t->nexthop[i].grace = NEXTHOP_IN_GRACE;
		t->wants_grace--;
	}
}

void nexthop_grace_passed(struct nexthop_table *t)
{
	for (uint32_t i = 1; i < t->used && t->waiting > t->wants_grace; i++) {
		struct nexthop *n = &t->nexthop[i];
		struct adjacency *a = &t->adjacency[i];

		if (n->grace != NEXTHOP_IN_GRACE)
			continue;
		nexthop_settle(t, n);
		if (!n->refs) {
			n->next = t->free;
			t->free = (uint16_t)i;
		} else if (n->resolved) {
			memcpy(a->mac, n->new_mac, 6);
			adjacency_retarget(
				a, n->new_txq); /* releases: the address before the queue */
		}
	}
}
