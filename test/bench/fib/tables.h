/* The routes of a benchmark: from files, or from the generator. */
#ifndef TEST_BENCH_FIB_TABLES_H
#define TEST_BENCH_FIB_TABLES_H

#include <stdint.h>

#include "test/model/routegen.h"

/* Routes of one family, sorted, no prefix twice; next hops from 1. */
struct table {
	struct routegen_route *route;
	uint32_t n, nexthops;
};

/*
 * Reads files, plain or .gz, in fibgen's format or `PREFIX INDEX` a line, both
 * families mixed as they like. Without files: 900,000 and 160,000 generated
 * routes, 64 next hops. Exits with a message if a file is not good.
 */
void tables_load(char *const *file, int files, struct table *v4, struct table *v6);

#endif
