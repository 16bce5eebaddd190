/* The output scheduler: strict classes, weighted classes, VOQs by virtual runtime. */
#include "net/path/sched.h"

#include <string.h>

#include "lib/packet.h"
#include "lib/vec.h"
#include "lib/words.h"

#define INVERSE_ONE 65536u

/*
 * A class that was always served is at the minimum or ahead of it by less than a quantum. Any
 * other distance means that it was idle (or that the runtime has wrapped since).
 */
#define AHEAD_MAX (UINT64_C(1) << 40)

_Static_assert((uint64_t)SCHED_QUANTUM *UINT16_MAX *INVERSE_ONE < AHEAD_MAX,
	"a quantum of the longest frames");

size_t sched_bytes(unsigned lanes)
{
	return lanes * (VOQ_CLASSES * sizeof(struct sched_entry) + sizeof(struct crosspoint *) +
			       sizeof(struct histogram *));
}

void sched_init(struct sched *s, void *memory, unsigned lanes)
{
	struct sched_entry *heap = memory;

	memset(s, 0, sizeof *s);
	memset(memory, 0, sched_bytes(lanes));
	s->lanes = lanes;
	for (unsigned class = 0; class < VOQ_CLASSES; class ++) {
		s->class[class].heap = heap;
		s->policy.inverse[class] = INVERSE_ONE;
		heap += lanes;
	}
	s->cross = (struct crosspoint **)heap;
	s->latency = (struct histogram **)(s->cross + lanes);
}

void sched_set_class(struct sched *s, unsigned class, bool strict, unsigned weight)
{
	uint32_t bit = 1u << class;

	store_once(&s->policy.inverse[class], INVERSE_ONE / weight);
	store_once(&s->policy.strict, strict ? s->policy.strict | bit : s->policy.strict & ~bit);
}

/* ---- the heap of a class: the smallest runtime on top, ties by lane ---- */

static inline bool before(const struct sched_entry *a, const struct sched_entry *b)
{
	return a->runtime < b->runtime;
}

static void heap_push(struct sched_class *c, struct sched_entry e)
{
	uint32_t at = c->waiting++;

	while (at > 0) {
		uint32_t parent = (at - 1) / 2;

		if (!before(&e, &c->heap[parent]))
			break;
		c->heap[at] = c->heap[parent];
		at = parent;
	}
	c->heap[at] = e;
}

/* Puts e in the place of the top. */
static void heap_replace(struct sched_class *c, struct sched_entry e)
{
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < c->waiting) {
		if (child + 1 < c->waiting && before(&c->heap[child + 1], &c->heap[child]))
			child++;
		if (!before(&c->heap[child], &e))
			break;
		c->heap[at] = c->heap[child];
		at = child;
	}
	c->heap[at] = e;
}

/* ---- arrivals ---- */

/* A VOQ that was empty has words: it waits from the current minimum on. */
static void sched_wake(struct sched *s, unsigned lane, unsigned class)
{
	struct sched_class *c = &s->class[class];
	uint64_t runtime = s->cross[lane]->out[class].vruntime;

	if (runtime < c->minimum)
		runtime = c->minimum;
	heap_push(c, (struct sched_entry){.runtime = runtime, .lane = lane});
	s->busy |= 1u << class;
}

/* VOQs of a lane have more than before. */
static void sched_arrived(struct sched *s, unsigned lane, uint32_t more)
{
	struct crosspoint *x = s->cross[lane];

	for (; more; more &= more - 1) {
		unsigned class = (unsigned)__builtin_ctz(more);
		uint32_t seen = x->tail_seen[class], tail = load_acquire(&x->tail[class]);

		x->tail_seen[class] = tail;
		s->waiting += tail - seen;
		if (x->out[class].head == seen)
			sched_wake(s, lane, class);
	}
}

static void sched_poll(struct sched *s)
{
	for (unsigned lane = 0; lane < s->lanes; lane++) {
		struct crosspoint *x = s->cross[lane];
		uint32_t more = vec_differ8(x->tail_seen, x->tail);

		if (more)
			sched_arrived(s, lane, more);
	}
}

/* ---- the choice ---- */

/* The class to serve; there is one. */
static unsigned sched_choose(struct sched *s)
{
	uint32_t busy = s->busy, strict = busy & load_once(&s->policy.strict);
	uint64_t least = UINT64_MAX;
	unsigned best = 0;

	if (strict)
		return (unsigned)__builtin_ctz(strict);
	for (; busy; busy &= busy - 1) {
		unsigned class = (unsigned)__builtin_ctz(busy);
		uint64_t ahead = s->class[class].runtime - s->minimum;

		if (ahead > AHEAD_MAX) { /* it was idle */
			s->class[class].runtime = s->minimum;
			ahead = 0;
		}
		if (ahead < least) {
			least = ahead;
			best = class;
		}
	}
	s->minimum += least;
	return best;
}

