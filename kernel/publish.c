/*
 * What workers read, and when: one of two pairs of FIBs; grace periods, one at a time.
 *
 * Workers read the active pair, which follows the RIBs in place. The other stands
 * by and follows after it. A commit holds the active pair, lets the other go
 * first, and then points the workers at that: all changes are in force with one
 * store a family (as in left-right, Ramalhete and Correia 2015).
 */
#include "kernel/publish.h"

#include "kernel/compiled.h"
#include "kernel/follow.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "lib/words.h"
#include "net/path/lane.h"
#include "net/table/generation.h"

#define GRACE_WARN_US 1000000u /* a worker that has not passed by then is named in the log */

/* Whether workers may still read the pair that stands by. */
enum leaving {
	LEFT,
	LEAVING_WANTS, /* they may, until the end of a grace period not yet begun */
	LEAVING,       /* ... of the one under way */
};

static struct publish {
	struct pair pair[2];
	unsigned active; /* of the two */
	bool held;       /* the active pair does not follow: see publish_hold */
	enum leaving leaving;
	bool in_grace;
	bool wanted; /* by publish_want_grace */
	bool warned;
	uint64_t grace_us;        /* when the grace period began */
	uint32_t nexthop_changes; /* told to the workers: see nexthop_table */
	struct rcu_grace grace;
} publish;

static struct pair *active(void)
{
	return &publish.pair[publish.active];
}

static struct pair *standby(void)
{
	return &publish.pair[!publish.active];
}

/* What workers read from now on, and who takes the RIBs' changes first. */
static void point_workers(struct router *r)
{
	active()->is_read = active()->leads = true;
	standby()->leads = false;
	r->fib4 = active()->fib4;
	r->fib6 = active()->fib6;
	store_release(&r->tables.fib4, r->fib4);
	store_release(&r->tables.fib6, r->fib6);
	generation_next(&r->tables);
}

bool publish_init(struct router *r)
{
	struct fib4_limits limits4 = fib4_limits_for(r->rib.rib.max - 1);
	struct fib6_limits limits6 = fib6_limits_for(r->rib6.rib.max - 1);

	publish = (struct publish){.active = 0};
	for (unsigned i = 0; i < 2; i++)
		if (!pair_init(&publish.pair[i], &limits4, &limits6))
			return false;
	fib4_select(platform_isa());
	fib6_select(platform_isa());
	path_select(platform_isa());
	steer_select(platform_isa());
	words_select(platform_isa());
	point_workers(r);
	return true;
}

const char *publish_load(struct router *r, const struct fibimage *image)
{
	const char *wrong = fibimage_load(image, r->fib4, r->fib6, &r->nexthops);

	if (!wrong && fibimage_copy(image, standby()->fib4, standby()->fib6) != ERR_OK)
		pair_rebuild(standby());
	return wrong;
}

/* The pair that stands by has what time is left, and all of it while the other is held. */
static void follow(struct router *r)
{
	uint64_t start = platform_now_us();
	bool more = false;

	if (!publish.held)
		more = pair_follow(r, active(), standby(), start);
	if (publish.leaving == LEFT)
		more |= pair_follow(r, standby(), active(), start);
	if (more)
		return;
	do /* routes that both have already: changes come first */
		more = compiled_fill();
	while (more && platform_now_us() - start < FOLLOW_US);
}

bool publish_filling(const struct router *r)
{
	return r->rib.rib.supply || r->rib6.rib.supply;
}

bool publish_idle(const struct router *r)
{
	return pair_is_idle(r, active()) && !publish_filling(r);
}

bool publish_current(const struct router *r)
{
	return pair_is_current(r, active()) && !publish_filling(r);
}

/* ---- grace periods ---- */

/* Then no FIB names a next hop that its RIB does not: freed ones may begin their grace period. */
static bool none_is_named(const struct router *r)
{
	return publish_current(r) && pair_is_current(r, standby());
}

static bool grace_is_wanted(const struct router *r)
{
	return publish.wanted || publish.leaving == LEAVING_WANTS || pair_wants_grace(active()) ||
	       nexthop_wants_grace(&r->nexthops, none_is_named(r));
}

/* Ends the grace period under way, if every worker has passed. */
static void grace_poll(struct router *r)
{
	unsigned holdout;

	if (!publish.in_grace)
		return;
	if (!rcu_grace_done(&r->rcu, &publish.grace, &holdout)) {
		if (!publish.warned && platform_now_us() - publish.grace_us > GRACE_WARN_US) {
			log_text("rcu: worker %u on core %u does not answer; nothing is freed "
				 "under it",
				holdout, r->worker[holdout]->core);
			publish.warned = true;
		}
		return;
	}
	publish.in_grace = false;
	if (active()->in_grace)
		pair_grace_passed(active());
	if (publish.leaving == LEAVING) {
		publish.leaving = LEFT;
		standby()->is_read = false;
		pair_tidy(standby());
	}
	nexthop_grace_passed(&r->nexthops);
}

static void grace_begin(struct router *r)
{
	if (publish.in_grace || !grace_is_wanted(r))
		return;
	pair_grace_begin(active());
	nexthop_grace_begin(&r->nexthops, none_is_named(r));
	if (publish.leaving == LEAVING_WANTS)
		publish.leaving = LEAVING;
	rcu_grace_start(&r->rcu, &publish.grace);
	publish.in_grace = true;
	publish.wanted = false;
	publish.warned = false;
	publish.grace_us = platform_now_us();
}

/* ---- the whole ---- */

/* What changed in place under the workers' eyes ends the decisions they keep. */
static void tell_workers(struct router *r)
{
	if (!active()->stepped && r->nexthops.changes == publish.nexthop_changes)
		return;
	active()->stepped = false;
	publish.nexthop_changes = r->nexthops.changes;
	generation_next(&r->tables);
}

void publish_turn(struct router *r)
{
	grace_poll(r);
	follow(r);
	tell_workers(r); /* before the grace period in which they forget */
	grace_begin(r);
}

bool publish_settled(const struct router *r)
{
	return publish_idle(r) && pair_is_idle(r, standby()) && !publish.in_grace &&
	       !grace_is_wanted(r);
}

void publish_want_grace(void)
{
	publish.wanted = true;
}

void publish_rebuild(struct router *r)
{
	(void)r;
	pair_rebuild(active());
}

/* ---- all changes at once ---- */

void publish_hold(void)
{
	publish.held = true;
	active()->leads = false;
	standby()->leads = true;
}

bool publish_is_ready(const struct router *r)
{
	return publish.leaving == LEFT && pair_is_idle(r, standby());
}

bool publish_standby_is_read(void)
{
	return publish.leaving != LEFT;
}

void publish_release(struct router *r, bool swap)
{
	publish.held = false;
	if (swap) {
		publish.active = !publish.active;
		publish.leaving = LEAVING_WANTS;
	}
	point_workers(r);
}

void publish_stats(const struct router *r, struct publish_stats *s)
{
	const struct pair *p = active();

	*s = (struct publish_stats){
		.current = publish_current(r),
		.no_room = p->four.behind || p->six.behind,
		.to_come = compiled_left(),
		.waiting =
			r->rib.rib.change_tail - p->four.at + r->rib6.rib.change_tail - p->six.at,
		.update_us = p->update_us,
		.build_us = p->build_us,
		.build_took_us = p->build_took_us,
	};
}
