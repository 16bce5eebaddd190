/*
 * Time for benchmarks: CPU time of the calling thread, so that what the machine
 * gives to others meanwhile does not count (what they do to the caches does).
 */
#ifndef TEST_BENCH_FIB_CLOCK_H
#define TEST_BENCH_FIB_CLOCK_H

#include <time.h>

static inline double clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

#endif
