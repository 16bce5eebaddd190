/* FIB publication under RCU, one grace period at a time. */
#include "kernel/publish.h"

#include "kernel/log.h"
#include "kernel/platform.h"
#include "net/table/fib4.h"

#define GRACE_WARN_US 1000000u /* a worker that has not passed by then is named in the log */

static struct {
	void *mem[2]; /* one holds the FIB in force; the other is spare */
	size_t size;
	unsigned spare; /* index of the one to build into */
	bool wanted;    /* the RIB changed since the last build */
	bool in_grace;
	bool warned;
	uint64_t grace_us; /* when the grace period began */
	struct rcu_grace grace;
} publish;

/* Builds into the spare memory and swaps. The old FIB is spare after a grace period. */
static bool publish_build(struct router *r)
{
	uint64_t start = platform_now_us();
	const struct fib4 *fib;

	if (fib4_build(publish.mem[publish.spare], publish.size, &r->rib, r->rib.generation,
		    &fib) != ERR_OK) {
		log_text("fib: %u routes do not fit; the old table stays in force", r->rib.count);
		publish.wanted = false;
		return false;
	}
	store_release(&r->tables.fib4, fib);
	publish.spare ^= 1;
	publish.wanted = false;
	r->fib_built_us = platform_now_us();
	r->fib_build_us = r->fib_built_us - start;
	return true;
}

bool publish_init(struct router *r)
{
	publish.size = fib4_size(RIB4_MAX);
	for (unsigned i = 0; i < 2; i++) {
		publish.mem[i] = platform_alloc(publish.size, CACHE_LINE);
		if (!publish.mem[i])
			return false;
	}
	return publish_build(r);
}

void publish_request(void)
{
	publish.wanted = true;
}

/* True when no grace period is under way any more. */
static bool publish_grace_over(struct router *r)
{
	unsigned holdout;

	if (!publish.in_grace)
		return true;
	if (!rcu_grace_done(&r->rcu, &publish.grace, &holdout)) {
		if (!publish.warned && platform_now_us() - publish.grace_us > GRACE_WARN_US) {
			log_text("rcu: worker %u on core %u does not answer; nothing is freed "
				 "under it",
				holdout, r->worker[holdout]->core);
			publish.warned = true;
		}
		return false;
	}
	publish.in_grace = false;
	nexthop_grace_passed(&r->nexthops);
	return true;
}

void publish_turn(struct router *r)
{
	if (!publish_grace_over(r))
		return;
	/* A freed next hop must have left the FIB before its grace period begins. */
	bool published = publish.wanted && publish_build(r);

	if (!published && !nexthop_wants_grace(&r->nexthops))
		return;
	nexthop_grace_begin(&r->nexthops);
	rcu_grace_start(&r->rcu, &publish.grace);
	publish.in_grace = true;
	publish.warned = false;
	publish.grace_us = platform_now_us();
}

bool publish_settled(const struct router *r)
{
	return !publish.wanted && !publish.in_grace && !nexthop_wants_grace(&r->nexthops);
}
