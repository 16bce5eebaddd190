/*
 * Named vector operations, for sources that are compiled once per form of x86-64.
 *
 * A source NAME_vec.c is compiled three times (Makefile): for plain x86-64, v3
 * (AVX2) and v4 (AVX-512). Its functions are named by VEC_NAME, so that the three
 * live side by side, and one is chosen at boot. A vec has VEC_LANES lanes of 32
 * bits, a vec64 VEC64_LANES of 64: a register of the form, whatever it is.
 * + - & | ^ ~ << >> and comparisons work on them lane by lane (GCC's vector
 * extension); a comparison gives all ones or zero. What GCC has no operator for
 * stands here, with a body for each form.
 */
#ifndef LIB_VEC_H
#define LIB_VEC_H

#include <stdbool.h>
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
#define VEC_LANES   (VEC_BYTES / 4u)
#define VEC64_LANES (VEC_BYTES / 8u)

#define VEC_INLINE static inline __attribute__((always_inline, unused))

typedef uint32_t vec __attribute__((vector_size(VEC_BYTES)));
typedef int32_t vec_signed __attribute__((vector_size(VEC_BYTES)));
typedef uint64_t vec64 __attribute__((vector_size(VEC_BYTES)));
typedef int64_t vec64_signed __attribute__((vector_size(VEC_BYTES)));

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
	return (vec64){0} + x;
}

