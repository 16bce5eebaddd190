/*
 * TCP as seen from between (RFC 9293 3.3.2, 3.6): states of a session by the flags that go by.
 *
 * Packets without SYN, FIN or RST of an established session are not looked at, but for the
 * acknowledgement number, which a way remembers. By it a reset is judged: its receiver believes one
 * that is at the number it waits for (RFC 5961 3.2). What was sent meanwhile has not been
 * acknowledged, so a window behind that passes here as well; if the receiver did not believe it, it
 * goes on talking, and the session goes on.
 */
#include "lib/byteorder.h"
#include "net/path/session.h"

#define TCP_SEQ    4u
#define TCP_ACK    8u
#define TCP_OFFSET 12u
#define TCP_FLAGS  13u
#define TCP_HEADER 20u

#define FIN 0x01u
#define SYN 0x02u
#define RST 0x04u
#define ACK 0x10u

#define RESET_WINDOW (1u << 18) /* bytes on their way when a connection is reset */
#define FIN_WINDOW   (1u << 24) /* when it is ended */

/* What is looked at. */
struct segment {
	uint32_t seq, ack;
	uint8_t flags;
};

static struct segment segment_of(const uint8_t *tcp)
{
	return (struct segment){load_be32(tcp + TCP_SEQ), load_be32(tcp + TCP_ACK), tcp[TCP_FLAGS]};
}

/* The number that the receiver of a way's packets waits for, as far as it has told. */
static uint32_t awaited(const struct sessions *s, const struct session *session, unsigned way)
{
	return load_be32(&session_ways(s, session)[!way].acked);
}

static bool is_near(uint32_t seq, uint32_t from, uint32_t window)
{
	return seq - from < window;
}

static void set_direct(struct way *way, bool direct)
{
	for (unsigned d = 0; d < 2; d++) {
		uint8_t flags = way[d].flags & (uint8_t)~WAY_DIRECT;

		store_once(&way[d].flags, (uint8_t)(flags | (direct ? WAY_DIRECT : 0)));
	}
}

static void set_state(
	struct sessions *s, struct session *session, enum session_state state, uint32_t now)
{
	if (state == SESSION_ESTABLISHED)
		session_settle(s, session);
	else if (state == SESSION_TIME_WAIT)
		session_unsettle(s, session);
	set_direct(session_ways(s, session), state == SESSION_ESTABLISHED);
	store_once(&session->state, (uint8_t)state);
	session_touch(s, session, now);
}

/* ---- the first packet ---- */

bool session_tcp_may_begin(const uint8_t *tcp, bool loose)
{
	uint8_t flags = tcp[TCP_FLAGS] & (SYN | FIN | RST | ACK);

	return flags == SYN || (loose && flags == ACK);
}

void session_tcp_begin(struct sessions *s, struct session *session, const uint8_t *tcp)
{
	struct segment g = segment_of(tcp);
	struct way *way = session_ways(s, session);

	session->end[0] = g.seq + !!(g.flags & SYN);
	/* What is picked up is established when somebody answers with what it waits for. */
	session->end[1] = g.ack;
	way[0].acked = 0;
	if (g.flags & ACK)
		__builtin_memcpy(&way[0].acked, tcp + TCP_ACK, 4);
	session->before =
		g.flags & SYN && !(g.flags & ACK) ? SESSION_SYN_SENT : SESSION_ESTABLISHED;
}

/* ---- the others ---- */

/* It was begun with something else than a SYN. */
static bool is_picked_up(const struct session *session)
{
	return session->before == SESSION_ESTABLISHED;
}

static enum session_step on_syn_sent(struct sessions *s, struct session *session, unsigned way,
	const struct segment *g, uint32_t now)
{
	if (is_picked_up(session)) {
		/* Something back that acknowledges nothing beyond what may have been sent. */
		if (way == 1 && (g->flags & ACK) &&
			g->ack - session->end[0] + FIN_WINDOW < 2 * FIN_WINDOW)
			set_state(s, session, SESSION_ESTABLISHED, now);
		return SESSION_PASS;
	}
	if (way == 0) { /* again, or it gives up; what it says meanwhile cannot be */
		if (!(g->flags & (SYN | RST)))
			return SESSION_REFUSE;
		if (g->flags & SYN && !(g->flags & ACK))
			session->end[0] = g->seq + 1;
		return SESSION_PASS;
	}
	if ((g->flags & (SYN | RST)) == SYN) {
		session->end[1] = g->seq + 1;
		set_state(s, session, SESSION_SYN_RECEIVED, now);
	} else if ((g->flags & (RST | ACK)) == (RST | ACK) && g->ack == session->end[0]) {
		session->reset = 1;
		session->before = SESSION_SYN_SENT;
		set_state(s, session, SESSION_CLOSED, now);
	}
	return SESSION_PASS;
}

