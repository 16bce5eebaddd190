/* Fragments that wait for their first: a table of datagrams, a list of words for each. */
#include "net/path/hold.h"

#include "lib/hash.h"

#define TICK_SHIFT 20u /* of the TSC: some 0.4 ms */
#define NO_WORD    UINT16_MAX
#define BYTES_MAX  0xffffu

_Static_assert(HOLD_MOST < NO_WORD, "a place for a word has 16 bits");
_Static_assert(HOLD_DATAGRAM <= UINT8_MAX, "and the number of them 8");

void hold_init(
	struct hold *h, struct hold_entry *entry, uint32_t places, uint64_t hz, uint32_t seed)
{
	*h = (struct hold){.entry = entry, .places = places, .seed = seed};
	h->wait = (uint32_t)(HOLD_WAIT_S * hz >> TICK_SHIFT);
	h->known = (uint32_t)(HOLD_KNOWN_S * hz >> TICK_SHIFT);
	for (unsigned i = 0; i < HOLD_MOST; i++)
		h->next[i] = (uint16_t)(i + 1 < HOLD_MOST ? i + 1 : NO_WORD);
}

/* ---- what waits ---- */

static bool list_append(struct hold *h, struct hold_entry *e, uint64_t word)
{
	uint16_t at = h->free;

	if (at == NO_WORD || e->count == HOLD_DATAGRAM)
		return false;
	h->free = h->next[at];
	h->word[at] = word;
	h->next[at] = NO_WORD;
	if (e->count++)
		h->next[e->tail] = at;
	else
		e->head = at;
	e->tail = at;
	store_once(&h->held, h->held + 1);
	return true;
}

/* All of it, in order. */
static unsigned list_take(struct hold *h, struct hold_entry *e, uint64_t *word)
{
	unsigned n = e->count;
	uint16_t at = e->head;

	if (n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		word[i] = h->word[at];
		at = h->next[at];
	}
	h->next[e->tail] = h->free;
	h->free = e->head;
	e->count = 0;
	store_once(&h->held, h->held - n);
	return n;
}

/* ---- the table ---- */

static uint32_t ticks(uint64_t now)
{
	return (uint32_t)(now >> TICK_SHIFT);
}

static void become(struct hold *h, struct hold_entry *e, enum hold_state state)
{
	h->used += (state != HOLD_FREE) - (e->state != HOLD_FREE);
	h->waiting += (state == HOLD_WAITS) - (e->state == HOLD_WAITS);
	e->state = (uint8_t)state;
}

static bool is_over(const struct hold *h, const struct hold_entry *e, uint32_t now)
{
	return now - e->since > (e->state == HOLD_WAITS ? h->wait : h->known);
}

/* The places of a datagram, HOLD_WAYS of them. */
static struct hold_entry *places_of(const struct hold *h, const struct flow_key *key)
{
	uint64_t x = hash_mix(key->src.hi ^ key->dst.lo ^ (uint64_t)h->seed << 32 ^ key->protocol);

	x = hash_mix(x + (key->src.lo ^ key->dst.hi) + key->ports);
	return &h->entry[(uint32_t)x & (h->places - 1) & ~(HOLD_WAYS - 1)];
}

static bool is_of(const struct hold_entry *e, const struct flow_key *key)
{
	return e->state != HOLD_FREE && e->id == key->ports && e->protocol == key->protocol &&
	       e->family == key->family && ip6_equal(e->src, key->src) &&
	       ip6_equal(e->dst, key->dst);
}

/* NULL: nothing is known of it. What is over but waits is still waited for. */
static struct hold_entry *find(struct hold *h, const struct flow_key *key, uint32_t now)
{
	struct hold_entry *e = places_of(h, key);

	for (unsigned i = 0; i < HOLD_WAYS; i++, e++) {
		if (!is_of(e, key))
			continue;
		if (e->state == HOLD_WAITS || !is_over(h, e, now))
			return e;
		become(h, e, HOLD_FREE);
		return NULL;
	}
	return NULL;
}

/* How willingly a place is given away; 0: not at all. */
static uint32_t worth(const struct hold_entry *e, uint32_t now)
{
	if (e->state == HOLD_FREE)
		return UINT32_MAX;
	if (e->state == HOLD_WAITS)
		return 0;
	uint32_t age = (now - e->since) & (UINT32_MAX >> 2);

	return 1 + age + (e->complete ? UINT32_C(1) << 30 : 0);
}

/* A place for a datagram that is not known yet, in a state; NULL: there is none. */
static struct hold_entry *insert(
	struct hold *h, const struct flow_key *key, enum hold_state state, uint32_t now)
{
	struct hold_entry *e = places_of(h, key), *best = NULL;
	uint32_t most = 0;

	for (unsigned i = 0; i < HOLD_WAYS; i++) {
		uint32_t w = worth(e + i, now);

		if (w > most) {
			most = w;
			best = e + i;
		}
	}
	if (!best)
		return NULL;
	become(h, best, HOLD_FREE);
	*best = (struct hold_entry){.src = key->src,
		.dst = key->dst,
		.id = key->ports,
		.since = now,
		.protocol = key->protocol,
		.family = key->family};
	become(h, best, state);
	return best;
}

/* ---- fragments ---- */

/* Bytes that came; duplicates count again, so it may be taken for complete too early: then a first
 * that is another's is believed, no more. */
static void count(struct hold_entry *e, uint32_t bytes)
{
	uint32_t got = e->got + bytes;

	e->got = (uint16_t)(got < BYTES_MAX ? got : BYTES_MAX);
	if (e->total && e->got >= e->total)
		e->complete = true;
}

