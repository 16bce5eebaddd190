/* The neighbour table: states, timers, held packets, and the routes of resolved neighbours. */
#include "net/proto/arp.h"

#include <string.h>

#include "net/proto/internal.h"

#define NEVER     UINT64_MAX
#define UNCHECKED UINT64_MAX /* no generation of the RIB */

_Static_assert(NEIGHBOR_MAX <= 0xffff - 1, "entry numbers fit 16 bits");

const char *arp_state_name(enum arp_state state)
{
	static const char *const names[] = {
		[ARP_FREE] = "free",
		[ARP_INCOMPLETE] = "incomplete",
		[ARP_REACHABLE] = "reachable",
		[ARP_PROBE] = "probe",
		[ARP_FAILED] = "failed",
		[ARP_STATIC] = "static",
	};

	return names[state];
}

/* ---- entries: numbers, buckets, and the lists of those that can go ---- */

static struct arp_entry *entry_of(struct arp_table *t, unsigned number)
{
	return number ? &t->entry[number - 1] : NULL;
}

static uint16_t number_of(const struct arp_table *t, const struct arp_entry *e)
{
	return (uint16_t)(e - t->entry + 1);
}

void arp_init(struct stack *s)
{
	struct arp_table *t = &s->arp;

	memset(t, 0, sizeof *t);
	for (unsigned number = NEIGHBOR_MAX; number > 0; number--) {
		entry_of(t, number)->next = t->free;
		t->free = (uint16_t)number;
	}
}

uint32_t arp_held(const struct stack *s)
{
	return s->arp.held;
}

static uint16_t *bucket_of(struct arp_table *t, unsigned port, uint32_t address)
{
	/* Fibonacci hashing; the multiplication spreads a scanned subnet evenly. */
	return &t->bucket[(address ^ port << 24) * 0x9e3779b1u / (0x100000000u / ARP_BUCKETS)];
}

static struct arp_entry *arp_find(struct arp_table *t, unsigned port, uint32_t address)
{
	struct arp_entry *e = entry_of(t, *bucket_of(t, port, address));

	while (e && (e->address != address || e->port != port))
		e = entry_of(t, e->next);
	return e;
}

static bool arp_is_unresolved(const struct arp_entry *e)
{
	return e->state == ARP_INCOMPLETE || e->state == ARP_FAILED;
}

/* The neighbour's MAC may be used. */
static bool arp_is_usable(const struct arp_entry *e)
{
	return e->state == ARP_REACHABLE || e->state == ARP_PROBE || e->state == ARP_STATIC;
}

/* The list an entry is in by its state; NULL: none. */
static struct arp_list *arp_list_of(struct arp_table *t, const struct arp_entry *e)
{
	if (arp_is_unresolved(e))
		return &t->unresolved[e->port];
	return e->state == ARP_REACHABLE || e->state == ARP_PROBE ? &t->confirmed[e->port] : NULL;
}

static void arp_list_append(struct arp_table *t, struct arp_list *l, struct arp_entry *e)
{
	e->older = l->newest;
	e->newer = 0;
	*(l->newest ? &entry_of(t, l->newest)->newer : &l->oldest) = number_of(t, e);
	l->newest = number_of(t, e);
	l->n++;
}

static void arp_list_remove(struct arp_table *t, struct arp_list *l, struct arp_entry *e)
{
	*(e->older ? &entry_of(t, e->older)->newer : &l->oldest) = e->newer;
	*(e->newer ? &entry_of(t, e->newer)->older : &l->newest) = e->older;
	l->n--;
}

/* A new state, until `due_ms`. */
static void arp_enter(struct stack *s, struct arp_entry *e, enum arp_state state, uint64_t due_ms)
{
	struct arp_table *t = &s->arp;
	struct arp_list *was = arp_list_of(t, e), *is;

	t->unresolved_n -= arp_is_unresolved(e);
	e->state = (uint8_t)state;
	e->since_ms = s->now_ms;
	e->due_ms = due_ms;
	e->tries = 0;
	t->unresolved_n += arp_is_unresolved(e);
	is = arp_list_of(t, e);
	if (was == is && state != ARP_REACHABLE)
		return; /* failing and probing keep their place: only a confirmation is news */
	if (was)
		arp_list_remove(t, was, e);
	if (is)
		arp_list_append(t, is, e);
}

