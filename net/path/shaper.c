/* The rate of an output, and how much it may send at once. */
#include "net/path/shaper.h"

void shaper_rate_set(struct bucket_rate *rate, uint64_t bps, uint64_t tsc_hz, uint32_t frame_max)
{
	uint64_t depth = (bps + 7) / 8 / 1000 * SHAPER_BURST_MS;

	if (depth < 2 * (uint64_t)frame_max)
		depth = 2 * (uint64_t)frame_max;
	bucket_rate_set(rate, bps, tsc_hz, depth);
}
