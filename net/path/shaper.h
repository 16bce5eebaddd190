/*
 * A token bucket that limits the rate of one TX queue.
 *
 * Tokens are bytes of Ethernet frames (as counted: without FCS, preamble and
 * gap), in units of 2^-32 byte so that a tick of the time stamp counter can add
 * a fraction. A burst may overdraw the bucket by less than one frame; the debt is paid
 * before the next, so the mean rate is exact. The worker of the TX queue owns
 * the bucket; the control core publishes what it is filled by.
 */
#ifndef NET_PATH_SHAPER_H
#define NET_PATH_SHAPER_H

#include <stdint.h>

#include "lib/atomic.h"

#define SHAPER_MIN_BPS UINT64_C(8000)          /* the rounding is below 0.1 % from here on */
#define SHAPER_MAX_BPS UINT64_C(1000000000000) /* 1 Tbit/s */
#define SHAPER_BURST_MS                                                                            \
	5u /* the bucket holds so much, so that a late turn of the worker loses no rate */

/* Constant while published. */
struct shaper_rate {
	uint64_t per_tick;   /* tokens of one TSC tick */
	uint64_t fill_ticks; /* after so many the bucket is full, however deep the debt */
	int64_t depth;       /* tokens of a full bucket */
};

struct shaper {
	const struct shaper_rate *rate; /* published by the control core; NULL: no limit */
	int64_t tokens;
	uint64_t filled; /* TSC of the last filling */
};

/*
 * Control core: the rate for `bps` bits a second (SHAPER_MIN_BPS to
 * SHAPER_MAX_BPS) where the TSC runs at tsc_hz; frames have at most frame_max bytes.
 */
void shaper_rate_set(struct shaper_rate *rate, uint64_t bps, uint64_t tsc_hz, uint32_t frame_max);

/* Worker: fills the bucket; returns how many bytes may be sent now, UINT64_MAX without a limit. */
static inline uint64_t shaper_budget(struct shaper *s, uint64_t now)
{
	const struct shaper_rate *rate = load_acquire(&s->rate);
	uint64_t elapsed = now - s->filled;

	if (!rate)
		return UINT64_MAX;
	s->filled = now;
	if (elapsed < rate->fill_ticks)
		s->tokens += (int64_t)(elapsed * rate->per_tick);
	else
		s->tokens = rate->depth;
	if (s->tokens > rate->depth)
		s->tokens = rate->depth;
	return s->tokens > 0 ? ((uint64_t)s->tokens + UINT32_MAX) >> 32 : 0;
}

/* Worker: so many bytes were sent. Without a limit nothing is kept. */
static inline void shaper_charge(struct shaper *s, uint64_t bytes)
{
	if (load_once(&s->rate))
		s->tokens -= (int64_t)(bytes << 32);
}

#endif
