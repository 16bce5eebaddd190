/* Cycles per key, by window: short against a time slice, so that their median is of undisturbed
 * ones. */
#ifndef TEST_BENCH_FLOW_TIMES_H
#define TEST_BENCH_FLOW_TIMES_H

#include <stdint.h>
#include <x86intrin.h>

#define TIMES_WINDOW 2048u /* keys of one measurement */
#define TIMES_MAX    (1u << 17)

struct times {
	double window[TIMES_MAX];
	unsigned n;
	uint64_t since;
};

static inline void times_begin(struct times *t)
{
	t->since = __rdtsc();
}

/* After key i, counted from 1. */
static inline void times_pass(struct times *t, uint32_t i)
{
	if (i % TIMES_WINDOW)
		return;
	if (t->n < TIMES_MAX)
		t->window[t->n++] = (double)(__rdtsc() - t->since) / TIMES_WINDOW;
	t->since = __rdtsc();
}

/* They are in order from then on. */
double times_quantile(struct times *t, double part);

/* "name": {"p50": ...} */
void times_print(const char *name, struct times *t);

/* ---- what tables.c and hash.c share ---- */

#define TABLES_BATCH 64u /* keys at a time, as the path's */

void __attribute__((noreturn)) tables_fail(const char *what);

/* hash.c: prints an object; n keys, uniform or by Zipf's law. */
void hash_compare(uint32_t n, bool zipf, unsigned rounds);

#endif
