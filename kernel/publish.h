/*
 * Publication of tables to the workers: the FIBs follow the RIBs, and what they
 * no longer use is freed after a grace period. Control core only.
 *
 * A FIB changes in place, one prefix after another, as neighbours come and go. What
 * a commit changes becomes visible all at once: a second pair of FIBs, which no
 * worker reads, follows the RIBs first and takes the place of the first. No work
 * here takes longer than a slice.
 */
#ifndef KERNEL_PUBLISH_H
#define KERNEL_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/router.h"
#include "net/table/fibimage.h"

/* Allocates the FIBs, empty, for as many routes as the RIBs hold. Boot only. false: no memory. */
bool publish_init(struct router *r);

/*
 * Puts a table that was made elsewhere in force, in both pairs: as fibimage_load,
 * with its result. Boot only.
 */
MUST_CHECK const char *publish_load(struct router *r, const struct fibimage *image);

/* One slice: goes on following the RIBs, ends and begins a grace period. Never blocks. */
void publish_turn(struct router *r);

/* The RIBs still get routes that the FIBs have already (compiled.h). */
bool publish_filling(const struct router *r);

/* The FIBs have followed every change, as far as there was room, and the RIBs are whole. */
bool publish_idle(const struct router *r);

/* The same, and all found room: the FIBs answer as the RIBs do. */
bool publish_current(const struct router *r);

/* The FIBs have followed every change, and nothing waits to be freed. */
bool publish_settled(const struct router *r);

/* Makes all of both FIBs anew from the RIBs, in slices, while they stay in force. */
void publish_rebuild(struct router *r);

/* Something else left the workers' view: publish_settled waits until all have passed. */
void publish_want_grace(void);

/*
 * A commit: from publish_hold on, what workers read stays as it is however the
 * RIBs change, and publish_turn brings the pair that stands by up to date.
 * publish_release ends that: with `swap`, and only once publish_is_ready, the
 * workers read that pair from now on; else the one they have follows in place.
 */
void publish_hold(void);
bool publish_is_ready(const struct router *r);
bool publish_standby_is_read(void); /* by some worker, since the last swap: it cannot begin */
void publish_release(struct router *r, bool swap);

/* For 'show fib'. */
struct publish_stats {
	bool current;       /* publish_current */
	bool no_room;       /* some addresses keep old answers: a FIB was full; tried again later */
	uint32_t waiting;   /* changed prefixes not yet followed */
	uint32_t to_come;   /* compiled-in routes that the RIBs do not have yet */
	uint64_t update_us; /* when the last change was followed, since entry */
	uint64_t build_us;  /* when a FIB was last made anew, wholly; 0: never */
	uint64_t build_took_us;
};
void publish_stats(const struct router *r, struct publish_stats *stats);

#endif
