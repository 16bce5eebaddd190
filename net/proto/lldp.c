/* LLDP: when to speak, and who has been heard. */
#include "net/proto/lldp.h"

#include <string.h>

#include "net/proto/internal.h"

/* All parts we write, with texts of full length and two management addresses. */
_Static_assert(
	ETH_HEADER + 9 + 3 + IFACE_NAME_MAX + 4 + 3 * (2 + LLDP_TEXT_MAX) + 6 + 14 + 26 + 2 <=
		LLDP_FRAME_MAX,
	"a frame fits");

void lldp_init(struct stack *s)
{
	memset(&s->lldp, 0, sizeof s->lldp);
}

/* It is spoken on ports, by frames without a tag: not by subinterfaces. */
static bool is_port(const struct stack *s, unsigned port)
{
	return port < PORT_MAX && port < s->ifaces && s->iface[port].vid == 0;
}

static void send(struct stack *s, unsigned port, uint16_t ttl_s)
{
	uint32_t index;

	if (!s->ops->alloc(s->ctx, &index))
		return;

	uint8_t *frame = buffer_data(s->buffers, index);
	uint32_t len = lldp_build(s, port, ttl_s, frame);

	s->lldp.sent++;
	s->ops->transmit(s->ctx, port, packet_word(index, len, 0));
}

static bool is_up(const struct iface *i)
{
	return i->link && i->enabled;
}

void lldp_configure(struct stack *s, const struct lldp_settings *settings, uint64_t now_ms)
{
	struct lldp *l = &s->lldp;
	bool changed = memcmp(&l->settings, settings, sizeof *settings) != 0;
	bool goodbye = l->settings.enabled && !settings->enabled;

	s->now_ms = now_ms;
	for (unsigned port = 0; is_port(s, port); port++) {
		if (goodbye && is_up(&s->iface[port]))
			send(s, port, 0);
		if (goodbye)
			memset(&l->port[port], 0, sizeof l->port[port]);
		if (changed)
			l->port[port].due_ms = now_ms;
	}
	l->settings = *settings;
}

void lldp_farewell(struct stack *s, unsigned port)
{
	if (!s->lldp.settings.enabled || !is_port(s, port) || !is_up(&s->iface[port]))
		return;
	send(s, port, 0);
	s->lldp.port[port].due_ms = s->now_ms;
}

/* ---- neighbours ---- */

static bool same_id(const struct lldp_id *a, const struct lldp_id *b)
{
	return a->subtype == b->subtype && a->len == b->len &&
	       memcmp(a->byte, b->byte, a->len) == 0;
}

/* The one that said this before, or else a free place; NULL: neither. *known: which of the two. */
static struct lldp_neighbor *place_of(
	struct lldp_port *p, const struct lldp_message *m, bool *known)
{
	struct lldp_neighbor *place = NULL;

	for (unsigned k = 0; k < LLDP_NEIGHBORS; k++) {
		struct lldp_neighbor *n = &p->neighbor[k];

		*known = n->used && same_id(&n->said.chassis, &m->chassis) &&
			 same_id(&n->said.port_id, &m->port_id);
		if (*known)
			return n;
		if (!n->used && !place)
			place = n;
	}
	return place;
}

static void heard(struct stack *s, struct lldp_port *p, const struct lldp_message *m)
{
	bool known;
	struct lldp_neighbor *n = place_of(p, m, &known);

	if (m->ttl_s == 0) {
		if (known)
			n->used = false;
		return;
	}
	if (!n) {
		s->lldp.refused++;
		return;
	}
	n->used = true;
	n->said = *m;
	n->due_ms = s->now_ms + m->ttl_s * 1000u;
	if (!known && p->due_ms > s->now_ms + LLDP_FAST_MS)
		p->due_ms = s->now_ms + LLDP_FAST_MS; /* it does not know us either */
}

void lldp_input(struct stack *s, uint64_t word)
{
	static struct lldp_message m;
	unsigned port = s->ops->ingress(s->ctx, word);

	if (!s->lldp.settings.enabled || !is_port(s, port)) {
		s->ops->drop(s->ctx, word, DROP_MULTICAST);
		return;
	}
	if (!lldp_parse(frame_of(s, word), packet_len(word), &m)) {
		s->ops->drop(s->ctx, word, DROP_LLDP_MALFORMED);
		return;
	}
	s->lldp.received++;
	/* An echo of our own, 802.1AB 9.2.7.7.2: not a neighbour. */
	if (memcmp(frame_of(s, word) + 6, s->iface[port].mac, 6) != 0)
		heard(s, &s->lldp.port[port], &m);
	s->ops->deliver(s->ctx, word);
}

/* ---- time ---- */

static void age(struct stack *s, struct lldp_port *p)
{
	for (unsigned k = 0; k < LLDP_NEIGHBORS; k++) {
		if (!p->neighbor[k].used || p->neighbor[k].due_ms > s->now_ms)
			continue;
		p->neighbor[k].used = false;
		s->lldp.aged++;
	}
}

void lldp_tick(struct stack *s)
{
	for (unsigned port = 0; s->lldp.settings.enabled && is_port(s, port); port++) {
		struct lldp_port *p = &s->lldp.port[port];

		if (!is_up(&s->iface[port])) {
			if (p->up)
				memset(p, 0, sizeof *p);
			continue;
		}
		if (!p->up)
			p->due_ms = s->now_ms;
		p->up = true;
		age(s, p);
		if (p->due_ms > s->now_ms)
			continue;
		send(s, port, LLDP_TTL_S);
		p->due_ms = s->now_ms + LLDP_INTERVAL_MS;
	}
}
