/* The time-stamp counter, which all cores share. */
#ifndef PKTGEN_CLOCK_H
#define PKTGEN_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now(void)
{
	return __builtin_ia32_rdtsc();
}

/* Its ticks per second, measured for a tenth of a second. */
static inline double clock_measure(void)
{
	struct timespec a, b, tenth = {0, 100000000};
	uint64_t from, to;

	clock_gettime(CLOCK_MONOTONIC_RAW, &a);
	from = clock_now();
	nanosleep(&tenth, NULL);
	clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	to = clock_now();
	return (double)(to - from) /
	       ((double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9);
}

#endif
