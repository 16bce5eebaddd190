/*
 * A pair of FIBs, one of each family, that follows the RIBs in slices.
 *
 * There are two pairs. One leads: it takes the RIBs' changes out of their queue.
 * The other trails: it takes the same changes after it, from where they lie in the
 * queue's ring; if that has been written over meanwhile, it is made anew. Which
 * one leads may change at any time. Control core only.
 */
#ifndef KERNEL_FOLLOW_H
#define KERNEL_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/router.h"

#define FOLLOW_US 300u /* a slice: work of one turn, about; tasks share 1 ms */

/* How one FIB follows its RIB. */
struct follower {
	const char *family;
	uint32_t at;       /* the RIB's changes up to here are followed, or in the job */
	bool lost;         /* some of them cannot be had any more: it is to be made anew */
	bool stalled;      /* room may come with the end of a grace period */
	bool waited;       /* it has ended since, and the step that failed is tried again */
	bool behind;       /* some addresses have old answers: there was no room */
	bool told;         /* in the log */
	bool building;     /* the job is to make all of it anew */
	uint64_t retry_us; /* when to try again, if behind */
	uint64_t build_start_us;
};

struct pair {
	struct fib4 *fib4;
	struct fib6 *fib6;
	struct follower four, six;
	struct fib4_job job4;
	struct fib6_job job6;
	bool leads;    /* of the two */
	bool is_read;  /* workers may be reading it: what it lets go waits for a grace period */
	bool in_grace; /* one that concerns it is under way */
	bool stepped;  /* it has changed in place: see publish.c */
	uint64_t update_us, build_us, build_took_us; /* see publish_stats */
};

/* Two empty FIBs. Boot only. false: no memory. */
bool pair_init(
	struct pair *p, const struct fib4_limits *limits4, const struct fib6_limits *limits6);

/* Follows, some steps at least, until nothing is left to do (false) or the slice that began at
 * start_us is over. `other` is the one that trails if this one leads. */
bool pair_follow(struct router *r, struct pair *p, struct pair *other, uint64_t start_us);

/* All changes are followed, as far as there was room; the same, and all found room. */
bool pair_is_idle(const struct router *r, const struct pair *p);
bool pair_is_current(const struct router *r, const struct pair *p);

/* Makes all of it anew from the RIBs. */
void pair_rebuild(struct pair *p);

/* A grace period begins, has passed, for a pair that is read. */
bool pair_wants_grace(const struct pair *p);
void pair_grace_begin(struct pair *p);
void pair_grace_passed(struct pair *p);

/* Nobody reads it any more: what it no longer uses is free at once. */
void pair_tidy(struct pair *p);

#endif
