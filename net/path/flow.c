/* The flow cache as a stage: what is known is taken from it, the rest goes the long way. */
#include "net/path/flow.h"

#include <string.h>

#include "lib/form.h"
#include "net/path/count.h"
#include "net/path/filter.h"
#include "net/path/flow_line.h"
#include "net/path/tag.h"
#include "net/table/generation.h"

#define AGE_EACH    4u  /* batch ages a line; */
#define AGE_SMALL   16u /* packets: a smaller one */
#define AGE_MORE    8u  /* so many: then there is time */
#define SUSPECT_FOR 16u /* ticks, in which what was changed has long been published */

static flow_find_fn *flow_find = flow_find_plain;

void flow_select(const char *isa)
{
	flow_find = FORM(flow_find, isa);
}

/* What the long way found out. By packet: */
struct found {
	uint64_t in, out; /* which were denied by what comes in; by what goes out */
	uint16_t fib[BATCH_MAX];
	uint16_t slot_in[BATCH_MAX], slot_out[BATCH_MAX]; /* see filter.h */
};

/* ---- what is known ---- */

static bool is_routed(const struct batch *b, unsigned i)
{
	return b->verdict[i] == VERDICT_ROUTE || b->verdict[i] == VERDICT_ROUTE6;
}

/* Also of one whose verdict is a drop by now. */
static bool is_six(const struct batch *b, unsigned i)
{
	return b->data[i][IPV4_OFF] >> 4 == 6;
}

static unsigned input(const struct lane *lane, const struct batch *b, unsigned i)
{
	unsigned vlan = tag_is_off(b->word[i]) ? tag_note(b->data[i]).vlan : 0;

	return vlan ? lane->tables->ports + vlan - 1 : lane->port;
}

/* What flow_find leaves, one by one: by packet, the words of those that have a key. */
struct others {
	uint64_t keyed;
	uint32_t image[BATCH_MAX][16];
};

/* The routed packets of a mask: their lines are asked for. */
static void ask_others(const struct lane *lane, const struct batch *b, struct flow_ask *q,
	uint64_t mask, struct others *o)
{
	const struct flows *f = q->flows;

	for (o->keyed = 0; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		if (!is_routed(b, i) ||
			!flow_image(b->data[i], is_six(b, i), input(lane, b, i), o->image[i]))
			continue;
		o->keyed |= UINT64_C(1) << i;
		q->hash[i] = flow_hash(&f->secret, o->image[i]);
		__builtin_prefetch(&f->line[flow_first(f, q->hash[i])]);
	}
}

static void find_others(struct batch *b, struct flow_ask *q, const struct others *o)
{
	q->keyed |= o->keyed;
	for (uint64_t m = o->keyed; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctzll(m);
		uint32_t *w = flow_find_one(q->flows, o->image[i], q->hash[i], q->generation);

		if (!w)
			continue;
		q->hit |= UINT64_C(1) << i;
		memcpy(q->kept[i], w + FLOW_GENERATION, sizeof q->kept[i]);
		q->denied |= w[FLOW_MARK] >> 16 != 0;
		b->nh[i] = w[FLOW_HOP] & 0xffff;
		store_once(&w[FLOW_MARK], (w[FLOW_MARK] & 0xffff0000u) | q->tick);
	}
}

/* ---- the long way ---- */

static void look_up4(const struct lane *lane, struct batch *b, uint64_t mask)
{
	const struct fib4 *fib = load_acquire(&lane->tables->fib4);
	uint32_t dst[BATCH_MAX], nh[BATCH_MAX];
	unsigned n = 0;

	if (mask == batch_all(b)) {
		fib4_lookup(fib, b->dst, b->nh, b->n);
		return;
	}
	for (uint64_t m = mask; m; m &= m - 1)
		dst[n++] = b->dst[__builtin_ctzll(m)];
	if (!n)
		return;
	fib4_lookup(fib, dst, nh, n);
	for (n = 0; mask; mask &= mask - 1)
		b->nh[__builtin_ctzll(mask)] = nh[n++];
}

