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

struct places {
	alignas(64) uint32_t ref[BLOCK];
	alignas(64) uint32_t line[BLOCK];
};

/* The first two steps. true: some lines are wide. n: a multiple of VEC_LANES. */
VEC_INLINE bool find_lines(
	const struct fib4_view *v, const uint32_t *dst, struct places *p, unsigned n)
{
	vec all = vec_all(0);

	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec a = vec_load(dst + i), ref = vec_gather32(v->root, a >> 16);

		vec_store(p->ref + i, ref);
		vec_store(p->line + i, (ref >> FIB4_LINE) + vec_shift_right(a & 0xffff, ref & FIB4_SHIFT));
		all |= ref;
	}
	return vec_any(all & FIB4_WIDE);
}

/* The third octet is the second byte in memory. */
VEC_INLINE unsigned rank(const uint8_t *line, const uint32_t *dst)
{
	return vec_rank8_down(line, (const uint8_t *)dst + 1);
}

VEC_INLINE const uint8_t *line_at(const struct fib4_view *v, uint32_t line)
{
	return v->line + (size_t)line * BLOCK_LINE;
}

/* Lines of one-byte next hops alone. true: some answers are FIB4_DEEP_NARROW. */
VEC_INLINE bool rank_narrow(const struct fib4_view *v, const uint32_t *dst, const struct places *p,
	uint32_t *nh, unsigned n)
{
	uint32_t all = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *line = line_at(v, p->line[i]);

		nh[i] = line[FIB4_STARTS + rank(line, dst + i)];
		all |= nh[i] + 1;
	}
	return all > FIB4_DEEP_NARROW;
}

/* Lines of both kinds. A deep answer is all ones of its kind, marked by a bit above. */
VEC_INLINE void rank_any(const struct fib4_view *v, const uint32_t *dst, const struct places *p,
	uint32_t *nh, unsigned n)
{
#pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *line = line_at(v, p->line[i]);
		uint32_t wide = p->ref[i] / FIB4_WIDE & 1, mask = 0xff | (0xff00 & -wide);
		uint16_t two;

		memcpy(&two, line + FIB4_STARTS + (rank(line, dst + i) << wide), sizeof two);
		nh[i] = two & mask;
		nh[i] |= nh[i] + 1 > mask ? 0x10000 : 0;
	}
}

/* n addresses, a multiple of VEC_LANES up to BLOCK. */
VEC_INLINE void lookup_block(
	const struct fib4_view *v, const uint32_t *dst, uint32_t *nh, unsigned n)
{
	struct places p;
	uint32_t deep = FIB4_DEEP_NARROW;
	bool wide = find_lines(v, dst, &p, n);

#pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(line_at(v, p.line[i]));
	if (__builtin_expect(wide, 0)) {
		rank_any(v, dst, &p, nh, n);
		deep = 0x10000;
	} else if (__builtin_expect(!rank_narrow(v, dst, &p, nh, n), 1)) {
		return;
	}
	for (unsigned i = 0; i < n; i++)
		if (__builtin_expect(nh[i] >= deep, 0))
			nh[i] = fib4_follow_ref(v, p.ref[i], dst[i]);
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