/* A reset that its receiver believes closes the session. */
static void on_reset(struct sessions *s, struct session *session, unsigned way,
	const struct segment *g, uint32_t now)
{
	uint32_t from = session->state == SESSION_SYN_RECEIVED ? session->end[way]
							       : awaited(s, session, way);

	if (!is_near(g->seq, from, RESET_WINDOW))
		return;
	session->before = session->state;
	session->reset = (uint8_t)way;
	set_state(s, session, SESSION_CLOSED, now);
}

static enum session_step on_syn_received(struct sessions *s, struct session *session, unsigned way,
	const struct segment *g, uint32_t now)
{
	if (g->flags & RST)
		on_reset(s, session, way, g, now);
	else if (way == 1 && (g->flags & SYN))
		session->end[1] = g->seq + 1;
	/* Nobody who has not seen the other's SYN can know its number. */
	else if (way == 0 && (g->flags & ACK) && g->ack == session->end[1])
		set_state(s, session, SESSION_ESTABLISHED, now);
	return SESSION_PASS;
}

/* FINs, and what acknowledges them. */
static void on_end(struct sessions *s, struct session *session, unsigned way,
	const struct segment *g, uint32_t end, uint32_t now)
{
	unsigned fins = session->fins;

	if (g->flags & FIN && !(fins & 1u << way) &&
		is_near(end, awaited(s, session, way), FIN_WINDOW)) {
		fins |= 1u << way;
		session->end[way] = end;
	}
	if (g->flags & ACK && fins & 1u << !way && is_near(g->ack, session->end[!way], FIN_WINDOW))
		fins |= 4u << !way;
	if (fins == session->fins)
		return;
	session->fins = (uint8_t)fins;
	if ((fins & 3) == 3)
		set_state(s, session, fins == 15 ? SESSION_TIME_WAIT : SESSION_LAST_ACK, now);
	else
		set_state(s, session, fins & 12 ? SESSION_CLOSE_WAIT : SESSION_FIN_WAIT, now);
}

/* A SYN of a connection that has ended begins another (RFC 9293 3.6.1, RFC 6191). */
static bool begins_another(const struct session *session, const struct segment *g)
{
	return (g->flags & (SYN | ACK | RST | FIN)) == SYN &&
	       (session->state == SESSION_TIME_WAIT || session->state == SESSION_CLOSED);
}

bool session_tcp_ends(const struct session *session, const uint8_t *tcp)
{
	struct segment g = segment_of(tcp);

	return (tcp[TCP_OFFSET] >> 4) * 4u >= TCP_HEADER && begins_another(session, &g);
}

/* Who got the reset would say nothing but resets (RFC 7857 2.2). */
static bool goes_on(const struct session *session, unsigned way, const struct segment *g)
{
	return session->state == SESSION_CLOSED && session->before != SESSION_SYN_SENT &&
	       way != session->reset && (g->flags & (ACK | RST | SYN)) == ACK;
}

/* What TCP says (RFC 9293 3.10): nobody answers anything else, but some look for who does. */
static bool is_possible(uint8_t flags)
{
	switch (flags & (FIN | SYN | RST | ACK)) {
	case SYN:
	case SYN | ACK:
	case RST:
	case RST | ACK:
	case ACK:
	case FIN | ACK:
		return true;
	default:
		return false;
	}
}

/* How long a segment is: of the frame's IP packet, so the caller knows best; FIN and SYN count. */
static enum session_step step(struct sessions *s, struct session *session, unsigned way,
	const struct segment *g, uint32_t end, uint32_t now)
{
	switch (session->state) {
	case SESSION_SYN_SENT:
		return on_syn_sent(s, session, way, g, now);
	case SESSION_SYN_RECEIVED:
		return on_syn_received(s, session, way, g, now);
	default:
		break;
	}
	if (begins_another(session, g))
		return SESSION_AGAIN;
	if (goes_on(session, way, g))
		set_state(s, session, session->before, now);
	if (session->state == SESSION_CLOSED || g->flags & SYN)
		return SESSION_PASS; /* RFC 5961 4: a SYN changes nothing */
	if (g->flags & RST)
		on_reset(s, session, way, g, now);
	else
		on_end(s, session, way, g, end, now);
	return SESSION_PASS;
}

enum session_step session_tcp(struct sessions *s, struct session *session, unsigned way,
	const uint8_t *tcp, uint32_t bytes, uint32_t now)
{
	struct segment g = segment_of(tcp);
	uint32_t header = (tcp[TCP_OFFSET] >> 4) * 4u;
	uint32_t end = g.seq + (bytes > header ? bytes - header : 0) + 1;

	if (header < TCP_HEADER || !is_possible(g.flags))
		return SESSION_REFUSE;
	enum session_step result = step(s, session, way, &g, end, now);

	if (result == SESSION_PASS && (g.flags & (ACK | RST)) == ACK)
		__builtin_memcpy(&session_ways(s, session)[way].acked, tcp + TCP_ACK, 4);
	return result;
}
