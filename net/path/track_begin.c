/* Connection tracking: sessions begin, translated as NAT wants it. */
#include "net/path/nat.h"
#include "net/path/track_one.h"
#include "net/path/translate.h"

/* What is known of it on the way there. */
struct beginning {
	struct flow_key to, answer; /* what the packet becomes; what comes back */
	struct nat_hold hold;
	uint32_t nh;
	uint16_t in, out; /* slots */
	bool rewrites;
};

/* A session's place; one that nobody answered makes room. */
static struct session *make(const struct track_packet *p, const struct beginning *n)
{
	struct sessions *s = p->t->s;
	struct session *session = session_begin(s, &p->key, &n->answer, p->t->now);
	struct session *victim = session ? NULL : session_victim(s);

	if (victim) {
		track_end(p->t->lane, victim);
		s->evicted++;
		session = session_begin(s, &p->key, &n->answer, p->t->now);
	}
	return session;
}

/* Why no session can begin; DROP_COUNT: it can. */
static enum drop_reason refusal(const struct track_packet *p, struct beginning *n)
{
	if (track_is_tcp(p) && !session_tcp_may_begin(p->f + p->at, !n->rewrites))
		return DROP_SESSION_STATE;
	if (!flow_key_reverse(&n->to, &n->answer) || flow_key_equal(&n->answer, &p->key) ||
		session_find(p->t->s, &n->answer))
		return DROP_SESSION_STATE;
	return session_source_may(p->t->s, &p->key) ? DROP_COUNT : DROP_SESSION_LIMIT;
}

static void begin(const struct track_packet *p, const struct beginning *n, bool first)
{
	struct track *t = p->t;
	struct session *session = make(p, n);

	if (!session) {
		if (n->hold.mapping != NAT_NO_MAPPING)
			nat_release(t->lane, n->hold);
		track_drop(t, p->i, DROP_SESSION_TABLE_FULL);
		return;
	}
	struct way *way = session_ways(t->s, session);
	struct flow_key back;

	session->hold = n->hold;
	session_source_add(t->s, session);
	if (n->rewrites) {
		translate_prepare(way, &p->key, &n->to);
		if (flow_key_reverse(&p->key, &back))
			translate_prepare(&way[1], &n->answer, &back);
	}
	way->nh = n->nh;
	way->input = (uint16_t)p->input;
	way->slot_in = way->slot_out = FILTER_NO_SLOT;
	/* If lists were asked, the next packet asks them again: it is of a known session. */
	if (n->in == FILTER_NO_SLOT && n->out == FILTER_NO_SLOT)
		way->generation = t->generation;
	if (track_is_tcp(p))
		session_tcp_begin(t->s, session, p->f + p->at);
	else
		way->flags |= WAY_DIRECT;
	if (first)
		track_first(p, way);
	track_send(p, way, false);
}

/* Destination NAT, route, source NAT. false: the packet has ended, or is the control core's. */
static bool lead(const struct track_packet *p, struct beginning *n)
{
	struct track *t = p->t;
	enum nat_result result = NAT_NONE;

	if (!p->six)
		result = nat_destination(t->lane, p->input, &n->to, &n->hold);
	if (result == NAT_FULL) {
		track_drop(t, p->i, DROP_NAT_NO_PORT);
		return false;
	}
	n->rewrites = result == NAT_DONE;
	n->nh = track_route(p, n->to.dst);
	if (result == NAT_NONE && track_is_for_nobody(p, n->nh, n->to.dst)) {
		track_drop(t, p->i, DROP_NAT_NO_SESSION);
		return false;
	}
	if (!track_is_transit(t, n->nh) || track_ends(p, n->nh)) {
		struct filter_question q = track_question(p, &n->to, false);

		if (!track_is_transit(t, n->nh) || track_may_leave(p, n->nh, &q, &n->out))
			track_leave(p, n->nh, n->rewrites);
		return false;
	}
	uint32_t iface = load_once(&t->lane->tables->leads[n->nh]);

	if (!p->six && iface < IFACE_MAX)
		result = nat_source(t->lane, iface, &n->to, &n->hold);
	else
		result = NAT_NONE;
	if (result == NAT_FULL) {
		track_drop(t, p->i, DROP_NAT_NO_PORT);
		return false;
	}
	n->rewrites |= result == NAT_DONE;
	return true;
}

/* A packet for which there can be no session: it is not refused where nothing changes it. */
static bool is_stray(const struct track_packet *p)
{
	struct flow_key answer;

	return !flow_key_reverse(&p->key, &answer) ||
	       (track_is_tcp(p) && !session_tcp_may_begin(p->f + p->at, true));
}

void track_begin(struct track_packet *p, bool first)
{
	struct beginning n = {.to = p->key, .hold = NAT_HOLD_NONE};

	if (is_stray(p)) {
		if (first)
			track_first(p, NULL);
		track_alone(p, false);
		return;
	}
	if (!track_may_enter(p, false, &n.in) || !lead(p, &n))
		return;
	struct filter_question q = track_question(p, &n.to, false);

	if (track_may_leave(p, n.nh, &q, &n.out)) {
		enum drop_reason reason = refusal(p, &n);

		if (reason == DROP_COUNT) {
			begin(p, &n, first);
			return;
		}
		track_drop(p->t, p->i, reason);
	}
	if (n.hold.mapping != NAT_NO_MAPPING)
		nat_release(p->t->lane, n.hold);
}
