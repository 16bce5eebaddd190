/* Bursts of packet words: the choice of a form. */
#include "lib/words.h"

#include <string.h>

static const struct words_form *form = &words_plain;

void words_select(const char *isa)
{
	form = &words_plain;
	if (strcmp(isa, "x86-64-v3") == 0)
		form = &words_v3;
	if (strcmp(isa, "x86-64-v4") == 0)
		form = &words_v4;
}

uint64_t words_bytes(const uint64_t *word, unsigned n)
{
	return form->bytes(word, n);
}

uint64_t words_copy(uint64_t *to, const uint64_t *from, unsigned n)
{
	return form->copy(to, from, n);
}

void words_indices(uint32_t *index, const uint64_t *word, unsigned n)
{
	form->indices(index, word, n);
}

unsigned words_one_pool(const uint64_t *word, unsigned n)
{
	return form->one_pool(word, n);
}
