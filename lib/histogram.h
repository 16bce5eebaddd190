/*
 * A histogram of 64-bit values with buckets of constant relative width.
 *
 * Log-linear, as in Tene's HdrHistogram: values below 64 have a bucket each,
 * above that every power of two is cut into 32 equal buckets, so that a bucket
 * is never wider than 1/32 of the value. One writer; adding is a shift and an
 * increment. Any core may read a snapshot.
 */
#ifndef LIB_HISTOGRAM_H
#define LIB_HISTOGRAM_H

#include <stdint.h>

#include "lib/atomic.h"

#define HISTOGRAM_SUB_BITS   5u  /* log2 of the buckets of one power of two */
#define HISTOGRAM_VALUE_BITS 40u /* larger values count in the last bucket; 5 minutes at 3 GHz */
#define HISTOGRAM_BUCKETS    ((HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t max; /* largest value added, exact */
	uint64_t count[HISTOGRAM_BUCKETS];
};

/* The bucket of a value. */
static inline unsigned histogram_bucket(uint64_t value)
{
	/* The highest set bit; small values share the shift of the first power that is cut. */
	unsigned top = 63u - (unsigned)__builtin_clzll(value | 1u << HISTOGRAM_SUB_BITS);
	unsigned shift = top - HISTOGRAM_SUB_BITS;

	if (__builtin_expect(top >= HISTOGRAM_VALUE_BITS, 0))
		return HISTOGRAM_BUCKETS - 1;
	return (shift << HISTOGRAM_SUB_BITS) + (unsigned)(value >> shift);
}

/* The writer: n equal values. */
static inline void histogram_add(struct histogram *h, uint64_t value, uint64_t n)
{
	counter_add(&h->count[histogram_bucket(value)], n);
	if (value > h->max)
		store_once(&h->max, value);
}

/* The smallest and the largest value of a bucket; the last one's largest is UINT64_MAX. */
uint64_t histogram_lowest(unsigned bucket);
uint64_t histogram_highest(unsigned bucket);

/* Forgets everything. The writer only. */
void histogram_clear(struct histogram *h);

/* Adds a snapshot of `from` to `to`. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/* How many values were added. */
uint64_t histogram_total(const struct histogram *h);

/*
 * The value that `part` of 1,000,000 values do not exceed, as the highest of its
 * bucket, but never above max; 0 if there are no values. 500,000 is the median.
 */
uint64_t histogram_quantile(const struct histogram *h, uint32_t part);

#endif
