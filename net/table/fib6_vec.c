/*
 * The look-up of the IPv6 table; compiled once per form of x86-64 (lib/vec.h).
 *
 * A block of addresses goes through the steps together, so that the loads of a
 * step do not wait for each other; an address that has arrived takes the other
 * steps idly, and one that ends in an answer compares with a leaf for nothing.
 * There is no jump that depends on an address: where it would go is hard to
 * foresee.
 */
#include "lib/vec.h"
#include "net/table/fib6_table.h"

#define BLOCK      64u /* addresses */
#define LINE_WORDS 16u
#define MIDDLE     8u /* the lowest bit of the part of an address that inner nodes go by here */

_Static_assert(BLOCK % VEC_LANES == 0, "a block is whole vectors");

#if VEC_BYTES == 16 /* no shift by lanes, no gather: one after another, but for the comparison */
VEC_INLINE uint32_t find_end(const uint32_t *word, uint64_t half)
{
	uint32_t ref = fib6_enter(word, half);

	while ((ref & FIB6_INNER) && (ref & FIB6_STEPS))
		ref = load_acquire(&word[fib6_next(ref, half)]);
	return ref;
}

VEC_INLINE uint32_t in_leaf(const uint32_t *word, uint32_t leaf, uint64_t half)
{
	uint32_t at = fib6_at(leaf), key = (uint32_t)(half >> fib6_key_shift(leaf, false));
	uint32_t mask = ((1u << fib6_keys(leaf)) - 1) << at % LINE_WORDS;

	return load_acquire(fib6_nexthop(word, leaf, 0) +
			    vec_rank_line(word + at / LINE_WORDS * LINE_WORDS, key, mask));
}

VEC_INLINE void lookup_block(const uint32_t *word, const struct ip6 *dst, uint32_t *nh)
{
	for (unsigned i = 0; i < BLOCK; i++) {
		nh[i] = find_end(word, dst[i].hi);
		__builtin_prefetch(word + fib6_at(nh[i]));
	}
	for (unsigned i = 0; i < BLOCK; i++)
		if (fib6_is_leaf(nh[i]))
			nh[i] = in_leaf(word, nh[i], dst[i].hi);
		else if (nh[i] & FIB6_INNER)
			nh[i] = fib6_one(word, dst[i]);
}
#else
struct block {
	alignas(64) uint32_t ref[BLOCK];
	alignas(64) uint32_t low[BLOCK];    /* 32 bits of the first half, from bit 0 */
	alignas(64) uint32_t middle[BLOCK]; /* and from bit MIDDLE on */
	/* What a leaf is asked: */
	alignas(64) uint32_t key[BLOCK];
	alignas(64) uint32_t line[BLOCK];    /* the word it begins at */
	alignas(64) uint32_t mask[BLOCK];    /* of the words in it that are keys */
	alignas(64) uint32_t nexthop[BLOCK]; /* the word the next hops begin at */
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

		ref = vec_gather32_where(vec_sign(ref), word, (ref & FIB6_AT) + place, ref);
		vec_store(b->ref + i, ref);
		vec_store(b->low + i, low);
		vec_store(b->middle + i, high << (32 - MIDDLE) | low >> MIDDLE);
		inner |= ref;
	}
	return vec_any(vec_sign(inner));
}

/* A step from the inner nodes that go by middle bits. true: there may be more of them. */
VEC_INLINE bool step(const uint32_t *word, struct block *b)
{
	vec inner = vec_all(0);

	for (unsigned i = 0; i < BLOCK; i += VEC_LANES) {
		vec ref = vec_load(b->ref + i);
		vec go = vec_sign(ref) & (vec)((ref & FIB6_STEPS) != 0);
		vec shift = ((ref >> FIB6_SHIFT) - MIDDLE) & 31;
		vec fan = vec_all(1u << FIB6_BITS_MIN) << (ref >> (FIB6_WIDTH - 1) & 6);
		vec place = vec_load(b->middle + i) >> shift & (fan - 1);

		ref = vec_gather32_where(go, word, (ref & FIB6_AT) + place, ref);
		vec_store(b->ref + i, ref);
		inner |= vec_sign(ref) & (ref & FIB6_STEPS);
	}
	return vec_any(inner);
}

/* Where to look, and for what; an answer asks line 0 for no key. true: some are inner nodes. */
VEC_INLINE bool ask(struct block *b)
{
	vec inner = vec_all(0);

	for (unsigned i = 0; i < BLOCK; i += VEC_LANES) {
		vec ref = vec_load(b->ref + i);
		vec leaf = vec_sign(ref << 1 & ~ref), coarse = vec_sign(ref << 2);
		vec at = ref & FIB6_AT & leaf, keys = ref >> FIB6_SHIFT & 31 & leaf;
		vec mask = (vec_all(1) << keys) - 1;

		vec_store(b->key + i,
			vec_select(coarse, vec_load(b->middle + i), vec_load(b->low + i)));
		vec_store(b->line + i, at & ~(LINE_WORDS - 1));
		vec_store(b->mask + i, mask << (at & (LINE_WORDS - 1)));
		vec_store(b->nexthop + i, at + keys);
		inner |= ref;
	}
	return vec_any(vec_sign(inner));
}

/* BLOCK addresses. */
VEC_INLINE void lookup_block(const uint32_t *word, const struct ip6 *dst, uint32_t *nh)
{
	struct block b;
	bool more = enter(word, &b, dst);

	while (more)
		more = step(word, &b);
	more = ask(&b);
	for (unsigned i = 0; i < BLOCK; i++)
		__builtin_prefetch(word + b.line[i]);
#	pragma GCC unroll 8
	for (unsigned i = 0; i < BLOCK; i++) {
		size_t range = vec_rank_line(word + b.line[i], b.key[i], b.mask[i]);
		uint32_t found = load_acquire((const uint16_t *)(word + b.nexthop[i]) + range);

		nh[i] = b.mask[i] ? found : b.ref[i];
	}
	if (__builtin_expect(more, 0))
		for (unsigned i = 0; i < BLOCK; i++)
			if (b.ref[i] & FIB6_INNER)
				nh[i] = fib6_one(word, dst[i]);
}
#endif

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
