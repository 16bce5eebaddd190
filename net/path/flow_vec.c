/*
 * TCP and UDP flows found in the cache; compiled once per form of x86-64 (lib/vec.h).
 *
 * The lines are there or on their way (flow_ahead.h). Each packet's line is compared as a whole
 * with its key and generation. What is not in its first line is looked for in the second, which is
 * one in ten with half of the places taken.
 */
#include "lib/vec.h"
#include "lib/vec_columns.h"
#include "net/path/flow_line.h"

typedef int vec_four __attribute__((vector_size(16)));

/* The key of a TCP or UDP packet as it stands in a line. */
VEC_INLINE vec_quad key_of(const uint8_t *frame, uint32_t what)
{
	vec_quad key = vec_load_quad(frame + IPV4_TTL);

	return (key & (vec_quad){0xff00, ~0u, ~0u, ~0u}) | (vec_quad){what, 0, 0, 0};
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

/* Packet i in one of its lines; its bit if it is not there. */
VEC_INLINE uint64_t find(struct flow_ask *q, const struct batch *b, unsigned i,
	const uint32_t *line, const uint32_t *none, uint32_t what)
{
	uint32_t found = match(line, key_of(b->data[i], what), q->generation);
	const uint32_t *w = line + (found >> 13) * FLOW_HALF;

	w = found ? w : none;
	memcpy(q->kept[i], w + FLOW_GENERATION, sizeof q->kept[i]);
	return (uint64_t)!found << i;
}

/* Those of a mask in their first lines; which are not there. */
VEC_INLINE uint64_t find_first(const struct batch *b, struct flow_ask *q, uint64_t mask,
	const uint32_t *none, uint32_t what)
{
	const struct flows *f = q->flows;
	uint64_t rest = 0;

	if (mask == batch_all(b)) {
#pragma GCC unroll 2
		for (unsigned i = 0; i < b->n; i++)
			rest |= find(q, b, i, f->line[flow_first(f, q->hash[i])].word, none, what);
		return rest;
	}
	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		rest |= find(q, b, i, f->line[flow_first(f, q->hash[i])].word, none, what);
	}
	return rest;
}

static uint64_t find_second(const struct batch *b, struct flow_ask *q, uint64_t mask,
	const uint32_t *none, uint32_t what)
{
	const struct flows *f = q->flows;
	uint64_t rest = 0;

	for (uint64_t m = mask; m; m &= m - 1)
		__builtin_prefetch(&f->line[flow_second(f, q->hash[__builtin_ctzll(m)])]);
	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		rest |= find(q, b, i, f->line[flow_second(f, q->hash[i])].word, none, what);
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
static void mark(struct flow_ask *q, const struct batch *b, uint64_t stale, uint32_t what)
{
	const struct flows *f = q->flows;

	for (; stale; stale &= stale - 1) {
		unsigned i = (unsigned)__builtin_ctzll(stale);
		uint32_t *w = f->line[flow_first(f, q->hash[i])].word, found;

		found = match(w, key_of(b->data[i], what), q->generation);
		if (!found) {
			w = f->line[flow_second(f, q->hash[i])].word;
			found = match(w, key_of(b->data[i], what), q->generation);
		}
		w += (found >> 13) * FLOW_HALF;
		store_once(&w[FLOW_MARK], (w[FLOW_MARK] & 0xffff0000u) | q->tick);
	}
}

void VEC_NAME(flow_find)(struct flow_ask *q, struct batch *b, unsigned port)
{
	const uint32_t none[FLOW_HALF] = {[FLOW_SLOTS] = FLOW_NO_SLOTS, [FLOW_MARK] = q->tick};
	uint32_t what = FLOW_FOUR | port << 16;
	uint64_t keyed = q->keyed & b->plain;

	/* Of those nothing is looked for here: other packets, and beyond the last. */
	for (unsigned i = keyed == batch_all(b) ? b->n : 0; i < b->n || i % VEC_LANES; i++)
		memcpy(q->kept[i], none + FLOW_GENERATION, sizeof q->kept[i]);
	uint64_t rest = find_first(b, q, keyed, none, what);

	if (rest)
		rest = find_second(b, q, rest, none, what);
	q->keyed = keyed;
	q->hit = keyed & ~rest;
	uint64_t stale = settle(q, b);

	if (__builtin_expect(stale != 0, 0))
		mark(q, b, stale, what);
}
