/* Waiting for the engine, and adding up what it has counted. */
#include "tools/pktgen/trial.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/pktgen/clock.h"
#include "tools/pktgen/say.h"

const uint32_t trial_quantile[TRIAL_QUANTILES] = {500000, 900000, 990000, 999000};
const char *const trial_quantile_name[TRIAL_QUANTILES] = {"p50", "p90", "p99", "p99.9"};

void trial_pause(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	nanosleep(&t, NULL);
}

/* ---- progress ---- */

struct glance {
	uint64_t time, sent, back, unplaced;
};

static struct glance look(const struct traffic *t)
{
	struct glance g = {.time = clock_now()};

	for (unsigned i = 0; i < t->streams; i++) {
		g.sent += load_once(&t->stream[i].sent);
		g.back += load_once(&t->stream[i].back);
		g.unplaced += load_once(&t->stream[i].unplaced);
	}
	return g;
}

static void progress(const struct engine *e, const char *label, const struct glance *from,
	const struct glance *to, uint64_t begin)
{
	double s = (double)(to->time - from->time) / e->ticks;
	struct stream_sum sum = {0, 0, 0, 0};
	const struct traffic *t = e->order.traffic;

	for (unsigned i = 0; i < t->streams; i++) {
		struct stream_sum one = traffic_sum(t, i);

		sum.received += one.received;
		sum.reordered += one.reordered;
		sum.duplicate += one.duplicate;
	}
	say_progress("%s %5.1f s  out %8.3f M/s  back %8.3f M/s  away %llu  unplaced %llu  "
		     "reordered %llu  twice %llu",
		label, (double)(to->time - begin) / e->ticks,
		(double)(to->sent - from->sent) / s / 1e6,
		(double)(to->back - from->back) / s / 1e6,
		(unsigned long long)(to->sent > sum.received ? to->sent - sum.received : 0),
		(unsigned long long)to->unplaced, (unsigned long long)sum.reordered,
		(unsigned long long)sum.duplicate);
}

static void wait_for(struct engine *e, const char *label, const volatile sig_atomic_t *cancel)
{
	struct glance before = look(e->order.traffic);
	uint64_t begin = before.time;

	while (!engine_done(e)) {
		struct glance now;

		trial_pause(0.005);
		if (cancel && *cancel)
			store_once(&e->stop, true);
		now = look(e->order.traffic);
		if ((double)(now.time - before.time) < 0.25 * e->ticks)
			continue;
		/* A new order begins with counters at zero. */
		if (now.sent >= before.sent)
			progress(e, label, &before, &now, begin);
		before = now;
	}
	say_progress("%s", "");
}

/* ---- sums ---- */

static struct trial_latency latency(const struct histogram *h, double ticks)
{
	struct trial_latency l = {.samples = histogram_total(h)};
	double sum = 0;

	for (unsigned i = 0; i < TRIAL_QUANTILES; i++)
		l.us[i] = (double)histogram_quantile(h, trial_quantile[i]) / ticks * 1e6;
	l.max_us = (double)h->max / ticks * 1e6;
	for (unsigned b = 0; b + 1 < HISTOGRAM_BUCKETS; b++)
		sum += (double)h->count[b] *
		       ((double)histogram_lowest(b) + (double)histogram_highest(b)) / 2;
	l.mean_us = l.samples ? sum / (double)l.samples / ticks * 1e6 : 0;
	return l;
}

static void sum_stream(const struct traffic *t, unsigned i, double ticks, struct trial_stream *r)
{
	const struct stream *s = &t->stream[i];
	struct stream_sum sum = traffic_sum(t, i);

	*r = (struct trial_stream){
		.sent = s->sent,
		.sent_bytes = s->sent_bytes,
		.unplaced = s->unplaced,
		.forgiven = s->forgiven,
		.received = sum.received,
		.lost = s->sent - sum.received,
		.reordered = sum.reordered,
		.duplicate = sum.duplicate,
		.too_late = sum.too_late,
		.back = s->back,
		.faulty = s->faulty,
		.latency = latency(&s->latency, ticks),
	};
	memcpy(r->fault, s->fault, sizeof r->fault);
}

static void add_stream(struct trial_stream *to, const struct trial_stream *r)
{
	to->sent += r->sent;
	to->sent_bytes += r->sent_bytes;
	to->unplaced += r->unplaced;
	to->forgiven += r->forgiven;
	to->received += r->received;
	to->lost += r->lost;
	to->reordered += r->reordered;
	to->duplicate += r->duplicate;
	to->too_late += r->too_late;
	to->back += r->back;
	to->faulty += r->faulty;
	for (unsigned i = 0; i < FAULTS; i++)
		to->fault[i] += r->fault[i];
}

static int order_of(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void sum_windows(const struct run *run, double *window)
{
	static float sorted[WINDOWS_MAX];
	unsigned n = run->windows;

	if (!n)
		return;
	memcpy(sorted, run->window, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, order_of);
	window[0] = (double)sorted[n / 10];
	window[1] = (double)sorted[n / 2];
	window[2] = (double)sorted[n * 9 / 10];
}

void trial_sum(const struct engine *e, const struct order *o, struct trial *r)
{
	const struct traffic *t = o->traffic;
	const struct run *run = &e->run;
	static struct histogram merged;

	memset(r, 0, sizeof *r);
	histogram_clear(&merged);
	r->rate = o->rate;
	r->drains = t->device == DEVICE_DRAIN;
	r->streams = t->streams;
	r->seconds = (double)(run->end - run->begin) / e->ticks;
	for (unsigned i = 0; i < t->streams; i++) {
		sum_stream(t, i, e->ticks, &r->stream[i]);
		add_stream(&r->all, &r->stream[i]);
		histogram_merge(&merged, &t->stream[i].latency);
	}
	r->all.latency = latency(&merged, e->ticks);
	for (unsigned i = 0; i < e->scenario->ports; i++) {
		const struct sink *k = &e->port[i].sink;

		r->corrupt += k->corrupt;
		r->stale += k->stale;
		r->foreign += k->foreign;
		r->shortest += k->shortest;
		r->frames_back += k->frames;
	}
	if (r->seconds > 0) {
		r->offered_pps = (double)(r->all.sent + r->all.unplaced) / r->seconds;
		r->received_pps = (double)r->all.received / r->seconds;
	}
	sum_windows(run, r->window);
	if (r->all.sent)
		r->send_ticks = (double)run->send_ticks / (double)r->all.sent;
	if (r->frames_back)
		r->sink_ticks = (double)run->sink_ticks / (double)r->frames_back;
	r->stalls = run->stalls;
	r->stall_us = (double)run->stall_ticks / e->ticks * 1e6;
	r->interrupted = run->interrupted;
}

void trial_run(struct engine *e, const struct order *o, const char *label,
	const volatile sig_atomic_t *cancel, struct trial *result)
{
	engine_order(e, o);
	wait_for(e, label, cancel);
	trial_sum(e, o, result);
}

double trial_loss(const struct trial *t)
{
	uint64_t offered = t->all.sent + t->all.unplaced;
	uint64_t lost = t->all.unplaced + (t->drains ? 0 : t->all.lost) + t->all.faulty;

	return offered ? (double)(lost < offered ? lost : offered) / (double)offered : 0;
}

bool trial_fell_short(const struct trial *t)
{
	return t->all.forgiven * 100 > t->all.sent + t->all.unplaced;
}

bool trial_clean(const struct trial *t)
{
	return !t->all.faulty && !t->corrupt;
}
