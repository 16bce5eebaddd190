/*
 * The look-up of many sessions at once: the way that is nearly always the one of each key.
 *
 * Hashes of all keys, while the packets are parsed if it is known by then that they are wanted
 * (track_ahead.h); then their near buckets, where the first entry with the key's mark is taken;
 * then the ways, and the far buckets of keys that may be there; then whether the ways are the
 * keys': so that the loads of a step do not wait for each other. If more ways are far than near
 * ones have room for, both buckets of all keys are asked for first.
 */
#include "lib/vec_columns.h"
#include "lib/vec_words.h"
#include "net/path/session_ahead.h"

_Static_assert(BATCH_MAX % VEC_LANES == 0, "whole vectors of keys");

struct looking {
	uint32_t near[BATCH_MAX], far[BATCH_MAX]; /* buckets */
	uint32_t mark[BATCH_MAX];
	uint32_t entry[BATCH_MAX]; /* with the mark, or how many passed the bucket */
};

/* Buckets and marks, as session_place and session_mark. */
VEC_INLINE void places(
	const struct sessions *s, const struct session_hash *hash, struct looking *l, unsigned n)
{
	uint32_t ways = 1u << s->way_bits;

	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec mark = vec_load(hash->low + i) & -ways, high = vec_load(hash->high + i);

		vec_store(l->near + i, high & s->near_mask);
		vec_store(l->far + i, (high >> 8 & s->far_mask) + s->far);
		vec_store(l->mark + i, mark | ((vec)(mark == 0) & ways));
	}
}

/* The first entry of a bucket with a mark; if there is none, how many passed: less than any entry.
 */
VEC_INLINE uint32_t marked(const uint32_t *entry, uint32_t mark, uint32_t ways)
{
#if defined(__AVX512F__)
	vec_signed line = (vec_signed)vec_load(entry);
	uint16_t m = (uint16_t)__builtin_ia32_ucmpd512_mask(line ^ (vec_signed)vec_all(mark),
		(vec_signed)vec_all(ways), 1 /* below */, (uint16_t)~0u);

	return ((vec)__builtin_ia32_compresssi512_mask(
		line, (vec_signed){0}, m | 1u << SESSION_BUCKET))[0];
#else
	uint32_t m = 1u << SESSION_BUCKET;

	for (unsigned i = 0; i < 16; i += VEC_LANES)
		m |= vec_signs((vec)((vec_load(entry + i) & -ways) == vec_all(mark))) << i;
	return entry[__builtin_ctz(m)];
#endif
}

VEC_INLINE struct way *way_of(const struct sessions *s, uint32_t number)
{
	return &s->way[number];
}

VEC_INLINE void look(const struct sessions *s, const uint32_t *place, const uint32_t *mark,
	uint32_t *entry, unsigned n)
{
	const struct session_bucket *bucket = s->bucket;
	uint32_t ways = 1u << s->way_bits;

	for (unsigned i = 0; i < n; i++)
		entry[i] = marked(bucket[place[i]].entry, mark[i], ways);
}

/* In both places, if most ways are far: while those buckets come, the near ones are looked at. */
VEC_INLINE void look_both(const struct sessions *s, struct looking *l, unsigned n)
{
	uint32_t ways = 1u << s->way_bits, far[BATCH_MAX];

	look(s, l->near, l->mark, l->entry, n);
	look(s, l->far, l->mark, far, n);
	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec a = vec_load(l->entry + i), b = vec_load(far + i);
		vec only_near = (vec)(b < vec_all(ways)) & (vec)(a >= vec_all(ways));

		vec_store(l->entry + i, vec_select(only_near, a, b));
	}
}

/* The number of a way. Behind the last session: of a key that maybe has a way, or has none. */
VEC_INLINE vec number_of(vec entry, uint32_t ways, uint32_t none)
{
	vec nobody = (vec)(entry == 0) & 1;

	return vec_select((vec)(entry < vec_all(ways)), nobody + none, (entry & (ways - 1)) - 1);
}

/* The ways of all. A bit for each key that had no entry where something passed. */
VEC_INLINE uint64_t ways_of(
	const struct sessions *s, const struct looking *l, struct way **way, unsigned n)
{
	uint32_t ways = 1u << s->way_bits, number[VEC_LANES];
	uint64_t passed = 0;

	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec entry = vec_load(l->entry + i);

		passed |= (uint64_t)vec_signs((vec)(entry - 1 < vec_all(ways - 1))) << i;
		vec_store(number, number_of(entry, ways, 2 * s->max));
		for (unsigned k = 0; k < VEC_LANES; k += VEC_WORDS)
			vec_words_store((uint64_t *)(void *)(way + i + k),
				vec_words_widen(number + k) * CACHE_LINE + (uintptr_t)s->way);
	}
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(way[i], 1);
	return passed;
}

/* Those that something passed in the near bucket. */
VEC_INLINE void look_far(
	const struct sessions *s, const struct looking *l, struct way **way, uint64_t passed)
{
	const struct session_bucket *bucket = s->bucket;
	uint32_t ways = 1u << s->way_bits, none = 2 * s->max;

	for (uint64_t m = passed; m; m &= m - 1)
		__builtin_prefetch(&bucket[l->far[__builtin_ctzll(m)]]);
	for (uint64_t m = passed; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctzll(m);
		uint32_t entry = marked(bucket[l->far[i]].entry, l->mark[i], ways);
		uint32_t number = entry < ways ? none + !entry : (entry & (ways - 1)) - 1;

		way[i] = way_of(s, number);
		__builtin_prefetch(way[i], 1);
	}
}

/* Up to the end of the last vector. */
static inline unsigned whole(unsigned n)
{
	return (n + VEC_LANES - 1) & -VEC_LANES;
}

void VEC_NAME(session_ahead4)(const struct sessions *s, const struct session_ask *ask,
	struct session_hash *hash, unsigned n)
{
	for (unsigned i = 0; i < n; i += VEC_LANES)
		session_ahead(s, hash, i, vec_load(ask->src + i), vec_load(ask->dst + i),
			vec_load(ask->ports + i), vec_load_octets(ask->protocol + i));
}

void VEC_NAME(session_look4)(
	const struct sessions *s, const struct session_hash *hash, struct way **way, unsigned n)
{
	bool few_far = !session_most_far(s);
	struct looking l;

	n = whole(n);
	places(s, hash, &l, n);
	if (few_far)
		look(s, l.near, l.mark, l.entry, n);
	else
		look_both(s, &l, n);
	uint64_t left = ways_of(s, &l, way, n);

	if (__builtin_expect(few_far && left, 0))
		look_far(s, &l, way, left);
}

/* A bit for each way that is not the key's. */
uint64_t VEC_NAME(session_others4)(
	const struct session_ask *ask, struct way *const *way, unsigned n)
{
	uint64_t other = 0;

	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec w[8], differ;

		vec_columns((uint8_t *const *)(const void *)(way + i), 0, w);
		differ = (w[0] ^ vec_load(ask->src + i)) | (w[1] ^ vec_load(ask->dst + i)) |
			 (w[2] ^ vec_load(ask->ports + i)) |
			 ((w[3] & 0x1ff) ^ vec_load_octets(ask->protocol + i)); /* and WAY_SIX */
		other |= (uint64_t)vec_signs((vec)(differ != 0)) << i;
	}
	return n < BATCH_MAX ? other & ((UINT64_C(1) << n) - 1) : other;
}
