/* Secrets of the process: Linux has them. */
#include <sys/random.h>

#include "kernel/platform.h"

uint64_t platform_random(void)
{
	uint64_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		platform_panic("getrandom gives nothing");
	return random;
}
