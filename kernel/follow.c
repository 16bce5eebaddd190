/* A pair of FIBs follows the RIBs: as the one that leads, or the one that trails. */
#include "kernel/follow.h"

#include "kernel/log.h"
#include "kernel/platform.h"

#define SLICE_STEPS 4u       /* steps between looks at the clock */
#define RETRY_US    1000000u /* after a FIB was full */
#define BRING       16u      /* routes that a step adds, while the RIB lacks some: see fibfill.h */

bool pair_init(struct pair *p, const struct fib4_limits *limits4, const struct fib6_limits *limits6)
{
	void *mem4 = platform_reserve(fib4_size(limits4), CACHE_LINE);
	void *mem6 = platform_reserve(fib6_size(limits6), CACHE_LINE);

	if (!mem4 || !mem6)
		return false;
	*p = (struct pair){.four.family = "IPv4", .six.family = "IPv6"};
	p->fib4 = fib4_init(mem4, limits4);
	p->fib6 = fib6_init(mem6, limits6);
	return true;
}

/* ---- following ---- */

static void build_begin(struct follower *f)
{
	f->building = true;
	f->build_start_us = platform_now_us();
}

static void build4(struct pair *p)
{
	build_begin(&p->four);
	p->job4 = fib4_job(0, 0);
}

static void build6(struct pair *p)
{
	build_begin(&p->six);
	p->job6 = fib6_job((struct ip6){0, 0}, 0);
}

/* There are changes that the other pair has taken and this one has not. */
static bool lags(const struct follower *f, const struct rib *rib)
{
	return f->lost || f->at != rib->change_head;
}

/* It has seen all changes of the RIB. */
static bool has_seen(const struct follower *f, const struct rib *rib)
{
	return !f->lost && !rib->change_lost && f->at == rib->change_tail;
}

/* Takes the next of the changes that the other pair took before. false: it lags no more. */
static bool take_after(struct follower *f, const struct rib *rib, struct rib_change *change)
{
	if (!lags(f, rib))
		return false;
	if (f->lost || rib->change_tail - f->at > RIB_CHANGES) {
		*change = (struct rib_change){{0, 0}, 0};
		f->at = rib->change_head;
		f->lost = false;
	} else {
		*change = rib->change[f->at++ % RIB_CHANGES];
	}
	return true;
}

/* Some steps of the leader. */
static enum err lead4(struct router *r, struct pair *p, struct pair *other, unsigned steps)
{
	if (r->rib.rib.change_lost) {
		build_begin(&p->four);
		other->four.lost = true;
	}
	enum err err = fib4_follow(p->fib4, &r->rib, &p->job4, steps);

	p->four.at = r->rib.rib.change_head;
	return err;
}

static enum err lead6(struct router *r, struct pair *p, struct pair *other, unsigned steps)
{
	if (r->rib6.rib.change_lost) {
		build_begin(&p->six);
		other->six.lost = true;
	}
	enum err err = fib6_follow(p->fib6, &r->rib6, &p->job6, steps);

	p->six.at = r->rib6.rib.change_head;
	return err;
}

/* Some steps of one that lags. */
static enum err trail4(struct router *r, struct pair *p, unsigned steps)
{
	struct rib_change c;
	enum err err = ERR_OK;

	for (; err == ERR_OK && steps > 0; steps--) {
		if (!p->job4.pending) {
			if (!take_after(&p->four, &r->rib.rib, &c))
				break;
			p->job4 = fib4_job((uint32_t)(c.key.hi >> 32), c.length);
		}
		if (rib_bring(&r->rib.rib, rib4_key(p->job4.next), BRING))
			err = fib4_job_step(p->fib4, &r->rib, &p->job4, 1);
	}
	return err;
}

static enum err trail6(struct router *r, struct pair *p, unsigned steps)
{
	struct rib_change c;
	enum err err = ERR_OK;

	for (; err == ERR_OK && steps > 0; steps--) {
		if (!p->job6.pending) {
			if (!take_after(&p->six, &r->rib6.rib, &c))
				break;
			p->job6 = fib6_job(c.key, c.length);
		}
		if (rib_bring(&r->rib6.rib, p->job6.next, BRING))
			err = fib6_job_step(p->fib6, &r->rib6, &p->job6, 1);
	}
	return err;
}

