/* The forwarding table against the longest match of its RIB: all boundaries, and random addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "net/table/fib4.h"
#include "net/table/nexthop.h"
#include "net/table/rib.h"

#define RANDOM_KEYS 100000u

static struct route4 memory[RIB4_MAX];
static struct rib4 rib;

static int setup(void **state)
{
	rib4_init(&rib, memory);
	srand(7);
	return 0;
}

static void add(uint32_t address, unsigned length, uint32_t nexthop)
{
	struct route4 r = {.prefix = address & rib4_mask(length),
		.length = (uint8_t)length,
		.source = RIB_STATIC,
		.nexthop = nexthop};

	(void)!rib4_add(&rib, &r);
}

static uint32_t random_address(void)
{
	return (uint32_t)rand() << 16 ^ (uint32_t)rand();
}

/* Longest match by looking at every route, without rib4_match. */
static uint32_t brute(uint32_t address)
{
	const struct route4 *best = NULL;

	for (uint32_t i = 0; i < rib.count; i++) {
		const struct route4 *r = &rib.route[i];

		if (((address ^ r->prefix) & rib4_mask(r->length)) == 0 &&
			(!best || r->length > best->length))
			best = r;
	}
	return best ? best->nexthop : NEXTHOP_NONE;
}

static uint32_t by_rib(uint32_t address)
{
	const struct route4 *r = rib4_match(&rib, address, false);

	return r ? r->nexthop : NEXTHOP_NONE;
}

/* Keys wait until a vector of odd length is full, so that all lengths are used. */
static struct {
	uint32_t dst[BATCH_MAX];
	unsigned n, size;
} vector;

static void check_flush(const struct fib4 *fib, uint32_t (*want)(uint32_t))
{
	uint32_t nh[BATCH_MAX + 1];

	nh[vector.n] = 0xabcdef01u;
	fib4_lookup(fib, vector.dst, nh, vector.n);
	for (unsigned i = 0; i < vector.n; i++)
		assert_int_equal(nh[i], want(vector.dst[i]));
	assert_int_equal(nh[vector.n], 0xabcdef01u); /* not one too many */
	vector.n = 0;
	vector.size = vector.size % BATCH_MAX + 1;
}

static void check_key(const struct fib4 *fib, uint32_t key, uint32_t (*want)(uint32_t))
{
	vector.dst[vector.n++] = key;
	if (vector.n >= vector.size)
		check_flush(fib, want);
}

/* Builds in memory of exactly the promised size and compares. */
static void check(uint32_t (*want)(uint32_t), unsigned keys)
{
	size_t size = fib4_size(rib.count);
	void *mem = aligned_alloc(64, size);
	const struct fib4 *fib;

	assert_int_equal(fib4_build(mem, size, &rib, 42, &fib), ERR_OK);
	assert_true(fib4_generation(fib) == 42);
	assert_true(fib4_bytes(fib) <= size);
	assert_true(fib4_ranges(fib) <= 2 * rib.count + 1);
	vector.n = 0;
	vector.size = 1;
	for (uint32_t i = 0; i < rib.count; i++) {
		uint32_t first = rib.route[i].prefix;
		uint32_t last = first | ~rib4_mask(rib.route[i].length);

		for (uint32_t d = 0; d < 3; d++) {
			check_key(fib, first + d - 1, want);
			check_key(fib, last + d - 1, want);
		}
	}
	check_key(fib, 0, want);
	check_key(fib, 0xffffffffu, want);
	for (unsigned i = 0; i < keys; i++)
		check_key(fib, random_address(), want);
	check_flush(fib, want);
	free(mem);
}

static void test_empty(void **state)
{
	check(brute, 1000);
}

static void test_default_only(void **state)
{
	add(0, 0, 9);
	check(brute, 1000);
}

/* Every length around one address: the deepest nesting there is, at both ends and in the middle. */
static void test_nested(void **state)
{
	static const uint32_t around[] = {0, 0xffffffffu, 0x0a0a0a0au, 0x80000000u, 0x7fffffffu};

	for (unsigned k = 0; k < 5; k++) {
		setup(NULL);
		for (unsigned length = 0; length <= 32; length++)
			add(around[k], length, length + 1);
		check(brute, 10000);
	}
}

/* Prefixes that touch, share first or last addresses, or repeat the next hop around them. */
static void test_adjacent(void **state)
{
	add(0x0a000000, 8, 1);
	add(0x0a000000, 9, 2);
	add(0x0a800000, 9, 2);  /* both halves of the /8, merged */
	add(0x0b000000, 8, 2);  /* and on */
	add(0x0b000000, 16, 2); /* invisible */
	add(0x0bff0000, 16, 3);
	add(0x0bffff00, 24, 2);
	add(0x0bffffff, 32, 1);
	add(0x0c000000, 32, 1);
	check(brute, 1000);

	const struct fib4 *fib;
	void *mem = aligned_alloc(64, fib4_size(rib.count));

	assert_int_equal(fib4_build(mem, fib4_size(rib.count), &rib, 0, &fib), ERR_OK);
	/* none | 2: 10/7 | 3: 11.255/16 | 2 | 1: .255 and 12.0.0.0 | none */
	assert_int_equal(fib4_ranges(fib), 6);
	free(mem);
}

static void test_best_route(void **state)
{
	struct route4 worse = {0x0a000000, 8, RIB_STATIC, 1, 0, 5};
	struct route4 best = {0x0a000000, 8, RIB_CONNECTED, 0, 0, 6};

	assert_int_equal(rib4_add(&rib, &worse), ERR_OK);
	assert_int_equal(rib4_add(&rib, &best), ERR_OK);
	check(by_rib, 1000);
}

/* Random tables: few next hops, so that neighbours often merge. */
static void test_random(void **state)
{
	for (unsigned round = 0; round < 40; round++) {
		setup(NULL);
		srand(round);
		for (unsigned i = 0; i < 60; i++) {
			uint32_t near = 0xc0a80000u | (random_address() & 0x1ffu);

			add(i % 2 ? near : random_address(), (unsigned)rand() % 33,
				(uint32_t)rand() % 4);
		}
		check(brute, 2000);
	}
}

/* A full RIB: /8 to /32 nested at random. */
static void test_large(void **state)
{
	while (rib.count < RIB4_MAX)
		add(random_address() & 0x0fffffffu, 8 + (unsigned)rand() % 25,
			1 + (uint32_t)rand() % 64);
	check(by_rib, RANDOM_KEYS);
}

static void test_too_small(void **state)
{
	size_t size = fib4_size(100);
	void *mem = aligned_alloc(64, size);
	const struct fib4 *fib = NULL;

	assert_int_equal(fib4_build(mem, fib4_size(0) - 64, &rib, 0, &fib), ERR_NO_MEMORY);
	for (uint32_t i = 0; i < 200; i++)
		add(i << 16, 24, i + 1);
	assert_int_equal(fib4_build(mem, size, &rib, 0, &fib), ERR_NO_MEMORY);
	assert_null(fib);
	free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_default_only, setup),
		cmocka_unit_test_setup(test_nested, setup),
		cmocka_unit_test_setup(test_adjacent, setup),
		cmocka_unit_test_setup(test_best_route, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_large, setup),
		cmocka_unit_test_setup(test_too_small, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
