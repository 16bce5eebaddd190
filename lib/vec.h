/*
 * Named vector operations, for sources that are compiled once per form of x86-64.
 *
 * A source NAME_vec.c is compiled three times (Makefile): for plain x86-64, v3
 * (AVX2) and v4 (AVX-512). Its functions are named by VEC_NAME, so that the three
 * live side by side, and one is chosen at boot. A vec has 16 lanes of 32 bits in
 * every form and a vec64 8 lanes of 64; + - & | ^ << >> and comparisons work on
 * them lane by lane (GCC's vector extension), a comparison giving all ones or zero.
 * What GCC has no operator for stands here, with a body for each form.
 */
#ifndef LIB_VEC_H
#define LIB_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VEC_LANES   16u
#define VEC64_LANES 8u

#ifndef VEC_FORM
#	define VEC_FORM plain /* plain, v3 or v4 */
#endif
#define VEC_JOIN_(a, b) a##_##b
#define VEC_JOIN(a, b)  VEC_JOIN_(a, b)
#define VEC_NAME(name)  VEC_JOIN(name, VEC_FORM)

/* A vec passed to a function would go through memory in the lesser forms: all here is inlined. */
#pragma GCC diagnostic ignored "-Wpsabi"
#define VEC_INLINE static inline __attribute__((always_inline, unused))

typedef uint32_t vec __attribute__((vector_size(64)));
typedef uint64_t vec64 __attribute__((vector_size(64)));

VEC_INLINE vec vec_load(const uint32_t *p)
{
	vec v;

	memcpy(&v, p, sizeof v);
	return v;
}

VEC_INLINE void vec_store(uint32_t *p, vec v)
{
	memcpy(p, &v, sizeof v);
}

VEC_INLINE vec vec_all(uint32_t x)
{
	return (vec){} + x;
}

VEC_INLINE vec64 vec64_load(const uint64_t *p)
{
	vec64 v;

	memcpy(&v, p, sizeof v);
	return v;
}

VEC_INLINE void vec64_store(uint64_t *p, vec64 v)
{
	memcpy(p, &v, sizeof v);
}

VEC_INLINE vec64 vec64_all(uint64_t x)
{
	return (vec64){} + x;
}

/* a where mask is all ones, b where it is zero. */
VEC_INLINE vec vec_select(vec mask, vec a, vec b)
{
	return (mask & a) | (~mask & b);
}

VEC_INLINE vec64 vec64_select(vec64 mask, vec64 a, vec64 b)
{
	return (mask & a) | (~mask & b);
}

/* Any bit set in any lane. */
VEC_INLINE bool vec_any(vec v)
{
	vec64 w = (vec64)v;

	return (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]) != 0;
}

/* base[index] per lane: words of 32 bits, or halves of 16 (the array goes on for 2 bytes more). */
VEC_INLINE vec vec_gather32(const uint32_t *base, vec index)
{
	vec v;

	for (unsigned i = 0; i < VEC_LANES; i++)
		v[i] = __atomic_load_n(base + index[i], __ATOMIC_ACQUIRE);
	return v;
}

VEC_INLINE vec vec_gather16(const uint16_t *base, vec index)
{
	vec v;

	for (unsigned i = 0; i < VEC_LANES; i++)
		v[i] = __atomic_load_n(base + index[i], __ATOMIC_ACQUIRE);
	return v;
}

VEC_INLINE vec64 vec64_gather(const uint64_t *base, vec64 index)
{
	vec64 v;

	for (unsigned i = 0; i < VEC64_LANES; i++)
		v[i] = __atomic_load_n(base + index[i], __ATOMIC_ACQUIRE);
	return v;
}

#endif
