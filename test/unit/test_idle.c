/* What an idle core does: pauses only, or sleeps longer and longer after a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/idle.h"
#include "test/model/platform.h"

static void test_poll_never_sleeps(void **state)
{
	struct idle idle = {0};

	model_platform.now_us = 5;
	for (unsigned i = 0; i < 1000; i++)
		assert_false(idle_wait(&idle, false));
}

static void test_relaxed(void **state)
{
	struct idle idle = {0};
	uint64_t start = model_platform.now_us = 5, slept, last = 0;

	/* not at once */
	while (!idle_wait(&idle, true))
		;
	assert_in_range(model_platform.now_us - start, IDLE_AFTER_US, IDLE_AFTER_US + 200);
	/* then longer and longer, but never longer than a millisecond */
	for (unsigned i = 0; i < 20; i++) {
		uint64_t before = model_platform.now_us;

		assert_true(idle_wait(&idle, true));
		slept = model_platform.now_us - before;
		assert_true(slept >= last && slept <= IDLE_SLEEP_MAX_US);
		last = slept;
	}
	assert_int_equal(last, IDLE_SLEEP_MAX_US);
	/* work: it starts anew; and the setting may change at any time */
	assert_false(idle_wait(&idle, false));
	idle_reset(&idle);
	start = model_platform.now_us;
	assert_false(idle_wait(&idle, true));
	while (!idle_wait(&idle, true))
		;
	assert_true(model_platform.now_us - start >= IDLE_AFTER_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poll_never_sleeps),
		cmocka_unit_test(test_relaxed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