/* ---- routes and next hops ---- */

/* The RIB sends packets for this neighbour out of its port, and no more specific route does else.
 */
static bool arp_is_connected(const struct stack *s, const struct arp_entry *e)
{
	const struct route4 *r = rib4_match(s->rib, e->address, true);

	return r && r->source == RIB_CONNECTED && s->nexthops->nexthop[r->nexthop].port == e->port;
}

static void arp_add_route(struct stack *s, struct arp_entry *e)
{
	const struct iface *i = &s->iface[e->port];
	struct route4 route = {.prefix = e->address, .length = 32, .source = RIB_NEIGHBOR};

	if (nexthop_get(s->nexthops, NEXTHOP_RESOLVE, e->port, e->address, i->mac, i->mtu,
		    &route.nexthop) != ERR_OK)
		return;
	if (rib4_add(s->rib, &route) != ERR_OK) {
		nexthop_put(s->nexthops, route.nexthop);
		return; /* no room: the control core goes on forwarding to it */
	}
	e->routed = true;
	s->ops->routes_changed(s->ctx);
}

static void arp_remove_route(struct stack *s, struct arp_entry *e)
{
	struct route4 removed;

	if (e->routed && rib4_remove(s->rib, e->address, 32, RIB_NEIGHBOR, &removed) == ERR_OK) {
		nexthop_put(s->nexthops, removed.nexthop);
		s->ops->routes_changed(s->ctx);
	}
	e->routed = false;
}

/* Makes next hops and RIB agree with the entry. */
static void arp_publish(struct stack *s, struct arp_entry *e)
{
	bool usable = arp_is_usable(e), wanted = usable && arp_is_connected(s, e);

	if (!usable)
		nexthop_clear_mac(s->nexthops, e->port, e->address);
	if (wanted && !e->routed)
		arp_add_route(s, e);
	if (!wanted && e->routed)
		arp_remove_route(s, e);
	if (usable)
		nexthop_set_mac(s->nexthops, e->port, e->address, e->mac, s->iface[e->port].txq);
	e->checked = s->rib->rib.generation;
}

/* ---- the life of an entry ---- */

/* Takes the held packet out of the entry; false if there is none. */
static bool arp_take_held(struct stack *s, struct arp_entry *e, uint64_t *word)
{
	if (!e->holds)
		return false;
	e->holds = false;
	s->arp.held--;
	*word = e->held;
	return true;
}

/* Ends the held packet, if any. */
static void arp_drop_held(struct stack *s, struct arp_entry *e, enum drop_reason reason)
{
	uint64_t word;

	if (arp_take_held(s, e, &word))
		s->ops->drop(s->ctx, word, reason);
}

static void arp_forget(struct stack *s, struct arp_entry *e, enum drop_reason reason)
{
	struct arp_table *t = &s->arp;
	uint16_t *link = bucket_of(t, e->port, e->address);

	arp_drop_held(s, e, reason);
	arp_enter(s, e, ARP_FREE, NEVER);
	arp_publish(s, e);
	while (*link != number_of(t, e))
		link = &entry_of(t, *link)->next;
	*link = e->next;
	e->next = t->free;
	t->free = number_of(t, e);
}

static struct arp_list *arp_longest(struct arp_list list[PORT_MAX])
{
	struct arp_list *longest = &list[0];

	for (unsigned port = 1; port < PORT_MAX; port++)
		if (list[port].n > longest->n)
			longest = &list[port];
	return longest;
}

/*
 * What a full table gives up; NULL: it is full of static ones. The port with most
 * entries gives, so that no network takes the others' room. Unresolved ones go
 * first, so that a scan does not cost the known, but not the last of them: else
 * a table full of confirmed neighbours would resolve nobody any more.
 */
static struct arp_entry *arp_expendable(struct arp_table *t)
{
	struct arp_list *unresolved = arp_longest(t->unresolved);
	struct arp_list *confirmed = arp_longest(t->confirmed);
	bool enough = t->unresolved_n >= ARP_UNRESOLVED_MIN || confirmed->n == 0;

