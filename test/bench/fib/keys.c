/* Addresses to look up. */
#include "test/bench/fib/keys.h"

#include <stdlib.h>

#define FLOWS 65536u

const char *const pattern_name[PATTERNS] = {"rnd", "hit", "zipf", "rep16"};

static uint64_t seed;

static struct ip6 random_address(void)
{
	return (struct ip6){routegen_random(&seed), routegen_random(&seed)};
}

static struct ip6 hit(const struct table *t)
{
	const struct routegen_route *r = &t->route[routegen_random(&seed) % t->n];
	struct ip6 m = ip6_mask(r->length), a = random_address();

	return (struct ip6){r->prefix.hi | (a.hi & ~m.hi), r->prefix.lo | (a.lo & ~m.lo)};
}

/* By bisection in the sums of 1, 1/2, 1/3... */
static void zipf(const struct table *t, struct ip6 *key, uint32_t n)
{
	struct ip6 *flow = calloc(FLOWS, sizeof *flow);
	double *sum = calloc(FLOWS, sizeof *sum);

	if (!flow || !sum)
		abort();
	for (uint32_t i = 0; i < FLOWS; i++) {
		flow[i] = hit(t);
		sum[i] = (i ? sum[i - 1] : 0) + 1.0 / (i + 1);
	}
	for (uint32_t k = 0; k < n; k++) {
		double x = (double)(routegen_random(&seed) >> 11) * 0x1p-53 * sum[FLOWS - 1];
		uint32_t low = 0, high = FLOWS - 1;

		while (low < high) {
			uint32_t middle = (low + high) / 2;

			if (sum[middle] < x)
				low = middle + 1;
			else
				high = middle;
		}
		key[k] = flow[low];
	}
	free(flow);
	free(sum);
}

void keys_make(enum pattern pattern, const struct table *t, int v6, struct ip6 *key, uint32_t n)
{
	seed = 42;
	if (pattern == PATTERN_ZIPF) {
		zipf(t, key, n);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (pattern == PATTERN_RND) {
			key[i] = random_address();
			if (v6)
				key[i].hi = key[i].hi >> 3 | 1ull << 61;
		} else if (pattern == PATTERN_HIT || i % 16 == 0) {
			key[i] = hit(t);
		} else {
			key[i] = key[i - 1];
		}
	}
}
