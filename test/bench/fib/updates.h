/* How fast routes come and go while another core looks up, and what that costs it. */
#ifndef TEST_BENCH_FIB_UPDATES_H
#define TEST_BENCH_FIB_UPDATES_H

#include "net/table/fib4.h"
#include "net/table/fib6.h"
#include "net/table/rib.h"
#include "test/bench/fib/tables.h"

struct spread {
	double median, min, max;
};

struct updates {
	struct spread announce_per_s, withdraw_per_s; /* RIB and FIB together */
	struct spread slowdown_pct;                   /* of the reader */
};

/* The median of n values, which are sorted, and their ends. */
struct spread spread_of(double *value, int n);

/*
 * Withdraws routes drawn at random and announces them again, `rounds` times,
 * while a thread on `core` looks up keys (of IPv4 the top 32 bits). Exactly one
 * of fib4 and fib6 is given. The tables are the same afterwards.
 */
struct updates updates_run(struct rib4 *rib4, struct fib4 *fib4, struct rib6 *rib6,
	struct fib6 *fib6, const struct table *t, const struct ip6 *key, uint32_t keys,
	unsigned core, int rounds);

#endif