	return entry_of(t, enough ? unresolved->oldest : confirmed->oldest);
}

/* A new incomplete entry that has not asked yet; NULL: no room. */
static struct arp_entry *arp_make(struct stack *s, unsigned port, uint32_t address)
{
	struct arp_table *t = &s->arp;
	struct arp_entry *e = t->free ? NULL : arp_expendable(t);

	if (e)
		arp_forget(s, e, DROP_NEIGHBOR_PENDING);
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
	arp_enter(s, e, ARP_INCOMPLETE, s->now_ms);
	return e;
}

/* Asks: all stations, or the one known so far. */
static void arp_ask(struct stack *s, struct arp_entry *e)
{
	e->tries++;
	e->due_ms = s->now_ms + ARP_RETRY_MS;
	arp_send_request(s, e->port, e->address, e->state == ARP_PROBE ? e->mac : NULL);
}

/* Fills in the Ethernet header and hands over to the port, in fragments if it must be. */
static void arp_transmit(
	struct stack *s, unsigned port, const uint8_t *mac, uint32_t mtu, uint64_t word)
{
	uint8_t *frame = frame_of(s, word);

	memcpy(frame, mac, 6);
	memcpy(frame + 6, s->iface[port].mac, 6);
	store_be16(frame + ETH_TYPE, ETH_TYPE_IPV4);
	if (ipv4_total_len(frame) > mtu)
		fragment_send(s, port, mtu, word);
	else
		s->ops->transmit(s->ctx, port, word);
}

/* The MAC in the entry is right: publishes it and sends what waited for it. */
static void arp_resolved(struct stack *s, struct arp_entry *e)
{
	uint64_t word;

	arp_publish(s, e);
	if (arp_take_held(s, e, &word))
		arp_transmit(s, e->port, e->mac, e->held_mtu, word);
}

/* Ends a packet whose neighbour does not answer. RFC 1812 4.3.3.1: host unreachable. */
static void arp_refuse(struct stack *s, uint64_t word)
{
	icmp_send_error(s, word, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0);
	s->ops->drop(s->ctx, word, DROP_NEIGHBOR_FAILED);
}

static void arp_fail(struct stack *s, struct arp_entry *e)
{
	uint64_t word;
	bool held = arp_take_held(s, e, &word);

	s->arp.failed++;
	arp_enter(s, e, ARP_FAILED, s->now_ms + ARP_FAILED_MS);
	arp_publish(s, e);
	if (held)
		arp_refuse(s, word); /* last: its ICMP error may need this table */
}

void arp_learn(struct stack *s, unsigned port, uint32_t address, const uint8_t *mac, bool make)
{
	struct arp_entry *e = arp_find(&s->arp, port, address);

	if (!e && make)
		e = arp_make(s, port, address);
	if (!e || e->state == ARP_STATIC)
		return;
	memcpy(e->mac, mac, 6);
	arp_enter(s, e, ARP_REACHABLE, s->now_ms + ARP_REACHABLE_MS);
	arp_resolved(s, e);
}

/* RFC 1122 2.3.2.2: the latest packet is kept; whole, as its fragments would be many. */
static void arp_hold(struct stack *s, struct arp_entry *e, uint32_t mtu, uint64_t word)
{
	arp_drop_held(s, e, DROP_NEIGHBOR_PENDING);
	e->held = word;
	e->held_mtu = (uint16_t)mtu;
	e->holds = true;
	s->arp.held++;
}

void arp_send(struct stack *s, unsigned port, uint32_t neighbor, uint32_t mtu, uint64_t word)
{
	struct arp_entry *e = arp_find(&s->arp, port, neighbor);

	if (!s->iface[port].installed) {
		s->ops->drop(s->ctx, word, DROP_LINK_DOWN);
		return;
	}
	if (!e) {
		e = arp_make(s, port, neighbor);
		if (!e) {
			s->ops->drop(s->ctx, word, DROP_NEIGHBOR_PENDING);
			return;
		}
		arp_ask(s, e);
	}
	if (arp_is_usable(e)) {
		/* A next hop made after the neighbour was resolved gets its MAC here. */
		nexthop_set_mac(s->nexthops, port, neighbor, e->mac, s->iface[port].txq);
		arp_transmit(s, port, e->mac, mtu, word);
	} else if (e->state == ARP_INCOMPLETE) {
		arp_hold(s, e, mtu, word);
	} else {
		arp_refuse(s, word);
	}
}

