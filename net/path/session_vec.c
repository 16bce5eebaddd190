/*
 * The look-up of many sessions at once: the way that is nearly always the one of each key.
 *
 * Hashes of all keys, then their buckets, then the way of the first entry with the key's mark, then
 * whether it is the key's: so that the loads of a step do not wait for each other.
 */
#include "lib/vec_words.h"
#include "net/path/session_key.h"

typedef uint32_t halves __attribute__((vector_size(VEC_BYTES / 2)));
typedef uint8_t octets __attribute__((vector_size(VEC_WORDS)));

_Static_assert(BATCH_MAX % VEC_WORDS == 0, "whole vectors of keys");

/* Numbers with 32 bits of the seed added, as 64 bits. */
VEC_INLINE vec_words plus(const uint32_t *p, uint64_t seed)
{
	halves h;

	memcpy(&h, p, sizeof h);
	return __builtin_convertvector(h + (uint32_t)seed, vec_words);
}

VEC_INLINE vec_words protocol_plus(const uint8_t *p, uint64_t seed)
{
	octets o;

	memcpy(&o, p, sizeof o);
	return __builtin_convertvector(
		__builtin_convertvector(o, halves) + (uint32_t)seed, vec_words);
}

struct looking {
	uint64_t bucket[BATCH_MAX]; /* bytes from the first */
	uint32_t mark[BATCH_MAX];
};

/* As session_hash4. */
VEC_INLINE void hash_all(const struct sessions *s, const struct session_ask *ask, struct looking *l,
	uint64_t *hash, unsigned n)
{
	for (unsigned i = 0; i < n; i += VEC_WORDS) {
		vec_words h =
			plus(ask->src + i, s->seed[0]) * plus(ask->dst + i, s->seed[0] >> 32) +
			plus(ask->ports + i, s->seed[1]) *
				protocol_plus(ask->protocol + i, s->seed[1] >> 32);
		h = (h ^ h >> 32) * 0x9fb21c651e98df25ull;
		halves mark = __builtin_convertvector(h >> 8, halves) << s->way_bits;

		vec_words_store(hash + i, h);
		vec_words_store(l->bucket + i, (h >> 32 & s->bucket_mask) * CACHE_LINE);
		memcpy(l->mark + i, &mark, sizeof mark);
	}
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch((const char *)s->bucket + l->bucket[i]);
}

/* A bit for each entry of a bucket whose mark is this one. */
VEC_INLINE uint32_t marked(const uint32_t *entry, uint32_t mark, uint32_t ways)
{
#if defined(__AVX512F__)
	return (uint16_t)__builtin_ia32_ucmpd512_mask((vec_signed)(vec_load(entry) ^ mark),
		(vec_signed)vec_all(ways), 1 /* below */, (uint16_t)~0u);
#else
	uint32_t m = 0;

	for (unsigned i = 0; i < 16; i += VEC_LANES)
		m |= vec_signs((vec)((vec_load(entry + i) & -ways) == vec_all(mark))) << i;
	return m;
#endif
}

VEC_INLINE void guess_all(
	const struct sessions *s, const struct looking *l, struct way **way, unsigned n)
{
	uint32_t ways = 1u << s->way_bits, none = 2 * s->max;

	for (unsigned i = 0; i < n; i++) {
		const uint32_t *entry = (const uint32_t *)((const char *)s->bucket + l->bucket[i]);
		uint32_t m = marked(entry, l->mark[i], ways) & ((1u << SESSION_BUCKET) - 1);
		uint32_t number = (entry[__builtin_ctz(m | 1u << SESSION_BUCKET)] & (ways - 1)) - 1;

		number = m && number < none ? number : none;
		way[i] = (struct way *)((char *)s->session +
					(size_t)(number / 2) * sizeof(struct session) +
					(number & 1) * sizeof(struct way));
		__builtin_prefetch(way[i], 1);
	}
}

uint64_t VEC_NAME(session_guess4)(const struct sessions *s, const struct session_ask *ask,
	uint64_t *hash, struct way **way, unsigned n)
{
	struct looking l;
	uint64_t wrong = 0;

	hash_all(s, ask, &l, hash, n);
	guess_all(s, &l, way, n);
	for (unsigned i = 0; i < n; i++) {
		const struct way *w = way[i];
		uint32_t is;

		memcpy(&is, &w->protocol, sizeof is); /* and flags */
		is = (is & 0x1ff) ^ ask->protocol[i];
		is |= (w->src ^ ask->src[i]) | (w->dst ^ ask->dst[i]) | (w->ports ^ ask->ports[i]);
		wrong |= (uint64_t)(is != 0) << i;
	}
	return wrong;
}
