/* Connection tracking of what belongs to a session but has not its key: ICMP errors, later
 * fragments.
 */
#include "net/path/track_one.h"

#include "lib/byteorder.h"
#include "lib/hash.h"
#include "net/path/nat.h"
#include "net/path/translate.h"

#define DATAGRAM_TICKS(s) ((s)->timeout[SESSION_TIMEOUT_ICMP]) /* RFC 8200 4.5: 60 s */

/* ---- what both do ---- */

/* It goes where the packets of a way go, as the lists let it; false: it has ended. A packet that is
 * left to the control core has not its session's next hop. */
static bool follow(const struct track_packet *p, const struct way *way, bool *leaves)
{
	struct filter_question q = filter_question(p->f, p->six, true);
	struct session *session = session_of(p->t->s, way);
	uint16_t slot;

	*leaves = false;
	/* The session's own next packet will end it. */
	if (!p->six && !nat_still(p->t->lane, session->key, &session->hold)) {
		track_drop(p->t, p->i, DROP_SESSION_STATE);
		return false;
	}
	if (!track_may_enter(p, true, &slot))
		return false;
	if (way->flags & WAY_REWRITE) {
		if ((uint32_t)q.dst.lo == way->dst)
			q.dst.lo = way->new_dst;
		if ((uint32_t)q.src.lo == way->src)
			q.src.lo = way->new_src;
	}
	uint32_t nh = track_route(p, q.dst);

	p->t->b->nh[p->i] = nh;
	if (!track_is_transit(p->t, nh))
		return true;
	if (!track_may_leave(p, nh, &q, &slot))
		return false;
	*leaves = !track_ends(p, nh);
	if (!*leaves && way->flags & WAY_REWRITE)
		p->t->b->final |= UINT64_C(1) << p->i;
	p->t->b->known |= UINT64_C(1) << p->i;
	return true;
}

/* ---- ICMP errors ---- */

/* An error is told to who sent the packet. One to anybody else is of no session. */
static bool is_told_to(const struct track_packet *p, struct ip6 sender)
{
	return p->six ? ip6_equal(ip6_load(p->f + IPV6_DEST), sender)
		      : load_be32(p->f + IPV4_DEST) == (uint32_t)sender.lo;
}

void track_error(struct track_packet *p)
{
	struct flow_key inside, back;
	uint32_t inner, inner_at;
	struct way *way = NULL;
	bool leaves;

	/* The packet inside was sent by one way, a request or an answer; the error comes back by
	 * the other (RFC 5508 4.1, 4.2). */
	if (flow_key_inside(p->f, p->at, p->len, &inside, &inner, &inner_at) &&
		is_told_to(p, inside.src) && flow_key_back(&inside, &back))
		way = session_find(p->t->s, &back);
	if (!way) {
		track_alone(p, false);
		return;
	}
	if (!follow(p, way, &leaves) || !leaves || !(way->flags & WAY_REWRITE))
		return;
	if (!translate_error(p->f, p->len, p->at, way))
		track_drop(p->t, p->i, DROP_SESSION_STATE);
	else
		track_changed(p->t->b, p->i);
}

/* ---- later fragments ---- */

static struct session_datagram *set_of(const struct sessions *s, const struct flow_key *key)
{
	uint64_t h = hash_mix(key->src.lo ^ s->seed[2]) + hash_mix(key->dst.lo ^ s->seed[3]) +
		     hash_mix(key->src.hi ^ key->dst.hi << 1 ^
			      ((uint64_t)key->ports << 8 | key->protocol) ^ s->seed[4]);

	return &s->datagram[(hash_mix(h) & (SESSION_DATAGRAMS / SESSION_DATAGRAM_WAYS - 1)) *
			    SESSION_DATAGRAM_WAYS];
}

static bool is_over(const struct session_datagram *d, uint32_t now)
{
	return d->ends == 0 || (int32_t)(d->ends - now) <= 0;
}

/* The place of a datagram, or one for it: a free one, or that which would end first. */
static struct session_datagram *place(
	struct session_datagram *set, const struct flow_key *key, uint32_t now)
{
	struct session_datagram *best = set;

	for (unsigned i = 0; i < SESSION_DATAGRAM_WAYS; i++) {
		struct session_datagram *d = &set[i];

		if (d->ends && flow_key_equal(&d->key, key))
			return d;
		if (is_over(best, now))
			continue;
		if (is_over(d, now) || (int32_t)(d->ends - best->ends) < 0)
			best = d;
	}
	return best;
}

void track_first(const struct track_packet *p, const struct way *way)
{
	struct sessions *s = p->t->s;
	struct flow_key key;

	flow_key_later(p->f, &key);
	struct session_datagram *d = place(set_of(s, &key), &key, p->t->now);
	uint32_t ends = p->t->now + DATAGRAM_TICKS(s);

	*d = (struct session_datagram){.key = key,
		.way = way ? session_way_number(s, way) : SESSION_NONE,
		.version = way ? session_of(s, way)->version : 0,
		.ends = ends + (ends == 0)};
}

static const struct session_datagram *datagram_of(const struct track_packet *p)
{
	const struct session_datagram *set = set_of(p->t->s, &p->key);

	for (unsigned i = 0; i < SESSION_DATAGRAM_WAYS; i++)
		if (!is_over(&set[i], p->t->now) && flow_key_equal(&set[i].key, &p->key))
			return &set[i];
	return NULL;
}

void track_later(struct track_packet *p)
{
	struct sessions *s = p->t->s;
	const struct session_datagram *d = datagram_of(p);
	bool leaves;

	if (!d || d->way == SESSION_NONE) {
		track_alone(p, !d);
		return;
	}
	struct way *way = session_way(s, d->way);

	if (s->session[d->way / 2].version != d->version) {
		track_alone(p, true); /* it has ended meanwhile */
		return;
	}
	if (!follow(p, way, &leaves) || !leaves)
		return;
	store_once(&way->last, p->t->now);
	counter_add(&way->packets, 1);
	counter_add(&way->bytes, p->len);
	if (way->flags & WAY_REWRITE) {
		translate_later(p->f, way);
		track_changed(p->t->b, p->i);
	}
}
