/*
 * The look-up of the IPv6 table; compiled once per form of x86-64 (lib/vec.h).
 *
 * The addresses of a block take each step together, so that the loads of a step
 * do not wait for each other. Those that have not arrived are kept in a list,
 * which is made without jumps: whether an address has arrived is hard to foresee.
 */
#include "lib/vec.h"
#include "net/table/fib6_table.h"

#define BLOCK 64u /* addresses */
#define STEPS 3u  /* taken together; few need more */

/* One node on the way of an address, in its first half. */
VEC_INLINE uint32_t step(const uint32_t *word, uint32_t ref, const struct ip6 *dst)
{
	const uint32_t *node = word + fib6_at(ref);
	uint16_t slice; /* as hi >> fib6_shift(ref): the first byte in memory is the lowest */

	memcpy(&slice, (const uint8_t *)&dst->hi + (ref >> FIB6_SLICE & 7), sizeof slice);
	return load_acquire(node - 1 - vec_rank((const uint16_t *)(node + 1), slice, node[0]));
}

/* Up to BLOCK addresses. */
VEC_INLINE void lookup_block(const uint32_t *word, const struct ip6 *dst, uint32_t *nh, unsigned n)
{
	uint8_t list[STEPS + 1][BLOCK];
	unsigned going = 0;

	for (unsigned i = 0; i < n; i++) {
		nh[i] = fib6_enter(word, dst[i].hi);
		list[0][going] = (uint8_t)i;
		going += nh[i] >> 31; /* FIB6_NODE */
	}
#pragma GCC unroll 3
	for (unsigned s = 0; s < STEPS; s++) {
		unsigned left = 0;

		for (unsigned k = 0; k < going; k++) {
			/* NOLINTNEXTLINE(clang-analyzer-core.*): written up to `going` above */
			unsigned i = list[s][k];

			nh[i] = step(word, nh[i], &dst[i]);
			list[s + 1][left] = (uint8_t)i;
			left += nh[i] >> 31;
		}
		going = left;
	}
	for (unsigned k = 0; k < going; k++)
		nh[list[STEPS][k]] = fib6_arrive(word, nh[list[STEPS][k]], dst[list[STEPS][k]]);
}

void VEC_NAME(fib6_lookup)(const uint32_t *word, const struct ip6 *dst, uint32_t *nh, unsigned n)
{
	unsigned i = 0;

	for (; i + BLOCK <= n; i += BLOCK)
		lookup_block(word, dst + i, nh + i, BLOCK);
	if (i < n)
		lookup_block(word, dst + i, nh + i, n - i);
}
