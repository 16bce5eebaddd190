/* How long sessions last, and which is given up first; copies of them for who wants to see. */
#include "net/path/session.h"

#include "lib/hash.h"

#define ICMP4 1u
#define ICMP6 58u

/* ---- those that may be given up, in the order of their beginning ---- */

void session_unsettle(struct sessions *s, struct session *session)
{
	uint32_t i = (uint32_t)(session - s->session);

	if (session->embryonic)
		return;
	session->embryonic = true;
	session->older = s->newest;
	session->newer = SESSION_NONE;
	if (s->newest == SESSION_NONE)
		s->oldest = i;
	else
		s->session[s->newest].newer = i;
	s->newest = i;
	counter_add(&s->embryonic, 1);
}

void session_settle(struct sessions *s, struct session *session)
{
	if (!session->embryonic)
		return;
	session->embryonic = false;
	if (session->older == SESSION_NONE)
		s->oldest = session->newer;
	else
		s->session[session->older].newer = session->newer;
	if (session->newer == SESSION_NONE)
		s->newest = session->older;
	else
		s->session[session->newer].older = session->older;
	counter_add(&s->embryonic, (uint32_t)-1);
}

struct session *session_victim(struct sessions *s)
{
	return s->oldest == SESSION_NONE ? NULL : &s->session[s->oldest];
}

/* ---- time ---- */

static enum session_timeout timeout_of(const struct session *session)
{
	switch (session->state) {
	case SESSION_SYN_SENT:
	case SESSION_SYN_RECEIVED:
		return SESSION_TIMEOUT_TCP_OPENING;
	case SESSION_ESTABLISHED:
		return SESSION_TIMEOUT_TCP_ESTABLISHED;
	case SESSION_UNREPLIED:
	case SESSION_REPLIED:
		break;
	default:
		return SESSION_TIMEOUT_TCP_CLOSING;
	}
	bool replied = session->state == SESSION_REPLIED;

	switch (session->key[0].protocol) {
	case HASH_UDP:
	case HASH_UDP_LITE:
		return replied ? SESSION_TIMEOUT_UDP_REPLIED : SESSION_TIMEOUT_UDP;
	case ICMP4:
	case ICMP6:
		return SESSION_TIMEOUT_ICMP;
	default:
		return replied ? SESSION_TIMEOUT_OTHER_REPLIED : SESSION_TIMEOUT_OTHER;
	}
}

uint32_t session_lasts(const struct sessions *s, const struct session *session)
{
	return load_once(&s->timeout[timeout_of(session)]);
}

void session_touch(struct sessions *s, struct session *session, uint32_t now)
{
	uint32_t due = now + session_lasts(s, session);

	store_once(&s->due[session - s->session], due + (due == 0));
}

/* The later of two ticks, less than half of all time apart. */
static uint32_t later(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0 ? a : b;
}

/* When the last packet came by one of two ways. */
static uint32_t last_of(const struct way *way)
{
	return later(load_once(&way[0].last), load_once(&way[1].last));
}

uint32_t session_ends(const struct sessions *s, const struct session *session)
{
	return last_of(session_ways(s, session)) + session_lasts(s, session);
}

void session_level(struct sessions *s, struct session *session)
{
	struct way *way = session_ways(s, session);
	uint32_t last = last_of(way);

	store_once(&way[0].last, last);
	store_once(&way[1].last, last);
}

/* ---- for the control core ---- */

bool session_copy(const struct sessions *s, uint32_t i, uint32_t now, struct session_view *view)
{
	const struct session *session = &s->session[i];
	const struct way *way = session_ways(s, session);
	uint32_t version = load_acquire(&session->version);
	struct session copy;

	if (version % 2 || load_once(&session->state) == SESSION_FREE)
		return false;
	copy.state = load_once(&session->state);
	for (unsigned d = 0; d < 2; d++) {
		view->key[d] = copy.key[d] = session->key[d];
		view->bytes[d] = load_once(&way[d].bytes);
		view->packets[d] = load_once(&way[d].packets);
	}
	uint32_t last = last_of(way);

	view->begun = session->begun;
	view->state = copy.state;
	view->rewrites = load_once(&way[0].flags) & WAY_REWRITE;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (load_once(&session->version) != version)
		return false;
	uint32_t left = last + session_lasts(s, &copy) - now;

	view->left = (int32_t)left > 0 ? left : 0;
	return true;
}

static bool within(struct ip6 prefix, unsigned length, unsigned family, struct ip6 a, unsigned of)
{
	if (!family)
		return true;
	return of == family && ip6_agree(prefix, a, length + (family == 4 ? 96 : 0));
}

static bool has_port(const struct flow_key *key, uint16_t port)
{
	return key->ports >> 16 == port || (key->ports & 0xffff) == port;
}

bool session_matches(const struct session_match *m, const struct flow_key key[2])
{
	const struct flow_key *k = key;

	if (m->protocol && m->protocol != k->protocol)
		return false;
	/* key[1] is of the answer: its source is where the packets go in the end. */
	if (!within(m->from, m->from_length, m->from_family, k[0].src, k[0].family) &&
		!within(m->from, m->from_length, m->from_family, k[1].dst, k[1].family))
		return false;
	if (!within(m->to, m->to_length, m->to_family, k[0].dst, k[0].family) &&
		!within(m->to, m->to_length, m->to_family, k[1].src, k[1].family))
		return false;
	if (!m->port)
		return true;
	return hash_has_ports(k->protocol) &&
	       (has_port(&k[0], m->port) || has_port(&k[1], m->port));
}

const char *session_state_name(enum session_state state)
{
	static const char *const name[SESSION_STATES] = {
		[SESSION_FREE] = "-",
		[SESSION_UNREPLIED] = "unreplied",
		[SESSION_REPLIED] = "replied",
		[SESSION_SYN_SENT] = "syn-sent",
		[SESSION_SYN_RECEIVED] = "syn-received",
		[SESSION_ESTABLISHED] = "established",
		[SESSION_FIN_WAIT] = "fin-wait",
		[SESSION_CLOSE_WAIT] = "close-wait",
		[SESSION_LAST_ACK] = "last-ack",
		[SESSION_TIME_WAIT] = "time-wait",
		[SESSION_CLOSED] = "closed",
	};

	return name[state];
}