static void look_up6(const struct lane *lane, struct batch *b, uint64_t mask)
{
	struct ip6 dst[BATCH_MAX];
	uint32_t nh[BATCH_MAX];
	unsigned n = 0;

	if (!mask)
		return;
	for (uint64_t m = mask; m; m &= m - 1)
		dst[n++] = ip6_load(b->data[__builtin_ctzll(m)] + IPV6_DEST);
	fib6_lookup(load_acquire(&lane->tables->fib6), dst, nh, n);
	for (n = 0; mask; mask &= mask - 1)
		b->nh[__builtin_ctzll(mask)] = nh[n++];
}

/* The next hops that the FIBs have for the routed packets of a mask. */
static void look_up(const struct lane *lane, struct batch *b, uint64_t mask, struct found *found)
{
	uint64_t six = 0, four = 0;

	for (unsigned k = 0; k < b->sixes; k++)
		if (b->verdict[b->six[k]] == VERDICT_ROUTE6)
			six |= UINT64_C(1) << b->six[k];
	for (uint64_t m = mask & ~six; m; m &= m - 1)
		four |= (uint64_t)(b->verdict[__builtin_ctzll(m)] == VERDICT_ROUTE)
			<< __builtin_ctzll(m);
	look_up4(lane, b, four);
	look_up6(lane, b, six & mask);
	for (uint64_t m = mask; m; m &= m - 1)
		found->fib[__builtin_ctzll(m)] = (uint16_t)b->nh[__builtin_ctzll(m)];
}

/* Of a mask those that are not routed any more. */
static uint64_t ended(const struct batch *b, uint64_t mask)
{
	uint64_t gone = 0;

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		gone |= (uint64_t)!is_routed(b, i) << i;
	}
	return gone;
}

/* ---- hits ---- */

static void deny(struct batch *b, const struct flow_ask *q, uint32_t denied)
{
	for (uint64_t m = q->hit; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctzll(m);

		if (!(flow_kept(q, i, FLOW_MARK) & denied << 16))
			continue;
		b->ended += b->verdict[i] == VERDICT_ROUTE;
		b->plain &= ~(UINT64_C(1) << i);
		b->verdict[i] = verdict_drop(DROP_ACL_DENIED);
	}
}

/* Both in one store: a reader sees each of them whole. */
static inline void count_slot(
	const struct lane *lane, unsigned slot, uint64_t packets, uint64_t bytes)
{
	if (slot == FILTER_NO_SLOT)
		return;
#if defined(__SANITIZE_THREAD__)
	counter_add(&lane->hits[slot].packets, packets);
	counter_add(&lane->hits[slot].bytes, bytes);
#else
	typedef uint64_t both __attribute__((vector_size(16), may_alias));
	both *h = (both *)&lane->hits[slot];

	*h += (both){packets, bytes};
#endif
}

/* Rules of long lists are counted in many places: all of them are on their way, then. */
static void fetch_slots(const struct lane *lane, const struct batch *b, const struct flow_ask *q)
{
	const struct filter_hits *hits = lane->hits;
	unsigned filter = load_once(&lane->filter), n = b->n;

	for (unsigned i = 0; filter & FILTER_IN && i < n; i++)
		__builtin_prefetch(&hits[flow_kept(q, i, FLOW_SLOTS) & 0xffff], 1);
	for (unsigned i = 0; filter & FILTER_OUT && i < n; i++)
		__builtin_prefetch(&hits[flow_kept(q, i, FLOW_SLOTS) >> 16], 1);
}

/* What one run begins with that ends before packet i: bytes of all packets before it. */
struct run_sums {
	uint32_t before[BATCH_MAX + 1];
};

/* A bit for each packet whose rules are not those of the one before. Without branches: in a long
 * list nobody can foretell them. */
static uint64_t run_edges(const struct batch *b, const struct flow_ask *q, struct run_sums *sums)
{
	uint64_t edges = 1;
	uint32_t slots = flow_kept(q, 0, FLOW_SLOTS), sum = 0;
	unsigned n = b->n;

	for (unsigned i = 0; i < n; i++) {
		uint32_t these = flow_kept(q, i, FLOW_SLOTS);

		edges |= (uint64_t)(these != slots) << i;
		slots = these;
		sums->before[i] = sum;
		sum += packet_len(b->word[i]);
	}
	sums->before[n] = sum;
	return edges;
}

