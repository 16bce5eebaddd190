/* Histograms: buckets without gaps, and quantiles against sorted values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/histogram.h"

static struct histogram h;

static int setup(void **state)
{
	memset(&h, 0, sizeof h);
	srand(3);
	return 0;
}

/* Every value lies in its bucket, and the next bucket begins where one ends. */
static void test_buckets(void **state)
{
	assert_int_equal(histogram_bucket(0), 0);
	assert_int_equal(histogram_bucket(63), 63);
	for (unsigned b = 0; b + 1 < HISTOGRAM_BUCKETS; b++) {
		uint64_t low = histogram_lowest(b), high = histogram_highest(b);

		assert_int_equal(histogram_bucket(low), b);
		assert_int_equal(histogram_bucket(high), b);
		assert_int_equal(histogram_lowest(b + 1), high + 1);
		assert_true((high - low) * 32 <= low);
	}
	assert_int_equal(histogram_bucket((UINT64_C(1) << 40) - 1), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(UINT64_C(1) << 40), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static int order(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

#define VALUES 20000u

static void test_quantiles(void **state)
{
	static const uint32_t parts[] = {0, 1, 1000, 500000, 900000, 990000, 999900, 1000000};
	static uint64_t value[VALUES];

	for (unsigned i = 0; i < VALUES; i++) {
		value[i] = (uint64_t)rand() >> (rand() % 31);
		histogram_add(&h, value[i], 1);
	}
	qsort(value, VALUES, sizeof *value, order);
	assert_int_equal(histogram_total(&h), VALUES);
	assert_int_equal(h.max, value[VALUES - 1]);
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		uint64_t rank = ((uint64_t)VALUES * parts[i] + 999999) / 1000000;
		uint64_t exact = value[rank ? rank - 1 : 0];
		uint64_t found = histogram_quantile(&h, parts[i]);

		assert_in_range(found, exact, exact + exact / 32);
	}
	assert_int_equal(histogram_quantile(&h, 1000000), h.max);
}

/* Sums of two, clearing, and numbers too large for a product by a million. */
static void test_merge_and_clear(void **state)
{
	static struct histogram sum;

	assert_int_equal(histogram_quantile(&h, 500000), 0);
	histogram_add(&h, 10, UINT64_C(1) << 60);
	histogram_add(&h, 1000, UINT64_C(1) << 60);
	histogram_add(&h, UINT64_MAX, 1);
	histogram_merge(&sum, &h);
	assert_int_equal(histogram_total(&sum), (UINT64_C(1) << 61) + 1);
	assert_int_equal(histogram_quantile(&sum, 499999), 10);
	assert_in_range(histogram_quantile(&sum, 500001), 1000, 1031);
	assert_true(histogram_quantile(&sum, 1000000) == UINT64_MAX);
	histogram_clear(&sum);
	assert_int_equal(histogram_total(&sum), 0);
	assert_int_equal(sum.max, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_buckets, setup),
		cmocka_unit_test_setup(test_quantiles, setup),
		cmocka_unit_test_setup(test_merge_and_clear, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
