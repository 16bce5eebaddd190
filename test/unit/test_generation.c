/* Each change that may alter a decision makes the next generation, and none comes by itself. */
#include "test/unit/router_fixture.h"

#include "net/table/generation.h"

static uint32_t last;

static bool is_new(void)
{
	bool differs = generation_now(&router.tables) != last;

	assert_int_not_equal(generation_now(&router.tables), GENERATION_NONE);
	last = generation_now(&router.tables);
	return differs;
}

static int setup_settled(void **state)
{
	start(2, 1);
	learn_hosts();
	turns(20);
	(void)is_new();
	return 0;
}

static void nothing_happens(void **state)
{
	turns(300);
	assert_false(is_new());
}

static void settings(void **state)
{
	struct config c = base_config();

	c.iface[0].urpf = URPF_STRICT;
	configure(&c, NULL);
	assert_true(is_new());
	c.martians = MARTIAN_CLASS_E;
	configure(&c, NULL);
	assert_true(is_new());
	c.iface[2].disabled = true;
	configure(&c, NULL);
	assert_true(is_new());
	turns(20);
	(void)is_new();
	nothing_happens(state);
}

static void routes(void **state)
{
	struct config c = base_config();

	c.routes--;
	configure(&c, NULL);
	assert_true(is_new());
	uint32_t nh;

	/* In place, as a neighbour's route comes. */
	assert_int_equal(
		nexthop_get(&router.nexthops, NEXTHOP_BLACKHOLE, 0, 0, NULL, 0, &nh), ERR_OK);
	struct route4 route = {.prefix = IP(99, 0, 0, 0), .length = 8, .nexthop = nh};

	turns(20);
	(void)is_new();
	assert_int_equal(rib4_add(&router.rib, &route), ERR_OK);
	assert_false(is_new());
	turns(1);
	assert_true(is_new());
	turns(20);
	assert_false(is_new());
}

static void links(void **state)
{
	memdev_set_link(dev[1], false);
	turns(300);
	assert_true(is_new());
	memdev_set_link(dev[1], true);
	turns(300);
	assert_true(is_new());
}

static void never_none(void **state)
{
	router.tables.generation = UINT32_MAX;
	generation_next(&router.tables);
	assert_int_not_equal(router.tables.generation, GENERATION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_happens, setup_settled, teardown),
		cmocka_unit_test_setup_teardown(settings, setup_settled, teardown),
		cmocka_unit_test_setup_teardown(routes, setup_settled, teardown),
		cmocka_unit_test_setup_teardown(links, setup_settled, teardown),
		cmocka_unit_test_setup_teardown(never_none, setup_settled, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
