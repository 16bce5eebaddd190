/* Columns: the same word of VEC_LANES things, such as a field of as many headers. See vec.h. */
#ifndef LIB_VEC_COLUMNS_H
#define LIB_VEC_COLUMNS_H

#include "lib/vec.h"

/* The halves of two vectors lane by lane, within each 16 bytes: as unpcklps, unpckhps, and so on.
 */
#if VEC_BYTES == 64
#	define VEC_LOW32(a, b)                                                                    \
		__builtin_shufflevector(                                                           \
			a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#	define VEC_HIGH32(a, b)                                                                   \
		__builtin_shufflevector(                                                           \
			a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#	define VEC_LOW64(a, b)                                                                    \
		__builtin_shufflevector(                                                           \
			a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#	define VEC_HIGH64(a, b)                                                                   \
		__builtin_shufflevector(                                                           \
			a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#elif VEC_BYTES == 32
#	define VEC_LOW32(a, b)  __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#	define VEC_HIGH32(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#	define VEC_LOW64(a, b)  __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#	define VEC_HIGH64(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#else
#	define VEC_LOW32(a, b)  __builtin_shufflevector(a, b, 0, 4, 1, 5)
#	define VEC_HIGH32(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#	define VEC_LOW64(a, b)  __builtin_shufflevector(a, b, 0, 1, 4, 5)
#	define VEC_HIGH64(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#endif

VEC_INLINE vec_quad vec_load_quad(const uint8_t *p)
{
	vec_quad q;

	memcpy(&q, p, sizeof q);
	return q;
}

/* Quarters of a vector side by side: one, two or four of them. */
#if VEC_BYTES == 64
typedef uint32_t vec_eight __attribute__((vector_size(32)));

VEC_INLINE vec_eight vec_join(vec_quad a, vec_quad b)
{
	return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}

#	define VEC_QUADS(quad, step)                                                              \
		__builtin_shufflevector(vec_join(quad(0), quad(step)),                             \
			vec_join(quad(2 * (step)), quad(3 * (step))), 0, 1, 2, 3, 4, 5, 6, 7, 8,   \
			9, 10, 11, 12, 13, 14, 15)
#elif VEC_BYTES == 32
#	define VEC_QUADS(quad, step)                                                              \
		__builtin_shufflevector(quad(0), quad(step), 0, 1, 2, 3, 4, 5, 6, 7)
#else
#	define VEC_QUADS(quad, step) quad(0)
#endif

/* 16 bytes at offset of each fourth thing: p[0], p[4]... */
VEC_INLINE vec vec_load_quads(uint8_t *const *p, size_t offset)
{
#define VEC_QUAD(i) vec_load_quad(p[i] + offset)
	return VEC_QUADS(VEC_QUAD, 4);
#undef VEC_QUAD
}

/* The four words of 16 bytes at offset of each of VEC_LANES things, a vector each. */
VEC_INLINE void vec_columns(uint8_t *const *p, size_t offset, vec column[4])
{
	vec a = vec_load_quads(p, offset), b = vec_load_quads(p + 1, offset);
	vec c = vec_load_quads(p + 2, offset), d = vec_load_quads(p + 3, offset);
	vec ab = VEC_LOW32(a, b), cd = VEC_LOW32(c, d);
	vec ab_high = VEC_HIGH32(a, b), cd_high = VEC_HIGH32(c, d);

	column[0] = VEC_LOW64(ab, cd);
	column[1] = VEC_HIGH64(ab, cd);
	column[2] = VEC_LOW64(ab_high, cd_high);
	column[3] = VEC_HIGH64(ab_high, cd_high);
}

VEC_INLINE vec_quad vec_quad_of(uint8_t *const *p)
{
	uint32_t a, b, c, d;

	memcpy(&a, p[0], sizeof a);
	memcpy(&b, p[1], sizeof b);
	memcpy(&c, p[2], sizeof c);
	memcpy(&d, p[3], sizeof d);
	return (vec_quad){a, b, c, d};
}

/* The first word of each of VEC_LANES things. */
VEC_INLINE vec vec_column(uint8_t *const *p)
{
#define VEC_QUAD(i) vec_quad_of(p + (i))
	return VEC_QUADS(VEC_QUAD, 4);
#undef VEC_QUAD
}

#endif