/* ---- timers ---- */

static void arp_timer(struct stack *s, struct arp_entry *e)
{
	switch ((enum arp_state)e->state) {
	case ARP_INCOMPLETE:
	case ARP_PROBE:
		if (e->tries < ARP_TRIES)
			arp_ask(s, e);
		else
			arp_fail(s, e);
		break;
	case ARP_REACHABLE:
		arp_enter(s, e, ARP_PROBE, s->now_ms);
		arp_ask(s, e);
		break;
	case ARP_FAILED:
		arp_forget(s, e, DROP_NEIGHBOR_FAILED);
		break;
	case ARP_FREE:
	case ARP_STATIC:
		break;
	}
}

/* The RIB has changed since: routes come and go, and so do neighbours of lost networks. */
static void arp_recheck(struct stack *s, struct arp_entry *e)
{
	if (e->state != ARP_STATIC && !iface_neighbor(&s->iface[e->port], e->address))
		arp_forget(s, e, DROP_NO_ROUTE);
	else
		arp_publish(s, e);
}

void arp_follow(struct stack *s)
{
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++)
		if (s->arp.entry[k].state != ARP_FREE)
			arp_recheck(s, &s->arp.entry[k]);
}

void arp_tick(struct stack *s, unsigned max)
{
	struct arp_table *t = &s->arp;

	for (unsigned k = 0; k < max; k++) {
		struct arp_entry *e = &t->entry[t->cursor];

		t->cursor = (t->cursor + 1) % NEIGHBOR_MAX;
		if (e->state == ARP_FREE)
			continue;
		if (e->due_ms <= s->now_ms)
			arp_timer(s, e);
		else if (e->checked != s->rib->rib.generation)
			arp_recheck(s, e);
	}
}

/* ---- configuration and links ---- */

void arp_announce(struct stack *s, unsigned port)
{
	const struct iface *i = &s->iface[port];

	for (unsigned k = 0; k < i->addrs; k++)
		arp_send_announcement(s, port, i->addr[k].address);
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++) {
		struct arp_entry *e = &s->arp.entry[k];

		if (e->state == ARP_STATIC && e->port == port)
			arp_publish(s, e);
	}
}

void arp_flush_port(struct stack *s, unsigned port)
{
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++) {
		struct arp_entry *e = &s->arp.entry[k];

		if (e->state == ARP_FREE || e->port != port)
			continue;
		if (e->state != ARP_STATIC) {
			arp_forget(s, e, DROP_LINK_DOWN);
			continue;
		}
		arp_remove_route(s, e);
		e->checked = UNCHECKED;
	}
}

void arp_flush(struct stack *s)
{
	for (unsigned k = 0; k < NEIGHBOR_MAX; k++) {
		struct arp_entry *e = &s->arp.entry[k];

		if (e->state != ARP_FREE && e->state != ARP_STATIC)
			arp_forget(s, e, DROP_NEIGHBOR_PENDING);
	}
}

enum err arp_set_static(struct stack *s, unsigned port, uint32_t address, const uint8_t *mac)
{
	static const uint8_t zero[6];

	if (port >= s->ifaces || (mac[0] & 1) || memcmp(mac, zero, 6) == 0)
		return ERR_INVALID;

	struct arp_entry *e = arp_find(&s->arp, port, address);

	if (!e)
		e = arp_make(s, port, address);
	if (!e)
		return ERR_FULL;
	memcpy(e->mac, mac, 6);
	arp_enter(s, e, ARP_STATIC, NEVER);
	arp_resolved(s, e);
	return ERR_OK;
}

void arp_clear_static(struct stack *s, unsigned port, uint32_t address)
{
	struct arp_entry *e = arp_find(&s->arp, port, address);

	if (e && e->state == ARP_STATIC)
		arp_forget(s, e, DROP_NEIGHBOR_PENDING);
}
