/* The FIBs follow the RIBs in slices; grace periods are waited out one at a time. */
#include "kernel/publish.h"

#include "kernel/compiled.h"
#include "kernel/log.h"
#include "kernel/platform.h"

#define SLICE_US      300u     /* work of one turn, about: tasks share 1 ms */
#define SLICE_STEPS   4u       /* steps between looks at the clock */
#define RETRY_US      1000000u /* after a FIB was full */
#define GRACE_WARN_US 1000000u /* a worker that has not passed by then is named in the log */

/* How one FIB follows its RIB. */
struct follower {
	const char *family;
	bool stalled;      /* room may come with the end of a grace period */
	bool waited;       /* it has ended since, and the step that failed is tried again */
	bool behind;       /* some addresses have old answers: there was no room */
	bool told;         /* in the log */
	bool building;     /* the job is to make all of it anew */
	uint64_t retry_us; /* when to try again, if behind */
	uint64_t build_start_us;
};

static struct publish {
	struct follower four, six;
	struct fib4_job job4;
	struct fib6_job job6;
	uint64_t update_us, build_us, build_took_us;
	bool in_grace;
	bool wanted; /* by publish_want_grace */
	bool warned;
	uint64_t grace_us; /* when the grace period began */
	struct rcu_grace grace;
} publish;

/* ---- memory ---- */

bool publish_init(struct router *r)
{
	struct fib4_limits limits4 = fib4_limits_for(r->rib.rib.max - 1);
	struct fib6_limits limits6 = fib6_limits_for(r->rib6.rib.max - 1);
	void *mem4 = platform_reserve(fib4_size(&limits4), CACHE_LINE);
	void *mem6 = platform_reserve(fib6_size(&limits6), CACHE_LINE);

	if (!mem4 || !mem6)
		return false;
	publish = (struct publish){.four.family = "IPv4", .six.family = "IPv6"};
	fib4_select(platform_isa());
	fib6_select(platform_isa());
	r->fib4 = fib4_init(mem4, &limits4);
	r->fib6 = fib6_init(mem6, &limits6);
	r->tables.fib4 = r->fib4;
	r->tables.fib6 = r->fib6;
	return true;
}

/* ---- following ---- */

static void build_begin(struct follower *f)
{
	f->building = true;
	f->build_start_us = platform_now_us();
}

static void build4(void)
{
	build_begin(&publish.four);
	publish.job4 = fib4_job(0, 0);
}

static void build6(void)
{
	build_begin(&publish.six);
	publish.job6 = fib6_job((struct ip6){0, 0}, 0);
}

/*
 * A step found no room. true: it is to be repeated after a grace period; else
 * these addresses keep their old answers for now. It waits once: what a step
 * that fails has begun and let go asks for a grace period, too.
 */
static bool follow_stalls(struct follower *f, bool wants_grace)
{
	f->stalled = !f->waited && (wants_grace || publish.in_grace);
	f->waited = f->stalled;
	if (f->stalled)
		return true;
	if (!f->told)
		log_text("fib: no room for all %s routes; some addresses keep their old next hops",
			f->family);
	f->told = true;
	f->behind = true;
	f->retry_us = platform_now_us() + RETRY_US;
	return false;
}

static unsigned follow_steps(const struct follower *f)
{
	return f->waited ? 1 : SLICE_STEPS; /* so that it is known which one fails */
}

static void follow_done(struct follower *f, bool pending)
{
	uint64_t now = platform_now_us();

	publish.update_us = now;
	if (!f->building || pending)
		return;
	f->building = false;
	publish.build_us = now;
	publish.build_took_us = now - f->build_start_us;
}

/* Some steps for IPv4. true: there may be more to do now. */
static bool follow4(struct router *r)
{
	struct follower *f = &publish.four;
	struct fib4_job *job = &publish.job4;

	if (f->stalled || !(job->pending || rib_has_changes(&r->rib.rib)))
		return false;
	if (r->rib.rib.change_lost)
		build_begin(f);
	if (fib4_follow(r->fib4, &r->rib, job, follow_steps(f)) == ERR_OK)
		f->waited = false;
	else if (!follow_stalls(f, fib4_wants_grace(r->fib4)))
		fib4_job_skip(job);
	follow_done(f, job->pending);
	return true;
}

