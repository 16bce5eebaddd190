/* The flow cache's memory: which words are a flow's, where they stand, who goes. */
#include "net/path/flow_line.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/hash.h"
#include "net/table/generation.h"

/* The least that are used: as fast as fewer, and few flows seldom meet in them. */
#define LINES_FEW 16384u

void flow_init(struct flows *f, void *memory, uint32_t lines, uint64_t seed)
{
	*f = (struct flows){.line = memory,
		.lines = lines,
		.shift = 32u - (unsigned)__builtin_ctz(lines),
		.mask = (lines < LINES_FEW ? lines : LINES_FEW) - 1};
	f->secret.odd = hash_mix(seed) | 1;
	for (unsigned i = 0; i < sizeof f->secret.key / sizeof *f->secret.key; i++)
		f->secret.key[i] = (uint32_t)hash_mix(seed + (i + 1) * 0x9e3779b97f4a7c15ull);
}

/* ---- keys ---- */

static uint32_t word_at(const uint8_t *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/* In the frame's order. */
static uint32_t ports_of(const struct flow_key *key)
{
	uint32_t w;

	store_be32(&w, key->ports);
	return w;
}

bool flow_image(const uint8_t *f, bool six, unsigned input, uint32_t image[16])
{
	struct flow_key key;
	uint32_t at;

	memset(image, 0, 16 * sizeof *image);
	if ((six ? flow_key6(f, &key, &at) : flow_key4(f, &key, &at)) != FLOW_WHOLE)
		return false;
	image[FLOW_WHAT] = (six ? FLOW_SIX : FLOW_FOUR) | (uint32_t)key.protocol << 8 | input << 16;
	if (!six) {
		image[1] = word_at(f + IPV4_SOURCE);
		image[2] = word_at(f + IPV4_DEST);
		image[3] = ports_of(&key);
		return true;
	}
	if (at != IPV6_OFF + IPV6_HEADER) /* the hash that picks a member sees no ports then */
		return false;
	memcpy(image + 1, f + IPV6_SOURCE, 12);
	image[FLOW_HALF] = image[FLOW_WHAT];
	memcpy(image + 9, f + IPV6_SOURCE + 12, 20);
	image[14] = ports_of(&key);
	return true;
}

static bool is_six(uint32_t what)
{
	return (what & 0xff) == FLOW_SIX;
}

/* 32-bit sums, a 64-bit product. */
static uint64_t pair(const struct flow_secret *s, unsigned k, uint32_t a, uint32_t b)
{
	return (uint64_t)(a + s->key[k]) * (uint32_t)(b + s->key[k + 1]);
}

/* The same as that of flow_vec.c. */
uint32_t flow_hash(const struct flow_secret *s, const uint32_t w[16])
{
	uint64_t sum;

	if (is_six(w[0]))
		sum = pair(s, 0, w[0], w[14]) + pair(s, 2, w[1], w[2]) + pair(s, 4, w[3], w[9]) +
		      pair(s, 6, w[10], w[11]) + pair(s, 8, w[12], w[13]);
	else
		sum = pair(s, 0, w[1], w[3]) + pair(s, 2, w[2], w[0]);
	return (uint32_t)(sum * s->odd >> 32);
}

/* ---- finding ---- */

static bool is_same(const uint32_t *w, const uint32_t *image)
{
	if (w[0] != image[0] || memcmp(w + 1, image + 1, 12) != 0)
		return false;
	return !is_six(w[0]) || memcmp(w + 8, image + 8, 28) == 0;
}

uint32_t *flow_find_one(
	struct flows *f, const uint32_t image[16], uint32_t hash, uint32_t generation)
{
	uint32_t place[2] = {flow_first(f, hash), flow_second(f, hash)};

	for (unsigned p = 0; p < 2; p++) {
		uint32_t *w = f->line[place[p]].word;

		if (is_same(w, image) && w[FLOW_GENERATION] == generation)
			return w;
		if (!is_six(image[0]) && is_same(w + FLOW_HALF, image) &&
			w[FLOW_HALF + FLOW_GENERATION] == generation)
			return w + FLOW_HALF;
	}
	return NULL;
}

/* ---- how many lines are used ---- */

/* From now on. Half of the flows are not found any more. */
static void resize(struct flows *f, uint32_t used)
{
	store_once(&f->mask, used - 1);
	f->live /= 2;
	f->counted /= 2;
	f->mixed = 2;
}

/* When three in ten places are taken: one look-up in thirty has to see the second line then. */
static void grow(struct flows *f)
{
	uint32_t used = f->mask + 1;

	if (f->live > used / 8 * 5 && used < f->lines)
		resize(f, 2 * used);
}

static void shrink(struct flows *f)
{
	uint32_t used = f->mask + 1;

	if (f->live < used / 16 && used > LINES_FEW)
		resize(f, used / 2);
}

/* Whether the flow at a half of a line is found there: more or fewer lines may be used than when it
 * came. */
static bool is_found(const struct flows *f, const uint32_t w[16], unsigned half, uint32_t line)
{
	uint32_t image[16] = {0}, mask = load_once(&f->mask);

	memcpy(image, w + half, (16 - half) * sizeof *w);
	uint32_t hash = flow_hash(&f->secret, image);

	return line == flow_first_of(f, hash, mask) || line == flow_second_of(f, hash, mask);
}

/* Leaves none in a line that are not found there: they would keep others from their place. */
static void clean(struct flows *f, uint32_t line)
{
	uint32_t *w = f->line[line].word;

	if (w[FLOW_HALF] && !is_six(w[FLOW_HALF]) && !is_found(f, w, FLOW_HALF, line)) {
		store_once(&w[FLOW_HALF], 0);
		counter_add(&f->aged, 1);
	}
	if (!w[0] || is_found(f, w, 0, line))
		return;
	if (is_six(w[0]))
		store_once(&w[FLOW_HALF], 0);
	store_once(&w[0], 0);
	counter_add(&f->aged, 1);
}

/* ---- keeping ---- */

#define NOTHING 0x10000u /* older than any: an empty place, or an outdated one */

/* How long ago what stands here was used, in ticks. */
static uint32_t age(const uint32_t *w, const uint32_t *image)
{
	if (!w[0] || w[FLOW_GENERATION] != image[FLOW_GENERATION])
		return NOTHING;
	return (uint16_t)(image[FLOW_MARK] - w[FLOW_MARK]);
}

/* One place that could be given up, of one half or of a whole line. */
struct place {
	uint32_t *word;
	uint32_t age; /* the younger's */
};

static void consider(struct place *best, uint32_t *word, uint32_t years)
{
	if (!best->word || years > best->age)
		*best = (struct place){word, years};
}

/* Of a line. Where the flow stands already is the best. */
static void consider_line(struct place *best, uint32_t *w, const uint32_t *image)
{
	uint32_t first = age(w, image), second = age(w + FLOW_HALF, image);

	if (is_same(w, image)) {
		*best = (struct place){w, NOTHING + 1};
	} else if (is_six(w[0])) {
		consider(best, w, first);
	} else if (is_six(image[0])) {
		consider(best, w, first < second ? first : second);
	} else if (is_same(w + FLOW_HALF, image)) {
		*best = (struct place){w + FLOW_HALF, NOTHING + 1};
	} else {
		consider(best, w, first);
		consider(best, w + FLOW_HALF, second);
	}
}

/* `what` goes first and comes last: see flow_look. */
static void write_words(uint32_t *w, const uint32_t *image, unsigned n)
{
	store_once(&w[0], 0);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (unsigned i = 1; i < n; i++)
		store_once(&w[i], image[i]);
	store_release(&w[0], image[0]);
}

/* Leaves nothing of what stands in the way; a line's halves are of one kind. */
static void make_room(struct flows *f, uint32_t *w, const uint32_t *image)
{
	bool half = ((uintptr_t)w & (CACHE_LINE - 1)) != 0;
	bool whole = is_six(image[0]) || (!half && is_six(w[0]));
	uint32_t *other = w + FLOW_HALF;

	if (age(w, image) < NOTHING && !is_same(w, image))
		counter_add(&f->evicted, 1);
	if (!whole)
		return;
	if (!is_six(w[0]) && age(other, image) < NOTHING)
		counter_add(&f->evicted, 1);
	store_once(&w[0], 0);
	store_once(&other[0], 0);
}

void flow_keep(struct flows *f, uint32_t image[16], uint32_t hash)
{
	struct place best = {NULL, 0};

	uint32_t place[2] = {flow_first(f, hash), flow_second(f, hash)};

	for (unsigned p = 0; p < 2; p++) {
		if (f->mixed)
			clean(f, place[p]);
		consider_line(&best, f->line[place[p]].word, image);
	}
	if (best.age == 0) {
		counter_add(&f->refused, 1);
		return;
	}
	counter_add(&f->kept, best.age <= NOTHING);
	if (!best.word[0]) {
		unsigned taken = is_six(image[0]) ? 2 : 1;

		f->live += taken;
		if ((const struct flow_line *)(const void *)best.word < f->line + f->at)
			f->counted += taken;
	}
	make_room(f, best.word, image);
	/* Until it is used again, others may take its place before those that were. */
	image[FLOW_MARK] = (image[FLOW_MARK] & 0xffff0000u) | (uint16_t)(image[FLOW_MARK] - 2);
	write_words(best.word, image, is_six(image[0]) ? 16 : FLOW_HALF);
	grow(f);
}

/* ---- ageing ---- */

/* The places that the flow at a half of a line keeps: none if it does not stay. */
static unsigned age_one(
	struct flows *f, uint32_t line, unsigned half, uint32_t generation, uint32_t tick)
{
	uint32_t *w = f->line[line].word;

	if (w[half + FLOW_GENERATION] == generation &&
		(uint16_t)(tick - w[half + FLOW_MARK]) < FLOW_AGED &&
		(!f->mixed || is_found(f, w, half, line)))
		return is_six(w[half]) ? 2 : 1;
	if (is_six(w[half]))
		store_once(&w[FLOW_HALF], 0);
	store_once(&w[half], 0);
	counter_add(&f->aged, 1);
	return 0;
}

/* All lines were looked at. */
static void age_turn(struct flows *f)
{
	f->live = f->counted;
	f->counted = 0;
	f->mixed -= f->mixed != 0;
	shrink(f);
}

void flow_age(struct flows *f, unsigned lines, uint32_t generation, uint32_t tick)
{
	for (; lines; lines--) {
		const uint32_t *w = f->line[f->at].word;

		if (w[0])
			f->counted += age_one(f, f->at, 0, generation, tick);
		if (w[FLOW_HALF] && !is_six(w[FLOW_HALF]))
			f->counted += age_one(f, f->at, FLOW_HALF, generation, tick);
		f->at = (f->at + 1) & f->mask;
		if (f->at == 0)
			age_turn(f);
	}
	__builtin_prefetch(&f->line[f->at]); /* for the next batch */
}

/* ---- looking ---- */

static struct flow_seen seen_of(const uint32_t *w, uint64_t now)
{
	struct flow_seen s = {.key = {.protocol = (uint8_t)(w[0] >> 8), .family = (uint8_t)w[0]},
		.input = (uint16_t)(w[0] >> 16),
		.nh = (uint16_t)w[FLOW_HOP],
		.slot_in = (uint16_t)w[FLOW_SLOTS],
		.slot_out = (uint16_t)(w[FLOW_SLOTS] >> 16),
		.idle = (uint16_t)((uint32_t)(now >> FLOW_TICK) - w[FLOW_MARK]),
		.denied = (uint8_t)(w[FLOW_MARK] >> 16)};
	uint8_t address[32];

	if (!is_six(w[0])) {
		s.key.src.lo = load_be32(&w[1]);
		s.key.dst.lo = load_be32(&w[2]);
		s.key.ports = load_be32(&w[3]);
		return s;
	}
	memcpy(address, w + 1, 12);
	memcpy(address + 12, w + 9, 20);
	s.key.src = ip6_load(address);
	s.key.dst = ip6_load(address + 16);
	s.key.ports = load_be32(&w[14]);
	return s;
}

static void copy_line(const struct flow_line *line, uint32_t to[16])
{
	for (unsigned i = 0; i < 16; i++)
		to[i] = load_acquire(&line->word[i]);
}

/* false: it is being written. */
static bool read_line(const struct flow_line *line, uint32_t to[16])
{
	uint32_t again[16];

	copy_line(line, to);
	copy_line(line, again);
	return memcmp(to, again, sizeof again) == 0;
}

/* The same of one that is in force. */
static bool is_in_force(const struct flows *f, const uint32_t w[16], unsigned half, uint32_t line,
	uint32_t generation)
{
	return w[half] && w[half + FLOW_GENERATION] == generation && is_found(f, w, half, line);
}

unsigned flow_look(const struct flows *f, uint32_t line, uint32_t generation, uint64_t now,
	struct flow_seen seen[2])
{
	uint32_t w[16];
	unsigned n = 0;

	if (!read_line(&f->line[line], w))
		return 0;
	if (is_in_force(f, w, 0, line, generation))
		seen[n++] = seen_of(w, now);
	if (!is_six(w[FLOW_HALF]) && is_in_force(f, w, FLOW_HALF, line, generation))
		seen[n++] = seen_of(w + FLOW_HALF, now);
	return n;
}

enum flow_peek flow_peek(const struct flows *f, const uint8_t *frame, bool six, unsigned input,
	uint32_t generation, uint64_t now, struct flow_seen *seen)
{
	uint32_t image[16], w[16];

	if (!flow_image(frame, six, input, image))
		return FLOW_NO_KEY;
	uint32_t hash = flow_hash(&f->secret, image), mask = load_once(&f->mask);
	uint32_t place[2] = {flow_first_of(f, hash, mask), flow_second_of(f, hash, mask)};

	for (unsigned p = 0; p < 2; p++) {
		if (!read_line(&f->line[place[p]], w))
			continue;
		for (unsigned half = 0; half < (six ? 1 : 16); half += FLOW_HALF) {
			if (!is_same(w + half, image) || w[half + FLOW_GENERATION] != generation)
				continue;
			*seen = seen_of(w + half, now);
			return FLOW_KNOWN;
		}
	}
	return FLOW_UNKNOWN;
}
