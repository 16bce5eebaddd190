/* Token buckets: from a rate in bits a second to tokens a tick. */
#include "net/path/bucket.h"

#define DEBT_MAX  (UINT64_C(1) << 17) /* bytes: more than a burst can overdraw */
#define DEPTH_MAX (UINT64_C(1) << 30) /* bytes: tokens stay below 2^63 */

void bucket_rate_set(struct bucket_rate *rate, uint64_t bps, uint64_t tsc_hz, uint64_t depth)
{
	uint64_t bytes = (bps + 7) / 8; /* a second */

	if (depth > DEPTH_MAX)
		depth = DEPTH_MAX;
	/* bytes * 2^32 / tsc_hz in two parts: bytes may have 37 bits. */
	rate->per_tick = (bytes / tsc_hz) * BUCKET_BYTE + ((bytes % tsc_hz << 24) / tsc_hz << 8) +
			 (((bytes % tsc_hz << 24) % tsc_hz << 8) + tsc_hz / 2) / tsc_hz;
	if (rate->per_tick == 0)
		rate->per_tick = 1;
	rate->depth = (int64_t)(depth * BUCKET_BYTE);
	rate->fill_ticks = ((depth + DEBT_MAX) << 32) / rate->per_tick;
}
