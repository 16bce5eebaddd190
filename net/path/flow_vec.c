/*
 * TCP and UDP flows found in the cache; compiled once per form of x86-64 (lib/vec.h).
 *
 * First the hash of a vector of packets at a time, whose lines are on their way from memory then;
 * next each packet's line is compared as a whole with its key and generation. What is not in
 * its first line is looked for in the second, which is one in ten with half of the places taken.
 */
#include "lib/vec_columns.h"
#include "lib/vec_words.h"
#include "net/path/flow_line.h"

#define LEAST 24u /* bytes of a packet that has ports behind a header without options */

typedef int vec_four __attribute__((vector_size(16)));

/* The products of the lower halves, of 64 bits. */
VEC_INLINE vec_words product(vec_words a, vec_words b)
{
#if VEC_BYTES == 64
	return (vec_words)__builtin_ia32_pmuludq512_mask(
		(vec_signed)a, (vec_signed)b, (vec_eight64){0}, (uint8_t)~0u);
#elif VEC_BYTES == 32
	return (vec_words)__builtin_ia32_pmuludq256((vec_signed)a, (vec_signed)b);
#else
	return (vec_words)__builtin_ia32_pmuludq128((vec_signed)a, (vec_signed)b);
#endif
}

/* a * b + c * d of every other lane, times the odd secret: bits 32 to 63, where they are. */
VEC_INLINE vec_words nh(vec_words a, vec_words b, vec_words c, vec_words d, uint64_t odd)
{
	vec_words sum = product(a, b) + product(c, d);
	vec_words low = (vec_words){0} + (odd & 0xffffffff), high = (vec_words){0} + (odd >> 32);

	return product(sum, low) + ((product(sum >> 32, low) + product(sum, high)) << 32);
}

VEC_INLINE vec hash(const struct flow_secret *s, vec what, const vec *ip)
{
	vec a = ip[0] + s->key[0], b = ip[2] + s->key[1], c = ip[1] + s->key[2],
	    d = what + s->key[3];
	vec_words even = nh((vec_words)a, (vec_words)b, (vec_words)c, (vec_words)d, s->odd);
	vec_words odd = nh((vec_words)a >> 32, (vec_words)b >> 32, (vec_words)c >> 32,
		(vec_words)d >> 32, s->odd);

	return (vec)(even >> 32 | (odd >> 32 << 32));
}

/* VEC_LANES plain packets from i on: their hash; a bit for each that is TCP or UDP, no fragment. */
VEC_INLINE uint64_t hash_vector(
	const struct flows *f, struct batch *b, struct flow_ask *q, unsigned i, uint32_t what)
{
	vec head[8]; /* identification, fragment; TTL, protocol, checksum; source; destination;
			ports */
	vec_columns(b->data + i, 6, head);
	vec protocol = head[4] & 0xff00;
	vec good = (vec)((protocol == IPV4_TCP << 8) | (protocol == IPV4_UDP << 8));

	good &= (vec)((head[3] & 0xff3f0000) == 0); /* neither more to come, nor an offset */
	good &= ~(vec)(vec_load(b->total + i) < LEAST);
	vec_store(q->hash + i, hash(&f->secret, protocol | what, head + 5));
	return (uint64_t)vec_signs(good) << i;
}

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
VEC_INLINE uint64_t find(struct flow_ask *q, const struct batch *b, unsigned i, uint32_t *line,
	uint32_t *none, uint32_t what)
{
	uint32_t found = match(line, key_of(b->data[i], what), q->generation);
	uint32_t *w = line + (found >> 13) * FLOW_HALF;

	w = found ? w : none;
	q->hop[i] = w[FLOW_HOP];
	q->slots[i] = w[FLOW_SLOTS];
	q->mark[i] = w[FLOW_MARK];
	if (__builtin_expect((uint16_t)w[FLOW_MARK] != q->tick, 0))
		store_once(&w[FLOW_MARK], (w[FLOW_MARK] & 0xffff0000u) | q->tick);
	return (uint64_t)!found << i;
}

/* Those of a mask in their first lines; which are not there. */
VEC_INLINE uint64_t find_first(struct flows *f, const struct batch *b, struct flow_ask *q,
	uint64_t mask, uint32_t *none, uint32_t what)
{
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

static uint64_t find_second(struct flows *f, const struct batch *b, struct flow_ask *q,
	uint64_t mask, uint32_t *none, uint32_t what)
{
	uint64_t rest = 0;

	for (uint64_t m = mask; m; m &= m - 1)
		__builtin_prefetch(&f->line[flow_second(f, q->hash[__builtin_ctzll(m)])]);
	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		rest |= find(q, b, i, f->line[flow_second(f, q->hash[i])].word, none, what);
	}
	return rest;
}

void VEC_NAME(flow_find)(struct flows *f, struct batch *b, struct flow_ask *q, unsigned port)
{
	uint32_t none[FLOW_HALF] = {[FLOW_SLOTS] = FLOW_NO_SLOTS, [FLOW_MARK] = q->tick};
	uint32_t what = FLOW_FOUR | port << 16;
	uint64_t keyed = 0;

	memset(q->hop, 0, sizeof q->hop);
	for (unsigned i = 0; i < b->n; i += VEC_LANES) {
		keyed |= hash_vector(f, b, q, i, what);
		for (unsigned k = i; k < i + VEC_LANES; k++)
			__builtin_prefetch(&f->line[flow_first(f, q->hash[k])]);
	}
	keyed &= b->plain;
	uint64_t rest = find_first(f, b, q, keyed, none, what);

	if (rest)
		rest = find_second(f, b, q, rest, none, what);
	q->keyed = keyed;
	q->hit = keyed & ~rest;
	for (unsigned i = 0; i < b->n; i += VEC_LANES)
		vec_store(b->nh + i, vec_load(q->hop + i) & 0xffff);
}
