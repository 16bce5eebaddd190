/* The SPSC ring: order, edges, index wrap, and two threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "lib/ring.h"

static void test_edges(void **state)
{
	uint64_t memory[4], in[6] = {1, 2, 3, 4, 5, 6}, out[6];
	struct ring r;

	ring_init(&r, memory, 4);
	assert_int_equal(ring_pop(&r, out, 6), 0);
	assert_int_equal(ring_push(&r, in, 0), 0);
	assert_int_equal(ring_push(&r, in, 6), 4); /* the rest has no room */
	assert_int_equal(ring_depth(&r), 4);
	assert_int_equal(ring_push(&r, in, 1), 0);
	assert_int_equal(ring_pop(&r, out, 1), 1);
	assert_int_equal(out[0], 1);
	assert_int_equal(ring_push(&r, in + 4, 2), 1);
	assert_int_equal(ring_pop(&r, out, 6), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(out[i], i + 2);
	assert_int_equal(ring_depth(&r), 0);
}

/* The free-running indices pass 2^32, at every fill level. */
static void test_wrap(void **state)
{
	uint64_t memory[8], next_in = 0, next_out = 0;
	struct ring r;

	ring_init(&r, memory, 8);
	r.tail = r.head = r.head_seen = r.tail_seen = 0xffffff80u;
	for (unsigned round = 0; round < 200; round++) {
		uint64_t word[8];
		unsigned n = round % 9, pushed, popped;

		for (unsigned i = 0; i < n; i++)
			word[i] = next_in + i;
		pushed = ring_push(&r, word, n);
		next_in += pushed;
		assert_int_equal(ring_depth(&r), next_in - next_out);
		popped = ring_pop(&r, word, 1 + round % 5);
		for (unsigned i = 0; i < popped; i++)
			assert_int_equal(word[i], next_out + i);
		next_out += popped;
	}
	assert_true(r.tail < 0x1000); /* it did wrap */
}

#define WORDS 300000u

static struct ring shared;

static void *producer(void *arg)
{
	for (uint64_t next = 0; next < WORDS;) {
		uint64_t word[7];
		uint32_t n = (uint32_t)(next % 7) + 1;

		for (uint32_t i = 0; i < n; i++)
			word[i] = next + i;
		n = ring_push(&shared, word, n);
		if (n == 0)
			sched_yield();
		next += n;
	}
	return NULL;
}

static void test_two_threads(void **state)
{
	uint64_t memory[64], expect = 0, word[5];
	pthread_t thread;

	ring_init(&shared, memory, 64);
	assert_int_equal(pthread_create(&thread, NULL, producer, NULL), 0);
	/* The producer may push up to 6 words past WORDS. */
	while (expect < WORDS) {
		uint32_t n = ring_pop(&shared, word, 5);

		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(word[i], expect + i);
		expect += n;
		if (n == 0)
			sched_yield();
	}
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
