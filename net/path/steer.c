/* Steering a burst: whose each packet is, fragments held and let go, shares handed over. */
#include "net/path/steer.h"

#include "lib/atomic.h"
#include "lib/form.h"
#include "lib/words.h"
#include "net/path/nat.h"
#include "net/path/steer_columns.h"
#include "net/path/steer_frame.h"

static steer_columns_fn *steer_columns = steer_columns_plain;
static steer_nat_fn *steer_nat = steer_nat_plain;
static steer_no_parts_fn *steer_no_parts = steer_no_parts_plain;

void steer_select(const char *isa)
{
	steer_columns = FORM(steer_columns, isa);
	steer_nat = FORM(steer_nat, isa);
	steer_no_parts = FORM(steer_no_parts, isa);
}

/* A burst on its way. Share `owners` is of what stays with a worker that is no owner. */
struct steer_turn {
	struct steering *s;
	struct spread_sort *sort;
	const struct nat_rules *rules;
	unsigned shares[SPREAD_MAX + 1];
	uint64_t now;
};

/* ---- shares ---- */

/* Received, and dropped before anybody parsed it. */
static void steer_drop(struct lane *lane, const uint64_t *word, unsigned n, enum drop_reason reason)
{
	struct port_counters *counters = &lane->counters->port[lane->port];

	for (unsigned i = 0; i < n; i++) {
		counter_add(&counters->rx_packets, 1);
		counter_add(&counters->rx_bytes, packet_len(word[i]));
		/* Without the time, as spread_drop. */
		path_drop(lane, lane->port,
			packet_word(packet_index(word[i]), packet_len(word[i]), 0), reason);
	}
}

/* Hands a share over; the worker's own goes down the path. */
static void steer_flush(struct steer_turn *t, unsigned to)
{
	struct steering *s = t->s;
	uint64_t *word = t->sort->word[to];
	unsigned n = t->shares[to], sent;

	t->shares[to] = 0;
	if (n == 0)
		return;
	if (to == s->own) {
		for (unsigned i = 0; i < n; i += BATCH_MAX)
			path_forward(s->lane, word + i, n - i < BATCH_MAX ? n - i : BATCH_MAX);
		return;
	}
	spread_stamp(s->lane, word, n);
	sent = ring_push(s->ring[to], word, n);
	steer_drop(s->lane, word + sent, n - sent, DROP_SPREAD_FULL);
}

static inline void steer_put(struct steer_turn *t, unsigned to, uint64_t word)
{
	t->sort->word[to][t->shares[to]++] = word;
}

/* Several, behind what is there; the rest of the burst has room yet. */
static void steer_put_all(struct steer_turn *t, unsigned to, const uint64_t *word, unsigned n)
{
	if (t->shares[to] + n > BATCH_MAX)
		steer_flush(t, to);
	words_copy(t->sort->word[to] + t->shares[to], word, n);
	t->shares[to] += n;
}

/* NOLINTNEXTLINE(misc-redundant-expression): two limits, equal by chance */
_Static_assert(HOLD_DATAGRAM <= BATCH_MAX, "what waited for one first is no more than a burst");
/* NOLINTNEXTLINE(misc-redundant-expression): they are equal today */
_Static_assert(SPREAD_SORT >= 2 * BATCH_MAX, "and a burst may follow it");

/* ---- fragments ---- */

static void take_back(struct lane *lane, const uint64_t *word, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buffer_move(
			lane->buffers, lane->actor, packet_index(word[i]), OWNER_HELD, OWNER_HOME);
}

/* What is done with a fragment, and with those that waited for it. */
static void steer_settle(
	struct steer_turn *t, const struct hold_answer *a, uint64_t word, const uint64_t *waited)
{
	struct lane *lane = t->s->lane;

	take_back(lane, waited, a->waited);
	switch (a->fate) {
	case HOLD_PASS:
		steer_put(t, a->owner, word);
		if (a->waited)
			steer_put_all(t, a->owner, waited, a->waited);
		break;
	case HOLD_KEPT:
		buffer_move(lane->buffers, lane->actor, packet_index(word), OWNER_HOME, OWNER_HELD);
		break;
	case HOLD_BAD:
		steer_drop(lane, &word, 1, DROP_FRAGMENT_BAD);
		steer_drop(lane, waited, a->waited, DROP_FRAGMENT_BAD);
		break;
	case HOLD_FULL:
		steer_drop(lane, &word, 1, DROP_FRAGMENTS_FULL);
		break;
	}
}

