/*
 * The look-up of the IPv6 table; compiled once per form of x86-64 (lib/vec.h).
 *
 * A block of addresses goes through the steps together, so that the loads of a
 * step do not wait for each other; an address that has arrived takes the other
 * steps idly. There is no jump that depends on an address: where it would go is
 * hard to foresee.
 */
#include "lib/vec.h"
#include "net/table/fib6_table.h"

#define BLOCK 64u /* addresses */

_Static_assert(BLOCK % VEC_LANES == 0, "a block is whole vectors");

struct block {
	alignas(64) uint32_t ref[BLOCK];
	alignas(64) uint32_t bits[BLOCK]; /* 16 to 47 of the address, counted from the top */
};

/* The first two steps. true: there are inner nodes to step on from. */
VEC_INLINE bool enter(const uint32_t *word, struct block *b, const struct ip6 *dst)
{
	vec inner = vec_all(0);

	for (unsigned i = 0; i < BLOCK; i += VEC_LANES) {
		const uint32_t *p = (const uint32_t *)&dst[i].hi; /* the lower word comes first */
		vec high = vec_every_fourth(p, 1), low = vec_every_fourth(p, 0);
		vec ref = vec_gather32(word, high >> (32 - FIB6_ROOT_BITS));
		vec place = high >> (32 - FIB6_CHUNK_BITS) & (FIB6_BRANCH - 1);

		ref = vec_gather32_where_negative(word, (ref & FIB6_AT) + place, ref);
		vec_store(b->ref + i, ref);
		vec_store(b->bits + i, high << 16 | low >> 16);
		inner |= ref;
	}
	return vec_any(vec_sign(inner));
}

/* A step by `stride` of `bits` from bit `shift` up. */
VEC_INLINE void step(const uint32_t *word, struct block *b, unsigned shift, unsigned stride)
{
	for (unsigned i = 0; i < BLOCK; i += VEC_LANES) {
		vec ref = vec_load(b->ref + i);
		vec place = vec_load(b->bits + i) >> shift & ((1u << stride) - 1);

		vec_store(b->ref + i,
			vec_gather32_where_negative(word, (ref & FIB6_AT) + place, ref));
	}
}

/* The addresses whose way ends in a narrow leaf, in a wide one, or goes on; and how many. */
struct sorted {
	uint8_t narrow[BLOCK], wide[BLOCK], further[BLOCK];
	unsigned narrows, wides, furthers;
};

VEC_INLINE void sort(const uint32_t *word, const struct block *b, struct sorted *s, uint32_t *nh)
{
	unsigned narrows = 0, wides = 0, furthers = 0;

	for (unsigned i = 0; i < BLOCK; i++) {
		uint32_t ref = b->ref[i];

		nh[i] = ref;
		__builtin_prefetch(word + fib6_at(ref) + 4);
		s->narrow[narrows] = s->wide[wides] = s->further[furthers] = (uint8_t)i;
		narrows += ref >> 30 & 1;                /* FIB6_NARROW */
		wides += (ref >> 29 & 1) & ~(ref >> 31); /* FIB6_WIDE, not FIB6_GATE */
		furthers += ref >> 31;                   /* FIB6_INNER */
	}
	s->narrows = narrows;
	s->wides = wides;
	s->furthers = furthers;
}

VEC_INLINE uint32_t in_narrow(const uint32_t *word, uint32_t ref, uint64_t half)
{
	const uint16_t *leaf = (const uint16_t *)(word + fib6_at(ref));
	unsigned n = *leaf;

	return load_acquire(
		leaf + n + vec_rank16(leaf + 1, (uint16_t)(half >> fib6_shift(ref)), n - 1));
}

VEC_INLINE uint32_t in_wide(const uint32_t *word, uint32_t ref, uint64_t half)
{
	const uint32_t *leaf = word + fib6_at(ref);
	unsigned n = *(const uint16_t *)leaf;

	return load_acquire((const uint16_t *)(leaf + n) +
			    vec_rank32(leaf + 1, (uint32_t)(half >> fib6_shift(ref)), n - 1));
}

/* BLOCK addresses. */
VEC_INLINE void lookup_block(const uint32_t *word, const struct ip6 *dst, uint32_t *nh)
{
	struct block b;
	struct sorted s;

	if (enter(word, &b, dst)) {
		step(word, &b, 48 - 32, 8);
		step(word, &b, 48 - 38, 6);
		step(word, &b, 48 - 44, 6);
	}
	sort(word, &b, &s, nh);
	for (unsigned k = 0; k < s.narrows; k++)
		nh[s.narrow[k]] = in_narrow(word, nh[s.narrow[k]], dst[s.narrow[k]].hi);
	for (unsigned k = 0; k < s.wides; k++)
		nh[s.wide[k]] = in_wide(word, nh[s.wide[k]], dst[s.wide[k]].hi);
	for (unsigned k = 0; k < s.furthers; k++)
		nh[s.further[k]] = fib6_one(word, dst[s.further[k]]);
}

void VEC_NAME(fib6_lookup)(const uint32_t *word, const struct ip6 *dst, uint32_t *nh, unsigned n)
{
	unsigned i = 0;

	for (; i + BLOCK <= n; i += BLOCK)
		lookup_block(word, dst + i, nh + i);
	if (i < n) { /* the rest in a block filled up with zeros */
		struct ip6 rest[BLOCK] = {0};
		uint32_t found[BLOCK];

		for (unsigned k = 0; k < n - i; k++)
			rest[k] = dst[i + k];
		lookup_block(word, rest, found);
		for (unsigned k = 0; k < n - i; k++)
			nh[i + k] = found[k];
	}
}
