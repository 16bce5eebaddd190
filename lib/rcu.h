/*
 * Read-copy-update by quiescent counts (McKenney and Slingwine, PDCS 1998).
 *
 * A worker bumps its count once per turn of its loop, when it holds no pointer
 * to shared tables. The control core publishes a pointer with store_release,
 * then waits until every worker's count has moved before it reuses what the
 * old pointer named. Nothing here blocks: a grace period is polled.
 */
#ifndef LIB_RCU_H
#define LIB_RCU_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"

struct rcu_reader {
	alignas(CACHE_LINE) uint64_t quiescent; /* written by its worker alone */
};

struct rcu {
	struct rcu_reader reader[CORE_MAX];
	unsigned readers; /* workers 0 .. readers-1; set before they start */
};

/* A grace period under way; belongs to the control core. */
struct rcu_grace {
	uint64_t seen[CORE_MAX];
};

/* Worker: no pointer to published data is held now. */
static inline void rcu_quiescent(struct rcu_reader *reader)
{
	store_release(&reader->quiescent, reader->quiescent + 1);
}

/* Control core: begins a grace period. */
static inline void rcu_grace_start(const struct rcu *rcu, struct rcu_grace *grace)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the publication before the counts are read */
	for (unsigned i = 0; i < rcu->readers; i++)
		grace->seen[i] = load_acquire(&rcu->reader[i].quiescent);
}

/*
 * Control core: true when every worker has passed a quiescent point since the
 * start. Otherwise false, and *holdout is one worker that has not.
 */
static inline bool rcu_grace_done(
	const struct rcu *rcu, const struct rcu_grace *grace, unsigned *holdout)
{
	for (unsigned i = 0; i < rcu->readers; i++) {
		if (load_acquire(&rcu->reader[i].quiescent) == grace->seen[i]) {
			*holdout = i;
			return false;
		}
	}
	return true;
}

#endif
