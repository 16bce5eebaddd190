/* The table of neighbours: states, timers, held packets, and the routes of resolved neighbours. */
#include "net/proto/neighbor.h"

#include <string.h>

#include "net/proto/internal.h"

#define UNCHECKED UINT64_MAX /* no generation of the RIB */

_Static_assert(NEIGHBOR_MAX <= 0xffff - 1, "entry numbers fit 16 bits");

const char *neighbor_state_name(enum neighbor_state state)
{
	static const char *const names[] = {
		[NEIGHBOR_FREE] = "free",
		[NEIGHBOR_INCOMPLETE] = "incomplete",
		[NEIGHBOR_REACHABLE] = "reachable",
		[NEIGHBOR_STALE] = "stale",
		[NEIGHBOR_DELAY] = "delay",
		[NEIGHBOR_PROBE] = "probe",
		[NEIGHBOR_FAILED] = "failed",
		[NEIGHBOR_STATIC] = "static",
	};

	return names[state];
}

/* ---- entries: numbers, buckets, and the lists of those that can go ---- */

static struct neighbor *entry_of(struct neighbor_table *t, unsigned number)
{
	return number ? &t->entry[number - 1] : NULL;
}

static uint16_t number_of(const struct neighbor_table *t, const struct neighbor *e)
{
	return (uint16_t)(e - t->entry + 1);
}

void neighbor_init(struct neighbor_table *t, const struct neighbor_family *family)
{
	memset(t, 0, sizeof *t);
	t->family = family;
	for (unsigned number = NEIGHBOR_MAX; number > 0; number--) {
		entry_of(t, number)->next = t->free;
		t->free = (uint16_t)number;
	}
}

static uint16_t *bucket_of(struct neighbor_table *t, unsigned port, struct ip6 address)
{
	uint32_t key = (uint32_t)(address.hi >> 32 ^ address.hi ^ address.lo >> 32 ^ address.lo);

	/* Fibonacci hashing; the multiplication spreads a scanned subnet evenly. */
	return &t->bucket[(key ^ port << 24) * 0x9e3779b1u / (0x100000000u / NEIGHBOR_BUCKETS)];
}

struct neighbor *neighbor_find(struct neighbor_table *t, unsigned port, struct ip6 address)
{
	struct neighbor *e = entry_of(t, *bucket_of(t, port, address));

	while (e && (!ip6_equal(e->address, address) || e->port != port))
		e = entry_of(t, e->next);
	return e;
}

static bool is_unresolved(const struct neighbor *e)
{
	return e->state == NEIGHBOR_INCOMPLETE || e->state == NEIGHBOR_FAILED;
}

bool neighbor_is_usable(const struct neighbor *e)
{
	return e->state != NEIGHBOR_FREE && !is_unresolved(e);
}

/* The list an entry is in by its state; NULL: none. */
static struct neighbor_list *list_of(struct neighbor_table *t, const struct neighbor *e)
{
	if (is_unresolved(e))
		return &t->unresolved[e->port];
	if (e->state == NEIGHBOR_FREE || e->state == NEIGHBOR_STATIC)
		return NULL;
	return e->proven ? &t->confirmed[e->port] : &t->heard[e->port];
}

static void list_append(struct neighbor_table *t, struct neighbor_list *l, struct neighbor *e)
{
	e->older = l->newest;
	e->newer = 0;
	*(l->newest ? &entry_of(t, l->newest)->newer : &l->oldest) = number_of(t, e);
	l->newest = number_of(t, e);
	l->n++;
}

static void list_remove(struct neighbor_table *t, struct neighbor_list *l, struct neighbor *e)
{
	*(e->older ? &entry_of(t, e->older)->newer : &l->oldest) = e->newer;
	*(e->newer ? &entry_of(t, e->newer)->older : &l->newest) = e->older;
	l->n--;
}

void neighbor_prove(struct neighbor_table *t, struct neighbor *e)
{
	struct neighbor_list *was = list_of(t, e), *is;

	if (e->state != NEIGHBOR_INCOMPLETE && e->state != NEIGHBOR_PROBE)
		return;
	e->proven = true;
	is = list_of(t, e);
	if (was == is)
		return;
	list_remove(t, was, e);
	list_append(t, is, e);
}

