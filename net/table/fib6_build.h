/* Making and changing the tree of an IPv6 table from the RIB. Control core. */
#ifndef NET_TABLE_FIB6_BUILD_H
#define NET_TABLE_FIB6_BUILD_H

#include "lib/err.h"
#include "net/table/fib6_store.h"

/*
 * Brings the chunk (a /24) whose reference stands in word `at` up to date for
 * the addresses of a prefix inside it, or of all of it. ERR_FULL: no room.
 */
MUST_CHECK enum err fib6_build(struct fib6 *f, const struct rib *rib, uint32_t at, struct ip6 chunk,
	struct ip6 prefix, unsigned length);

#endif
