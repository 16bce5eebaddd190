/*
 * TCP, UDP and ICMP echo flows found in the cache; compiled once per form of x86-64 (lib/vec.h).
 *
 * The lines are there or on their way (flow_ahead.h). Each packet's line is compared as a whole
 * with its key and generation. What is not in its first line is looked for in the second, which is
 * one in ten with half of the places taken.
 */
#include "lib/vec.h"
#include "lib/vec_columns.h"
#include "net/path/flow_line.h"

typedef int vec_four __attribute__((vector_size(16)));

/* The key of a packet as it stands in a line. */
VEC_INLINE vec_quad key_of(
	const struct flow_ask *q, const struct batch *b, unsigned i, uint32_t what)
{
	vec_quad key = vec_load_quad(b->data[i] + IPV4_TTL);

	key = (key & (vec_quad){0xff00, ~0u, ~0u, ~0u}) | (vec_quad){what, 0, 0, 0};
	key[3] = q->ports[i];
	return key;
}

/* Bit 5: the first half of the line has this key and generation; bit 13: the second. */
VEC_INLINE uint32_t match(const uint32_t *line, vec_quad key, uint32_t generation)
{
#if VEC_BYTES == 64
	vec_signed want = (vec_signed)__builtin_ia32_broadcasti32x4_512(
		(vec_four)key, (vec_signed)vec_all(generation), 0x0f0f);
	uint32_t equal =
		(uint16_t)__builtin_ia32_cmpd512_mask(*(const vec_signed *)line, want, 0, 0x1f1f);
#elif VEC_BYTES == 32
	vec want = {key[0], key[1], key[2], key[3], generation};
	uint32_t equal = (vec_signs((vec)(vec_load(line) == want)) & 0x1f) |
			 (vec_signs((vec)(vec_load(line + FLOW_HALF) == want)) & 0x1f) << 8;
#else
	uint32_t equal = vec_signs((vec)(vec_load(line) == key)) |
			 vec_signs((vec)(vec_load(line + FLOW_HALF) == key)) << 8;

	equal |= (uint32_t)(line[FLOW_GENERATION] == generation) << 4;
	equal |= (uint32_t)(line[FLOW_HALF + FLOW_GENERATION] == generation) << 12;
#endif
	return (equal + 0x0101) & 0x2020;
}

/* What all packets of a batch are compared with. */
struct finding {
	char *lines;
	uint32_t generation, what;
	uint32_t none[FLOW_HALF]; /* in place of a flow */
};

/* Packet i in one of its lines. If it is not there its bit is set in *rest, and the second line is
 * fetched. */
VEC_INLINE void find(const struct finding *a, struct flow_ask *q, const struct batch *b, unsigned i,
	const uint32_t *line, uint64_t *rest)
{
	uint32_t found = match(line, key_of(q, b, i, a->what), a->generation);
	const uint32_t *w = line + (found >> 13) * FLOW_HALF;

	if (__builtin_expect(!found, 0)) {
		__builtin_prefetch(&q->flows->line[flow_second(q->flows, q->hash[i])]);
		*rest |= UINT64_C(1) << i;
		w = a->none;
	}
	__asm__("" : "+r"(w)); /* one copy of 16 bytes, not two that differ */
	vec_quad kept = vec_load_quad((const uint8_t *)(w + FLOW_GENERATION));

	memcpy(q->kept[i], &kept, sizeof kept);
}

/* The first line of packet i. */
VEC_INLINE uint32_t *first_line(const struct finding *a, const struct flow_ask *q, unsigned i)
{
	return (uint32_t *)(void *)(a->lines + q->first[i]);
}

/* Those of a mask in their first lines; which are not there. */
VEC_INLINE uint64_t find_first(
	const struct finding *a, const struct batch *b, struct flow_ask *q, uint64_t mask)
{
	uint64_t rest = 0;
	unsigned n = b->n;

	if (mask == batch_all(b)) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < n; i++)
			find(a, q, b, i, first_line(a, q, i), &rest);
		return rest;
	}
	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		find(a, q, b, i, first_line(a, q, i), &rest);
	}
	return rest;
}

static uint64_t find_second(
	const struct finding *a, const struct batch *b, struct flow_ask *q, uint64_t mask)
{
	const struct flows *f = q->flows;
	uint64_t rest = 0;

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		find(a, q, b, i, f->line[flow_second(f, q->hash[i])].word, &rest);
	}
	return rest;
}

/* From what was kept of each packet to next hops; a bit for each hit that was not used in this
 * tick. */
VEC_INLINE uint64_t settle(struct flow_ask *q, struct batch *b)
{
	uint64_t stale = 0;
	vec marks = vec_all(0);

	for (unsigned i = 0; i < b->n; i += VEC_LANES) {
		vec mark = vec_every_fourth(q->kept[i], FLOW_MARK - FLOW_GENERATION);

		vec_store(b->nh + i,
			vec_every_fourth(q->kept[i], FLOW_HOP - FLOW_GENERATION) & 0xffff);
		stale |= (uint64_t)vec_signs((vec)((mark & 0xffff) != q->tick)) << i;
		marks |= mark;
	}
	q->denied = vec_any(marks >> 16);
	return stale & q->hit;
}

/* They are used now. Again looked for: seldom, and what is kept says not where it stands. */
static void mark(const struct finding *a, struct flow_ask *q, const struct batch *b, uint64_t stale)
{
	const struct flows *f = q->flows;

	for (; stale; stale &= stale - 1) {
		unsigned i = (unsigned)__builtin_ctzll(stale);
		vec_quad key = key_of(q, b, i, a->what);
		uint32_t *w = first_line(a, q, i), found = match(w, key, a->generation);

		if (!found) {
			w = f->line[flow_second(f, q->hash[i])].word;
			found = match(w, key, a->generation);
		}
		w += (found >> 13) * FLOW_HALF;
		store_once(&w[FLOW_MARK], (w[FLOW_MARK] & 0xffff0000u) | q->tick);
	}
}

void VEC_NAME(flow_find)(struct flow_ask *q, struct batch *b, unsigned port)
{
	const struct finding a = {.lines = (char *)q->flows->line,
		.generation = q->generation,
		.what = FLOW_FOUR | port << 16,
		.none = {[FLOW_SLOTS] = FLOW_NO_SLOTS, [FLOW_MARK] = q->tick}};
	uint64_t keyed = q->keyed & b->plain;

	/* Of those nothing is looked for here: other packets, and beyond the last. */
	for (unsigned i = keyed == batch_all(b) ? b->n : 0; i < b->n || i % VEC_LANES; i++)
		memcpy(q->kept[i], a.none + FLOW_GENERATION, sizeof q->kept[i]);
	uint64_t rest = find_first(&a, b, q, keyed);

	if (rest)
		rest = find_second(&a, b, q, rest);
	q->keyed = keyed;
	q->hit = keyed & ~rest;
	uint64_t stale = settle(q, b);

	if (__builtin_expect(stale != 0, 0))
		mark(&a, q, b, stale);
}
