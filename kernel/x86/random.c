/* Secrets of the machine: RDRAND (SDM volume 1, 7.3.17), and the time where there is none. */
#include <cpuid.h>

#include "kernel/platform.h"
#include "lib/hash.h"

#define TRIES 10u /* SDM: then it has failed */

static bool has_rdrand(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND);
}

/* false: it has none now. */
static bool rdrand(uint64_t *value)
{
	bool ok;

	__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

/* The time stamp goes in as well: a generator that always says the same (some did, after sleep) is
 * worth no less than none. */
uint64_t platform_random(void)
{
	static uint64_t state;
	uint64_t value = 0;

	if (has_rdrand())
		for (unsigned i = 0; i < TRIES && !rdrand(&value); i++)
			platform_relax();
	state = hash_mix(state + value) + platform_tsc();
	return hash_mix(state);
}
