/* The IPv4 FIB against brute force: tables of all shapes, hostile ones too. */
#include "test/unit/fib4_fixture.h"

#define RANDOM_KEYS 20000u

/* ---- shapes ---- */

static void test_empty(void **state)
{
	check(brute, 1000);
	check_empty();
}

static void test_default_only(void **state)
{
	add(0, 0, 9);
	follow();
	check(brute, 1000);
	assert_int_equal(used().lines, 1);
	remove_all();
	follow();
	check(brute, 1000);
	check_empty();
}

/* Every length around one address: the deepest nesting there is, at both ends and in the middle. */
static void test_nested(void **state)
{
	static const uint32_t around[] = {0, 0xffffffffu, 0x0a0a0a0au, 0x80000000u, 0x7fffffffu};

	for (unsigned k = 0; k < 5; k++) {
		restart();
		for (unsigned length = 0; length <= 32; length++)
			add(around[k], length, length + 1);
		follow();
		check(brute, 300);
		for (unsigned length = 0; length <= 32; length += 6) {
			assert_int_equal(rib4_remove(&rib, around[k] & rib4_mask(length), length,
						 RIB_STATIC, NULL),
				ERR_OK);
			follow();
			check(by_rib, 100);
		}
	}
}

/* Prefixes that touch, share first or last addresses, or repeat the next hop around them. */
static void test_adjacent(void **state)
{
	struct fib4_range r;

	add(0x0a000000, 8, 1);
	add(0x0a000000, 9, 2);
	add(0x0a800000, 9, 2);  /* both halves of the /8, merged */
	add(0x0b000000, 8, 2);  /* and on */
	add(0x0b000000, 16, 2); /* invisible */
	add(0x0bff0000, 16, 3);
	add(0x0bffff00, 24, 2);
	add(0x0bffffff, 32, 1);
	add(0x0c000000, 32, 1);
	follow();
	check(brute, 1000);
	fib4_walk(fib, 0x0bff0000, &r);
	assert_true(r.first == 0x0bff0000 && r.last == 0x0bfffeff && r.nexthop == 3);
	fib4_walk(fib, 0x0bffff01, &r);
	assert_true(r.first == 0x0bffff01 && r.last == 0x0bfffffe && r.nexthop == 2);
}

/* The next hop of the better source, and the other when that goes. */
static void test_best_route(void **state)
{
	struct route4 worse = {.prefix = 0x0a000000,
		.length = 8,
		.source = RIB_STATIC,
		.distance = 1,
		.nexthop = 5};
	struct route4 best = {
		.prefix = 0x0a000000, .length = 8, .source = RIB_CONNECTED, .nexthop = 6};
	uint32_t old;

	assert_int_equal(rib4_add(&rib, &worse), ERR_OK);
	assert_int_equal(rib4_add(&rib, &best), ERR_OK);
	follow();
	assert_int_equal(fib4_one(&fib->view, 0x0a010203), 6);
	assert_int_equal(rib4_replace(&rib, 0x0a000000, 8, RIB_CONNECTED, 7, &old), ERR_OK);
	assert_int_equal(old, 6);
	follow();
	assert_int_equal(fib4_one(&fib->view, 0x0a010203), 7);
	assert_int_equal(rib4_remove(&rib, 0x0a000000, 8, RIB_CONNECTED, NULL), ERR_OK);
	follow();
	check(by_rib, 1000);
	assert_int_equal(fib4_one(&fib->view, 0x0a010203), 5);
}

/* Random tables: few next hops, so that neighbours often merge. */
static void test_random(void **state)
{
	for (unsigned round = 0; round < 6; round++) {
		restart();
		srand(round);
		for (unsigned i = 0; i < 60; i++) {
			uint32_t near = 0xc0a80000u | (random_address() & 0x1ffu);

			add(i % 2 ? near : random_address(), (unsigned)rand() % 33,
				(uint32_t)rand() % 4);
		}
		follow();
		check(brute, 500);
	}
}

/* Many routes, /8 to /32 nested at random; built in slices and one by one alike. */
static void test_large(void **state)
{
	struct fib4_limits one_by_one;

	while (rib.rib.count < MODEL_ROUTES)
		add(random_address() & 0x0fffffffu, 8 + (unsigned)rand() % 25,
			1 + (uint32_t)rand() % 64);
	follow();
	check(by_rib, RANDOM_KEYS);
	one_by_one = used();

	struct fib4_job job = fib4_job(0, 0);

	while (job.pending) { /* over a table that is right: nothing changes */
		assert_int_equal(fib4_job_step(fib, &rib, &job, 1000), ERR_OK);
		assert_false(fib4_wants_grace(fib));
	}
	struct fib4_limits again = used();

	assert_memory_equal(&again, &one_by_one, sizeof again);
	free(fib);
	struct fib4_limits limits = fib4_limits_for(MODEL_ROUTES * 4);

	fib = fib4_init(model_memory(fib4_size(&limits)), &limits);
	assert_int_equal(fib4_update(fib, &rib, 0, 0), ERR_OK);
	again = used();
	assert_memory_equal(&again, &one_by_one, sizeof again);
	check(by_rib, RANDOM_KEYS);
	remove_all();
	follow();
	check_empty();
}