/* ---- service ---- */

/* Counts how long the words before `head` took, a batch at a time. */
static void sched_count_latency(
	struct sched *s, unsigned lane, unsigned class, uint32_t head, uint64_t now)
{
	struct crosspoint *x = s->cross[lane];
	struct voq_out *q = &x->out[class];
	uint8_t made = load_acquire(&x->stamps[class]);

	while (q->stamps_taken != made) {
		const struct voq_stamp *stamp =
			&x->stamp[class][q->stamps_taken & (VOQ_STAMPS - 1)];

		if ((int32_t)(head - stamp->end) < 0)
			break; /* the batch is not all sent yet */
		/* Two cores' counters may differ a little. */
		if (now && s->latency[lane])
			histogram_add(s->latency[lane], now > stamp->time ? now - stamp->time : 0,
				stamp->end - q->stamp_end);
		q->stamp_end = stamp->end;
		store_release(&q->stamps_taken, (uint8_t)(q->stamps_taken + 1));
	}
}

/* Takes words of one VOQ until there are max or their bytes reach the budget; returns how many. */
static unsigned voq_take(const struct crosspoint *x, unsigned class, uint64_t *word, unsigned max,
	uint64_t budget, uint64_t *bytes)
{
	uint32_t head = x->out[class].head, n = x->tail_seen[class] - head;

	if (n > max)
		n = max;
	uint32_t at = head & (VOQ_SLOTS - 1), first = n < VOQ_SLOTS - at ? n : VOQ_SLOTS - at;
	uint64_t sum = words_copy(word, x->word[class] + at, first);

	if (first < n)
		sum += words_copy(word + first, x->word[class], n - first);
	/* Shaped: back to the packet with which the budget is reached. */
	while (n > 1 && sum - packet_len(word[n - 1]) >= budget)
		sum -= packet_len(word[--n]);
	*bytes = sum;
	return n;
}

/* Serves the first VOQ of the class and charges it. Returns how many words; their bytes. */
static unsigned sched_serve(struct sched *s, unsigned class, uint64_t *word, unsigned max,
	uint64_t budget, uint64_t now, uint64_t *bytes)
{
	struct sched_class *c = &s->class[class];
	struct sched_entry top = c->heap[0];
	struct crosspoint *x = s->cross[top.lane];
	struct voq_out *q = &x->out[class];
	unsigned n = voq_take(x, class, word, max, budget, bytes);
	uint32_t head = q->head + n;

	store_release(&q->head, head); /* words taken before the room is given */
	s->waiting -= n;
	c->minimum = top.runtime;
	top.runtime += *bytes;
	store_once(&q->vruntime, top.runtime);
	c->runtime += *bytes * load_once(&s->policy.inverse[class]);
	counter_add(&q->packets, n);
	counter_add(&q->bytes, *bytes);
	sched_count_latency(s, top.lane, class, head, now);

	if (head != x->tail_seen[class]) {
		heap_replace(c, top);
	} else if (--c->waiting) {
		heap_replace(c, c->heap[c->waiting]);
	} else {
		s->busy &= ~(1u << class);
	}
	return n;
}

static unsigned sched_fill(struct sched *s, uint64_t *word, unsigned max, uint64_t budget,
	uint64_t now, uint64_t *spent)
{
	uint64_t bytes;
	unsigned taken = 0;

	*spent = 0;
	sched_poll(s);
	while (s->busy && taken < max && *spent < budget) {
		unsigned quantum = max - taken < SCHED_QUANTUM ? max - taken : SCHED_QUANTUM;

		taken += sched_serve(
			s, sched_choose(s), word + taken, quantum, budget - *spent, now, &bytes);
		*spent += bytes;
	}
	return taken;
}

unsigned sched_take(struct sched *s, uint64_t *word, unsigned max, uint64_t now)
{
	uint64_t budget = shaper_budget(&s->shaper, now), spent;
	unsigned n = sched_fill(s, word, max, budget, now, &spent);

	shaper_charge(&s->shaper, spent);
	s->taken_bytes = spent;
	return n;
}

unsigned sched_discard(struct sched *s, uint64_t *word, unsigned max)
{
	uint64_t spent;

	return sched_fill(s, word, max, UINT64_MAX, 0, &spent);
}
