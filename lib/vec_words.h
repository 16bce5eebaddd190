/* Vector operations on words of 64 bits: packet words (packet.h). See vec.h. */
#ifndef LIB_VEC_WORDS_H
#define LIB_VEC_WORDS_H

#include "lib/vec.h"

#define VEC_WORDS (VEC_BYTES / 8u)

typedef uint64_t vec_words __attribute__((vector_size(VEC_BYTES)));

VEC_INLINE vec_words vec_words_load(const uint64_t *p)
{
	vec_words w;

	memcpy(&w, p, sizeof w);
	return w;
}

VEC_INLINE void vec_words_store(uint64_t *p, vec_words w)
{
	memcpy(p, &w, sizeof w);
}

#if VEC_BYTES == 64
typedef long long vec_eight64 __attribute__((vector_size(64)));
typedef int vec_half_signed __attribute__((vector_size(32)));

/* The bits of n lanes. */
VEC_INLINE uint8_t vec_first8(unsigned n)
{
	return (uint8_t)((1u << n) - 1);
}
#endif

/* The first n of VEC_WORDS words, n < VEC_WORDS; 0 for the others, which are not touched. */
VEC_INLINE vec_words vec_words_load_first(const uint64_t *p, unsigned n)
{
#if VEC_BYTES == 64
	return (vec_words)__builtin_ia32_loaddqudi512_mask(
		(const long long *)p, (vec_eight64){0}, vec_first8(n));
#else
	vec_words w = {0};

	for (unsigned i = 0; i < n; i++)
		w[i] = p[i];
	return w;
#endif
}

VEC_INLINE void vec_words_store_first(uint64_t *p, vec_words w, unsigned n)
{
#if VEC_BYTES == 64
	__builtin_ia32_storedqudi512_mask((long long *)p, (vec_eight64)w, vec_first8(n));
#else
	for (unsigned i = 0; i < n; i++)
		p[i] = w[i];
#endif
}

/* The lower halves of the first n words, n <= VEC_WORDS. */
VEC_INLINE void vec_words_store_lower(uint32_t *p, vec_words w, unsigned n)
{
#if VEC_BYTES == 64
	typedef int eight __attribute__((vector_size(32)));
	eight lower =
		(eight)__builtin_ia32_pmovqd512_mask((vec_eight64)w, (eight){0}, (uint8_t)~0u);

	__builtin_ia32_storedqusi256_mask((int *)p, lower, vec_first8(n));
#else
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint32_t)w[i];
#endif
}

/* VEC_WORDS numbers of 32 bits. */
VEC_INLINE vec_words vec_words_widen(const uint32_t *p)
{
	typedef uint32_t halves __attribute__((vector_size(VEC_BYTES / 2)));
	halves v;

	memcpy(&v, p, sizeof v);
#if VEC_BYTES == 64
	return (vec_words)__builtin_ia32_pmovzxdq512_mask(
		(vec_half_signed)v, (vec_eight64){0}, (uint8_t)~0u);
#else
	return __builtin_convertvector(v, vec_words);
#endif
}

/* The products of lower halves. */
VEC_INLINE vec_words vec_words_product(vec_words a, vec_words b)
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

/* The lower half of each word times x. */
VEC_INLINE vec_words vec_words_product32(vec_words w, uint32_t x)
{
	return vec_words_product(w, (vec_words)vec_all(x));
}

/* A bit for each word that is not 0. */
VEC_INLINE uint32_t vec_words_set(vec_words w)
{
#if VEC_BYTES == 64
	return __builtin_ia32_ptestmq512((vec_eight64)w, (vec_eight64)w, (uint8_t)~0u);
#else
	uint32_t set = 0;

	for (unsigned i = 0; i < VEC_WORDS; i++)
		set |= (uint32_t)(w[i] != 0) << i;
	return set;
#endif
}

#if VEC_BYTES == 64
/* Of eight words those in mask, in order and without gaps; all eight places are written. */
VEC_INLINE void vec_pack64(uint64_t *to, const uint64_t *from, uint32_t mask)
{
	vec_eight64 v;

	memcpy(&v, from, sizeof v);
	v = __builtin_ia32_compressdi512_mask(v, v, (uint8_t)mask);
	memcpy(to, &v, sizeof v);
}
#endif

/* The upper, and the lower 32 bits of VEC_LANES words of 64. */
VEC_INLINE vec vec_upper32(const uint64_t *p)
{
	vec a = vec_load((const uint32_t *)p), b = vec_load((const uint32_t *)p + VEC_LANES);

#if VEC_BYTES == 64
	return __builtin_shufflevector(
		a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif VEC_BYTES == 32
	return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
	return __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

VEC_INLINE vec vec_lower32(const uint64_t *p)
{
	vec a = vec_load((const uint32_t *)p), b = vec_load((const uint32_t *)p + VEC_LANES);

#if VEC_BYTES == 64
	return __builtin_shufflevector(
		a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif VEC_BYTES == 32
	return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
	return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
}

/* Writes both as VEC_LANES words of 64. */
VEC_INLINE void vec_store64(uint64_t *p, vec lower, vec upper)
{
#if VEC_BYTES == 64
	vec a = __builtin_shufflevector(
		lower, upper, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
	vec b = __builtin_shufflevector(
		lower, upper, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif VEC_BYTES == 32
	vec a = __builtin_shufflevector(lower, upper, 0, 8, 1, 9, 2, 10, 3, 11);
	vec b = __builtin_shufflevector(lower, upper, 4, 12, 5, 13, 6, 14, 7, 15);
#else
	vec a = __builtin_shufflevector(lower, upper, 0, 4, 1, 5);
	vec b = __builtin_shufflevector(lower, upper, 2, 6, 3, 7);
#endif

	vec_store((uint32_t *)p, a);
	vec_store((uint32_t *)p + VEC_LANES, b);
}

#endif
