/*
 * Named vector operations, for sources that are compiled once per form of x86-64.
 *
 * A source NAME_vec.c is compiled three times (Makefile): for plain x86-64, v3
 * (AVX2) and v4 (AVX-512). Its functions are named by VEC_NAME, so that the three
 * live side by side, and one is chosen at boot. A vec has VEC_LANES lanes of 32
 * bits: a register of the form, whatever it is.
 * + - & | ^ ~ << >> and comparisons work on them lane by lane (GCC's vector
 * extension); a comparison gives all ones or zero. What GCC has no operator for
 * stands here, with a body for each form.
 */
#ifndef LIB_VEC_H
#define LIB_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef VEC_FORM
#	define VEC_FORM plain /* plain, v3 or v4 */
#endif
#define VEC_JOIN_(a, b) a##_##b
#define VEC_JOIN(a, b)  VEC_JOIN_(a, b)
#define VEC_NAME(name)  VEC_JOIN(name, VEC_FORM)

#if defined(__AVX512F__)
#	define VEC_BYTES 64
#elif defined(__AVX2__)
#	define VEC_BYTES 32
#else
#	define VEC_BYTES 16
#endif
#define VEC_LANES (VEC_BYTES / 4u)

#define VEC_INLINE static inline __attribute__((always_inline, unused))

typedef uint32_t vec __attribute__((vector_size(VEC_BYTES)));
typedef int32_t vec_signed __attribute__((vector_size(VEC_BYTES)));

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
	return (vec){0} + x;
}

/* All ones in the lanes whose top bit is set. */
VEC_INLINE vec vec_sign(vec v)
{
	/* cppcheck-suppress shiftTooManyBitsSigned ; GCC shifts the sign in */
	return (vec)((vec_signed)v >> 31);
}

/* The same as a bit per lane. */
VEC_INLINE uint32_t vec_signs(vec v)
{
#if defined(__AVX512F__)
	return (uint16_t)__builtin_ia32_cvtd2mask512((vec_signed)v);
#elif defined(__AVX2__)
	typedef float floats __attribute__((vector_size(VEC_BYTES)));

	return (uint32_t)__builtin_ia32_movmskps256((floats)v);
#else
	typedef float floats __attribute__((vector_size(VEC_BYTES)));

	return (uint32_t)__builtin_ia32_movmskps((floats)v);
#endif
}

/* a where mask is all ones, b where it is zero. */
VEC_INLINE vec vec_select(vec mask, vec a, vec b)
{
	return (mask & a) | (~mask & b);
}

/* Any bit set in any lane. */
VEC_INLINE bool vec_any(vec v)
{
	typedef long long words __attribute__((vector_size(VEC_BYTES)));
	words w = (words)v;

#if defined(__AVX512F__)
	return __builtin_ia32_ptestmq512(w, w, (uint8_t)~0u) != 0;
#elif defined(__AVX2__)
	return !__builtin_ia32_ptestz256(w, w);
#else
	return (w[0] | w[1]) != 0;
#endif
}

/*
 * base[index] per lane. On x86 every one of these loads has acquire order; the
 * plain form says so.
 */
#if defined(__AVX512F__)
VEC_INLINE vec vec_gather32(const uint32_t *base, vec index)
{
	return (vec)__builtin_ia32_gathersiv16si(
		(vec_signed){0}, base, (vec_signed)index, (uint16_t)-1, 4);
}
#elif defined(__AVX2__)
VEC_INLINE vec vec_gather32(const uint32_t *base, vec index)
{
	return (vec)__builtin_ia32_gathersiv8si(
		(vec_signed){0}, (const int *)base, (vec_signed)index, (vec_signed)vec_all(~0u), 4);
}
#else
VEC_INLINE vec vec_gather32(const uint32_t *base, vec index)
{
	vec v = {0};

	for (unsigned i = 0; i < VEC_LANES; i++)
		v[i] = __atomic_load_n(base + index[i], __ATOMIC_ACQUIRE);
	return v;
}
#endif

/*
 * base[index] in the lanes where mask is all ones, old where it is zero; but
 * every index must be one that could be read.
 */
VEC_INLINE vec vec_gather32_where(vec mask, const uint32_t *base, vec index, vec old)
{
#if defined(__AVX512F__)
	return (vec)__builtin_ia32_gathersiv16si((vec_signed)old, base, (vec_signed)index,
		(uint16_t)__builtin_ia32_cvtd2mask512((vec_signed)mask), 4);
#elif defined(__AVX2__)
	return (vec)__builtin_ia32_gathersiv8si(
		(vec_signed)old, (const int *)base, (vec_signed)index, (vec_signed)mask, 4);
#else
	return vec_select(mask, vec_gather32(base, index), old);
#endif
}

