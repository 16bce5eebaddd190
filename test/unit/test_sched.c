/* VOQs and their scheduler: order, full and empty edges, fairness by bytes, wake-up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/packet.h"
#include "net/path/sched.h"

static struct voq queue[3];
static struct sched sched;

static int setup(void **state)
{
	memset(&sched, 0, sizeof sched);
	for (unsigned i = 0; i < 3; i++) {
		memset(&queue[i], 0, sizeof queue[i]);
		voq_init(&queue[i], 1);
		sched.voq[i] = &queue[i];
	}
	sched.voqs = 3;
	return 0;
}

static void put(unsigned q, uint32_t index, uint32_t len)
{
	assert_true(voq_put(&queue[q], packet_word(index, len, 0), VOQ_SLOTS));
	voq_publish(&queue[q]);
}

static void test_fifo_and_full(void **state)
{
	uint64_t word[BATCH_MAX];
	uint32_t next = 0, taken = 0;

	/* several times around, at every fill level */
	for (unsigned round = 0; round < 200; round++) {
		unsigned n = 1 + round * 7 % VOQ_SLOTS;

		for (unsigned i = 0; i < n; i++)
			put(0, next++, 64);
		while (voq_depth(&queue[0])) {
			unsigned got = sched_take(&sched, word, BATCH_MAX);

			for (unsigned i = 0; i < got; i++)
				assert_int_equal(packet_index(word[i]), taken++);
		}
	}
	assert_int_equal(taken, next);
	for (unsigned i = 0; i < VOQ_SLOTS; i++)
		put(0, i, 64);
	assert_false(voq_put(&queue[0], packet_word(0, 64, 0), VOQ_SLOTS));
	assert_int_equal(queue[0].drops, 1);
	assert_int_equal(voq_depth(&queue[0]), VOQ_SLOTS);
	put(1, 0, 64); /* the others are not held up */
	while (voq_depth(&queue[0]) == VOQ_SLOTS)
		assert_int_equal(sched_take(&sched, word, 1), 1);
	put(0, 0, 64); /* one place was given back */
	assert_int_equal(voq_depth(&queue[0]), VOQ_SLOTS);
}

static void test_unpublished_is_invisible(void **state)
{
	uint64_t word[4];

	assert_true(voq_put(&queue[0], packet_word(1, 64, 0), VOQ_SLOTS));
	assert_int_equal(sched_take(&sched, word, 4), 0);
	voq_publish(&queue[0]);
	assert_int_equal(sched_take(&sched, word, 4), 1);
}

/* Three backlogged queues of different packet sizes get the same bytes. */
static void test_fair_by_bytes(void **state)
{
	static const uint32_t size[3] = {64, 512, 1500};
	uint64_t word[BATCH_MAX], low = UINT64_MAX, high = 0;

	for (unsigned turn = 0; turn < 20000; turn++) {
		for (unsigned q = 0; q < 3; q++)
			while (voq_depth(&queue[q]) < VOQ_SLOTS)
				put(q, q, size[q]);
		sched_take(&sched, word, BATCH_MAX);
	}
	for (unsigned q = 0; q < 3; q++) {
		low = queue[q].bytes < low ? queue[q].bytes : low;
		high = queue[q].bytes > high ? queue[q].bytes : high;
	}
	assert_true(high - low <= SCHED_QUANTUM * 1500);
}

static void test_weights(void **state)
{
	uint64_t word[BATCH_MAX];

	voq_init(&queue[1], 2);
	voq_init(&queue[2], 4);
	for (unsigned turn = 0; turn < 20000; turn++) {
		for (unsigned q = 0; q < 3; q++)
			while (voq_depth(&queue[q]) < VOQ_SLOTS)
				put(q, q, 1000);
		sched_take(&sched, word, BATCH_MAX);
	}
	assert_in_range(queue[1].bytes * 100 / queue[0].bytes, 198, 202);
	assert_in_range(queue[2].bytes * 100 / queue[0].bytes, 396, 404);
}

/* A queue that slept starts at the minimum: it does not starve the others to catch up. */
static void test_wakeup(void **state)
{
	uint64_t word[BATCH_MAX];

	for (unsigned turn = 0; turn < 1000; turn++) {
		while (voq_depth(&queue[0]) < VOQ_SLOTS)
			put(0, 0, 1500);
		sched_take(&sched, word, BATCH_MAX);
	}
	uint64_t before = queue[0].packets;

	for (unsigned turn = 0; turn < 100; turn++) {
		for (unsigned q = 0; q < 2; q++)
			while (voq_depth(&queue[q]) < VOQ_SLOTS)
				put(q, q, 1500);
		sched_take(&sched, word, BATCH_MAX);
	}
	uint64_t got = queue[0].packets - before, woken = queue[1].packets;

	assert_in_range(got, woken - 2 * SCHED_QUANTUM, woken + 2 * SCHED_QUANTUM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fifo_and_full, setup),
		cmocka_unit_test_setup(test_unpublished_is_invisible, setup),
		cmocka_unit_test_setup(test_fair_by_bytes, setup),
		cmocka_unit_test_setup(test_weights, setup),
		cmocka_unit_test_setup(test_wakeup, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
