/* Histograms: what is done with one after it was filled. */
#include "lib/histogram.h"

#include <stddef.h>

_Static_assert(sizeof(struct histogram) <= 16384, "a histogram fits a few pages");

uint64_t histogram_lowest(unsigned bucket)
{
	unsigned sub = 1u << HISTOGRAM_SUB_BITS;

	if (bucket < 2 * sub)
		return bucket;
	unsigned shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;

	return (uint64_t)(bucket - (shift << HISTOGRAM_SUB_BITS)) << shift;
}

uint64_t histogram_highest(unsigned bucket)
{
	return bucket + 1 < HISTOGRAM_BUCKETS ? histogram_lowest(bucket + 1) - 1 : UINT64_MAX;
}

void histogram_clear(struct histogram *h)
{
	store_once(&h->max, 0);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		store_once(&h->count[i], 0);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	uint64_t max = load_once(&from->max);

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->count[i] += load_once(&from->count[i]);
	if (max > to->max)
		to->max = max;
}

uint64_t histogram_total(const struct histogram *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += load_once(&h->count[i]);
	return n;
}

uint64_t histogram_quantile(const struct histogram *h, uint32_t part)
{
	uint64_t total = histogram_total(h), below = 0;
	/* The rank, rounded up, without a product that overflows. */
	uint64_t rank = total / 1000000 * part + (total % 1000000 * part + 999999) / 1000000;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && total; i++) {
		uint64_t max = load_once(&h->max), highest = histogram_highest(i);

		below += load_once(&h->count[i]);
		if (below >= rank && below)
			return highest < max ? highest : max;
	}
	return 0;
}