/* p[k], p[k + 4], p[k + 8]...: word k of each of VEC_LANES things of 16 bytes; k < 4. */
VEC_INLINE vec vec_every_fourth(const uint32_t *p, unsigned k)
{
#if defined(__AVX512F__)
	const vec pick = {0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28};
	vec a = __builtin_shuffle(vec_load(p), vec_load(p + 16), pick + k);
	vec b = __builtin_shuffle(vec_load(p + 32), vec_load(p + 48), pick + k);

	return __builtin_shufflevector(
		a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
#else
	vec v = {0};

	for (unsigned i = 0; i < VEC_LANES; i++)
		v[i] = p[4 * i + k];
	return v;
#endif
}

/*
 * How many of 32 bytes are above *x. They stand in order, highest first, and the
 * last is not. 32-byte aligned. Counted in 64 bits, since GCC would widen a count of
 * 32 by two more instructions.
 */
VEC_INLINE size_t vec_rank8_down(const uint8_t *key, const uint8_t *x)
{
#if defined(__AVX512BW__) && defined(__AVX512VL__)
	typedef char bytes __attribute__((vector_size(32)));

	uint64_t below = (uint32_t)__builtin_ia32_ucmpb256_mask(
		(bytes){0} + (char)*x, *(const bytes *)key, 1 /* below */, ~0u);

	return (size_t)__builtin_popcountll(below);
#elif defined(__AVX2__)
	typedef uint8_t bytes __attribute__((vector_size(32)));
	typedef char mask __attribute__((vector_size(32)));
	bytes low = (bytes)(*(const bytes *)key <= (bytes){0} + *x);

	uint64_t bits = (uint32_t)__builtin_ia32_pmovmskb256((mask)low);

	return (size_t)__builtin_ctzll(bits);
#else
	typedef uint8_t bytes __attribute__((vector_size(16)));
	typedef char mask __attribute__((vector_size(16)));
	const bytes *keys = (const bytes *)key;
	bytes all = (bytes){0} + *x;
	uint64_t low = (uint32_t)__builtin_ia32_pmovmskb128((mask)(keys[0] <= all));
	uint64_t high = (uint32_t)__builtin_ia32_pmovmskb128((mask)(keys[1] <= all));

	return (size_t)__builtin_ctzll(low | high << 16);
#endif
}

/*
 * How many of the 16 words of a cache line, of those with a bit in mask, are not
 * above x. These stand together, in order. 64-byte aligned. The others may be being
 * written.
 */
#if defined(__SANITIZE_THREAD__) /* it cannot know that nobody looks at those */
VEC_INLINE size_t vec_rank_line(const uint32_t *line, uint32_t x, uint32_t mask)
{
	size_t n = 0;

	for (; mask; mask &= mask - 1)
		n += line[__builtin_ctz(mask)] <= x;
	return n;
}
#else
VEC_INLINE size_t vec_rank_line(const uint32_t *line, uint32_t x, uint32_t mask)
{
	uint64_t not_above = 0;

#	if defined(__AVX512F__)
	not_above = (uint16_t)__builtin_ia32_ucmpd512_mask(*(const vec_signed *)line,
		(vec_signed)vec_all(x), 2 /* not above */, (uint16_t)~0u);
#	else
	for (unsigned i = 0; i < 16; i += VEC_LANES)
		not_above |= (uint64_t)vec_signs(vec_load(line + i) <= vec_all(x)) << i;
#	endif
#	if defined(__POPCNT__)
	return (size_t)__builtin_popcountll(not_above & mask);
#	else /* the words are in order, so those counted are the first */
	return (size_t)__builtin_ctzll(~((not_above & mask) >> __builtin_ctz(mask | 1u << 16)));
#	endif
}
#endif

/* Bit i set: a[i] differs from a[i - 1], for i of 1 to 63; bit 0 is undefined. 16-byte aligned. */
VEC_INLINE uint64_t vec_edges64(const uint16_t *a)
{
	typedef short words __attribute__((vector_size(16)));
	typedef short words_anywhere __attribute__((vector_size(16), aligned(2), may_alias));
	typedef char bytes __attribute__((vector_size(16)));
	uint64_t equal = 0;

	for (unsigned i = 0; i < 64; i += 16) {
		words low = *(const words *)(a + i), high = *(const words *)(a + i + 8);
		words before = __builtin_shufflevector(low, low, 0, 0, 1, 2, 3, 4, 5, 6);

		if (i)
			before = *(const words_anywhere *)(a + i - 1);
		bytes same = (bytes)__builtin_ia32_packsswb128(
			low == before, high == *(const words_anywhere *)(a + i + 7));

		equal |= (uint64_t)(uint32_t)__builtin_ia32_pmovmskb128(same) << i;
	}
	return ~equal;
}

/*
 * A bit for each of eight words that differ. theirs: another core may be writing it; what is
 * seen of it has acquire order (on x86 each such load has). 16-byte aligned.
 */
VEC_INLINE uint32_t vec_differ8(const uint32_t *own, const uint32_t *theirs)
{
#if defined(__SANITIZE_THREAD__)
	uint32_t differ = 0;

	for (unsigned i = 0; i < 8; i++)
		differ |= (uint32_t)(__atomic_load_n(theirs + i, __ATOMIC_ACQUIRE) != own[i]) << i;
	return differ;
#else
	typedef int quad __attribute__((vector_size(16)));
	typedef short words __attribute__((vector_size(16)));
	typedef char bytes __attribute__((vector_size(16)));
	quad low = (quad)(*(const quad *)own != *(const volatile quad *)theirs);
	quad high = (quad)(*(const quad *)(own + 4) != *(const volatile quad *)(theirs + 4));
	words both = (words)__builtin_ia32_packssdw128(low, high);

	return (uint32_t)__builtin_ia32_pmovmskb128((bytes)__builtin_ia32_packsswb128(both, both)) &
	       0xff;
#endif
}

/* ---- words of 64 bits ---- */

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

/* The lower half of each word times x. */
VEC_INLINE vec_words vec_words_product32(vec_words w, uint32_t x)
{
#if VEC_BYTES == 64
	return (vec_words)__builtin_ia32_pmuludq512_mask(
		(vec_signed)w, (vec_signed)vec_all(x), (vec_eight64){0}, (uint8_t)~0u);
#elif VEC_BYTES == 32
	return (vec_words)__builtin_ia32_pmuludq256((vec_signed)w, (vec_signed)vec_all(x));
#else
	return (vec_words)__builtin_ia32_pmuludq128((vec_signed)w, (vec_signed)vec_all(x));
#endif
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

/* ---- columns: the same word of VEC_LANES things ---- */

typedef uint32_t vec_quad __attribute__((vector_size(16)));

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

/* The bytes of each lane in the opposite order. */
VEC_INLINE vec vec_swap(vec v)
{
#if VEC_BYTES == 16 /* no shuffle of bytes */
	v = v << 16 | v >> 16;
	return (v & 0x00ff00ff) << 8 | (v >> 8 & 0x00ff00ff);
#else
	typedef uint8_t bytes __attribute__((vector_size(VEC_BYTES)));
	bytes pick;

	for (unsigned i = 0; i < VEC_BYTES; i++)
		pick[i] = (uint8_t)(i ^ 3);
	return (vec)__builtin_shuffle((bytes)v, pick);
#endif
}

/*
 * octet[index] per lane; every index below 16. They may be written meanwhile, each
 * by one store. 8-byte aligned.
 */
VEC_INLINE vec vec_octets16(const uint8_t *octet, vec index)
{
#if VEC_BYTES == 16
	vec v = {0};

	for (unsigned i = 0; i < VEC_LANES; i++)
		v[i] = __atomic_load_n(octet + index[i], __ATOMIC_RELAXED);
	return v;
#else
	typedef uint64_t words __attribute__((vector_size(VEC_BYTES)));
	typedef char chars __attribute__((vector_size(VEC_BYTES)));
	uint64_t low = __atomic_load_n((const uint64_t *)(const void *)octet, __ATOMIC_RELAXED);
	uint64_t high =
		__atomic_load_n((const uint64_t *)(const void *)(octet + 8), __ATOMIC_RELAXED);
#	if VEC_BYTES == 64
	words table = {low, high, low, high, low, high, low, high};
	return (vec)__builtin_ia32_pshufb512_mask(
		       (chars)table, (chars)index, (chars)table, ~UINT64_C(0)) &
	       0xff;
#	else
	words table = {low, high, low, high};
	return (vec)__builtin_ia32_pshufb256((chars)table, (chars)index) & 0xff;
#	endif
#endif
}

#if VEC_BYTES == 64
/* A bit for each of 64 words that is x. */
VEC_INLINE uint64_t vec_equal64(const uint32_t *p, uint32_t x)
{
	uint64_t equal = 0;

	for (unsigned i = 0; i < 64; i += VEC_LANES)
		equal |=
			(uint64_t)(uint16_t)__builtin_ia32_cmpd512_mask((vec_signed)vec_load(p + i),
				(vec_signed)vec_all(x), 0, (uint16_t)~0u)
			<< i;
	return equal;
}

/* Of eight words those in mask, in order and without gaps; all eight places are written. */
VEC_INLINE void vec_pack64(uint64_t *to, const uint64_t *from, uint32_t mask)
{
	vec_eight64 v;

	memcpy(&v, from, sizeof v);
	v = __builtin_ia32_compressdi512_mask(v, v, (uint8_t)mask);
	memcpy(to, &v, sizeof v);
}
#endif

#endif
