/* Connection tracking of single packets: sessions begin, go on, and are decided anew. */
#include "net/path/track_one.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/hash.h"
#include "net/path/member.h"
#include "net/path/nat.h"
#include "net/path/tag.h"
#include "net/path/translate.h"

#define TCP_HEADER 20u

/* ---- ends ---- */

void track_drop(struct track *t, unsigned i, enum drop_reason reason)
{
	struct batch *b = t->b;

	b->ended += b->verdict[i] == VERDICT_ROUTE;
	b->plain &= ~(UINT64_C(1) << i);
	b->verdict[i] = verdict_drop(reason);
}

void track_end(struct lane *lane, struct session *session)
{
	struct nat_hold hold = session->hold;

	session_end(lane->sessions, session);
	if (hold.mapping != NAT_NO_MAPPING)
		nat_release(lane, hold);
}

void track_changed(struct batch *b, unsigned i)
{
	uint32_t v, check; /* as rewrite.h */

	memcpy(&v, b->data[i] + IPV4_TTL, sizeof v);
	check = (v >> 16) + 1;
	check += check >= 0xffff;
	b->hop[i] = ((v & 0xffff) - 1) | check << 16;
	b->changed |= UINT64_C(1) << i;
}

/* ---- lists and routes ---- */

bool track_may_enter(const struct track_packet *p, bool known, uint16_t *slot)
{
	const struct filter *filter = p->t->filter;

	*slot = FILTER_NO_SLOT;
	if (!filter || !filter->in[p->input])
		return true;
	struct filter_question q = filter_question(p->f, p->six, known);

	if (filter_ask(p->t->lane, filter, filter->in[p->input], p->input, false, &q, p->len, slot))
		return true;
	track_drop(p->t, p->i, DROP_ACL_DENIED);
	return false;
}

bool track_may_leave(
	const struct track_packet *p, uint32_t nh, const struct filter_question *q, uint16_t *slot)
{
	const struct filter *filter = p->t->filter;
	uint32_t iface = load_once(&p->t->lane->tables->leads[nh]);

	*slot = FILTER_NO_SLOT;
	if (!filter || iface >= IFACE_MAX || !filter->out[iface])
		return true;
	if (filter_ask(p->t->lane, filter, filter->out[iface], iface, true, q, p->len, slot))
		return true;
	track_drop(p->t, p->i, DROP_ACL_DENIED);
	return false;
}

/* What the list of what goes out is asked of a packet that becomes this key's. */
struct filter_question track_question(
	const struct track_packet *p, const struct flow_key *key, bool known)
{
	struct filter_question q = filter_question(p->f, p->six, known);

	q.src = key->src;
	q.dst = key->dst;
	if (key->protocol == HASH_TCP || key->protocol == HASH_UDP)
		q.ports = key->ports;
	return q;
}

uint32_t track_route(const struct track_packet *p, struct ip6 dst)
{
	const struct tables *tables = p->t->lane->tables;
	uint32_t nh, dst4 = (uint32_t)dst.lo;

	if (p->six)
		fib6_lookup(load_acquire(&tables->fib6), &dst, &nh, 1);
	else
		fib4_lookup(load_acquire(&tables->fib4), &dst4, &nh, 1);
	uint32_t out = load_acquire(&tables->adjacency[nh].out);

	return member_or_self(tables, p->t->b, p->i, nh, out);
}

bool track_is_transit(const struct track *t, uint32_t nh)
{
	uint32_t target = adjacency_target(load_acquire(&t->lane->tables->adjacency[nh].out));

	return target < NEXTHOP_ACTION || target == NEXTHOP_RESOLVE;
}

bool track_is_for_nobody(const struct track_packet *p, uint32_t nh, struct ip6 dst)
{
	return !p->six && track_is_transit(p->t, nh) &&
	       nat_is_external(load_acquire(&p->t->lane->tables->nat), (uint32_t)dst.lo);
}

