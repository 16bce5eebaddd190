/*
 * The look-up of the IPv4 table; compiled once per form of x86-64 (lib/vec.h).
 *
 * A block of addresses goes through the steps together, so that the loads of a
 * step do not wait for each other. Loads of groups stand in loops of their own,
 * one address each: a gather is no faster for them, and holds up more.
 */
#include "lib/atomic.h"
#include "lib/vec.h"
#include "net/table/fib4_table.h"

#define BLOCK 64u /* addresses */

_Static_assert(BLOCK % VEC_LANES == 0, "a block is whole vectors");

/* Where the entry of each address stands in view.wide. */
VEC_INLINE void step_direct(
	const struct fib4_view *v, const uint32_t *dst, uint32_t *place, unsigned n)
{
	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec a = vec_load(dst + i);
		vec group = vec_gather16(v->direct, a >> 16) & 0xffff;

		vec_store(place + i, group << 4 | (a >> 12 & 15));
	}
}

/* Where its next hop stands in view.narrow (fib4_place; 0 of a deep entry). true: some are deep. */
VEC_INLINE bool step_place(const uint32_t *dst, const uint32_t *entry, uint32_t *place, unsigned n)
{
	vec any = vec_all(0);

	for (unsigned i = 0; i < n; i += VEC_LANES) {
		vec e = vec_load(entry + i);
		vec which = vec_load(dst + i) >> 8 & 15;
		vec pair = (e >> 15 & ~1u) | (e >> which & 1);
		vec narrow = (e & FIB4_GROUP) << 4 | which;

		vec deep = vec_sign(e & e << 1); /* both top bits */

		vec_store(place + i, vec_select(vec_sign(e), narrow, pair) & ~deep);
		any |= deep;
	}
	return vec_any(any);
}

/* n addresses, a multiple of VEC_LANES up to BLOCK. */
VEC_INLINE void lookup_block(
	const struct fib4_view *v, const uint32_t *dst, uint32_t *nh, unsigned n)
{
	alignas(64) uint32_t entry[BLOCK], place[BLOCK];

	step_direct(v, dst, place, n);
	for (unsigned i = 0; i < n; i++)
		entry[i] = load_acquire(&v->wide[place[i]]);
	bool deep = step_place(dst, entry, place, n);

	for (unsigned i = 0; i < n; i++)
		nh[i] = load_acquire(&v->narrow[place[i]]);
	if (__builtin_expect(deep, 0)) {
		for (unsigned i = 0; i < n; i++)
			if (entry[i] >= FIB4_DEEP)
				nh[i] = fib4_deep(v, entry[i], dst[i]);
	}
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
