/* Buffer pools: every buffer is somewhere, once, whoever returns it and however often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pool.h"

#define POOLS  2u
#define ACTORS 3u

static struct buffers b;
static struct pool pools[POOLS];
static struct ring rings[ACTORS][POOLS];

/* Pool 0 belongs to actor 1, pool 1 to actor 2; actor 0 owns none. */
static int setup(void **state)
{
	memset(&b, 0, sizeof b);
	b.pools = POOLS;
	b.actors = ACTORS;
	b.owner = calloc(POOLS, POOL_BUFS);
	buffers_shape(&b, MTU_DEFAULT);
	for (unsigned p = 0; p < POOLS; p++) {
		pool_init(&b, p, &pools[p], p + 1);
		for (unsigned a = 0; a < ACTORS; a++) {
			if (a == p + 1)
				continue;
			ring_init(&rings[a][p], calloc(POOL_BUFS, sizeof(uint64_t)), POOL_BUFS);
			b.ret[a][p] = &rings[a][p];
		}
	}
	return 0;
}

static int teardown(void **state)
{
	for (unsigned p = 0; p < POOLS; p++)
		for (unsigned a = 0; a < ACTORS; a++)
			if (b.ret[a][p])
				free(b.ret[a][p]->word);
	free(b.owner);
	return 0;
}

/* Empties pool p and checks that it held each of its buffers exactly once. */
static void check_complete(unsigned p)
{
	static bool seen[POOL_BUFS];
	uint32_t index[BATCH_MAX], total = 0;
	unsigned n;

	memset(seen, 0, sizeof seen);
	while ((n = pool_take(&b, p, index, BATCH_MAX)) > 0) {
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(index[i] >> POOL_SHIFT, p);
			assert_false(seen[index[i] & (POOL_BUFS - 1)]);
			seen[index[i] & (POOL_BUFS - 1)] = true;
		}
		total += n;
	}
	assert_int_equal(total, POOL_BUFS);
	assert_int_equal(pool_returning(&b, p), 0);
}

static void test_init(void **state)
{
	uint32_t index[4];

	assert_int_equal(pool_take(&b, 1, index, 4), 4);
	assert_true(packet_pool(packet_word(index[0], 0, 0)) == 1);
	assert_int_equal(pools[1].top, POOL_BUFS - 4);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t word = packet_word(index[i], 60, 0);

		buffers_free(&b, 2, &word, 1);
	}
	check_complete(0);
	check_complete(1);
}

/* The two shapes of the header, and what holds for every MTU. */
static void test_shape(void **state)
{
	struct buffers s = {0};

	buffers_shape(&s, 0);
	assert_int_equal(s.mtu, 1500);
	buffers_shape(&s, 1500);
	assert_int_equal(s.stride, PACKET_STRIDE);
	assert_int_equal(s.room, PACKET_ROOM);
	for (uint32_t mtu = MTU_MIN; mtu <= MTU_MAX; mtu++) {
		buffers_shape(&s, mtu);
		assert_int_equal(s.mtu, mtu < 1500 ? 1500 : mtu);
		assert_int_equal(s.stride % 64, 0);
		assert_int_equal(s.stride / 64 % 2, 1);
		assert_int_equal(s.room % 1024, 0);
		assert_in_range(s.room, s.mtu + 14 + 8 + 4, s.mtu + 14 + 8 + 4 + 1023);
		assert_in_range(s.stride, 140 + s.room, 140 + s.room + 127);
	}
	assert_int_equal(s.stride, 9408);
}

