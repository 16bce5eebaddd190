/*
 * The look-up of the IPv4 table; compiled once per form of x86-64 (lib/vec.h).
 *
 * A block of addresses goes through the steps together: all their lines are on
 * the way to the caches before the first is looked at.
 */
#include "lib/vec.h"
#include "net/table/fib4_table.h"

#define BLOCK 64u /* addresses */

_Static_assert(BLOCK % VEC_LANES == 0, "a block is whole vectors");
_Static_assert(FIB4_LINES_AT_MOST <= 1u << 26, "where a line begins is a word");

/* Lines below this number are in the nearest cache anyway, if there are no others. */
#define LINES_NEAR 128u

/* The first two steps: at which byte the line of each address begins. true: some are wide. */
#if VEC_BYTES == 16 /* no shift by lanes, no gather */
VEC_INLINE bool find_lines(const struct fib4_view *v, const uint32_t *dst, uint32_t *at, unsigned n)
{
	const uint32_t *root = v->root;
	const uint8_t *line = v->line;
	uint32_t all = 0;

#	pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++) {
		uint32_t ref = load_acquire(&root[dst[i] >> 16]);

		at[i] = fib4_line(ref, dst[i]) * BLOCK_LINE;
		__builtin_prefetch(line + at[i]);
		all |= ref;
	}
	return all & FIB4_WIDE;
}
#else
VEC_INLINE bool find_lines(const struct fib4_view *v, const uint32_t *dst, uint32_t *at, unsigned n)
{
	const uint8_t *line = v->line;
	vec all = vec_all(0), numbers = vec_all(0);

	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec a = vec_load(dst + i), ref = vec_gather32(v->root, a >> 16);
		vec number = (ref >> FIB4_LINE) + ((a & 0xffff) >> (ref & FIB4_SHIFT));

		vec_store(at + i, number * BLOCK_LINE);
		all |= ref;
		numbers |= number;
	}
	if (vec_any(numbers & -LINES_NEAR))
#	pragma GCC unroll 8
		for (unsigned i = 0; i < n; i++)
			__builtin_prefetch(line + at[i]);
	return vec_any(all & FIB4_WIDE);
}
#endif

/* The next hop in the line that a reference leads to. The low 16 of bits select it. */
VEC_INLINE uint32_t answer(const struct fib4_view *v, uint32_t ref, uint32_t bits,
	const uint8_t *octet, uint32_t *line, unsigned *range)
{
	uint32_t wide = ref / FIB4_WIDE & 1, ones = 0xff | (0xff00 & -wide);
	uint16_t two;

	*line = fib4_line(ref, bits);
	const uint8_t *data = v->line + (size_t)*line * BLOCK_LINE;

	*range = (unsigned)vec_rank8_down(data, octet);
	memcpy(&two, data + FIB4_STARTS + (*range << wide), sizeof two);
	return (two & ones) == ones ? FIB4_DEEP : two & ones;
}

/* One address, whatever its lines are. */
VEC_INLINE uint32_t lookup_any(const struct fib4_view *v, const uint32_t *dst)
{
	const uint8_t *octet = (const uint8_t *)dst; /* the lowest comes first */
	uint32_t line;
	unsigned range;
	uint32_t nexthop =
		answer(v, load_acquire(&v->root[*dst >> 16]), *dst, octet + 1, &line, &range);

	if (__builtin_expect(nexthop == FIB4_DEEP, 0))
		nexthop = answer(v, fib4_below(v, line, range), *dst << 8, octet, &line, &range);
	return nexthop;
}

/* Lines of one-byte next hops; a deep one is looked up again, its root may have changed. */
VEC_INLINE void rank_narrow(const struct fib4_view *v, const uint32_t *dst, const uint32_t *at,
	uint32_t *nh, unsigned n)
{
	const uint8_t *line = v->line;
	vec deep = vec_all(0);

	for (unsigned first = 0; first < n; first += VEC_LANES) {
#pragma GCC unroll 16
		for (unsigned i = first; i < first + VEC_LANES; i++) {
			const uint8_t *key = line + at[i]; /* NOLINT: n is whole vectors */
			size_t range = vec_rank8_down(key, (const uint8_t *)(dst + i) + 1);

			nh[i] = key[FIB4_STARTS + range];
		}
	}
	for (unsigned i = 0; i < n; i += VEC_LANES)
		deep |= (vec)(vec_load(nh + i) == FIB4_DEEP_NARROW);
	if (__builtin_expect(vec_any(deep), 0))
		for (unsigned i = 0; i < n; i++)
			if (nh[i] == FIB4_DEEP_NARROW)
				nh[i] = lookup_any(v, dst + i);
}

/* n addresses, a multiple of VEC_LANES up to BLOCK. */
VEC_INLINE void lookup_block(
	const struct fib4_view *v, const uint32_t *dst, uint32_t *nh, unsigned n)
{
	alignas(64) uint32_t at[BLOCK];

	if (__builtin_expect(find_lines(v, dst, at, n), 0))
		for (unsigned i = 0; i < n; i++)
			nh[i] = lookup_any(v, dst + i);
	else
		rank_narrow(v, dst, at, nh, n);
}

void VEC_NAME(fib4_lookup)(const struct fib4_view *v, const uint32_t *dst, uint32_t *nh, unsigned n)
{
	unsigned vectors = n / VEC_LANES * VEC_LANES, i = 0;

	for (; i + BLOCK <= n; i += BLOCK)
		lookup_block(v, dst + i, nh + i, BLOCK);
	if (i < vectors)
		lookup_block(v, dst + i, nh + i, vectors - i);
	if (vectors < n) { /* the rest in a vector filled up with zeros */
		alignas(64) uint32_t rest[VEC_LANES] = {0}, found[VEC_LANES] = {0};

		memcpy(rest, dst + vectors, (n - vectors) * sizeof *rest);
		lookup_block(v, rest, found, VEC_LANES);
		memcpy(nh + vectors, found, (n - vectors) * sizeof *found);
	}
}
