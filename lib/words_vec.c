/* Bursts of packet words; compiled once per form of x86-64 (vec.h). */
#include "lib/words.h"

#include "lib/packet.h"
#include "lib/vec.h"

#define STEP (VEC_BYTES / 8u) /* words of a vector */

typedef uint64_t words __attribute__((vector_size(VEC_BYTES)));

VEC_INLINE words load(const uint64_t *p)
{
	words w;

	memcpy(&w, p, sizeof w);
	return w;
}

VEC_INLINE void store(uint64_t *p, words w)
{
	memcpy(p, &w, sizeof w);
}

VEC_INLINE words lengths(words w)
{
	return w >> 32 & 0xffff;
}

VEC_INLINE uint64_t total(words w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STEP; i++)
		sum += w[i];
	return sum;
}

static uint64_t bytes(const uint64_t *word, unsigned n)
{
	words sum = {0};
	uint64_t rest = 0;
	unsigned i = 0;

	for (; i + STEP <= n; i += STEP)
		sum += lengths(load(word + i));
	for (; i < n; i++)
		rest += packet_len(word[i]);
	return total(sum) + rest;
}

static uint64_t copy(uint64_t *to, const uint64_t *from, unsigned n)
{
	words sum = {0};
	uint64_t rest = 0;
	unsigned i = 0;

	for (; i + STEP <= n; i += STEP) {
		words w = load(from + i);

		store(to + i, w);
		sum += lengths(w);
	}
	for (; i < n; i++) {
		to[i] = from[i];
		rest += packet_len(from[i]);
	}
	return total(sum) + rest;
}

static void indices(uint32_t *index, const uint64_t *word, unsigned n)
{
	unsigned i = 0;

	for (; i + VEC_LANES <= n; i += VEC_LANES)
		vec_store(index + i, vec_lower32(word + i));
	for (; i < n; i++)
		index[i] = packet_index(word[i]);
}

static unsigned one_pool(const uint64_t *word, unsigned n)
{
	words differ = {0};
	unsigned i = 0;

	for (; i + STEP <= n; i += STEP)
		differ |= load(word + i) ^ word[0];
	differ &= (words){0} + (UINT32_MAX & -POOL_BUFS);
	if (__builtin_expect(vec_any((vec)differ), 0))
		i = 0; /* where is looked for one by one */
	while (i < n && packet_pool(word[i]) == packet_pool(word[0]))
		i++;
	return i;
}

const struct words_form VEC_NAME(words) = {bytes, copy, indices, one_pool};
