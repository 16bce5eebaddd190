/* Owners as guards: what a check keeps, what a debug build finds, and what the audit says of it. */
#include "test/unit/router_fixture.h"

static void audit_says(const char *part)
{
	struct audit a;

	audit_take(&router, &a);
	assert_true(a.parked);
	if (a.buffers_ok || !strstr(a.finding, part))
		fail_msg("'%s' is not in '%s'", part, a.finding);
}

/* Nothing was found before, and nothing is found when nothing is wrong. */
static void forget(void)
{
	check_books();
	for (unsigned a = 0; a < router.actors; a++)
		assert_int_equal(router.buffers.fault[a].count, 0);
}

static void test_check(void **state)
{
	struct buffers *b = &router.buffers;

	forget();
	buffer_check(b, 1, 5, OWNER_HOME, "test");
	assert_int_equal(b->fault[1].count, 0);
	buffer_check(b, 1, 5, OWNER_CONTROL, "test");
	buffer_check(b, 1, 6, OWNER_OUTPUT(1), "later");
	assert_int_equal(b->fault[1].count, 2);
	assert_int_equal(b->fault[1].index, 5);
	audit_says(
		"2 times a buffer was not as it should be, first 5 at test: owner 0, expected 1");
	memset(b->fault, 0, sizeof b->fault);
	check_books();
}

/* In any build: of each batch that was sent one buffer's owner is looked at. */
static void test_completion_is_sampled(void **state)
{
	struct frame in, out;

	learn_hosts();
	forget();
	udp(&in, 0, HOST(1), 10);
	inject(0, &in);
	turns(1);
	uint32_t index = 0;

	while (router.buffers.owner[index] != OWNER_OUTPUT(1))
		index++;
	router.buffers.owner[index] = OWNER_OUTPUT(2);
	assert_int_equal(sent(1, &out), in.len);
	turns(1);
	audit_says("at completion: owner 130, expected 129");
	memset(router.buffers.fault, 0, sizeof router.buffers.fault);
	check_books();
}

#ifdef DEBUG_BUFFERS

static struct buffer_fault *fault(void)
{
	return &router.buffers.fault[ACTOR_CONTROL];
}

/* Faults of the control core's own pool, one after the other. */
static void test_debug_build(void **state)
{
	struct buffers *b = &router.buffers;
	unsigned p = router.control_pool;
	uint32_t index[2];
	uint64_t word;

	forget();
	/* freed twice */
	assert_int_equal(pool_take(b, p, index, 1), 1);
	word = packet_word(index[0], 60, 0);
	buffers_free(b, ACTOR_CONTROL, &word, 1);
	assert_int_equal(fault()->count, 0);
	buffers_free(b, ACTOR_CONTROL, &word, 1);
	assert_int_equal(fault()->count, 1);
	assert_string_equal(fault()->where, "free of a free buffer");
	b->pool[p]->top--;
	memset(b->fault, 0, sizeof b->fault);
	/* written to while free: the last byte of its room */
	buffer_data(b, index[0])[b->room - 1] = 0;
	assert_int_equal(pool_take(b, p, index, 1), 1);
	assert_string_equal(fault()->where, "write to a free buffer");
	memset(b->fault, 0, sizeof b->fault);
	/* moved by one who does not have it */
	buffer_move(b, ACTOR_CONTROL, index[0], OWNER_CONTROL, OWNER_OUTPUT(0));
	assert_string_equal(fault()->where, "move");
	assert_int_equal(fault()->found, OWNER_HOME);
	assert_int_equal(b->owner[index[0]], OWNER_OUTPUT(0));
	memset(b->fault, 0, sizeof b->fault);
	/* an owner that there is not */
	b->owner[index[0]] = 0x7f;
	buffers_free(b, ACTOR_CONTROL, &word, 1);
	assert_string_equal(fault()->where, "free");
	memset(b->fault, 0, sizeof b->fault);
	/* taken with an owner */
	b->owner[index[0]] = OWNER_CONTROL;
	assert_int_equal(pool_take(b, p, index, 1), 1);
	assert_string_equal(fault()->where, "take");
	b->owner[index[0]] = OWNER_HOME;
	buffers_free(b, ACTOR_CONTROL, &word, 1);
	memset(b->fault, 0, sizeof b->fault);
	check_books();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup_workers, teardown)
		CASE(test_check),
		CASE(test_completion_is_sampled),
#ifdef DEBUG_BUFFERS
		CASE(test_debug_build),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
