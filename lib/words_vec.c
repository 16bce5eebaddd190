/* Bursts of packet words; compiled once per form of x86-64 (vec.h). */
#include "lib/words.h"

#include "lib/packet.h"
#include "lib/vec_words.h"

#define STEP VEC_WORDS

VEC_INLINE vec_words lengths(vec_words w)
{
	return w >> 32 & 0xffff;
}

VEC_INLINE uint64_t total(vec_words w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STEP; i++)
		sum += w[i];
	return sum;
}

static uint64_t bytes(const uint64_t *word, unsigned n)
{
	vec_words sum = {0};

#pragma GCC unroll 4
	for (; n >= STEP; n -= STEP, word += STEP)
		sum += lengths(vec_words_load(word));
	return total(sum + lengths(vec_words_load_first(word, n)));
}

static uint64_t copy(uint64_t *to, const uint64_t *from, unsigned n)
{
	vec_words w, sum = {0};

#pragma GCC unroll 4
	for (; n >= STEP; n -= STEP, from += STEP, to += STEP) {
		w = vec_words_load(from);
		vec_words_store(to, w);
		sum += lengths(w);
	}
	w = vec_words_load_first(from, n);
	vec_words_store_first(to, w, n);
	return total(sum + lengths(w));
}

static void indices(uint32_t *index, const uint64_t *word, unsigned n)
{
	for (; n >= STEP; n -= STEP, word += STEP, index += STEP)
		vec_words_store_lower(index, vec_words_load(word), STEP);
	vec_words_store_lower(index, vec_words_load_first(word, n), n);
}

static unsigned one_pool(const uint64_t *word, unsigned n)
{
	const uint64_t pool = UINT32_MAX & -POOL_BUFS;
	unsigned i = 0;
	uint32_t other;

	for (; i + 8 * STEP <= n; i += 8 * STEP) {
		vec_words any = {0};

#pragma GCC unroll 8
		for (unsigned k = 0; k < 8 * STEP; k += STEP)
			any |= vec_words_load(word + i + k) ^ word[0];
		if (vec_words_set(any & pool))
			break;
	}
	for (; i + STEP <= n; i += STEP) {
		other = vec_words_set((vec_words_load(word + i) ^ word[0]) & pool);
		if (other)
			return i + (unsigned)__builtin_ctz(other);
	}
	other = vec_words_set((vec_words_load_first(word + i, n - i) ^ word[0]) & pool);
	return i + (unsigned)__builtin_ctz(other | 1u << (n - i));
}

const struct words_form VEC_NAME(words) = {bytes, copy, indices, one_pool};
