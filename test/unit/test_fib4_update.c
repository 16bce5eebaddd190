/* The IPv4 FIB changed in place: at random, before a grace period has passed, and without room. */
#include "test/unit/fib4_fixture.h"

/* ---- changes in place ---- */

static void random_change(void)
{
	uint32_t near = 0xc0a80000u | (random_address() & 0x3ff00fu);
	unsigned length = rand() % 8 ? 12 + (unsigned)rand() % 21 : (unsigned)rand() % 33;
	uint32_t prefix = near & rib4_mask(length), old;

	if (rand() % 16 == 0)
		(void)!rib4_replace(
			&rib, prefix, length, RIB_STATIC, 1 + (uint32_t)rand() % 5, &old);
	else if (rand() % 2)
		add(prefix, length, 1 + (uint32_t)rand() % 5);
	else
		(void)!rib4_remove(&rib, prefix, length, RIB_STATIC, NULL);
}

/* Prefetching reads the tables, whatever is in them, and changes nothing. */
static void prefetch(void)
{
	for (unsigned stage = 0; stage < TRIE_STAGES; stage++) {
		uint32_t prefix = rand() % 2 ? random_address() : 0xc0a80000u;

		rib4_prefetch(&rib, prefix, stage);
		fib4_prefetch(fib, prefix, stage);
	}
}

/* Announcements and withdrawals that overlap in all ways, checked after each batch. */
static void test_churn(void **state)
{
	for (unsigned batch = 0; batch < 60; batch++) {
		for (int i = rand() % 100; i >= 0; i--) {
			prefetch();
			random_change();
		}
		follow();
		vector.n = 0;
		for (unsigned i = 0; i < 300; i++)
			check_key(0xc0a80000u ^ (random_address() & 0x3ff0ffu), by_rib);
		check_flush(by_rib);
		if (batch % 10 == 0)
			check_walk();
	}
	remove_all();
	follow();
	check_empty();
}

/* What workers may still read stays as it is until a grace period has passed. */
static void test_grace(void **state)
{
	const struct fib4_view *v = &fib->view;
	uint32_t dense, shared;

	for (uint32_t i = 0; i < 100; i++)
		add(0x0a000000 + (i << 8), 24 + i % 2, i + 1); /* lines, some of them deep */
	add(0x0b000000, 16, 50);                               /* a block shared by two /16s */
	add(0x0c000000, 16, 50);
	follow();
	dense = v->root[0x0a00];
	shared = v->root[0x0b00];
	assert_int_equal(v->root[0x0c00], shared);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(
			rib4_remove(&rib, 0x0a000000 + (i << 8), 24 + i % 2, RIB_STATIC, NULL),
			ERR_OK);
	add(0x0b000000, 24, 51);
	add(0x0c000000, 24, 52);

	struct fib4_job job = {.pending = false};

	while (job.pending || rib_has_changes(&rib.rib))
		assert_int_equal(fib4_follow(fib, &rib, &job, 8), ERR_OK);
	for (uint32_t i = 0; i < 1000; i++) /* wants many blocks; takes none of those */
		add(0x60000000 + (i << 12), 21, i + 1);
	while (job.pending || rib_has_changes(&rib.rib))
		assert_int_equal(fib4_follow(fib, &rib, &job, 8), ERR_OK);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(fib4_follow_ref(v, dense, i << 8), i + 1);
	assert_int_equal(fib4_follow_ref(v, dense, 1 << 8 | 200), NEXTHOP_NONE);
	assert_int_equal(fib4_follow_ref(v, shared, 0x1234), 50);
	assert_true(fib4_wants_grace(fib));
	fib4_grace_begin(fib);
	assert_false(fib4_wants_grace(fib));
	fib4_grace_passed(fib);
	check(by_rib, 100);
}

/* ---- no room ---- */

/* Answers of before, or of now, but nothing else; and all of now once there is room. */
static void test_full(void **state)
{
	static uint32_t before[4096];
	struct fib4_limits limits = {.lines = 100};
	unsigned failed = 0;

	teardown(NULL);
	begin(&limits);
	for (unsigned round = 0; round < 2000; round++) {
		uint32_t prefix;
		unsigned length;

		for (uint32_t i = 0; i < 64; i++)
			before[i] = fib4_one(&fib->view, 0xc0a80000u + (i << 10) + i);
		random_change();
		if (!rib4_take_change(&rib, &prefix, &length))
			continue;
		if (fib4_update(fib, &rib, prefix, length) == ERR_OK)
			continue;
		failed++;
		for (uint32_t i = 0; i < 64; i++) {
			uint32_t a = 0xc0a80000u + (i << 10) + i, now = fib4_one(&fib->view, a);

			assert_true(now == before[i] || now == by_rib(a));
		}
		fib4_grace_begin(fib);
		fib4_grace_passed(fib);
	}
	assert_true(failed > 10);
	remove_all();
	for (unsigned i = 0; i < 3; i++) { /* what is let go makes room for the rest */
		struct fib4_job job = fib4_job(0, 0);

		while (job.pending)
			if (fib4_job_step(fib, &rib, &job, 1) != ERR_OK)
				fib4_job_skip(&job);
		fib4_grace_begin(fib);
		fib4_grace_passed(fib);
	}
	rib_take_lost(&rib.rib);
	check_walk();
	check_empty();
}

/* A table of no room but for what is there from the start. */
static void test_smallest(void **state)
{
	struct fib4_limits limits = {0};
	uint32_t block;

	teardown(NULL);
	begin(&limits);
	check(brute, 100);
	for (uint32_t i = 0; i < 16; i++)
		add(i << 28, 4, i + 1);
	assert_int_equal(fib4_update(fib, &rib, 0, 0), ERR_FULL);
	assert_int_equal(fib4_one(&fib->view, 0xffffffff), NEXTHOP_NONE);
	check_key(0, by_rib);
	block = fib->root[0] >> FIB4_LINE;
	assert_true(block > 0 && block < 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_churn),
		CASE(test_grace),
		CASE(test_full),
		CASE(test_smallest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
