/*
 * A token bucket: of an output (shaper.h), of an input (meter.h).
 *
 * Tokens are bytes of Ethernet frames (as counted: without FCS, preamble and
 * gap), in units of 2^-32 byte so that a tick of the time stamp counter can add
 * a fraction: filling is one multiplication. Who has any tokens may overdraw them by
 * less than a burst; the debt is paid before the next, so the mean rate is exact.
 * One worker owns a bucket; the control core makes what it is filled by.
 */
#ifndef NET_PATH_BUCKET_H
#define NET_PATH_BUCKET_H

#include <stdint.h>

#define BUCKET_BYTE (UINT64_C(1) << 32) /* tokens of one byte */

/* Constant while published. */
struct bucket_rate {
	uint64_t per_tick;   /* tokens of one TSC tick */
	uint64_t fill_ticks; /* after so many the bucket is full, however deep the debt */
	int64_t depth;       /* tokens of a full bucket */
};

struct bucket {
	int64_t tokens;
	uint64_t filled; /* TSC of the last filling */
};

/*
 * Control core: `bps` bits a second (up to 2^40) where the TSC runs at tsc_hz; a full
 * bucket holds `depth` bytes, 1 to 2^30, what is more is cut. The rounding is below
 * 0.1 % from 8 kbit/s on, up to 4 GHz.
 */
void bucket_rate_set(struct bucket_rate *rate, uint64_t bps, uint64_t tsc_hz, uint64_t depth);

/* Its worker: adds what is due at `now` (TSC). */
static inline void bucket_fill(struct bucket *b, const struct bucket_rate *rate, uint64_t now)
{
	uint64_t elapsed = now - b->filled;

	b->filled = now;
	if (elapsed < rate->fill_ticks)
		b->tokens += (int64_t)(elapsed * rate->per_tick);
	else
		b->tokens = rate->depth;
	if (b->tokens > rate->depth)
		b->tokens = rate->depth;
}

/* Its worker: so many bytes have passed. */
static inline void bucket_charge(struct bucket *b, uint64_t bytes)
{
	b->tokens -= (int64_t)(bytes * BUCKET_BYTE);
}

#endif
