/* explain, where lanes track: the owner of a frame, and its session as a copy. */
#include "kernel/explain_track.h"

#include <string.h>

#include "kernel/platform.h"
#include "kernel/router.h"
#include "net/path/frame.h"
#include "net/path/hold.h"
#include "net/path/steer.h"
#include "net/path/steer_frame.h"

#define SESSIONS 8u

static struct {
	void *memory;
	struct sessions sessions;
	bool copied;         /* the packet's session was there */
	enum flow_form form; /* of the frame */
	struct flow_key key; /* by which the session is found; of an error, of its own direction */
	bool keyed;
	uint64_t now; /* TSC: the same in all runs about a frame */
} tracked;

bool explain_track_init(const struct router *r)
{
	tracked.memory = platform_alloc(sessions_bytes(SESSIONS), CACHE_LINE);
	return tracked.memory && explain_nat_init(r);
}

/* ---- steering ---- */

/* What is known of a fragment's datagram, or NULL. */
static const struct hold_entry *entry_of(const struct hold *h, const struct fragment *f)
{
	for (uint32_t i = 0; i < h->places; i++) {
		const struct hold_entry *e = &h->entry[i];

		if (load_once(&e->state) != HOLD_FREE && ip6_equal(e->src, f->key.src) &&
			ip6_equal(e->dst, f->key.dst) && e->id == f->key.ports &&
			e->protocol == f->key.protocol && e->family == f->key.family)
			return e;
	}
	return NULL;
}

static const struct lane *lane_of(
	const struct router *r, const struct lane *receives, unsigned owner)
{
	for (unsigned l = 0; l < r->lanes; l++)
		if (r->lane[l].pool == receives->pool && r->lane[l].actor == owner + 1)
			return &r->lane[l];
	return receives;
}

static const struct lane *end(struct explain *e, enum explain_end how, enum drop_reason drop)
{
	e->end = how;
	e->drop = drop;
	return NULL;
}

static const struct lane *whole_lane(const struct router *r, const struct lane *receives,
	const struct steering *s, const struct steer_packet *p)
{
	struct flow_key key;

	if (s->owners == 1)
		return lane_of(r, receives, 0);
	steer_key(p, &key);
	return lane_of(
		r, receives, steer_owner(load_acquire(&r->tables.nat), p->iface, &key, s->owners));
}

const struct lane *explain_track_steer(const struct router *r, const struct lane *receives,
	const uint8_t *frame, uint32_t len, struct explain *e)
{
	const struct steering *s = &r->rxq[receives->pool].steering;
	const struct hold_entry *known;
	struct steer_packet p;
	struct fragment f;

	if (!steer_packet(receives, frame, len, &p))
		return s->own < s->owners ? lane_of(r, receives, s->own) : receives;
	switch (steer_part(&p, &f)) {
	case STEER_BAD:
		return end(e, EXPLAIN_DROPPED, DROP_FRAGMENT_BAD);
	case STEER_LATER:
		known = entry_of(s->hold, &f);
		if (known && known->state == HOLD_KNOWN)
			return lane_of(r, receives, known->owner);
		if (known && known->state == HOLD_REFUSED)
			return end(e, EXPLAIN_DROPPED, DROP_FRAGMENT_BAD);
		return end(e, EXPLAIN_HELD, DROP_COUNT);
	default:
		return whole_lane(r, receives, s, &p);
	}
}

/* ---- copies ---- */

/* A session and its ways as they were at some moment. false: it was changing all the time. */
static bool read_session(
	const struct sessions *s, const struct session *from, struct session *copy, struct way *way)
{
	for (unsigned n = 0; n < 1000; n++) {
		uint32_t version = load_acquire(&from->version);

		*copy = *from;
		memcpy(way, session_ways(s, from), 2 * sizeof *way);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (version % 2 == 0 && load_once(&from->version) == version)
			return copy->state != SESSION_FREE;
	}
	return false;
}

/* Makes a private session of the one that has this way; the private way, or NULL. */
static struct way *copy_session(const struct sessions *from, const struct way *way)
{
	struct sessions *to = &tracked.sessions;
	uint32_t number = session_way_number(from, way);
	struct session copy, *s;
	struct way ways[2];

	if (!read_session(from, &from->session[number / 2], &copy, ways))
		return NULL;
	s = session_begin(to, &copy.key[0], &copy.key[1], copy.begun);
	if (!s)
		return NULL;
	memcpy(session_ways(to, s), ways, sizeof ways);
	memcpy(s->end, copy.end, sizeof s->end);
	s->hold = explain_nat_copy_hold(copy.hold);
	if (!copy.embryonic)
		session_settle(to, s);
	s->state = copy.state;
	s->before = copy.before;
	s->fins = copy.fins;
	s->reset = copy.reset;
	return &session_ways(to, s)[number % 2];
}