bool track_ends(const struct track_packet *p, uint32_t nh)
{
	uint32_t out = load_acquire(&p->t->lane->tables->adjacency[nh].out);

	if (p->f[p->six ? IPV6_HOPS : IPV4_TTL] <= 1)
		return true;
	if (p->len <= ETH_HEADER + adjacency_mtu(out))
		return false;
	return p->six || load_be16(p->f + IPV4_FRAGMENT) & IPV4_DF;
}

/* The packet ends here, as the control core will say; `changed`: by the address it came with
 * it would be routed elsewhere. */
void track_leave(const struct track_packet *p, uint32_t nh, bool changed)
{
	struct batch *b = p->t->b;

	b->nh[p->i] = nh;
	if (changed)
		b->final |= UINT64_C(1) << p->i;
}

/* ---- without session ---- */

/* NAT would give the packet another address. */
static bool is_nats(const struct track_packet *p, uint32_t nh, const struct flow_key *key)
{
	uint32_t iface = load_once(&p->t->lane->tables->leads[nh]);

	return !p->six && iface < IFACE_MAX && nat_concerns(p->t->lane, p->input, iface, key);
}

void track_alone(const struct track_packet *p, bool refuse)
{
	struct filter_question q = filter_question(p->f, p->six, false);
	uint16_t slot;

	if (!track_may_enter(p, false, &slot))
		return;
	uint32_t nh = track_route(p, q.dst);
	struct flow_key key = {.src = q.src,
		.dst = q.dst,
		.protocol = p->six ? p->f[IPV6_NEXT] : p->f[IPV4_PROTOCOL],
		.family = p->six ? 6 : 4};

	p->t->b->nh[p->i] = nh;
	if (!track_is_transit(p->t, nh))
		return;
	if (track_is_for_nobody(p, nh, q.dst))
		track_drop(p->t, p->i, DROP_NAT_NO_SESSION);
	else if (refuse || is_nats(p, nh, &key))
		track_drop(p->t, p->i, DROP_SESSION_STATE);
	else
		track_may_leave(p, nh, &q, &slot);
}

/* ---- a session there is ---- */

/* What a packet does to the state of its session; of the first one, nothing. */
static enum session_step step(const struct track_packet *p, struct session *session, unsigned d)
{
	struct sessions *s = p->t->s;

	if (session->key[0].protocol == HASH_TCP)
		return session_tcp(s, session, d, p->f + p->at, p->len - p->at, p->t->now);
	if (d == 1 && session->state == SESSION_UNREPLIED) {
		session_settle(s, session);
		store_once(&session->state, SESSION_REPLIED);
		session_ways(s, session)[1].flags |= WAY_DIRECT;
		session_touch(s, session, p->t->now);
	}
	return SESSION_PASS;
}

static void account(const struct track_packet *p, struct way *way)
{
	store_once(&way->last, p->t->now);
	counter_add(&way->packets, 1);
	counter_add(&way->bytes, p->len);
}

/* It goes by its way. */
void track_send(const struct track_packet *p, struct way *way, bool known)
{
	struct batch *b = p->t->b;

	account(p, way);
	if (way->flags & WAY_REWRITE) {
		translate_frame(p->f, p->at, way);
		track_changed(b, p->i);
	}
	b->nh[p->i] = way->nh;
	if (known)
		b->known |= UINT64_C(1) << p->i;
}

/* Next hop and rules of a way, by what is in force now. false: the packet has ended. */
static bool decide(const struct track_packet *p, struct way *way)
{
	struct flow_key to = p->key; /* what it becomes: the answer to the answer */
	uint16_t in, out = FILTER_NO_SLOT;

	if (!track_may_enter(p, true, &in))
		return false;
	if (way->flags & WAY_REWRITE) {
		to.src.lo = way->new_src;
		to.dst.lo = way->new_dst;
		to.ports = way->new_ports;
	}
	uint32_t nh = track_route(p, to.dst);

	if (track_is_transit(p->t, nh)) {
		struct filter_question q = track_question(p, &to, true);

		if (!track_may_leave(p, nh, &q, &out))
			return false;
	}
	way->nh = nh;
	way->slot_in = in;
	way->slot_out = out;
	way->input = (uint16_t)p->input;
	way->generation = in == FILTER_NO_KEEP || out == FILTER_NO_KEEP ? 0 : p->t->generation;
	return true;
}

