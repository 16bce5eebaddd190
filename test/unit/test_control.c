/* The control core's tasks: what they write to the log, wait for, and have yet to do. */
#include "kernel/log.h"
#include "kernel/publish.h"
#include "kernel/verify.h"
#include "test/unit/router_fixture.h"

struct search {
	const char *line;
	unsigned found;
};

static void on_line(void *ctx, uint64_t us, const char *line)
{
	struct search *s = ctx;

	s->found += !strcmp(line, s->line);
}

/* How many lines of the log are exactly this. */
static unsigned logged(const char *line)
{
	struct search s = {.line = line};

	log_walk(on_line, &s);
	return s.found;
}

static void test_address_conflict(void **state)
{
	static const uint8_t other[6] = {2, 9, 9, 9, 9, 9};
	struct frame in;

	frame_arp(&in, 1, all, other, ROUTER(1), zero_mac, ROUTER(1));
	inject(1, &in);
	inject(1, &in);
	turns(3);
	assert_int_equal(logged("eth1: 02:09:09:09:09:09 uses our address 10.0.1.1"), 1);
	check_books();
}

static unsigned waits;

static void count_wait(void)
{
	waits++;
	answer_park();
}

/* A rate is written again two commits later: each waits until no worker reads the one of before. */
static void test_new_rate_waits_for_workers(void **state)
{
	struct config c = base_config();
	struct config_shape shape = {.iface = "eth1"};

	turns(3);
	model_platform.relax = count_wait;
	c.shape = &shape;
	c.shapes = 1;
	for (unsigned i = 1; i <= 3; i++) {
		waits = 0;
		shape.bps = i * 1000000;
		configure(&c, NULL);
		assert_true(waits > 0);
	}
}

/* The control core has a slice to go on with as long as a FIB follows: it must not fall asleep. */
static void test_following_is_work(void **state)
{
	turns(3);
	assert_false(control_turn(&router));
	for (uint32_t i = 0; i < 10000; i++) {
		struct route4 route = {.prefix = IP(100, 0, 0, 0) + (i << 8),
			.length = 24,
			.source = RIB_STATIC,
			.nexthop = NEXTHOP_BLACKHOLE};

		assert_int_equal(rib4_add(&router.rib, &route), ERR_OK);
	}
	model_platform.step_us = 50;
	unsigned slices = 0;

	while (!publish_idle(&router)) {
		bool more = control_turn(&router);

		assert_int_equal(more, !publish_idle(&router));
		slices++;
	}
	assert_true(slices > 10);
	verify_start(&router);
	assert_true(control_turn(&router));
	for (unsigned i = 0; i < 100000 && control_turn(&router); i++)
		;
	model_platform.step_us = 0;
	assert_false(control_turn(&router));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_address_conflict, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_new_rate_waits_for_workers, setup_workers, teardown),
		cmocka_unit_test_setup_teardown(test_following_is_work, setup_workers, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