/* Whose a packet is that is whole, or a first; with its key's numbers. */
static unsigned steer_ask(const struct steer_turn *t, const struct steer_packet *p, uint32_t *ports)
{
	struct flow_key key;

	steer_key(p, &key);
	*ports = key.ports;
	return t->s->owners == 1 ? 0 : steer_owner(t->rules, p->iface, &key, t->s->owners);
}

/* A packet that is not plain. */
static void steer_other(struct steer_turn *t, uint64_t word, const uint8_t *frame)
{
	struct steering *s = t->s;
	struct steer_packet p;
	struct fragment f;
	struct hold_answer a;
	unsigned owner;
	uint64_t waited[HOLD_DATAGRAM];

	if (!steer_packet(s->lane, frame, packet_len(word), &p)) {
		steer_put(t, s->own, word);
		return;
	}
	switch (steer_part(&p, &f)) {
	case STEER_WHOLE:
		steer_put(t, s->owners == 1 ? 0 : steer_ask(t, &p, &f.ports), word);
		return;
	case STEER_FIRST:
		owner = steer_ask(t, &p, &f.ports);
		a = hold_first(s->hold, &f, owner, t->now, waited);
		break;
	case STEER_LATER:
		a = hold_later(s->hold, &f, word, t->now, waited);
		break;
	default:
		a = (struct hold_answer){.fate = HOLD_BAD};
		break;
	}
	steer_settle(t, &a, word, waited);
}

/* ---- bursts ---- */

/* A plain packet's owner by NAT's rules. */
static unsigned steer_plain(const struct steer_turn *t, const struct steer_columns *c, unsigned i)
{
	const struct flow_key key = {.src.lo = c->src[i],
		.dst.lo = c->dst[i],
		.ports = c->ports[i],
		.protocol = (uint8_t)c->protocol[i],
		.family = 4};

	return steer_owner(t->rules, t->s->lane->port, &key, t->s->owners);
}

static void steer_sort(struct steer_turn *t, const uint64_t *word, unsigned n)
{
	struct steer_columns c;
	uint64_t plain = steer_columns(t->s->lane->buffers, word, n, t->s->owners, &c), asked = 0;

	if (t->rules)
		asked = steer_nat(t->rules, n, t->s->owners, &c);
	for (unsigned i = 0; i < n; i++) {
		if (__builtin_expect(!(plain >> i & 1), 0))
			steer_other(t, word[i], c.data[i]);
		else if (__builtin_expect(asked >> i & 1, 0))
			steer_put(t, steer_plain(t, &c, i), word[i]);
		else
			steer_put(t, c.owner[i], word[i]);
	}
}

void steer_burst(
	struct steering *s, struct spread_sort *sort, uint64_t *word, unsigned n, uint64_t now)
{
	struct steer_turn t = {.s = s, .sort = sort, .now = now};
	uint64_t padded[BATCH_MAX + BATCH_PAD];

	/* For a single owner there is no more to be told than that. */
	if (s->owners == 1 && s->own == 0 && steer_no_parts(s->lane->buffers, word, n)) {
		path_forward(s->lane, word, n);
		return;
	}
	t.rules = s->owners > 1 ? load_acquire(&s->lane->tables->nat) : NULL;
	/* The owners' VOQs are limited by what lies on the stack (voq.h): only we can collect. */
	if (s->owners > 1)
		(void)pool_free(s->lane->buffers, s->lane->pool, s->lane->actor, VOQ_SLOTS);
	words_copy(padded, word, n);
	for (unsigned i = n; i % BATCH_PAD; i++)
		padded[i] = word[0];
	steer_sort(&t, padded, n);
	for (unsigned to = 0; to < s->owners; to++) /* the others can begin */
		if (to != s->own)
			steer_flush(&t, to);
	steer_flush(&t, s->own);
}

/* What is held is nobody's any more: it goes down the path. */
static void steer_let_go(struct steering *s)
{
	uint64_t word[HOLD_DATAGRAM];
	unsigned n = hold_clear(s->hold, word);

	take_back(s->lane, word, n);
	if (n)
		path_forward(s->lane, word, n);
}

void steer_tend(struct steering *s, uint64_t now)
{
	uint64_t word[HOLD_DATAGRAM];
	unsigned n;

	if (!load_once(&s->lane->track)) {
		steer_let_go(s);
		return;
	}
	n = hold_expire(s->hold, now, word);
	take_back(s->lane, word, n);
	steer_drop(s->lane, word, n, DROP_FRAGMENT_TIMEOUT);
}