/* All ones in the lanes whose top bit is set. */
VEC_INLINE vec vec_sign(vec v)
{
	/* cppcheck-suppress shiftTooManyBitsSigned ; GCC shifts the sign in */
	return (vec)((vec_signed)v >> 31);
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
VEC_INLINE bool vec64_any(vec64 v)
{
#if defined(__AVX512F__)
	typedef long long words __attribute__((vector_size(VEC_BYTES)));

	return __builtin_ia32_ptestmq512((words)v, (words)v, (uint8_t)~0u) != 0;
#elif defined(__AVX2__)
	typedef long long words __attribute__((vector_size(VEC_BYTES)));

	return !__builtin_ia32_ptestz256((words)v, (words)v);
#else
	return (v[0] | v[1]) != 0;
#endif
}

VEC_INLINE bool vec_any(vec v)
{
	return vec64_any((vec64)v);
}

/*
 * base[index] per lane. Words of 16 bits come with the bits above undefined, and
 * two bytes beyond the array must be readable. On x86 every one of these loads
 * has acquire order; the plain form says so.
 */
#if defined(__AVX512F__)
VEC_INLINE vec vec_gather32(const uint32_t *base, vec index)
{
	return (vec)__builtin_ia32_gathersiv16si(
		(vec_signed){0}, base, (vec_signed)index, (uint16_t)-1, 4);
}

VEC_INLINE vec vec_gather16(const uint16_t *base, vec index)
{
	return (vec)__builtin_ia32_gathersiv16si(
		(vec_signed){0}, base, (vec_signed)index, (uint16_t)-1, 2);
}

VEC_INLINE vec64 vec64_gather(const uint64_t *base, vec64 index)
{
	typedef long long words __attribute__((vector_size(VEC_BYTES)));

	return (vec64)__builtin_ia32_gatherdiv8di((words){0}, base, (words)index, (uint8_t)-1, 8);
}
#elif defined(__AVX2__)
VEC_INLINE vec vec_gather32(const uint32_t *base, vec index)
{
	return (vec)__builtin_ia32_gathersiv8si(
		(vec_signed){0}, (const int *)base, (vec_signed)index, (vec_signed)vec_all(~0u), 4);
}

VEC_INLINE vec vec_gather16(const uint16_t *base, vec index)
{
	return (vec)__builtin_ia32_gathersiv8si((vec_signed){0}, (const int *)(const void *)base,
		(vec_signed)index, (vec_signed)vec_all(~0u), 2);
}

VEC_INLINE vec64 vec64_gather(const uint64_t *base, vec64 index)
{
	typedef long long words __attribute__((vector_size(VEC_BYTES)));

	return (vec64)__builtin_ia32_gatherdiv4di(
		(words){0}, (const long long *)base, (words)index, (words)vec64_all(~0ull), 8);
}
#else
VEC_INLINE vec vec_gather32(const uint32_t *base, vec index)
{
	vec v = {0};

	for (unsigned i = 0; i < VEC_LANES; i++)
		v[i] = __atomic_load_n(base + index[i], __ATOMIC_ACQUIRE);
	return v;
}

VEC_INLINE vec vec_gather16(const uint16_t *base, vec index)
{
	vec v = {0};

	for (unsigned i = 0; i < VEC_LANES; i++)
		v[i] = __atomic_load_n(base + index[i], __ATOMIC_ACQUIRE);
	return v;
}

VEC_INLINE vec64 vec64_gather(const uint64_t *base, vec64 index)
{
	vec64 v = {0};

	for (unsigned i = 0; i < VEC64_LANES; i++)
		v[i] = __atomic_load_n(base + index[i], __ATOMIC_ACQUIRE);
	return v;
}
#endif

/*
 * base[index] in the lanes where the top bit of old is set, old in the others;
 * but every index must be one that could be read.
 */
VEC_INLINE vec vec_gather32_where_negative(const uint32_t *base, vec index, vec old)
{
#if defined(__AVX512F__)
	return (vec)__builtin_ia32_gathersiv16si((vec_signed)old, base, (vec_signed)index,
		(uint16_t)__builtin_ia32_cvtd2mask512((vec_signed)old), 4);
#elif defined(__AVX2__)
	return (vec)__builtin_ia32_gathersiv8si(
		(vec_signed)old, (const int *)base, (vec_signed)index, (vec_signed)old, 4);
#else
	return vec_select(vec_sign(old), vec_gather32(base, index), old);
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
 * vec_rank16: how many of n keys of 16 bits, in order, are not above x;
 * vec_rank32: of n keys of 32 bits. n up to 31. 64 and 128 bytes are read,
 * whatever those beyond the keys hold.
 */
typedef uint16_t vec_halves __attribute__((vector_size(VEC_BYTES)));

VEC_INLINE vec_halves vec_halves_load(const uint16_t *p)
{
	vec_halves v;

	memcpy(&v, p, sizeof v);
	return v;
}

/*
 * How many of 32 bytes are above *x. They stand in order, highest first, and the
 * last is not. 32-byte aligned.
 */
VEC_INLINE unsigned vec_rank8_down(const uint8_t *key, const uint8_t *x)
{
#if defined(__AVX512BW__) && defined(__AVX512VL__)
	typedef char bytes __attribute__((vector_size(32)));

	return (unsigned)__builtin_popcount((uint32_t)__builtin_ia32_ucmpb256_mask(
		(bytes){0} + (char)*x, *(const bytes *)key, 1 /* below */, ~0u));
#elif defined(__AVX2__)
	typedef uint8_t bytes __attribute__((vector_size(32)));
	typedef char mask __attribute__((vector_size(32)));
	bytes low = (bytes)(*(const bytes *)key <= (bytes){0} + *x);

	return (unsigned)__builtin_ctz((uint32_t)__builtin_ia32_pmovmskb256((mask)low));
#else
	typedef uint8_t bytes __attribute__((vector_size(16)));
	typedef char mask __attribute__((vector_size(16)));
	const bytes *keys = (const bytes *)key;
	bytes all = (bytes){0} + *x;
	uint32_t low = (uint32_t)__builtin_ia32_pmovmskb128((mask)(keys[0] <= all));
	uint32_t high = (uint32_t)__builtin_ia32_pmovmskb128((mask)(keys[1] <= all));

	return (unsigned)__builtin_ctz(low | high << 16);
#endif
}

#if defined(__SANITIZE_THREAD__)
/* What lies beyond the keys may be being written; the sanitizer cannot know that nobody looks. */
VEC_INLINE unsigned vec_rank16(const uint16_t *key, uint16_t x, unsigned n)
{
	unsigned i = 0;

	while (i < n && key[i] <= x)
		i++;
	return i;
}

VEC_INLINE unsigned vec_rank32(const uint32_t *key, uint32_t x, unsigned n)
{
	unsigned i = 0;

	while (i < n && key[i] <= x)
		i++;
	return i;
}
#else
/* Bit i set: key[i] is not above x. 32 keys each. */
#	if defined(__AVX512BW__)
VEC_INLINE uint32_t vec_not_above16(const uint16_t *key, uint16_t x)
{
	typedef short words __attribute__((vector_size(VEC_BYTES)));

	return __builtin_ia32_ucmpw512_mask(
		(words)vec_halves_load(key), (words)((vec_halves){0} + x), 2 /* not above */, ~0u);
}

VEC_INLINE uint32_t vec_not_above32(const uint32_t *key, uint32_t x)
{
	uint32_t low = (uint16_t)__builtin_ia32_ucmpd512_mask(
		(vec_signed)vec_load(key), (vec_signed)vec_all(x), 2, (uint16_t)~0u);
	uint32_t high = (uint16_t)__builtin_ia32_ucmpd512_mask(
		(vec_signed)vec_load(key + 16), (vec_signed)vec_all(x), 2, (uint16_t)~0u);

	return low | high << 16;
}
#	elif defined(__AVX2__)
VEC_INLINE uint32_t vec_not_above16(const uint16_t *key, uint16_t x)
{
	typedef short words __attribute__((vector_size(VEC_BYTES)));
	typedef char bytes __attribute__((vector_size(VEC_BYTES)));
	vec_halves all = (vec_halves){0} + x;
	vec64 packed = (vec64)__builtin_ia32_packsswb256(
		(words)(vec_halves_load(key) <= all), (words)(vec_halves_load(key + 16) <= all));

	packed = __builtin_shufflevector(packed, packed, 0, 2, 1, 3); /* it goes by halves */
	return (uint32_t)__builtin_ia32_pmovmskb256((bytes)packed);
}

VEC_INLINE uint32_t vec_not_above32(const uint32_t *key, uint32_t x)
{
	typedef float floats __attribute__((vector_size(VEC_BYTES)));
	uint32_t mask = 0;

	for (unsigned i = 0; i < 32; i += VEC_LANES)
		mask |= (uint32_t)__builtin_ia32_movmskps256(
				(floats)(vec_load(key + i) <= vec_all(x)))
			<< i;
	return mask;
}
#	else
VEC_INLINE uint32_t vec_not_above16(const uint16_t *key, uint16_t x)
{
	typedef short words __attribute__((vector_size(VEC_BYTES)));
	vec_halves all = (vec_halves){0} + x;
	uint32_t mask = 0;

	for (unsigned i = 0; i < 32; i += 16)
		mask |= (uint32_t)__builtin_ia32_pmovmskb128(
				__builtin_ia32_packsswb128((words)(vec_halves_load(key + i) <= all),
					(words)(vec_halves_load(key + i + 8) <= all)))
			<< i;
	return mask;
}

VEC_INLINE uint32_t vec_not_above32(const uint32_t *key, uint32_t x)
{
	typedef float floats __attribute__((vector_size(VEC_BYTES)));
	uint32_t mask = 0;

	for (unsigned i = 0; i < 32; i += VEC_LANES)
		mask |= (uint32_t)__builtin_ia32_movmskps((floats)(vec_load(key + i) <= vec_all(x)))
			<< i;
	return mask;
}
#	endif

/* How many of the n lowest bits are set: the keys are in order, so those are the lowest. */
VEC_INLINE unsigned vec_lowest(uint32_t bits, unsigned n)
{
	bits &= (1u << n) - 1;
#	if defined(__POPCNT__)
	return (unsigned)__builtin_popcount(bits);
#	else
	return (unsigned)__builtin_ctz(~bits);
#	endif
}

VEC_INLINE unsigned vec_rank16(const uint16_t *key, uint16_t x, unsigned n)
{
	return vec_lowest(vec_not_above16(key, x), n);
}

VEC_INLINE unsigned vec_rank32(const uint32_t *key, uint32_t x, unsigned n)
{
	return vec_lowest(vec_not_above32(key, x), n);
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

#endif
