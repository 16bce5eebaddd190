/*
 * The search for the highest load that loses no more than it may.
 *
 * Pure logic: it says what to measure next, and is told what came of it. With one
 * phase it is the binary search of RFC 2544 26.1. With several it does as
 * MLRsearch (draft-ietf-bmwg-mlrsearch) does: several loss ratios at once, in
 * phases of longer and longer trials and narrower and narrower intervals, each
 * beginning where the one before ended. Only trials as long as the phase's
 * decide in it.
 *
 * A load counts as good only if no smaller one was bad in a trial as long.
 */
#ifndef PKTGEN_SEARCH_H
#define PKTGEN_SEARCH_H

#include <stdbool.h>

#define SEARCH_GOALS  4u
#define SEARCH_TRIALS 512u

struct search_trial {
	double load, seconds;
	double loss; /* ratio, 0 to 1 */
};

struct search {
	/* Set by the user. */
	double min, max;        /* loads */
	double precision;       /* (upper - lower) / upper at the end */
	double first_s, last_s; /* of trials, in the first and the last phase */
	unsigned phases;
	unsigned goals;
	double goal[SEARCH_GOALS]; /* loss ratios */

	/* What was measured. */
	unsigned trials;
	struct search_trial trial[SEARCH_TRIALS];
};

struct search_bounds {
	double lower, upper; /* 0: no load was good; 0: none was bad */
	bool has_lower, has_upper;
};

/* What to measure next. false: nothing, all goals are found (or too many trials were needed). */
bool search_next(const struct search *s, double *load, double *seconds);

/* What came of a trial. */
void search_note(struct search *s, double load, double seconds, double loss);

/* The result for a goal, from trials of the last phase's length. */
struct search_bounds search_result(const struct search *s, unsigned goal);

#endif
