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
typedef uint32_t vec_quad __attribute__((vector_size(16))); /* whatever the form */

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

/* The sum of all lanes. */
VEC_INLINE uint32_t vec_total(vec v)
{
#if VEC_BYTES == 64
	v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
	v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15);
#elif VEC_BYTES == 32
	v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
#endif
	return v[0] + v[1] + v[2] + v[3];
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

/* The lowest octet of each lane, VEC_LANES octets. */
VEC_INLINE void vec_store_octets(uint8_t *p, vec v)
{
#if defined(__AVX512F__)
	typedef char chars __attribute__((vector_size(16)));
	chars low = __builtin_ia32_pmovdb512_mask((vec_signed)v, (chars){0}, (uint16_t)-1);

	memcpy(p, &low, sizeof low);
#else
	for (unsigned i = 0; i < VEC_LANES; i++)
		p[i] = (uint8_t)v[i];
#endif
}

/* VEC_LANES octets, each in a lane. */
VEC_INLINE vec vec_load_octets(const uint8_t *p)
{
#if defined(__AVX512F__)
	typedef char chars __attribute__((vector_size(16)));
	chars octets;

	memcpy(&octets, p, sizeof octets);
	return (vec)__builtin_ia32_pmovzxbd512_mask(octets, (vec_signed){0}, (uint16_t)-1);
#else
	vec v = {0};

	for (unsigned i = 0; i < VEC_LANES; i++)
		v[i] = p[i];
	return v;
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

#	pragma GCC unroll 4
	for (unsigned i = 0; i < 64; i += VEC_LANES)
		equal |=
			(uint64_t)(uint16_t)__builtin_ia32_cmpd512_mask((vec_signed)vec_load(p + i),
				(vec_signed)vec_all(x), 0, (uint16_t)~0u)
			<< i;
	return equal;
}
#endif

#endif