/* By the rules that decided; packets in a row with the same ones together. */
static void count_hits(const struct lane *lane, const struct batch *b, const struct flow_ask *q)
{
	struct run_sums sums;
	uint64_t edges = run_edges(b, q, &sums) | (q->hit ^ q->hit << 1);

	for (uint64_t m = edges & q->hit; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctzll(m);
		uint64_t behind = edges >> i >> 1;
		unsigned end = behind ? i + 1 + (unsigned)__builtin_ctzll(behind) : b->n;
		uint64_t bytes = sums.before[end] - sums.before[i];
		uint32_t slots = flow_kept(q, i, FLOW_SLOTS);

		count_slot(lane, slots & 0xffff, end - i, bytes);
		count_slot(lane, slots >> 16, end - i, bytes);
	}
}

/* The FIB's answers take the place of members of groups, to be counted as the long way does. */
static void count_nexthops(const struct lane *lane, struct batch *b, const struct flow_ask *q)
{
	for (uint64_t m = q->hit; m; m &= m - 1)
		b->nh[__builtin_ctzll(m)] =
			flow_kept(q, (unsigned)__builtin_ctzll(m), FLOW_HOP) >> 16;
	count_batch(lane, b);
	for (uint64_t m = q->hit; m; m &= m - 1)
		b->nh[__builtin_ctzll(m)] =
			flow_kept(q, (unsigned)__builtin_ctzll(m), FLOW_HOP) & 0xffff;
}

/* ---- what was found is kept ---- */

static uint32_t decision_slots(const struct found *found, unsigned i)
{
	return found->slot_in[i] | (uint32_t)found->slot_out[i] << 16;
}

static uint32_t decision_denied(const struct found *found, unsigned i)
{
	return (uint32_t)(found->in >> i & 1) * FLOW_DENIED_IN |
	       (uint32_t)(found->out >> i & 1) * FLOW_DENIED_OUT;
}

static void keep(const struct lane *lane, struct flows *f, const struct batch *b,
	const struct flow_ask *q, const struct found *found, uint64_t mask)
{
	uint32_t image[16];

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		if (found->slot_in[i] == FILTER_NO_KEEP || found->slot_out[i] == FILTER_NO_KEEP)
			continue;
		(void)flow_image(b->data[i], is_six(b, i), input(lane, b, i), image);
		image[FLOW_GENERATION] = q->generation;
		image[FLOW_HOP] = b->nh[i] | (uint32_t)found->fib[i] << 16;
		image[FLOW_SLOTS] = decision_slots(found, i);
		image[FLOW_MARK] = decision_denied(found, i) << 16 | q->tick;
		flow_keep(f, image, q->hash[i]);
	}
}

/* ---- shadow mode ---- */

/* One of N hits: they become misses. */
static uint64_t shadow_pick(struct flows *f, struct flow_ask *q)
{
	uint32_t every = load_once(&f->shadow);
	uint64_t picked = 0;

	if (!every)
		return 0;
	for (uint64_t m = q->hit; m; m &= m - 1) {
		if (f->shadow_left > 1 && f->shadow_left <= every) {
			f->shadow_left--;
			continue;
		}
		f->shadow_left = every;
		picked |= m & -m;
	}
	q->hit &= ~picked;
	counter_add(&f->shadowed, (unsigned)__builtin_popcountll(picked));
	return picked;
}

static void suspect(struct flows *f, const struct flow_ask *q, const struct batch *b, unsigned i)
{
	uint32_t at;

	if (!f->suspects) {
		f->suspect_generation = q->generation;
		f->suspect_tick = q->tick;
	}
	f->suspects++;
	if (is_six(b, i))
		(void)flow_key6(b->data[i], &f->suspect, &at);
	else
		(void)flow_key4(b->data[i], &f->suspect, &at);
}

/* Whether what was picked was decided as it had been. */
static void shadow_compare(struct flows *f, const struct flow_ask *q, const struct batch *b,
	const struct found *found, uint64_t picked)
{
	for (; picked; picked &= picked - 1) {
		unsigned i = (unsigned)__builtin_ctzll(picked);

		if (flow_kept(q, i, FLOW_SLOTS) != decision_slots(found, i) ||
			flow_kept(q, i, FLOW_MARK) >> 16 != decision_denied(found, i) ||
			flow_kept(q, i, FLOW_HOP) != (b->nh[i] | (uint32_t)found->fib[i] << 16))
			suspect(f, q, b, i);
	}
}

