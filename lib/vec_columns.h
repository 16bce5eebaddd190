/* Columns: the same word of VEC_LANES things, such as a field of as many headers. See vec.h. */
#ifndef LIB_VEC_COLUMNS_H
#define LIB_VEC_COLUMNS_H

#include "lib/vec.h"

VEC_INLINE vec_quad vec_load_quad(const uint8_t *p)
{
	vec_quad q;

	memcpy(&q, p, sizeof q);
	return q;
}

/* The halves of two vectors lane by lane, within each 16 bytes: as punpckldq, punpckhdq. */
#if VEC_BYTES == 64
#	define VEC_LOW32(a, b)                                                                    \
		__builtin_shufflevector(                                                           \
			a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#	define VEC_HIGH32(a, b)                                                                   \
		__builtin_shufflevector(                                                           \
			a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#	define VEC_LOW64(a, b)  __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#	define VEC_HIGH64(a, b) __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
#elif VEC_BYTES == 32
#	define VEC_LOW32(a, b)  __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#	define VEC_HIGH32(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#	define VEC_LOW64(a, b)  __builtin_shufflevector(a, b, 0, 4, 2, 6)
#	define VEC_HIGH64(a, b) __builtin_shufflevector(a, b, 1, 5, 3, 7)
#else
#	define VEC_LOW32(a, b)  __builtin_shufflevector(a, b, 0, 4, 1, 5)
#	define VEC_HIGH32(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#	define VEC_LOW64(a, b)  __builtin_shufflevector(a, b, 0, 2)
#	define VEC_HIGH64(a, b) __builtin_shufflevector(a, b, 1, 3)
#endif

/* Four rows to four columns, within each 16 bytes. */
VEC_INLINE void vec_transpose(const vec row[4], vec column[4])
{
	typedef long long pairs __attribute__((vector_size(VEC_BYTES)));
	pairs low01 = (pairs)VEC_LOW32(row[0], row[1]), low23 = (pairs)VEC_LOW32(row[2], row[3]);
	pairs high01 = (pairs)VEC_HIGH32(row[0], row[1]),
	      high23 = (pairs)VEC_HIGH32(row[2], row[3]);

	column[0] = (vec)VEC_LOW64(low01, low23);
	column[1] = (vec)VEC_HIGH64(low01, low23);
	column[2] = (vec)VEC_LOW64(high01, high23);
	column[3] = (vec)VEC_HIGH64(high01, high23);
}

/*
 * The eight words of 32 bytes at offset of each of VEC_LANES things, a vector each. With registers
 * of 32 bytes or more, these are loaded at once: things by fours, so that their order is kept.
 */
#if VEC_BYTES == 64
typedef int vec_eight __attribute__((vector_size(32)));
typedef long long vec_half __attribute__((vector_size(32)));
typedef long long vec_whole __attribute__((vector_size(64)));

/* 32 bytes of one thing and of the fourth after it. */
VEC_INLINE vec vec_load_row(uint8_t *const *p, size_t offset)
{
	vec_half a, b;

	memcpy(&a, p[0] + offset, sizeof a);
	memcpy(&b, p[4] + offset, sizeof b);
	return (vec)__builtin_ia32_inserti64x4_mask(
		(vec_whole)__builtin_ia32_si512_256si((vec_eight)a), b, 1, (vec_whole){0}, 0xff);
}

VEC_INLINE void vec_columns(uint8_t *const *p, size_t offset, vec column[8])
{
	vec row[4], low[4], high[4];

#	pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++)
		row[k] = vec_load_row(p + k, offset);
	vec_transpose(row, low);
#	pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++)
		row[k] = vec_load_row(p + 8 + k, offset);
	vec_transpose(row, high);
#	pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++) {
		vec_signed a = (vec_signed)low[k], b = (vec_signed)high[k];

		/* Of 16 bytes each: the even ones; the odd ones. */
		column[k] = (vec)__builtin_ia32_shuf_i32x4_mask(a, b, 0x88, a, 0xffff);
		column[k + 4] = (vec)__builtin_ia32_shuf_i32x4_mask(a, b, 0xdd, a, 0xffff);
	}
}
#elif VEC_BYTES == 32
VEC_INLINE void vec_columns(uint8_t *const *p, size_t offset, vec column[8])
{
	vec row[4], low[4], high[4];

#	pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++)
		memcpy(&row[k], p[k] + offset, sizeof row[k]);
	vec_transpose(row, low);
#	pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++)
		memcpy(&row[k], p[4 + k] + offset, sizeof row[k]);
	vec_transpose(row, high);
#	pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++) {
		column[k] = __builtin_shufflevector(low[k], high[k], 0, 1, 2, 3, 8, 9, 10, 11);
		column[k + 4] =
			__builtin_shufflevector(low[k], high[k], 4, 5, 6, 7, 12, 13, 14, 15);
	}
}
#else
VEC_INLINE void vec_columns(uint8_t *const *p, size_t offset, vec column[8])
{
	vec row[4];

#	pragma GCC unroll 2
	for (unsigned half = 0; half < 8; half += 4) {
#	pragma GCC unroll 4
		for (unsigned k = 0; k < 4; k++)
			row[k] = vec_load_quad(p[k] + offset + 4 * half);
		vec_transpose(row, column + half);
	}
}
#endif

/* 16 bytes of each fourth thing. */
VEC_INLINE vec vec_load_quads(uint8_t *const *p, size_t offset)
{
#if VEC_BYTES == 16
	return vec_load_quad(p[0] + offset);
#else
	vec_quad a = vec_load_quad(p[0] + offset), b = vec_load_quad(p[4] + offset);
#	if VEC_BYTES == 32
	return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
#	else
	vec_quad c = vec_load_quad(p[8] + offset), d = vec_load_quad(p[12] + offset);

	return __builtin_shufflevector(__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7),
		__builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
		10, 11, 12, 13, 14, 15);
#	endif
#endif
}

/* The four words of 16 bytes at offset of each of VEC_LANES things, a vector each. */
VEC_INLINE void vec_columns4(uint8_t *const *p, size_t offset, vec column[4])
{
	vec row[4];

#pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++)
		row[k] = vec_load_quads(p + k, offset);
	vec_transpose(row, column);
}

/* The word at offset of each of VEC_LANES things. */
VEC_INLINE vec vec_column(uint8_t *const *p, size_t offset)
{
	vec column = {0};

	for (unsigned i = 0; i < VEC_LANES; i++) {
		uint32_t word;

		memcpy(&word, p[i] + offset, sizeof word);
		column[i] = word;
	}
	return column;
}

#endif
