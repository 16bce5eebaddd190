/* Bursts of packet words: the choice of a form. */
#include "lib/words.h"

#include "lib/form.h"

static const struct words_form *form = &words_plain;

void words_select(const char *isa)
{
	form = FORM(&words, isa);
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