/* ---- hostile tables ---- */

/* Every address of a /16 a route of its own, with as many next hops as there are. */
static void test_all_hosts(void **state)
{
	for (uint32_t i = 0; i < 65534; i++)
		add(0x0a0a0000 + i, 32, i + 1);
	for (uint32_t prefix, length; rib4_take_change(&rib, &prefix, &length);)
		;
	assert_int_equal(fib4_update(fib, &rib, 0x0a0a0000, 16), ERR_OK);
	check_walk();
	for (uint32_t i = 0; i < 65536; i += 3)
		check_key(0x0a0a0000 + i, by_rib);
	check_flush(by_rib);
	/* 256 wide blocks of 16 lines, and one of 8 with 2 of references each. */
	assert_int_equal(used().lines, 1 + 256 * 16 + 8 * 3);
	add(0, 0, 3);
	for (uint32_t i = 0; i < 65536; i += 40)
		assert_int_equal(rib4_remove(&rib, 0x0a0a0000 + i, 32, RIB_STATIC, NULL), ERR_OK);
	follow();
	check_walk();
	remove_all();
	assert_int_equal(fib4_update(fib, &rib, 0, 0), ERR_OK);
	fib4_grace_begin(fib);
	fib4_grace_passed(fib);
	check_empty();
}

/* Every other /25 of a /13: one block of ranges of addresses serves them all. */
static void test_alternating(void **state)
{
	for (uint32_t i = 0; i < 2048; i++)
		add(0x20000000 + (i << 8), 25, 7);
	follow();
	check(by_rib, 1000);
	/* Eight /16s of 8 lines with 2 of references each; the block that all refer to. */
	assert_int_equal(used().lines, 1 + 8 * 8 * 3 + 1);
	add(0, 0, 8);
	follow();
	check(by_rib, 1000);
	assert_int_equal(used().lines, 1 + 8 * 8 * 3 + 1);
}

/* As many next hops as there are: /16s with large ones take two bytes each, in more lines. */
static void test_many_nexthops(void **state)
{
	for (uint32_t i = 0; i < 65534; i++)
		add(0x40000000 + (i << 12), 20, i + 1);
	for (uint32_t prefix, length; rib4_take_change(&rib, &prefix, &length);)
		;
	assert_int_equal(fib4_update(fib, &rib, 0x40000000, 4), ERR_OK);
	check_walk();
	for (uint32_t i = 0; i < 65536; i++)
		check_key(0x40000000 + (i << 12), by_rib);
	check_flush(by_rib);
	assert_int_equal(used().lines, 1 + 4096); /* 16 ranges each */
	remove_all();
	rib_take_lost(&rib.rib);
	assert_int_equal(fib4_update(fib, &rib, 0, 0), ERR_OK);
	fib4_grace_begin(fib);
	fib4_grace_passed(fib);
	check_empty();
}

/* The numbers at which a line is full, and next hops at which it becomes wide. */
static void test_limits(void **state)
{
	static const uint32_t nexthop[] = {1, 253, 254, 255, 256, 65534};

	for (unsigned k = 0; k < sizeof nexthop / sizeof *nexthop; k++) {
		for (uint32_t ranges = 1; ranges <= 130; ranges++) { /* two for each /24 but one */
			add(0x0a000000 + (ranges << 9), 24, nexthop[k]);
			follow();
			check(brute, 10);
		}
		remove_all();
		follow();
		check_empty();
	}
	for (uint32_t i = 0; i < 31; i++) /* one line: the first is unrouted, the others differ */
		add(0x0a000000 + ((8 * i + 8) << 8), 21, i % 2 + 1);
	follow();
	assert_int_equal(used().lines, 2);
	add(0x0a00ff00, 24, 9);
	follow();
	assert_int_equal(used().lines, 3);
	check(brute, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_empty),
		CASE(test_default_only),
		CASE(test_nested),
		CASE(test_adjacent),
		CASE(test_best_route),
		CASE(test_random),
		CASE(test_large),
		CASE(test_all_hosts),
		CASE(test_alternating),
		CASE(test_many_nexthops),
		CASE(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
