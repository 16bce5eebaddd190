/* What the harnesses share: the fuzzer's bytes taken piece by piece, and claims that must hold. */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The fuzzer calls it for each input; so does replay.c. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Must hold whatever the input is. */
#define CLAIM(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			__builtin_trap();                                                          \
	} while (0)

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next bytes; zeros once there are none. */
static inline void fuzz_take(struct fuzz_input *in, void *out, size_t bytes)
{
	size_t n = bytes < in->left ? bytes : in->left;

	memset(out, 0, bytes);
	if (n)
		memcpy(out, in->at, n);
	in->at += n;
	in->left -= n;
}

static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
	uint8_t v;

	fuzz_take(in, &v, 1);
	return v;
}

/* Makes the bytes add up to 0, by the one at `where`: no mutation would get past a wrong sum. */
static inline void fuzz_set_sum(uint8_t *p, size_t bytes, size_t where)
{
	uint8_t sum = 0;

	p[where] = 0;
	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + p[i]);
	p[where] = (uint8_t)-sum;
}

#endif