void neighbor_enter(struct stack *s, struct neighbor_table *t, struct neighbor *e,
	enum neighbor_state state, uint64_t due_ms)
{
	struct neighbor_list *was = list_of(t, e), *is;

	t->unresolved_n -= is_unresolved(e);
	e->state = (uint8_t)state;
	e->since_ms = s->now_ms;
	e->due_ms = due_ms;
	e->tries = 0;
	t->unresolved_n += is_unresolved(e);
	is = list_of(t, e);
	if (was == is && state != NEIGHBOR_REACHABLE)
		return; /* failing and probing keep their place: only a confirmation is news */
	if (was)
		list_remove(t, was, e);
	if (is)
		list_append(t, is, e);
}

/* ---- routes and next hops ---- */

static void add_route(struct stack *s, struct neighbor_table *t, struct neighbor *e)
{
	if (!t->family->add_route(s, e))
		return; /* no room: the control core goes on forwarding to it */
	e->routed = true;
	s->ops->routes_changed(s->ctx);
}

static void remove_route(struct stack *s, struct neighbor_table *t, struct neighbor *e)
{
	if (!e->routed)
		return;
	t->family->remove_route(s, e);
	e->routed = false;
	s->ops->routes_changed(s->ctx);
}

/* Makes next hops and RIB agree with the entry. */
static void publish(struct stack *s, struct neighbor_table *t, struct neighbor *e)
{
	bool usable = neighbor_is_usable(e), wanted = usable && t->family->is_connected(s, e);

	if (!usable)
		t->family->clear_mac(s, e);
	if (wanted && !e->routed)
		add_route(s, t, e);
	if (!wanted)
		remove_route(s, t, e);
	if (usable)
		t->family->set_mac(s, e);
	e->checked = t->family->generation(s);
}

/* ---- the life of an entry ---- */

/* Takes the held packet out of the entry; false if there is none. */
static bool take_held(struct neighbor_table *t, struct neighbor *e, uint64_t *word)
{
	if (!e->holds)
		return false;
	e->holds = false;
	t->held--;
	*word = e->held;
	return true;
}

/* Ends the held packet, if any. */
static void drop_held(
	struct stack *s, struct neighbor_table *t, struct neighbor *e, enum drop_reason reason)
{
	uint64_t word;

	if (take_held(t, e, &word))
		s->ops->drop(s->ctx, word, reason);
}

static void forget(
	struct stack *s, struct neighbor_table *t, struct neighbor *e, enum drop_reason reason)
{
	uint16_t *link = bucket_of(t, e->port, e->address);

	drop_held(s, t, e, reason);
	neighbor_enter(s, t, e, NEIGHBOR_FREE, NEIGHBOR_NEVER);
	publish(s, t, e);
	while (*link != number_of(t, e))
		link = &entry_of(t, *link)->next;
	*link = e->next;
	e->next = t->free;
	t->free = number_of(t, e);
}

static struct neighbor_list *longest(struct neighbor_list list[IFACE_MAX])
{
	struct neighbor_list *most = &list[0];

	for (unsigned port = 1; port < IFACE_MAX; port++)
		if (list[port].n > most->n)
			most = &list[port];
	return most;
}

/*
 * What a full table gives up; NULL: it is full of static ones. The port with most
 * entries gives, so that no network takes the others' room. Unresolved ones go
 * first, so that a scan does not cost the known, but not the last of them: else
 * a table full of neighbours would resolve nobody any more. Then those that are
 * only heard of.
 */
static struct neighbor *expendable(struct neighbor_table *t)
{
	struct neighbor_list *unresolved = longest(t->unresolved);
	struct neighbor_list *confirmed = longest(t->confirmed);
	struct neighbor_list *heard = longest(t->heard);

	if (heard->n)
		confirmed = heard;
	bool enough = t->unresolved_n >= NEIGHBOR_UNRESOLVED_MIN || confirmed->n == 0;

	return entry_of(t, enough ? unresolved->oldest : confirmed->oldest);
}

struct neighbor *neighbor_make(
	struct stack *s, struct neighbor_table *t, unsigned port, struct ip6 address)
{
	struct neighbor *e = t->free ? NULL : expendable(t);

