/* Grace periods: none ends before every reader has passed a quiescent point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "lib/rcu.h"

static void test_no_readers(void **state)
{
	static struct rcu rcu;
	static struct rcu_grace grace;
	unsigned holdout;

	rcu_grace_start(&rcu, &grace);
	assert_true(rcu_grace_done(&rcu, &grace, &holdout));
}

static void test_each_reader(void **state)
{
	static struct rcu rcu = {.readers = 3};
	static struct rcu_grace grace, later;
	unsigned holdout = 99;

	rcu_quiescent(&rcu.reader[0]); /* before the start: does not count */
	rcu_grace_start(&rcu, &grace);
	assert_false(rcu_grace_done(&rcu, &grace, &holdout));
	assert_int_equal(holdout, 0);
	rcu_quiescent(&rcu.reader[0]);
	rcu_quiescent(&rcu.reader[2]);
	rcu_quiescent(&rcu.reader[2]);
	assert_false(rcu_grace_done(&rcu, &grace, &holdout));
	assert_int_equal(holdout, 1); /* the one that stands still is named */

	rcu_grace_start(&rcu, &later); /* independent of the first */
	rcu_quiescent(&rcu.reader[1]);
	assert_true(rcu_grace_done(&rcu, &grace, &holdout));
	assert_false(rcu_grace_done(&rcu, &later, &holdout));
}

/* A count that wraps still moves. */
static void test_wrap(void **state)
{
	static struct rcu rcu = {.readers = 1};
	static struct rcu_grace grace;
	unsigned holdout;

	rcu.reader[0].quiescent = UINT64_MAX;
	rcu_grace_start(&rcu, &grace);
	rcu_quiescent(&rcu.reader[0]);
	assert_true(rcu_grace_done(&rcu, &grace, &holdout));
}

/* A reader never sees the poison that follows a grace period. */
static struct rcu live = {.readers = 1};
static uint32_t *published;
static bool stop, poisoned;

static void *reader(void *arg)
{
	while (!load_acquire(&stop)) {
		uint32_t *p = load_acquire(&published);

		for (unsigned i = 0; i < 64; i++)
			if (load_once(p) == 0xdead)
				store_once(&poisoned, true);
		rcu_quiescent(&live.reader[0]);
		sched_yield();
	}
	return NULL;
}

static void test_threads(void **state)
{
	static uint32_t value[2] = {1, 1};
	pthread_t thread;
	unsigned holdout;

	published = &value[0];
	assert_int_equal(pthread_create(&thread, NULL, reader, NULL), 0);
	for (unsigned round = 0; round < 500; round++) {
		uint32_t *old = &value[round % 2], *new = &value[1 - round % 2];
		static struct rcu_grace grace;

		store_once(new, 1);
		store_release(&published, new);
		rcu_grace_start(&live, &grace);
		while (!rcu_grace_done(&live, &grace, &holdout))
			sched_yield();
		store_once(old, 0xdead);
	}
	store_release(&stop, true);
	pthread_join(thread, NULL);
	assert_false(poisoned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_readers),
		cmocka_unit_test(test_each_reader),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
