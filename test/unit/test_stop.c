/* Reboot and power-off: every device is stopped first, while the workers stand still. */
#include "test/unit/shell_fixture.h"

static jmp_buf halted;
static struct netdev_ops watched; /* the memory ports', but stop is seen */
static void (*real_stop)(struct netdev *dev);
static unsigned stops, stops_parked;

static bool workers_parked(void)
{
	for (unsigned w = 0; w < router.workers; w++)
		if (router.worker[w]->park_seen != router.park_request)
			return false;
	return router.park_request & 1;
}

static void stop_seen(struct netdev *d)
{
	stops++;
	stops_parked += workers_parked();
	real_stop(d);
}

static void on_halt(void)
{
	longjmp(halted, 1);
}

static int start(void **state)
{
	start_shell(state);
	watched = *dev[0]->ops;
	real_stop = watched.stop;
	watched.stop = stop_seen;
	for (unsigned i = 0; i < PORTS; i++)
		dev[i]->ops = &watched;
	stops = stops_parked = 0;
	model_platform.halted = on_halt;
	return 0;
}

static int stop(void **state)
{
	model_platform.halted = NULL;
	return stop_shell(state);
}

static void expect_stopped(const char *line, unsigned parked)
{
	if (setjmp(halted) == 0) {
		type(line);
		turns(10);
		fail_msg("'%s' did not end the machine", line);
	}
	assert_int_equal(stops, PORTS);
	assert_int_equal(stops_parked, parked);
	for (unsigned i = 0; i < PORTS; i++)
		assert_true(dev[i]->failed);
}

static void test_reboot(void **state)
{
	expect_stopped("reboot\r", PORTS);
}

static void test_poweroff(void **state)
{
	expect_stopped("poweroff\r", PORTS);
}

/* Its devices are stopped all the same. */
static void test_stuck_worker(void **state)
{
	model_platform.relax = NULL;
	expect_stopped("reboot\r", 0);
}

/* If the machine could not be ended, the workers go on, and no buffer is lost. */
static void test_books_after(void **state)
{
	struct audit a;

	expect_stopped("poweroff\r", PORTS);
	assert_int_equal(router.park_request & 1, 0);
	turns(10);
	audit_take(&router, &a);
	assert_true(a.parked);
	assert_string_equal(a.finding, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reboot, start, stop),
		cmocka_unit_test_setup_teardown(test_poweroff, start, stop),
		cmocka_unit_test_setup_teardown(test_stuck_worker, start, stop),
		cmocka_unit_test_setup_teardown(test_books_after, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
