/* Packet capture: the rings' memory, and who gets one when. */
#include "kernel/capture.h"

#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/router_build.h"

#define SHARE 64u /* one part in so many of the spare memory at boot */

/* Of each ring: what the share allows, a power of two. */
static uint32_t ring_bytes(const struct router *r)
{
	uint32_t bytes = CAPTURE_RING_MAX;

	while (bytes > CAPTURE_RING_MIN && (uint64_t)bytes * r->actors > router_spare(r) / SHARE)
		bytes /= 2;
	return bytes;
}

bool captures_init(struct router *r)
{
	uint32_t bytes = ring_bytes(r);

	for (unsigned a = 0; a < r->actors; a++) {
		unsigned core = a == ACTOR_CONTROL ? 0 : r->worker[a - 1]->core;
		uint32_t node = platform_core(core)->node;
		struct capture *c = platform_alloc_near(sizeof *c, CACHE_LINE, node);
		uint8_t *ring = platform_alloc_near(bytes, CACHE_LINE, node);

		if (!c || !ring)
			return false;
		capture_init(c, ring, bytes);
		r->captures.of[a] = c;
	}
	return true;
}

/* Lanes that receive from the port see its drops, and the control core's those of all. */
static void show(struct router *r, bool on)
{
	const struct capture_plan *plan = &r->captures.plan;

	for (unsigned l = 0; l < r->lanes; l++) {
		struct lane *lane = &r->lane[l];
		bool asked = lane->port == plan->port || lane->actor == ACTOR_CONTROL;

		store_release(&lane->capture, on && asked ? r->captures.of[lane->actor] : NULL);
	}
	for (unsigned w = 0; w < r->workers; w++)
		store_release(&r->worker[w]->capture, on ? r->captures.of[w + 1] : NULL);
}

bool captures_idle(struct router *r)
{
	struct captures *c = &r->captures;
	unsigned holdout;

	if (c->leaving)
		c->leaving = !rcu_grace_done(&r->rcu, &c->grace, &holdout);
	return !c->on && !c->leaving;
}

void captures_begin(struct router *r, const struct capture_plan *plan)
{
	struct captures *c = &r->captures;

	c->plan = *plan;
	for (unsigned a = 0; a < r->actors; a++) {
		capture_reset(c->of[a], &c->plan);
		c->of[a]->now = platform_tsc();
	}
	c->of[ACTOR_CONTROL]->whole = r->stack.reassembly.whole;
	c->tsc = platform_tsc();
	c->ns = platform_now_us() * 1000;
	c->on = true;
	show(r, true);
}

void captures_end(struct router *r)
{
	struct captures *c = &r->captures;

	if (!c->on)
		return;
	show(r, false);
	c->on = false;
	c->leaving = true;
	rcu_grace_start(&r->rcu, &c->grace);
}

void captures_turn(struct router *r)
{
	if (r->captures.on)
		capture_turn(r->captures.of[ACTOR_CONTROL], platform_tsc());
}

const struct capture_record *captures_peek(struct router *r, struct capture **of)
{
	const struct capture_record *oldest = NULL;

	for (unsigned a = 0; a < r->actors; a++) {
		const struct capture_record *record = capture_peek(r->captures.of[a]);

		/* Counters of the cores may differ a little: differences, not values. */
		if (!record || (oldest && (int64_t)(record->time - oldest->time) >= 0))
			continue;
		oldest = record;
		*of = r->captures.of[a];
	}
	return oldest;
}

uint64_t captures_time(const struct router *r, const struct capture_record *record)
{
	int64_t ticks = (int64_t)(record->time - r->captures.tsc);
	uint64_t hz = platform_tsc_hz(), n = ticks < 0 ? 0 : (uint64_t)ticks;

	/* In two parts: a product of more than some seconds would not fit. */
	return r->captures.ns + n / hz * 1000000000u + n % hz * 1000000000u / hz;
}

void captures_counted(const struct router *r, struct capture_counters *sum)
{
	*sum = (struct capture_counters){0};
	for (unsigned a = 0; a < r->actors; a++) {
		const struct capture_counters *c = &r->captures.of[a]->counters;

		sum->full += load_once(&c->full);
		sum->beyond += load_once(&c->beyond);
		sum->matched += load_once(&c->matched);
	}
}
