/*
 * How far apart two cores are: a cache line goes to the other one and back.
 *
 *   roundtrip CORE CORE
 *
 * The first writes an odd number, the other answers with the next one. Windows of 1,000 round
 * trips; their p10 and p50 in TSC cycles.
 */
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "lib/atomic.h"
#include "lib/limits.h"

#define WINDOWS 200u
#define TRIPS   1000u

static struct {
	alignas(CACHE_LINE) uint64_t number; /* even: the first core's turn */
	alignas(CACHE_LINE) bool over;
} shared;

static void bind_to(const char *text)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)strtoul(text, NULL, 10), &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) {
		fprintf(stderr, "roundtrip: no core %s\n", text);
		exit(1);
	}
}

static void *answer(void *core)
{
	bind_to(core);
	while (!load_once(&shared.over)) {
		uint64_t number = load_acquire(&shared.number);

		if (number & 1)
			store_release(&shared.number, number + 1);
	}
	return NULL;
}

static void trip(void)
{
	uint64_t number = shared.number + 1;

	store_release(&shared.number, number);
	while (load_acquire(&shared.number) == number)
		;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double window[WINDOWS];
	pthread_t other;

	if (argc != 3 || pthread_create(&other, NULL, answer, argv[2]) != 0) {
		fprintf(stderr, "usage: roundtrip CORE CORE\n");
		return 1;
	}
	bind_to(argv[1]);
	for (unsigned i = 0; i < WINDOWS; i++) {
		uint64_t begin = __rdtsc();

		for (unsigned k = 0; k < TRIPS; k++)
			trip();
		window[i] = (double)(__rdtsc() - begin) / TRIPS;
	}
	store_once(&shared.over, true);
	pthread_join(other, NULL);
	qsort(window, WINDOWS, sizeof *window, compare);
	printf("{\"p10\":%.1f,\"p50\":%.1f}\n", window[WINDOWS / 10], window[WINDOWS / 2]);
	return 0;
}