/* A pool's buffers follow each other; pools may lie anywhere. */
static void test_place(void **state)
{
	static uint8_t memory[2][64];
	struct buffers s = {0};

	buffers_shape(&s, MTU_MAX);
	pool_place(&s, 0, memory[1], 0);
	pool_place(&s, 1, memory[0], 12);
	assert_int_equal((uintptr_t)buffer_data(&s, 0) - (uintptr_t)memory[1], 128);
	assert_int_equal((uintptr_t)buffer_data(&s, POOL_BUFS - 1) - (uintptr_t)memory[1],
		(POOL_BUFS - 1) * 9408u + 128);
	assert_int_equal(
		(uintptr_t)buffer_data(&s, POOL_BUFS + 3) - (uintptr_t)memory[0], 3 * 9408u + 140);
}

static void test_exhaustion(void **state)
{
	static uint32_t index[POOL_BUFS];
	uint32_t one;

	assert_int_equal(pool_take(&b, 0, index, POOL_BUFS - 1), POOL_BUFS - 1);
	assert_int_equal(pool_take(&b, 0, index, 2), 1); /* what there is */
	assert_int_equal(pool_take(&b, 0, &one, 1), 0);

	/* Returned by a stranger, it comes back by itself when the stack runs short. */
	uint64_t word = packet_word(index[0], 60, 0);

	buffers_free(&b, 0, &word, 1);
	assert_int_equal(pools[0].top, 0);
	assert_int_equal(pool_returning(&b, 0), 1);
	assert_int_equal(pool_take(&b, 0, &one, 1), 1);
	assert_int_equal(one, index[0]);
	assert_int_equal(pool_take(&b, 1, &one, 1), 1); /* the other pool is not held up */
}

/* A whole pool comes back over one ring: a return never fails. */
static void test_return_all(void **state)
{
	static uint32_t index[POOL_BUFS];

	for (unsigned round = 0; round < 3; round++) {
		unsigned actor = round % 2 ? 2 : 0;

		assert_int_equal(pool_take(&b, 0, index, POOL_BUFS), POOL_BUFS);
		for (unsigned i = 0; i < POOL_BUFS; i++) {
			uint64_t word = packet_word(index[i], 60, 0);

			buffers_free(&b, actor, &word, 1);
		}
		assert_int_equal(pool_returning(&b, 0), POOL_BUFS);
		pool_collect(&b, 0);
		assert_int_equal(pools[0].top, POOL_BUFS);
	}
	check_complete(0);
}

/* Random traffic: buffers of both homes mixed in bursts, freed by all actors; rings wrap. */
static void test_mixed(void **state)
{
	static uint64_t out[POOLS * POOL_BUFS];
	uint32_t held = 0;

	srand(5);
	for (unsigned round = 0; round < 20000; round++) {
		uint32_t index[BATCH_MAX];
		unsigned p = (unsigned)rand() % POOLS, n = (unsigned)rand() % BATCH_MAX;

		if (rand() % 2) {
			n = pool_take(&b, p, index, n);
			for (unsigned i = 0; i < n; i++) {
				assert_int_equal(b.owner[index[i]], OWNER_HOME);
				b.owner[index[i]] = OWNER_CONTROL;
				out[held++] = packet_word(index[i], 60, 0);
			}
			continue;
		}
		if (n > held)
			n = held;
		for (unsigned i = 0; i < n; i++) { /* random ones to the end */
			uint32_t k = (uint32_t)rand() % (held - i), last = held - 1 - i;
			uint64_t word = out[k];

			out[k] = out[last];
			out[last] = word;
		}
		held -= n;
		buffers_free(&b, (unsigned)rand() % ACTORS, out + held, n);
		assert_int_equal(pools[0].top + pools[1].top + pool_returning(&b, 0) +
					 pool_returning(&b, 1) + held,
			POOLS * POOL_BUFS);
	}
	buffers_free(&b, 0, out, held);
	for (unsigned i = 0; i < POOLS * POOL_BUFS; i++)
		assert_int_equal(b.owner[i], OWNER_HOME);
	check_complete(0);
	check_complete(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_init, setup, teardown),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_place),
		cmocka_unit_test_setup_teardown(test_exhaustion, setup, teardown),
		cmocka_unit_test_setup_teardown(test_return_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mixed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
