/* The scheduler against a model: order, priority, and the bounds of fair queueing at every step. */
#include "test/unit/sched_model.h"

static struct model m;

static int setup(void **state)
{
	srand(11);
	model_start(&m, 3);
	return 0;
}

static int teardown(void **state)
{
	model_end(&m);
	return 0;
}

static void restart(unsigned lanes)
{
	model_end(&m);
	model_start(&m, lanes);
}

static void test_fifo_and_full(void **state)
{
	/* several times around, at every fill level */
	for (unsigned round = 0; round < 200; round++) {
		unsigned n = 1 + round * 7 % VOQ_SLOTS;

		for (unsigned i = 0; i < n; i++)
			model_put(&m, 0, round % VOQ_CLASSES, 64);
		while (model_total(&m))
			model_take(&m, 1 + (unsigned)rand() % BATCH_MAX);
	}
	model_backlog(&m, 0, 0, 64, 64);
	assert_false(voq_put(m.cross[0], 0, packet_word(0, 64, 0), VOQ_SLOTS));
	assert_int_equal(m.cross[0]->in.drops[0], 1);
	assert_int_equal(voq_depth(m.cross[0], 0), VOQ_SLOTS);
	model_put(&m, 1, 0, 64); /* the others are not held up */
	model_put(&m, 0, 1, 64);
	while (voq_depth(m.cross[0], 0) == VOQ_SLOTS)
		assert_int_equal(model_take(&m, 1), 1);
	model_put(&m, 0, 0, 64); /* one place was given back */
	assert_int_equal(voq_depth(m.cross[0], 0), VOQ_SLOTS);
}

static void test_unpublished_is_invisible(void **state)
{
	uint64_t word[4];

	assert_true(voq_put(m.cross[0], 3, packet_word(1, 64, 0), VOQ_SLOTS));
	assert_int_equal(sched_take(&m.sched, word, 4, 0), 0);
	voq_publish(m.cross[0], 0);
	assert_int_equal(sched_take(&m.sched, word, 4, 0), 1);
	assert_int_equal(sched_take(&m.sched, word, 4, 0), 0);
	voq_publish(m.cross[0], 0); /* nothing new */
	assert_int_equal(sched_take(&m.sched, word, 4, 0), 0);
}

/* Three backlogged queues of different packet sizes get the same bytes. */
static void test_fair_by_bytes(void **state)
{
	static const uint32_t size[3] = {64, 512, 1500};
	uint64_t low = UINT64_MAX, high = 0;

	for (unsigned turn = 0; turn < 3000; turn++) {
		for (unsigned l = 0; l < 3; l++)
			model_backlog(&m, l, 0, size[l], size[l]);
		model_take(&m, BATCH_MAX);
	}
	for (unsigned l = 0; l < 3; l++) {
		low = m.bytes[l][0] < low ? m.bytes[l][0] : low;
		high = m.bytes[l][0] > high ? m.bytes[l][0] : high;
	}
	assert_true(high - low <= MODEL_QUANTUM);
}

/*
 * Start-time fair queueing (Goyal et al., 1996): over any interval in which two
 * flows wait, their bytes by weight differ by at most one quantum of each.
 */
static void check_fair(const uint64_t *bytes, const unsigned *weight, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < i; k++) {
			uint64_t a = bytes[i] * weight[k], b = bytes[k] * weight[i];
			uint64_t bound = MODEL_QUANTUM * (weight[i] + weight[k]);
			/* 65536 / weight is rounded down: below 0.4 % */
			uint64_t rounding = (a > b ? a : b) / 250;

			assert_true((a > b ? a - b : b - a) <= bound + rounding);
		}
}

/* Weights and lengths at random, all classes and lanes backlogged: the bound holds at every step.
 */
