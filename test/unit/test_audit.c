/* The audit: planted faults turn it red and are named; a worker that does not stop is named. */
#include "test/unit/router_fixture.h"

/* A leak, a double free and a wrong owner: the books disagree, and say where. */
static void test_planted_faults(void **state)
{
	struct pool *pool = router.buffers.pool[1];
	struct audit a;
	uint32_t index;

	assert_int_equal(pool_take(&router.buffers, 1, &index, 1), 1);
	audit_take(&router, &a);
	assert_false(a.buffers_ok);
	assert_int_equal(a.missing, 1);
	assert_string_equal(a.finding, "1 missing, last owner the worker of eth1");

	pool->stack[pool->top++] = index; /* mended */
	audit_take(&router, &a);
	assert_true(a.buffers_ok);

	pool->stack[pool->top] = pool->stack[pool->top - 1];
	pool->top++;
	audit_take(&router, &a);
	assert_false(a.buffers_ok);
	assert_int_equal(a.extra, 1);
	assert_string_equal(
		a.finding, "1 extra at the worker of eth1: there twice, or with a wrong owner");
	pool->top--;

	router.buffers.owner[pool->stack[0]] = OWNER_CONTROL;
	audit_take(&router, &a);
	assert_false(a.buffers_ok);
	assert_int_equal(a.extra, 1);
	assert_int_equal(a.missing, 1);
	router.buffers.owner[pool->stack[0]] = 0x7f;
	audit_take(&router, &a);
	assert_false(a.buffers_ok);
	router.buffers.owner[pool->stack[0]] = OWNER_HOME;

	router.counters[0]->port[1].rx_packets++; /* a packet without a fate */
	audit_take(&router, &a);
	assert_true(a.buffers_ok);
	assert_false(a.balance_ok);
	assert_string_equal(a.finding, "eth1: packets do not balance");
	router.counters[0]->port[1].rx_packets--;
	check_books();
}

/* A worker that does not stop is named. */
static void test_audit_names_a_stuck_worker(void **state)
{
	struct audit a;

	if (router.single_core)
		return; /* there the worker is the caller */
	model_platform.relax = NULL;
	audit_take(&router, &a);
	assert_false(a.parked);
	assert_string_equal(a.finding, "worker 0 on core 1 does not answer");
	model_platform.relax = answer_park;
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f)                                                                                    \
	cmocka_unit_test_setup_teardown(f, setup, teardown),                                       \
		cmocka_unit_test_setup_teardown(f, setup_workers, teardown)
		CASE(test_planted_faults),
		CASE(test_audit_names_a_stuck_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