	if (e)
		forget(s, t, e, DROP_NEIGHBOR_PENDING);
	if (!t->free)
		return NULL;
	e = entry_of(t, t->free);

	uint16_t *bucket = bucket_of(t, port, address), number = t->free;

	t->free = e->next;
	memset(e, 0, sizeof *e);
	e->port = (uint16_t)port;
	e->address = address;
	e->checked = UNCHECKED;
	e->next = *bucket;
	*bucket = number;
	neighbor_enter(s, t, e, NEIGHBOR_INCOMPLETE, s->now_ms);
	return e;
}

static void ask(struct stack *s, struct neighbor_table *t, struct neighbor *e)
{
	e->due_ms = s->now_ms + t->family->retry_ms;
	e->tries++;
	t->family->ask(s, e);
}

void neighbor_resolved(struct stack *s, struct neighbor_table *t, struct neighbor *e)
{
	uint64_t word;

	publish(s, t, e);
	if (take_held(t, e, &word))
		t->family->transmit(s, e, e->held_mtu, word);
}

static void fail(struct stack *s, struct neighbor_table *t, struct neighbor *e)
{
	uint64_t word;
	bool held = take_held(t, e, &word);

	t->failed++;
	neighbor_enter(s, t, e, NEIGHBOR_FAILED, s->now_ms + NEIGHBOR_FAILED_MS);
	publish(s, t, e);
	t->family->silence(s, e);
	if (held)
		t->family->refuse(s, word); /* last: its ICMP error may need this table */
}

void neighbor_confirm(
	struct stack *s, struct neighbor_table *t, struct neighbor *e, const uint8_t *mac)
{
	if (e->state == NEIGHBOR_STATIC)
		return;
	memcpy(e->mac, mac, 6);
	neighbor_prove(t, e);
	neighbor_enter(s, t, e, NEIGHBOR_REACHABLE, s->now_ms + t->family->reachable_ms);
	neighbor_resolved(s, t, e);
}

/* The latest packet is kept; whole, as its fragments would be many. */
static void hold(
	struct stack *s, struct neighbor_table *t, struct neighbor *e, uint32_t mtu, uint64_t word)
{
	drop_held(s, t, e, DROP_NEIGHBOR_PENDING);
	e->held = word;
	e->held_mtu = (uint16_t)mtu;
	e->holds = true;
	t->held++;
}

void neighbor_send(struct stack *s, struct neighbor_table *t, unsigned port, struct ip6 address,
	uint32_t mtu, uint64_t word)
{
	struct neighbor *e = neighbor_find(t, port, address);

	if (!s->iface[port].installed) {
		s->ops->drop(s->ctx, word, DROP_LINK_DOWN);
		return;
	}
	if (!e) {
		e = neighbor_make(s, t, port, address);
		if (!e) {
			s->ops->drop(s->ctx, word, DROP_NEIGHBOR_PENDING);
			return;
		}
		ask(s, t, e);
	}
	if (neighbor_is_usable(e)) {
		if (e->state == NEIGHBOR_STALE) /* RFC 4861 7.3.3 */
			neighbor_enter(s, t, e, NEIGHBOR_DELAY, s->now_ms + ND_DELAY_MS);
		/* A next hop made after the neighbour was resolved gets its MAC here. */
		t->family->set_mac(s, e);
		t->family->transmit(s, e, mtu, word);
	} else if (e->state == NEIGHBOR_INCOMPLETE) {
		hold(s, t, e, mtu, word);
	} else {
		t->family->refuse(s, word);
	}
}

/* ---- timers ---- */

static void timer(struct stack *s, struct neighbor_table *t, struct neighbor *e)
{
	switch ((enum neighbor_state)e->state) {
	case NEIGHBOR_INCOMPLETE:
	case NEIGHBOR_PROBE:
		if (e->tries < t->family->tries)
			ask(s, t, e);
		else
			fail(s, t, e);
		break;
	case NEIGHBOR_REACHABLE:
		if (t->family->stale_ms) {
			neighbor_enter(s, t, e, NEIGHBOR_STALE, s->now_ms + t->family->stale_ms);
			break;
		}
		/* fall through */
	case NEIGHBOR_STALE: /* workers may be using it, and cannot tell */
	case NEIGHBOR_DELAY:
		neighbor_enter(s, t, e, NEIGHBOR_PROBE, s->now_ms);
		ask(s, t, e);
		break;
	case NEIGHBOR_FAILED:
		forget(s, t, e, DROP_NEIGHBOR_FAILED);
		break;
	case NEIGHBOR_FREE:
	case NEIGHBOR_STATIC:
		break;
	}
}