/* What of datagrams in fragments is known: of this one with its session. */
static void copy_datagram(const struct sessions *from, const struct flow_key *key)
{
	struct sessions *to = &tracked.sessions;

	memcpy(to->datagram, from->datagram, SESSION_DATAGRAMS * sizeof *to->datagram);
	for (unsigned i = 0; i < SESSION_DATAGRAMS; i++) {
		struct session_datagram *d = &to->datagram[i];
		struct way *way;

		if (!d->ends || d->way >= 2 * from->max || !flow_key_equal(&d->key, key))
			continue;
		bool lives = from->session[d->way / 2].version == d->version;

		way = lives ? copy_session(from, session_way(from, d->way)) : NULL;
		d->way = way ? session_way_number(to, way) : 0;
		d->version = way ? session_of(to, way)->version : UINT32_MAX; /* it has ended */
		tracked.copied |= way != NULL;
	}
}

/* No room for another session, or for this source's: nor is there in the private table. */
static void copy_limits(const struct sessions *from, const struct flow_key *key)
{
	struct sessions *to = &tracked.sessions;
	struct flow_key a = {.family = 6, .protocol = 255}, b = a;
	bool full = load_once(&from->live) >= from->max && load_once(&from->oldest) == SESSION_NONE;
	struct session *s;

	if (!session_source_may(from, key)) {
		to->limit = 1;
		a.src = key->src;
		a.family = key->family;
		b.dst = a.src;
		b.family = key->family;
		s = session_begin(to, &a, &b, 0);
		if (s) {
			session_source_add(to, s);
			session_settle(to, s);
		}
	}
	for (uint32_t n = 1; full; n++) {
		a.ports = b.ports = n;
		a.later = true;
		b.src.lo = n;
		s = session_begin(to, &a, &b, 0);
		if (!s)
			return;
		session_settle(to, s);
	}
}

void explain_track_find(const uint8_t *f, uint32_t len, bool six)
{
	struct flow_key inside;
	uint32_t at, inner, inner_at;

	tracked.now = platform_tsc();
	tracked.keyed = false;
	tracked.form = FLOW_ALONE;
	if (!f)
		return;
	tracked.form = six ? flow_key6(f, &tracked.key, &at) : flow_key4(f, &tracked.key, &at);
	tracked.keyed = tracked.form == FLOW_WHOLE || tracked.form == FLOW_FIRST;
	if (tracked.form == FLOW_ERROR)
		tracked.keyed = flow_key_inside(f, at, len, &inside, &inner, &inner_at) &&
				flow_key_back(&inside, &tracked.key);
}

void explain_track_copy(const struct router *r, struct lane *lane, const struct lane *owner)
{
	const struct sessions *from = owner->sessions;
	const struct way *way;

	lane->track = true;
	lane->sessions = &tracked.sessions;
	lane->received = tracked.now;
	sessions_init(&tracked.sessions, tracked.memory, SESSIONS, 0);
	memcpy(tracked.sessions.seed, from->seed, sizeof from->seed);
	memcpy(tracked.sessions.timeout, from->timeout, sizeof from->timeout);
	tracked.copied = false;
	explain_nat_begin(r, lane, owner);
	if (tracked.keyed && tracked.form != FLOW_ERROR)
		explain_nat_copy(&tracked.key);
	if (tracked.form == FLOW_LATER)
		copy_datagram(from, &tracked.key);
	way = tracked.keyed ? session_find(from, &tracked.key) : NULL;
	if (way)
		tracked.copied = copy_session(from, way) != NULL;
	else if (tracked.keyed && tracked.form != FLOW_ERROR)
		copy_limits(from, &tracked.key);
}

/* ---- telling ---- */

static const struct session *found(const struct sessions *s)
{
	const struct way *way = tracked.keyed ? session_find(s, &tracked.key) : NULL;

	if (way)
		return session_of(s, way);
	return tracked.form == FLOW_LATER && tracked.copied ? &s->session[0] : NULL;
}

void explain_track_tell(const struct router *r, const struct lane *lane, struct explain *e)
{
	const struct session *s = found(lane->sessions);
	struct flow_key to;

	e->tracked = true;
	explain_nat_tell(r, e);
	e->session = !s               ? EXPLAIN_SESSION_NONE
		     : tracked.copied ? EXPLAIN_SESSION_KNOWN
				      : EXPLAIN_SESSION_NEW;
	if (!s)
		return;
	unsigned d = tracked.keyed && flow_key_equal(&s->key[1], &tracked.key);

	const struct way *way = &session_ways(lane->sessions, s)[d];

	e->state = s->state;
	e->session_nh = way->nh;
	if (way->generation)
		e->session_decided = true;
	if (!(way->flags & WAY_REWRITE) || !flow_key_reverse(&s->key[!d], &to))
		return;
	e->rewrites = true;
	e->to_src = to.src;
	e->to_dst = to.dst;
	e->to_ports = to.ports;
}