/* Whether a fragment contradicts where the datagram ends, as far as that is known. */
static bool ends_wrong(const struct hold_entry *e, const struct fragment *f)
{
	return e->total && (f->last ? f->end != e->total : f->end > e->total);
}

static struct hold_answer refuse(struct hold *h, struct hold_entry *e, uint64_t *waited)
{
	struct hold_answer a = {.fate = HOLD_BAD, .waited = list_take(h, e, waited)};

	become(h, e, HOLD_REFUSED);
	return a;
}

/* The first of a datagram of which nothing was known, or nothing that still counts. */
static struct hold_answer begin(struct hold_entry *e, const struct fragment *f, unsigned owner)
{
	e->owner = (uint8_t)owner;
	e->ports = f->ports;
	e->first_end = (uint16_t)f->end;
	e->got = e->total = 0;
	e->complete = false;
	count(e, f->end);
	return (struct hold_answer){.fate = HOLD_PASS, .owner = owner};
}

/* Whether it is the first fragment that came already. */
static bool same_first(const struct hold_entry *e, const struct fragment *f, unsigned owner)
{
	return e->ports == f->ports && e->first_end == f->end && e->owner == owner;
}

static struct hold_answer first_of_waiting(struct hold *h, struct hold_entry *e,
	const struct fragment *f, unsigned owner, uint32_t now, uint64_t *waited)
{
	if (e->first_end < f->end || ends_wrong(e, f))
		return refuse(h, e, waited);
	uint16_t got = e->got, total = e->total;
	unsigned n = list_take(h, e, waited);

	become(h, e, HOLD_KNOWN);
	e->since = now;
	struct hold_answer a = begin(e, f, owner);

	e->total = total;
	count(e, got);
	a.waited = n;
	return a;
}

struct hold_answer hold_first(
	struct hold *h, const struct fragment *f, unsigned owner, uint64_t tsc, uint64_t *waited)
{
	uint32_t now = ticks(tsc);
	struct hold_entry *e = find(h, &f->key, now);

	if (e && e->state == HOLD_REFUSED)
		return (struct hold_answer){.fate = HOLD_BAD};
	if (e && e->state == HOLD_WAITS)
		return first_of_waiting(h, e, f, owner, now, waited);
	if (e && !e->complete)
		return same_first(e, f, owner)
			       ? (struct hold_answer){.fate = HOLD_PASS, .owner = owner}
			       : refuse(h, e, waited);
	if (e) { /* the number is used again (RFC 6864 3) */
		e->since = now;
		return begin(e, f, owner);
	}
	e = insert(h, &f->key, HOLD_KNOWN, now);
	return e ? begin(e, f, owner) : (struct hold_answer){.fate = HOLD_FULL};
}

static struct hold_answer later_of_known(
	struct hold *h, struct hold_entry *e, const struct fragment *f, uint64_t *waited)
{
	if (f->begin < e->first_end)
		return refuse(h, e, waited);
	if (!e->complete) { /* or perhaps it is of the next one that has this number */
		if (ends_wrong(e, f))
			return refuse(h, e, waited);
		if (f->last)
			e->total = (uint16_t)f->end;
		count(e, f->end - f->begin);
	}
	return (struct hold_answer){.fate = HOLD_PASS, .owner = e->owner};
}

/* The first has not come. */
static struct hold_answer keep(struct hold *h, struct hold_entry *e, const struct fragment *f,
	uint64_t word, uint64_t *waited)
{
	if (ends_wrong(e, f))
		return refuse(h, e, waited);
	if (!list_append(h, e, word))
		return (struct hold_answer){.fate = HOLD_FULL};
	if (f->last)
		e->total = (uint16_t)f->end;
	if (f->begin < e->first_end)
		e->first_end = (uint16_t)f->begin;
	count(e, f->end - f->begin);
	e->complete = false;
	return (struct hold_answer){.fate = HOLD_KEPT};
}

struct hold_answer hold_later(
	struct hold *h, const struct fragment *f, uint64_t word, uint64_t tsc, uint64_t *waited)
{
	uint32_t now = ticks(tsc);
	struct hold_entry *e = find(h, &f->key, now);

	if (e && e->state == HOLD_REFUSED)
		return (struct hold_answer){.fate = HOLD_BAD};
	if (e && e->state == HOLD_KNOWN)
		return later_of_known(h, e, f, waited);
	if (!e && h->free != NO_WORD && h->waiting < h->places / 4) {
		e = insert(h, &f->key, HOLD_WAITS, now);
		if (e)
			e->first_end = BYTES_MAX;
	}
	return e ? keep(h, e, f, word, waited) : (struct hold_answer){.fate = HOLD_FULL};
}

/* ---- time ---- */

/* Looks at some places; frees those that are over, or all. Stops at one where something waits. */
static unsigned sweep(struct hold *h, uint32_t now, bool all, uint64_t *word)
{
	for (unsigned i = 0; i < HOLD_SLICE; i++) {
		struct hold_entry *e = &h->entry[h->cursor];

		h->cursor = (h->cursor + 1) & (h->places - 1);
		if (e->state == HOLD_FREE || !(all || is_over(h, e, now)))
			continue;
		unsigned n = list_take(h, e, word);

		become(h, e, HOLD_FREE);
		if (n)
			return n;
	}
	return 0;
}

unsigned hold_expire(struct hold *h, uint64_t now, uint64_t *word)
{
	return sweep(h, ticks(now), false, word);
}

unsigned hold_clear(struct hold *h, uint64_t *word)
{
	return sweep(h, 0, true, word);
}
