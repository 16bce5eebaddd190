/*
 * A token bucket (bucket.h) that limits the rate of one TX queue.
 *
 * The worker of the TX queue owns it; the control core publishes its rate.
 */
#ifndef NET_PATH_SHAPER_H
#define NET_PATH_SHAPER_H

#include <stdint.h>

#include "lib/atomic.h"
#include "net/path/bucket.h"

#define SHAPER_MIN_BPS UINT64_C(8000)          /* the rounding is below 0.1 % from here on */
#define SHAPER_MAX_BPS UINT64_C(1000000000000) /* 1 Tbit/s */
#define SHAPER_BURST_MS                                                                            \
	5u /* the bucket holds so much, so that a late turn of the worker loses no rate */

struct shaper {
	const struct bucket_rate *rate; /* published by the control core; NULL: no limit */
	struct bucket bucket;
};

/*
 * Control core: the rate for `bps` bits a second (SHAPER_MIN_BPS to
 * SHAPER_MAX_BPS) where the TSC runs at tsc_hz; frames have at most frame_max bytes.
 */
void shaper_rate_set(struct bucket_rate *rate, uint64_t bps, uint64_t tsc_hz, uint32_t frame_max);

/* Worker: fills the bucket; returns how many bytes may be sent now, UINT64_MAX without a limit. */
static inline uint64_t shaper_budget(struct shaper *s, uint64_t now)
{
	const struct bucket_rate *rate = load_acquire(&s->rate);

	if (!rate)
		return UINT64_MAX;
	bucket_fill(&s->bucket, rate, now);
	return s->bucket.tokens > 0 ? ((uint64_t)s->bucket.tokens + UINT32_MAX) >> 32 : 0;
}

/* Worker: so many bytes were sent. Without a limit nothing is kept. */
static inline void shaper_charge(struct shaper *s, uint64_t bytes)
{
	if (load_once(&s->rate))
		bucket_charge(&s->bucket, bytes);
}

#endif
