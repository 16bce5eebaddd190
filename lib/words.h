/*
 * Bursts of packet words (packet.h), worked on a vector at a time.
 *
 * Any core; each call is for a whole burst. The arrays may lie anywhere, and
 * nothing beyond n is read or written.
 */
#ifndef LIB_WORDS_H
#define LIB_WORDS_H

#include <stdint.h>

/* The bytes of n packets' frames. */
uint64_t words_bytes(const uint64_t *word, unsigned n);

/* Copies n words; the bytes of their frames. */
uint64_t words_copy(uint64_t *to, const uint64_t *from, unsigned n);

/* Writes the buffer indices of n words. */
void words_indices(uint32_t *index, const uint64_t *word, unsigned n);

/* How many of n words, from the first on, have their home in the first one's pool; n >= 1. */
unsigned words_one_pool(const uint64_t *word, unsigned n);

/* Chooses the compiled form: "x86-64", "x86-64-v3" or "x86-64-v4" (anything else: the first).
 * Before workers start. */
void words_select(const char *isa);

/* A form of them all. */
struct words_form {
	uint64_t (*bytes)(const uint64_t *word, unsigned n);
	uint64_t (*copy)(uint64_t *to, const uint64_t *from, unsigned n);
	void (*indices)(uint32_t *index, const uint64_t *word, unsigned n);
	unsigned (*one_pool)(const uint64_t *word, unsigned n);
};
extern const struct words_form words_plain, words_v3, words_v4;

#endif
