/* Addresses to look up, in the patterns of a benchmark. */
#ifndef TEST_BENCH_FIB_KEYS_H
#define TEST_BENCH_FIB_KEYS_H

#include <stdint.h>

#include "test/bench/fib/tables.h"

enum pattern {
	PATTERN_RND,   /* uniform over all addresses; for IPv6 over 2000::/3 */
	PATTERN_HIT,   /* a random host of a random route */
	PATTERN_ZIPF,  /* 65,536 flows of that kind, by Zipf's law with s = 1 */
	PATTERN_REP16, /* as hit, each key 16 times */
	PATTERNS
};

extern const char *const pattern_name[PATTERNS];

/* n addresses; those of IPv4 are the top 32 bits. */
void keys_make(enum pattern pattern, const struct table *t, int v6, struct ip6 *key, uint32_t n);

#endif