/* The rules that let earlier packets of this decision pass count this one. */
static void count_again(const struct track_packet *p, const struct way *way)
{
	struct filter_hits hit = {1, p->len};

	if (way->slot_in != FILTER_NO_SLOT)
		filter_count(p->t->lane, way->slot_in, hit);
	if (way->slot_out != FILTER_NO_SLOT)
		filter_count(p->t->lane, way->slot_out, hit);
}

static void known(struct track_packet *p, struct way *way, bool first)
{
	struct track *t = p->t;
	struct session *session = session_of(t->s, way);

	/* Before a rule has counted it as the old one's. */
	if (track_is_tcp(p) && session_tcp_ends(session, p->f + p->at)) {
		track_end(t->lane, session);
		track_begin(p, first);
		return;
	}
	if (way->generation == t->generation && way->generation && way->input == p->input) {
		count_again(p, way);
	} else if (!p->six && !nat_still(t->lane, session->key, &session->hold)) {
		track_end(t->lane, session);
		track_begin(p, first);
		return;
	} else if (!decide(p, way)) {
		return;
	}
	if (!track_is_transit(t, way->nh) || track_ends(p, way->nh)) {
		track_leave(p, way->nh, way->flags & WAY_REWRITE);
		if (first)
			track_first(p, way);
		return;
	}
	if (step(p, session, session_way_number(t->s, way) % 2) != SESSION_PASS) {
		track_drop(t, p->i, DROP_SESSION_STATE);
		return;
	}
	if (first)
		track_first(p, way);
	track_send(p, way, true);
}

/* ---- all of them ---- */

/* Of a conversation: a whole packet, or its first fragment. */
static void conversing(struct track_packet *p, bool first)
{
	if (track_is_tcp(p) && p->at + TCP_HEADER > p->len) {
		track_drop(p->t, p->i, DROP_SESSION_STATE); /* RFC 1858 3 */
		return;
	}
	struct way *way = session_find(p->t->s, &p->key);

	if (way)
		known(p, way, first);
	else
		track_begin(p, first);
}

/* Neighbour discovery to the router itself is asked of nobody (filter.h). */
static bool is_of_link(const struct track_packet *p)
{
	if (!p->six || !filter_is_discovery(p->f))
		return false;
	uint32_t nh = track_route(p, ip6_load(p->f + IPV6_DEST));

	p->t->b->nh[p->i] = nh;
	return adjacency_target(load_acquire(&p->t->lane->tables->adjacency[nh].out)) ==
	       NEXTHOP_LOCAL;
}

static struct track_packet packet_of(struct track *t, unsigned i, bool six)
{
	return (struct track_packet){.t = t,
		.i = i,
		.f = t->b->data[i],
		.len = packet_len(t->b->word[i]),
		.input = filter_input(t->lane, t->b, i),
		.six = six};
}

void track_local(struct track *t, unsigned i)
{
	struct track_packet p = packet_of(t, i, true);
	uint16_t slot;

	if (!filter_is_discovery(p.f))
		track_may_enter(&p, false, &slot);
}

void track_one(struct track *t, unsigned i)
{
	struct track_packet p = packet_of(t, i, t->b->verdict[i] == VERDICT_ROUTE6);

	if (is_of_link(&p))
		return;
	enum flow_form form = p.six ? flow_key6(p.f, &p.key, &p.at) : flow_key4(p.f, &p.key, &p.at);

	switch (form) {
	case FLOW_WHOLE:
	case FLOW_FIRST:
		conversing(&p, form == FLOW_FIRST);
		return;
	case FLOW_LATER:
		track_later(&p);
		return;
	case FLOW_ERROR:
		track_error(&p);
		return;
	default:
		track_alone(&p, false);
		return;
	}
}
