/*
 * DPDK's rte_fib and rte_fib6, for comparison; and its memory, from which our
 * tables and the keys come as well, so that all lie in the same kind of pages.
 */
#ifndef TEST_BENCH_FIB_RIVALS_H
#define TEST_BENCH_FIB_RIVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/bench/fib/tables.h"

#define RIVAL_FORMS 4 /* of looking up, at most */

struct rival {
	char name[32];
	void *fib;
	unsigned next_hop_bytes;
	int v6;
	const char *form[RIVAL_FORMS];
	int forms;    /* that this machine can run */
	size_t bytes; /* its table of 2^24, and as many groups of 256 as it was given */
	double build_ms;
};

/* Starts DPDK on one core, with huge pages or without. Exits if it does not start. */
void rivals_begin(bool huge, unsigned core);

/* Zeroed, on a cache line of its own; exits if there is no more. */
void *rivals_memory(size_t bytes);

/* Builds a table. false: it cannot hold these routes. */
bool rival_make(struct rival *r, const struct table *t, int v6, unsigned next_hop_bytes);
void rival_free(struct rival *r);

/* Looks up by form number `form`: n IPv4 addresses, or n IPv6 ones in wire order. */
void rival_select(const struct rival *r, int form);
void rival_lookup4(const struct rival *r, const uint32_t *dst, uint64_t *nh, unsigned n);
void rival_lookup6(const struct rival *r, uint8_t (*dst)[16], uint64_t *nh, unsigned n);

#endif
