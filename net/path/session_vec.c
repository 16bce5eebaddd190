/*
 * The look-up of many sessions at once: the way that is nearly always the one of each key.
 *
 * Hashes of all keys; then their near buckets, where the first entry with the key's mark is taken;
 * then the ways, and the far buckets of keys that may be there; then whether the ways are the
 * keys': so that the loads of a step do not wait for each other. If more ways are far than near
 * ones have room for, both buckets of all keys are asked for first.
 */
#include "lib/vec_columns.h"
#include "lib/vec_words.h"
#include "net/path/session_key.h"

_Static_assert(BATCH_MAX % VEC_LANES == 0, "whole vectors of keys");

struct looking {
	uint32_t near[BATCH_MAX], far[BATCH_MAX]; /* buckets */
	uint32_t mark[BATCH_MAX];
	uint32_t entry[BATCH_MAX]; /* with the mark, or how many passed the bucket */
};

/* Numbers with 32 bits of the seed added, the lower halves of words. */
VEC_INLINE vec_words plus(const uint32_t *p, uint64_t seed)
{
	return vec_words_widen(p) + (uint32_t)seed;
}

VEC_INLINE vec_words octets_plus(const uint8_t *p, uint64_t seed)
{
	return vec_words_widen8(p) + (uint32_t)seed;
}

/* As session_hash4. */
VEC_INLINE void hash_all(
	const uint64_t *seed, const struct session_ask *ask, uint64_t *hash, unsigned n)
{
	uint64_t a = seed[0], b = seed[1];

	for (unsigned i = 0; i < n; i += VEC_WORDS) {
		vec_words h =
			vec_words_product(plus(ask->src + i, a), plus(ask->dst + i, a >> 32)) +
			vec_words_product(
				plus(ask->ports + i, b), octets_plus(ask->protocol + i, b >> 32));

		vec_words_store(hash + i, (h ^ h >> 32) * 0x9fb21c651e98df25ull);
	}
}

/* Buckets and marks, as session_place and session_mark. */
VEC_INLINE void places(
	const struct sessions *s, const uint64_t *hash, struct looking *l, unsigned n)
{
	uint32_t ways = 1u << s->way_bits;

	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec mark = vec_lower32(hash + i) & -ways, near = vec_upper32(hash + i);

		vec_store(l->near + i, near & s->near_mask);
		vec_store(l->far + i, (near >> 8 & s->far_mask) + s->far);
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

VEC_INLINE void prefetch(const struct sessions *s, const uint32_t *place, unsigned n)
{
	const struct session_bucket *bucket = s->bucket;

	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(&bucket[place[i]]);
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

	prefetch(s, l->far, n);
	prefetch(s, l->near, n);
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

/* A bit for each way that is not the key's. */
VEC_INLINE uint64_t others(const struct session_ask *ask, struct way *const *way, unsigned n)
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
	return other;
}

uint64_t VEC_NAME(session_guess4)(const struct sessions *s, const struct session_ask *ask,
	uint64_t *hash, struct way **way, unsigned n)
{
	unsigned whole = (n + VEC_LANES - 1) & -VEC_LANES;
	bool few_far = s->in_far <= (s->near_mask + 1) * SESSION_BUCKET;
	struct looking l;

	hash_all(s->seed, ask, hash, whole);
	for (unsigned i = n; i < whole; i++)
		hash[i] = hash[n - 1];
	places(s, hash, &l, whole);
	if (few_far) {
		prefetch(s, l.near, whole);
		look(s, l.near, l.mark, l.entry, whole);
	} else {
		look_both(s, &l, whole);
	}
	uint64_t left = ways_of(s, &l, way, whole);

	if (__builtin_expect(few_far && left, 0))
		look_far(s, &l, way, left);
	return others(ask, way, whole) & ~UINT64_C(0) >> (BATCH_MAX - n);
}