/* The RIB has changed since: routes come and go, and so do neighbours of lost networks. */
static void recheck(struct stack *s, struct neighbor_table *t, struct neighbor *e)
{
	if (e->state != NEIGHBOR_STATIC && !t->family->may_be(s, e))
		forget(s, t, e, DROP_NO_ROUTE);
	else
		publish(s, t, e);
}

void neighbor_follow(struct stack *s, struct neighbor_table *t)
{
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++)
		if (t->entry[k].state != NEIGHBOR_FREE)
			recheck(s, t, &t->entry[k]);
}

void neighbor_tick(struct stack *s, struct neighbor_table *t, unsigned max)
{
	for (unsigned k = 0; k < max; k++) {
		struct neighbor *e = &t->entry[t->cursor];

		t->cursor = (t->cursor + 1) % NEIGHBOR_MAX;
		if (e->state == NEIGHBOR_FREE)
			continue;
		if (e->due_ms <= s->now_ms)
			timer(s, t, e);
		else if (e->checked != t->family->generation(s))
			recheck(s, t, e);
	}
}

/* ---- configuration and links ---- */

void neighbor_port_up(struct stack *s, struct neighbor_table *t, unsigned port)
{
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++) {
		struct neighbor *e = &t->entry[k];

		if (e->state == NEIGHBOR_STATIC && e->port == port)
			publish(s, t, e);
	}
}

void neighbor_flush_port(struct stack *s, struct neighbor_table *t, unsigned port)
{
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++) {
		struct neighbor *e = &t->entry[k];

		if (e->state == NEIGHBOR_FREE || e->port != port)
			continue;
		if (e->state != NEIGHBOR_STATIC) {
			forget(s, t, e, DROP_LINK_DOWN);
			continue;
		}
		remove_route(s, t, e);
		e->checked = UNCHECKED;
	}
}

void neighbor_remove_port(struct stack *s, struct neighbor_table *t, unsigned port)
{
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++) {
		struct neighbor *e = &t->entry[k];

		if (e->state != NEIGHBOR_FREE && e->port == port)
			forget(s, t, e, DROP_LINK_DOWN);
	}
}

void neighbor_flush(struct stack *s, struct neighbor_table *t)
{
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++) {
		struct neighbor *e = &t->entry[k];

		if (e->state != NEIGHBOR_FREE && e->state != NEIGHBOR_STATIC)
			forget(s, t, e, DROP_NEIGHBOR_PENDING);
	}
}

enum err neighbor_set_static(struct stack *s, struct neighbor_table *t, unsigned port,
	struct ip6 address, const uint8_t *mac)
{
	static const uint8_t zero[6];

	if (port >= s->ifaces || (mac[0] & 1) || memcmp(mac, zero, 6) == 0)
		return ERR_INVALID;

	struct neighbor *e = neighbor_find(t, port, address);

	if (!e)
		e = neighbor_make(s, t, port, address);
	if (!e)
		return ERR_FULL;
	memcpy(e->mac, mac, 6);
	neighbor_enter(s, t, e, NEIGHBOR_STATIC, NEIGHBOR_NEVER);
	neighbor_resolved(s, t, e);
	return ERR_OK;
}

void neighbor_clear_static(
	struct stack *s, struct neighbor_table *t, unsigned port, struct ip6 address)
{
	struct neighbor *e = neighbor_find(t, port, address);

	if (e && e->state == NEIGHBOR_STATIC)
		forget(s, t, e, DROP_NEIGHBOR_PENDING);
}

bool neighbor_conflict(struct stack *s, struct neighbor_table *t, unsigned port)
{
	t->conflicts++;
	if (s->now_ms < t->conflict_due_ms[port])
		return false;
	t->conflict_due_ms[port] = s->now_ms + NEIGHBOR_CONFLICT_MS;
	return true;
}
