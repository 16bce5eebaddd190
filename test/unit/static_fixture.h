/* Two interfaces, next hops and static routes, of whichever family the program's tables are. */
#ifndef TEST_UNIT_STATIC_FIXTURE_H
#define TEST_UNIT_STATIC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/table/static_route.h"
#include "test/model/tables.h"

static struct nexthop_table t;
static struct iface iface[2];
static struct rib *routes; /* the program's table, from its setup on */

/* The program's own: takes an interface down. */
static void down(unsigned p);

static inline int teardown(void **state)
{
	model_rib_free(routes);
	model_nexthops_free(&t);
	return 0;
}

static inline enum err refresh(struct static_route *s, unsigned n)
{
	return static_refresh(s, n, iface, 2, routes, &t);
}

static inline void assert_nothing_left(struct static_route *s, unsigned n)
{
	static_withdraw(s, n, routes, &t);
	down(0);
	down(1);
	assert_int_equal(routes->count, 0);
	for (unsigned i = 1; i < NEXTHOP_MAX; i++)
		assert_int_equal(t.nexthop[i].refs, 0);
}

#endif