/* Those of before have no excuse if nothing has changed since. */
static void settle_suspects(struct flows *f, const struct flow_ask *q)
{
	if (f->suspect_generation != q->generation) {
		f->suspects = 0;
	} else if ((uint16_t)(q->tick - f->suspect_tick) >= SUSPECT_FOR) {
		counter_add(&f->differed, f->suspects);
		f->suspects = 0;
	}
}

/* ---- the stage ---- */

/* While most packets miss, one batch of some asks. */
static bool is_worth(struct flows *f)
{
	return f->pressure < FLOW_PRESSURE || ++f->turn % FLOW_ASK_EACH == 0;
}

/* Packets of a mask go the long way, which counts them; hits are denied and counted as kept. */
static void decide(struct lane *lane, struct batch *b, const struct flow_ask *q, uint64_t mask,
	struct found *found)
{
	unsigned filter = load_once(&lane->filter);
	bool denied = filter && q->denied;

	if (mask) {
		memset(found->slot_in, 0xff, sizeof found->slot_in);
		memset(found->slot_out, 0xff, sizeof found->slot_out);
		look_up(lane, b, mask, found);
	}
	if (denied)
		deny(b, q, FLOW_DENIED_IN);
	if (mask && filter & FILTER_IN)
		filter_in_some(lane, b, mask, found->slot_in);
	if (load_once(&lane->count))
		count_nexthops(lane, b, q);
	if (denied)
		deny(b, q, FLOW_DENIED_OUT);
	found->in = ended(b, mask);
	if (mask && filter & FILTER_OUT)
		filter_out_some(lane, b, mask, found->slot_out);
	found->out = ended(b, mask) & ~found->in;
}

static __attribute__((noinline)) void miss(struct lane *lane, struct flows *f, struct batch *b,
	const struct flow_ask *q, uint64_t mask, uint64_t picked)
{
	struct found found;

	decide(lane, b, q, mask, &found);
	if (picked)
		shadow_compare(f, q, b, &found, picked);
	keep(lane, f, b, q, &found, q->keyed & ~q->hit & ~picked);
}

/* Packets that have a key, and those found. */
static void press(struct flows *f, unsigned packets, unsigned hits)
{
	int32_t p = f->pressure + (int32_t)packets - 2 * (int32_t)hits;

	p = p < 0 ? 0 : p;
	f->pressure = p > 2 * FLOW_PRESSURE ? 2 * FLOW_PRESSURE : p;
}

void flow_batch(struct lane *lane, struct batch *b)
{
	struct flow_ask *q = b->ask;
	struct flows *f = q->flows;

	struct others others;

	ask_others(lane, b, q, batch_all(b) & ~(q->keyed & b->plain), &others);
	flow_find(q, b, lane->port);
	find_others(b, q, &others);
	if (load_once(&lane->filter))
		fetch_slots(lane, b, q);
	if (__builtin_expect(f->suspects != 0, 0))
		settle_suspects(f, q);
	counter_add(&f->hits, (unsigned)__builtin_popcountll(q->hit));
	counter_add(&f->misses, b->n - (unsigned)__builtin_popcountll(q->hit));
	press(f, (unsigned)__builtin_popcountll(q->keyed), (unsigned)__builtin_popcountll(q->hit));
	uint64_t picked = shadow_pick(f, q), rest = batch_all(b) & ~q->hit;

	if (rest) {
		miss(lane, f, b, q, rest, picked);
	} else {
		struct found none;

		decide(lane, b, q, 0, &none);
	}
	if (load_once(&lane->filter))
		count_hits(lane, b, q);
	if (b->n < AGE_SMALL)
		flow_age(f, AGE_MORE, q->generation, q->tick);
	else if (++f->batches % AGE_EACH == 0)
		flow_age(f, 1, q->generation, q->tick);
}

/* The time of a worker's flows never goes back, though one lane's batch may be older than the one
 * before it of another lane: ages would be those of a whole turn of 16 bits. */
static uint64_t flow_tick(struct flows *f, uint64_t tick)
{
	if (tick > f->tick)
		f->tick = tick;
	return f->tick;
}

bool flow_begin(const struct lane *lane, struct flow_ask *q)
{
	struct flows *f = load_once(&lane->flow);

	if (!f || !is_worth(f))
		return false;
	q->flows = f;
	q->generation = generation_now(lane->tables);
	q->tick = (uint16_t)flow_tick(f, lane->received >> FLOW_TICK);
	q->keyed = 0;
	return true;
}