/*
 * A step found no room. true: it is to be repeated after a grace period; else
 * these addresses keep their old answers for now. It waits once: what a step
 * that fails has begun and let go asks for a grace period, too.
 */
static bool follow_stalls(struct follower *f, bool room_may_come)
{
	f->stalled = !f->waited && room_may_come;
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

static void follow_done(struct pair *p, struct follower *f, bool pending)
{
	uint64_t now = platform_now_us();

	p->update_us = now;
	p->stepped = true;
	if (!f->building || pending)
		return;
	f->building = false;
	p->build_us = now;
	p->build_took_us = now - f->build_start_us;
}

/* Some steps for IPv4. true: there may be more to do now. */
static bool follow4(struct router *r, struct pair *p, struct pair *other)
{
	struct follower *f = &p->four;
	bool trails = lags(f, &r->rib.rib);
	enum err err;

	if (f->stalled ||
		!(p->job4.pending || trails || (p->leads && rib_has_changes(&r->rib.rib))))
		return false;
	if (trails || !p->leads)
		err = trail4(r, p, follow_steps(f));
	else
		err = lead4(r, p, other, follow_steps(f));
	if (err == ERR_OK)
		f->waited = false;
	else if (!follow_stalls(f, fib4_wants_grace(p->fib4) || p->in_grace))
		fib4_job_skip(&p->job4);
	follow_done(p, f, p->job4.pending);
	return true;
}

static bool follow6(struct router *r, struct pair *p, struct pair *other)
{
	struct follower *f = &p->six;
	bool trails = lags(f, &r->rib6.rib);
	enum err err;

	if (f->stalled ||
		!(p->job6.pending || trails || (p->leads && rib_has_changes(&r->rib6.rib))))
		return false;
	if (trails || !p->leads)
		err = trail6(r, p, follow_steps(f));
	else
		err = lead6(r, p, other, follow_steps(f));
	if (err == ERR_OK)
		f->waited = false;
	else if (!follow_stalls(f, fib6_wants_grace(p->fib6) || p->in_grace))
		fib6_job_skip(&p->job6);
	follow_done(p, f, p->job6.pending);
	return true;
}

bool pair_is_idle(const struct router *r, const struct pair *p)
{
	return !p->job4.pending && has_seen(&p->four, &r->rib.rib) && !p->job6.pending &&
	       has_seen(&p->six, &r->rib6.rib);
}

bool pair_is_current(const struct router *r, const struct pair *p)
{
	return pair_is_idle(r, p) && !p->four.behind && !p->six.behind;
}

/* What found no room is tried again, wholly, now and then. */
static void follow_retry(const struct router *r, struct pair *p)
{
	uint64_t now = platform_now_us();

	if (p->four.behind && !p->job4.pending && now >= p->four.retry_us) {
		p->four.behind = false;
		build4(p);
	}
	if (p->six.behind && !p->job6.pending && now >= p->six.retry_us) {
		p->six.behind = false;
		build6(p);
	}
	if (pair_is_current(r, p))
		p->four.told = p->six.told = false;
}

bool pair_follow(struct router *r, struct pair *p, struct pair *other, uint64_t start_us)
{
	bool more;

	follow_retry(r, p);
	do { /* a little even if there is no time: it must come to an end */
		more = follow4(r, p, other);
		more |= follow6(r, p, other);
		if (!p->is_read)
			pair_tidy(p);
	} while (more && platform_now_us() - start_us < FOLLOW_US);
	return more;
}

void pair_rebuild(struct pair *p)
{
	build4(p);
	build6(p);
}

/* ---- grace periods ---- */

bool pair_wants_grace(const struct pair *p)
{
	return fib4_wants_grace(p->fib4) || fib6_wants_grace(p->fib6);
}

void pair_grace_begin(struct pair *p)
{
	p->in_grace = true;
	fib4_grace_begin(p->fib4);
	fib6_grace_begin(p->fib6);
}

void pair_grace_passed(struct pair *p)
{
	p->in_grace = false;
	p->four.stalled = p->six.stalled = false;
	fib4_grace_passed(p->fib4);
	fib6_grace_passed(p->fib6);
}

void pair_tidy(struct pair *p)
{
	pair_grace_passed(p); /* of what a grace period had begun for */
	pair_grace_begin(p);
	pair_grace_passed(p);
}