static void test_random_weights(void **state)
{
	static const unsigned equal[MODEL_LANES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	for (unsigned round = 0; round < 12; round++) {
		unsigned lanes = 1 + (unsigned)rand() % MODEL_LANES;
		unsigned classes = 1 + (unsigned)rand() % VOQ_CLASSES;

		restart(lanes);
		for (unsigned c = 0; c < classes; c++)
			model_class(&m, c, false, 1 + (unsigned)rand() % (round % 2 ? 8 : 256));
		for (unsigned turn = 0; turn < 600; turn++) {
			for (unsigned l = 0; l < lanes; l++)
				for (unsigned c = 0; c < classes; c++)
					model_backlog(&m, l, c, 64, l % 2 ? MODEL_LEN_MAX : 200);
			model_take(&m, 1 + (unsigned)rand() % BATCH_MAX);
			check_fair(m.class_bytes, m.weight, classes);
			for (unsigned c = 0; c < classes; c++) {
				uint64_t bytes[MODEL_LANES];

				for (unsigned l = 0; l < lanes; l++)
					bytes[l] = m.bytes[l][c];
				check_fair(bytes, equal, lanes);
			}
		}
	}
}

/* Exact shares in the long run. */
static void test_weights(void **state)
{
	model_class(&m, 1, false, 2);
	model_class(&m, 2, false, 4);
	for (unsigned turn = 0; turn < 10000; turn++) {
		for (unsigned c = 0; c < 3; c++)
			model_backlog(&m, c, c, 1000, 1000);
		model_take(&m, BATCH_MAX);
	}
	assert_in_range(m.class_bytes[1] * 1000 / m.class_bytes[0], 1990, 2010);
	assert_in_range(m.class_bytes[2] * 1000 / m.class_bytes[0], 3980, 4020);
}

/* Two wait all the time while others come and go: nobody's coming or going harms the two. */
static void test_fair_while_others_come_and_go(void **state)
{
	static const unsigned equal[2] = {1, 1};

	for (unsigned round = 0; round < 6; round++) {
		restart(6);
		for (unsigned c = 0; c < 4; c++)
			model_class(&m, c, false, 1 + (unsigned)rand() % 10);
		for (unsigned turn = 0; turn < 3000; turn++) {
			for (unsigned i = 0; i < 2; i++) {
				model_backlog(&m, i, 0, 64, MODEL_LEN_MAX);
				model_backlog(&m, i, 1, 64, MODEL_LEN_MAX);
			}
			for (unsigned burst = (unsigned)rand() % 40; burst > 0; burst--) {
				unsigned lane = 2 + (unsigned)rand() % 4;
				unsigned class = (unsigned)rand() % 4;

				if (voq_depth(m.cross[lane], class) < VOQ_SLOTS)
					model_put(&m, lane, class, 64 + (uint32_t)rand() % 1400);
			}
			model_take(&m, 1 + (unsigned)rand() % BATCH_MAX);
			for (unsigned c = 0; c < 2; c++) {
				uint64_t pair[2] = {m.bytes[0][c], m.bytes[1][c]};

				check_fair(pair, equal, 2);
			}
			check_fair(m.class_bytes, m.weight, 2);
		}
	}
}

/* Strict classes in order of their number, the model sees to it; the rest is shared as before. */
static void test_strict(void **state)
{
	model_class(&m, 2, true, 1);
	model_class(&m, 5, true, 1);
	model_class(&m, 6, false, 3);
	for (unsigned turn = 0; turn < 20000; turn++) {
		for (unsigned k = 0; k < 20; k++) {
			unsigned lane = (unsigned)rand() % 3, strict = rand() % 2 ? 2 : 5;

			if (rand() % 2 && voq_depth(m.cross[lane], strict) < VOQ_SLOTS)
				model_put(&m, lane, strict, 64 + (uint32_t)rand() % 1400);
		}
		model_backlog(&m, 0, 0, 64, MODEL_LEN_MAX);
		model_backlog(&m, 1, 6, 64, MODEL_LEN_MAX);
		model_take(&m, 1 + (unsigned)rand() % BATCH_MAX);
	}
	assert_true(m.class_bytes[2] > 0 && m.class_bytes[5] > 0 && m.class_bytes[0] > 0);
	assert_in_range(m.class_bytes[6] * 100 / m.class_bytes[0], 297, 303);
}

/* A queue that slept starts at the minimum: it does not starve the others to catch up. */
static void test_wakeup(void **state)
{
	for (unsigned turn = 0; turn < 1000; turn++) {
		model_backlog(&m, 0, 0, 1500, 1500);
		model_take(&m, BATCH_MAX);
	}
	uint64_t before = m.bytes[0][0], class_before;

	for (unsigned turn = 0; turn < 100; turn++) {
		for (unsigned l = 0; l < 2; l++)
			model_backlog(&m, l, 0, 1500, 1500);
		model_take(&m, BATCH_MAX);
	}
	assert_in_range(m.bytes[0][0] - before, m.bytes[1][0] - 2 * MODEL_QUANTUM,
		m.bytes[1][0] + 2 * MODEL_QUANTUM);
	/* A class that slept, the same. */
	class_before = m.class_bytes[0];
	for (unsigned turn = 0; turn < 100; turn++) {
		for (unsigned l = 0; l < 2; l++)
			model_backlog(&m, l, 0, 1500, 1500);
		model_backlog(&m, 2, 7, 1500, 1500);
		model_take(&m, BATCH_MAX);
	}
	assert_in_range(m.class_bytes[7], m.class_bytes[0] - class_before - 2 * MODEL_QUANTUM,
		m.class_bytes[0] - class_before + 2 * MODEL_QUANTUM);
}

/* Classes' runtimes wrap after 2^48 bytes by weight; whoever wakes then is not taken for one ahead.
 */
static void test_runtime_wraps(void **state)
{
	for (unsigned round = 0; round < 2; round++) {
		restart(3);
		m.sched.class[0].runtime = m.sched.minimum = (uint64_t)-1000000;
		m.sched.class[1].runtime = round ? UINT64_MAX / 2 : 12345; /* of long ago */
		for (unsigned turn = 0; turn < 1000; turn++) {
			model_backlog(&m, 0, 0, 64, MODEL_LEN_MAX);
			model_backlog(&m, 1, 1, 64, MODEL_LEN_MAX);
			model_take(&m, BATCH_MAX);
			check_fair(m.class_bytes, m.weight, 2);
		}
	}
}

/* The weight changes under way. */
static void test_policy_changes(void **state)
{
	static const unsigned weights[] = {1, 7, 3, 100, 1};

	for (unsigned i = 0; i < 5; i++) {
		uint64_t zero = m.class_bytes[0], one = m.class_bytes[1], x, y;

		model_class(&m, 1, i == 2, weights[i]);
		if (i == 2)
			continue; /* strict for a while: the next weight starts anew */
		for (unsigned turn = 0; turn < 12000; turn++) {
			model_backlog(&m, 0, 0, 64, 1500);
			model_backlog(&m, 1, 1, 64, 1500);
			model_take(&m, BATCH_MAX);
		}
		x = m.class_bytes[0] - zero;
		y = m.class_bytes[1] - one;
		assert_in_range(y * 100 / x, weights[i] * 97, weights[i] * 103);
	}
}

/* What is discarded is not charged to the shaper, and not counted as latency. */
static void test_discard(void **state)
{
	struct histogram *h = calloc(1, sizeof *h);
	uint64_t word[BATCH_MAX];
	struct bucket_rate rate;

	m.sched.latency[0] = h;
	shaper_rate_set(&rate, 8000, 1000000000, 1514);
	m.sched.shaper.rate = &rate;
	for (unsigned i = 0; i < 100; i++)
		assert_true(voq_put(m.cross[0], 0, packet_word(i, 1500, 0), VOQ_SLOTS));
	voq_publish(m.cross[0], 77);
	assert_int_equal(sched_discard(&m.sched, word, BATCH_MAX), BATCH_MAX);
	assert_int_equal(sched_discard(&m.sched, word, BATCH_MAX), 100 - BATCH_MAX);
	assert_int_equal(m.sched.shaper.bucket.tokens, 0);
	assert_int_equal(histogram_total(h), 0);
	free(h);
}

/* Every packet's latency is counted once, by its batch's stamp or, when those ran out, the next. */
static void test_latency(void **state)
{
	struct histogram *h = calloc(1, sizeof *h);
	uint64_t word[BATCH_MAX];
	unsigned sent = 0;

	m.sched.latency[0] = h;
	for (unsigned turn = 0; turn < 1000; turn++) {
		uint64_t now = 1000000 + turn * 1000;
		unsigned n = (unsigned)rand() % 4;

		for (unsigned i = 0; i < n; i++)
			assert_true(
				voq_put(m.cross[0], turn % 2, packet_word(i, 100, 0), VOQ_SLOTS));
		if (n)
			voq_publish(m.cross[0], now);
		sent += n;
		/* at times the output stands still, for more batches than there are stamps */
		if (turn % 100 < 50)
			continue;
		sched_take(&m.sched, word, BATCH_MAX, now + 7);
	}
	while (sched_take(&m.sched, word, BATCH_MAX, 3000000))
		;
	assert_int_equal(histogram_total(h), sent);
	assert_true(h->count[histogram_bucket(7)] > sent / 4);
	assert_in_range(h->max, 40000, 60000);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_fifo_and_full),
		CASE(test_unpublished_is_invisible),
		CASE(test_fair_by_bytes),
		CASE(test_random_weights),
		CASE(test_weights),
		CASE(test_fair_while_others_come_and_go),
		CASE(test_strict),
		CASE(test_wakeup),
		CASE(test_runtime_wraps),
		CASE(test_policy_changes),
		CASE(test_discard),
		CASE(test_latency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
