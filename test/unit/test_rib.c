/* The routing table: order, uniqueness, removal, limits, and the longest match against brute force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "net/table/rib.h"

static struct route4 memory[RIB4_MAX];
static struct rib4 rib;

static int setup(void **state)
{
	rib4_init(&rib, memory);
	return 0;
}

static enum err add(uint32_t prefix, unsigned length, enum rib_source source, unsigned distance,
	uint32_t nexthop)
{
	struct route4 r = {prefix, (uint8_t)length, (uint8_t)source, (uint8_t)distance, 0, nexthop};

	return rib4_add(&rib, &r);
}

static uint32_t match(uint32_t address, bool skip)
{
	const struct route4 *r = rib4_match(&rib, address, skip);

	return r ? r->nexthop : 0;
}

static void test_refusals(void **state)
{
	assert_int_equal(add(0x0a000001, 24, RIB_STATIC, 1, 1), ERR_INVALID);
	assert_int_equal(add(0x0a000000, 33, RIB_STATIC, 1, 1), ERR_INVALID);
	assert_int_equal(add(1, 0, RIB_STATIC, 1, 1), ERR_INVALID);
	assert_int_equal(rib.generation, 0);
	assert_int_equal(add(0x0a000000, 24, RIB_STATIC, 1, 1), ERR_OK);
	assert_int_equal(add(0x0a000000, 24, RIB_STATIC, 9, 2), ERR_EXISTS);
	assert_int_equal(rib4_remove(&rib, 0x0a000000, 23, RIB_STATIC, NULL), ERR_NOT_FOUND);
	assert_int_equal(rib4_remove(&rib, 0x0a000000, 24, RIB_LOCAL, NULL), ERR_NOT_FOUND);
	assert_int_equal(rib.count, 1);
	assert_int_equal(rib.generation, 1);
}

static void test_best_source(void **state)
{
	struct route4 removed;

	assert_int_equal(add(0x0a000000, 24, RIB_STATIC, 1, 3), ERR_OK);
	assert_int_equal(add(0x0a000000, 24, RIB_CONNECTED, 0, 2), ERR_OK);
	assert_int_equal(add(0x0a000000, 16, RIB_STATIC, 1, 4), ERR_OK);
	assert_int_equal(match(0x0a000005, false), 2);
	assert_int_equal(rib4_find(&rib, 0x0a000000, 24, RIB_STATIC)->nexthop, 3);
	assert_null(rib4_find(&rib, 0x0a000000, 24, RIB_NEIGHBOR));
	assert_int_equal(rib4_remove(&rib, 0x0a000000, 24, RIB_CONNECTED, &removed), ERR_OK);
	assert_int_equal(removed.nexthop, 2);
	assert_int_equal(match(0x0a000005, false), 3);
	assert_int_equal(rib4_remove(&rib, 0x0a000000, 24, RIB_STATIC, NULL), ERR_OK);
	assert_int_equal(match(0x0a000005, false), 4);
	assert_int_equal(match(0x0b000005, false), 0);
}

static void test_neighbors_can_be_skipped(void **state)
{
	assert_int_equal(add(0x0a000000, 24, RIB_CONNECTED, 0, 2), ERR_OK);
	assert_int_equal(add(0x0a000005, 32, RIB_NEIGHBOR, 0, 5), ERR_OK);
	assert_int_equal(match(0x0a000005, false), 5);
	assert_int_equal(match(0x0a000005, true), 2);
	assert_int_equal(add(0x0a000005, 32, RIB_STATIC, 1, 6), ERR_OK);
	assert_int_equal(match(0x0a000005, true), 6);
}

static void test_default_and_ends(void **state)
{
	assert_int_equal(match(0, false), 0);
	assert_int_equal(add(0, 0, RIB_STATIC, 1, 1), ERR_OK);
	assert_int_equal(add(0, 32, RIB_STATIC, 1, 2), ERR_OK);
	assert_int_equal(add(0xffffffff, 32, RIB_STATIC, 1, 3), ERR_OK);
	assert_int_equal(match(0, false), 2);
	assert_int_equal(match(1, false), 1);
	assert_int_equal(match(0xfffffffe, false), 1);
	assert_int_equal(match(0xffffffff, false), 3);
}

static void test_full(void **state)
{
	for (uint32_t i = 0; i < RIB4_MAX; i++)
		assert_int_equal(add(i << 8, 24, RIB_STATIC, 1, i + 1), ERR_OK);
	assert_int_equal(add(0xff000000, 24, RIB_STATIC, 1, 1), ERR_FULL);
	assert_int_equal(match((RIB4_MAX - 1) << 8 | 7, false), RIB4_MAX);
	assert_int_equal(rib4_remove(&rib, 0, 24, RIB_STATIC, NULL), ERR_OK);
	assert_int_equal(add(0xff000000, 24, RIB_STATIC, 1, 9), ERR_OK);
	assert_int_equal(match(0xff000001, false), 9);
}

static bool in_order(const struct route4 *a, const struct route4 *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix;
	if (a->length != b->length)
		return a->length < b->length;
	return a->distance != b->distance ? a->distance < b->distance : a->source < b->source;
}

/* The answer by looking at every route. */
static uint32_t brute(uint32_t address, bool skip)
{
	const struct route4 *best = NULL;

	for (uint32_t i = 0; i < rib.count; i++) {
		const struct route4 *r = &rib.route[i];

		if (((address ^ r->prefix) & rib4_mask(r->length)) ||
			(skip && r->source == RIB_NEIGHBOR))
			continue;
		if (!best || r->length > best->length ||
			(r->length == best->length && in_order(r, best)))
			best = r;
	}
	return best ? best->nexthop : 0;
}

/* Few addresses and all lengths: nearly everything overlaps. */
static void test_random(void **state)
{
	srand(6);
	for (uint32_t round = 1; round <= 4000; round++) {
		unsigned length = (unsigned)rand() % 33, source = (unsigned)rand() % 4;
		uint32_t address = 0x0a000000u | ((uint32_t)rand() & 0x70f03u);
		uint32_t prefix = address & rib4_mask(length);

		if (rand() % 3)
			(void)!add(prefix, length, source, (unsigned)rand() % 3, round);
		else
			(void)!rib4_remove(&rib, prefix, length, source, NULL);
		for (uint32_t i = 1; round % 64 == 0 && i < rib.count; i++)
			assert_true(in_order(&rib.route[i - 1], &rib.route[i]));
		for (unsigned k = 0; k < 20; k++) {
			uint32_t a = 0x0a000000u ^ ((uint32_t)rand() & 0x70f03u) ^
				     (k == 0 ? 0x80000000u : 0);

			assert_int_equal(match(a, k % 2), brute(a, k % 2));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_refusals, setup),
		cmocka_unit_test_setup(test_best_source, setup),
		cmocka_unit_test_setup(test_neighbors_can_be_skipped, setup),
		cmocka_unit_test_setup(test_default_and_ends, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
