/*
 * What workers look up, published by the control core under RCU.
 *
 * The FIB is replaced as a whole (one pointer); adjacencies change in place by
 * the rules in nexthop.h. pool_port tells the ingress port of a buffer's pool.
 */
#ifndef NET_TABLE_TABLES_H
#define NET_TABLE_TABLES_H

#include <stdint.h>

#include "lib/limits.h"
#include "net/table/fib4.h"
#include "net/table/nexthop.h"

struct tables {
	const struct fib4 *fib4;     /* load_acquire */
	struct adjacency *adjacency; /* NEXTHOP_MAX of them */
	uint8_t pool_port[POOL_MAX]; /* constant after boot */
};

#endif
