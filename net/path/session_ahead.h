/*
 * Hashes of sessions' keys, whose buckets are asked for: by the time they are looked at, they are
 * there. Of files that are compiled once per form of x86-64 (lib/vec.h).
 */
#ifndef NET_PATH_SESSION_AHEAD_H
#define NET_PATH_SESSION_AHEAD_H

#include "lib/vec_words.h"
#include "net/path/session_key.h"

/* As session_hash4, of every other lane. */
VEC_INLINE vec_words session_ahead_hash(vec_words a, vec_words b, vec_words c, vec_words d)
{
	vec_words h = vec_words_product(a, b) + vec_words_product(c, d);

	return (h ^ h >> 32) * SESSION_HASH_FACTOR;
}

/* Asks for buckets. */
VEC_INLINE void session_ahead_fetch(const struct sessions *s, vec place)
{
	uint32_t bucket[VEC_LANES];

	vec_store(bucket, place);
#pragma GCC unroll 16
	for (unsigned k = 0; k < VEC_LANES; k++)
		__builtin_prefetch(&s->bucket[bucket[k]]);
}

/* The hashes of VEC_LANES keys from i on, in host byte order. */
VEC_INLINE void session_ahead(const struct sessions *s, struct session_hash *hash, unsigned i,
	vec src, vec dst, vec ports, vec protocol)
{
	vec a = src + (uint32_t)s->seed[0], b = dst + (uint32_t)(s->seed[0] >> 32);
	vec c = ports + (uint32_t)s->seed[1], d = protocol + (uint32_t)(s->seed[1] >> 32);
	vec_words even = session_ahead_hash((vec_words)a, (vec_words)b, (vec_words)c, (vec_words)d);
	vec_words odd = session_ahead_hash(
		(vec_words)a >> 32, (vec_words)b >> 32, (vec_words)c >> 32, (vec_words)d >> 32);
	vec high = (vec)(even >> 32 | (odd >> 32 << 32));

	vec_store(hash->low + i, (vec)((even << 32 >> 32) | odd << 32));
	vec_store(hash->high + i, high);
	if (__builtin_expect(session_most_far(s), 0))
		session_ahead_fetch(s, (high >> 8 & s->far_mask) + s->far);
	session_ahead_fetch(s, high & s->near_mask);
}

#endif