static bool follow6(struct router *r)
{
	struct follower *f = &publish.six;
	struct fib6_job *job = &publish.job6;

	if (f->stalled || !(job->pending || rib_has_changes(&r->rib6.rib)))
		return false;
	if (r->rib6.rib.change_lost)
		build_begin(f);
	if (fib6_follow(r->fib6, &r->rib6, job, follow_steps(f)) == ERR_OK)
		f->waited = false;
	else if (!follow_stalls(f, fib6_wants_grace(r->fib6)))
		fib6_job_skip(job);
	follow_done(f, job->pending);
	return true;
}

/* What found no room is tried again, wholly, now and then. */
static void follow_retry(struct router *r)
{
	uint64_t now = platform_now_us();

	if (publish.four.behind && !publish.job4.pending && now >= publish.four.retry_us) {
		publish.four.behind = false;
		build4();
	}
	if (publish.six.behind && !publish.job6.pending && now >= publish.six.retry_us) {
		publish.six.behind = false;
		build6();
	}
	if (publish_current(r))
		publish.four.told = publish.six.told = false;
}

static void follow(struct router *r)
{
	uint64_t start = platform_now_us();
	bool more = true;

	follow_retry(r);
	while (more && platform_now_us() - start < SLICE_US) {
		more = follow4(r);
		more |= follow6(r);
		if (!more) /* changes come first */
			more = compiled_fill();
	}
}

/* ---- grace periods ---- */

bool publish_filling(const struct router *r)
{
	return r->rib.rib.supply || r->rib6.rib.supply;
}

bool publish_idle(const struct router *r)
{
	return !publish.job4.pending && !rib_has_changes(&r->rib.rib) && !publish.job6.pending &&
	       !rib_has_changes(&r->rib6.rib) && !publish_filling(r);
}

/* Then a FIB names only next hops that its RIB names: freed ones may begin their grace period. */
bool publish_current(const struct router *r)
{
	return publish_idle(r) && !publish.four.behind && !publish.six.behind;
}

static bool grace_is_wanted(const struct router *r)
{
	return publish.wanted || fib4_wants_grace(r->fib4) || fib6_wants_grace(r->fib6) ||
	       nexthop_wants_grace(&r->nexthops, publish_current(r));
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
	publish.four.stalled = publish.six.stalled = false;
	fib4_grace_passed(r->fib4);
	fib6_grace_passed(r->fib6);
	nexthop_grace_passed(&r->nexthops);
}

static void grace_begin(struct router *r)
{
	if (publish.in_grace || !grace_is_wanted(r))
		return;
	fib4_grace_begin(r->fib4);
	fib6_grace_begin(r->fib6);
	nexthop_grace_begin(&r->nexthops, publish_current(r));
	rcu_grace_start(&r->rcu, &publish.grace);
	publish.in_grace = true;
	publish.wanted = false;
	publish.warned = false;
	publish.grace_us = platform_now_us();
}

/* ---- the whole ---- */

void publish_turn(struct router *r)
{
	grace_poll(r);
	follow(r);
	grace_begin(r);
}

bool publish_settled(const struct router *r)
{
	return publish_idle(r) && !publish.in_grace && !grace_is_wanted(r);
}

void publish_want_grace(void)
{
	publish.wanted = true;
}

void publish_rebuild(struct router *r)
{
	(void)r;
	build4();
	build6();
}

void publish_stats(const struct router *r, struct publish_stats *s)
{
	*s = (struct publish_stats){
		.current = publish_current(r),
		.no_room = publish.four.behind || publish.six.behind,
		.to_come = compiled_left(),
		.waiting = r->rib.rib.change_tail - r->rib.rib.change_head +
			   r->rib6.rib.change_tail - r->rib6.rib.change_head,
		.update_us = publish.update_us,
		.build_us = publish.build_us,
		.build_took_us = publish.build_took_us,
	};
}
