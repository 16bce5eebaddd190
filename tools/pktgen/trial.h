/* One trial: an order given to the engine, and what came of it in numbers. */
#ifndef PKTGEN_TRIAL_H
#define PKTGEN_TRIAL_H

#include <signal.h>

#include "tools/pktgen/engine.h"

/* Parts per million at which latency is told. */
#define TRIAL_QUANTILES 4u
extern const uint32_t trial_quantile[TRIAL_QUANTILES]; /* 500000, 900000, 990000, 999000 */
extern const char *const trial_quantile_name[TRIAL_QUANTILES];

struct trial_latency {
	double us[TRIAL_QUANTILES];
	double max_us, mean_us;
	uint64_t samples;
};

struct trial_stream {
	uint64_t sent, unplaced, forgiven, sent_bytes;
	uint64_t received, lost, reordered, duplicate, too_late;
	uint64_t back, faulty, fault[FAULTS];
	struct trial_latency latency;
};

struct trial {
	double rate;    /* asked for, packets per second; 0: saturation */
	double seconds; /* of sending */
	unsigned streams;
	struct trial_stream stream[STREAMS_MAX];
	struct trial_stream all;
	uint64_t corrupt, stale, foreign, shortest, frames_back;
	double offered_pps,
		received_pps; /* received: of the packets of this trial, over its time */
	double window[3];     /* packets per second that came back in 10 ms: p10, p50, p90 */
	double send_ticks, sink_ticks; /* per packet; without waiting */
	uint64_t stalls;
	double stall_us;
	bool drains; /* nothing was to come back */
	bool interrupted;
};

/*
 * Runs an order to its end; `label` stands in the progress line. *cancel (may be
 * set by a signal) ends it early. The traffic must fit the ports as they are.
 */
void trial_run(struct engine *e, const struct order *o, const char *label,
	const volatile sig_atomic_t *cancel, struct trial *result);

/* What came of an order that is done. */
void trial_sum(const struct engine *e, const struct order *o, struct trial *result);

/* (Unplaced and lost) / offered; what was faulty counts as lost. 0 if nothing was offered. */
double trial_loss(const struct trial *t);

/* Less was offered than asked for: the generator was late, or is too slow. */
bool trial_fell_short(const struct trial *t);

/* Nothing wrong was seen: no faulty or corrupt packet. Loss and order are not judged. */
bool trial_clean(const struct trial *t);

/* Sleeps; the controlling thread. */
void trial_pause(double seconds);

#endif
