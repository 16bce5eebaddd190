/* The token bucket against exact arithmetic, and shaped output of a whole scheduler. */
#include "test/unit/sched_model.h"

#define HZ UINT64_C(2595124000)

/* What `ticks` at `bps` may send, in bytes. */
static uint64_t exact(uint64_t bps, uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)bps * ticks / 8 / HZ);
}

static void test_rate(void **state)
{
	static const uint64_t bps[] = {
		SHAPER_MIN_BPS, 64000, 20000000, 1000000000, 99999999999, SHAPER_MAX_BPS};

	for (unsigned i = 0; i < sizeof bps / sizeof *bps; i++) {
		struct bucket_rate rate;

		shaper_rate_set(&rate, bps[i], HZ, 1514);
		/* an hour's tokens, within 0.1 % */
		uint64_t hour = (uint64_t)((unsigned __int128)rate.per_tick * HZ * 3600 >> 32);
		uint64_t want = bps[i] / 8 * 3600;

		assert_in_range(hour, want - want / 1000, want + want / 1000);
		assert_true(rate.depth >= (int64_t)2 * 1514 << 32);
		/* the deepest debt and the fullest bucket do not overflow */
		assert_true(
			(unsigned __int128)rate.per_tick * rate.fill_ticks < (uint64_t)INT64_MAX);
	}
}

/* Always something to send, at random moments: within 1 % of the rate after a second. */
static void test_accuracy(void **state)
{
	static const uint64_t bps[] = {64000, 1000000, 20000000, 1000000000, 25000000000};

	srand(7);
	for (unsigned i = 0; i < sizeof bps / sizeof *bps; i++) {
		struct bucket_rate rate;
		struct shaper s = {.rate = &rate, .bucket.filled = 1000};
		uint64_t now = 1000, sent = 0, seconds = bps[i] < 1000000 ? 60 : 1;

		shaper_rate_set(&rate, bps[i], HZ, 1514);
		while (now < 1000 + seconds * HZ) {
			/* between a turn of a busy worker and its being away for a millisecond */
			now += 500 + (uint64_t)rand() % (rand() % 100 ? 30000 : HZ / 1000);
			uint64_t budget = shaper_budget(&s, now), bytes = 0;

			while (bytes < budget && bytes < 64 * 1514)
				bytes += 64 + (uint64_t)rand() % 1450;
			shaper_charge(&s, bytes);
			sent += bytes;
		}
		uint64_t want = exact(bps[i], now - 1000);

		assert_in_range(sent, want - want / 100, want + want / 100 + 2 * 1514);
	}
}

/* After idleness the burst is the bucket, no more; a debt is paid first. */
static void test_burst_and_debt(void **state)
{
	struct bucket_rate rate;
	struct shaper s = {.rate = &rate};

	shaper_rate_set(&rate, 8000000, HZ, 1514); /* 1 byte a microsecond, bucket 5000 */
	assert_in_range(shaper_budget(&s, 100 * HZ), 4990, 5000);
	shaper_charge(&s, 6000);
	assert_int_equal(shaper_budget(&s, 100 * HZ), 0);
	assert_int_equal(shaper_budget(&s, 100 * HZ + HZ / 1000 - 10000), 0);
	assert_in_range(shaper_budget(&s, 100 * HZ + HZ / 1000 + 10000), 1, 20);
	s.rate = NULL;
	assert_true(shaper_budget(&s, 101 * HZ) == UINT64_MAX);
	shaper_charge(&s, 100000);
	s.rate = &rate;
	assert_in_range(shaper_budget(&s, 110 * HZ), 4990, 5000);
}

/* A scheduler with a rate: the rate holds within 1 %, the shares too, the strict class waits least.
 */
static void test_shaped_shares(void **state)
{
	static struct model m;
	struct bucket_rate rate;

	srand(5);
	model_start(&m, 4);
	shaper_rate_set(&rate, 20000000, HZ, 1514);
	m.sched.shaper.rate = &rate;
	model_class(&m, 1, false, 2);
	model_class(&m, 2, false, 4);
	model_class(&m, 3, true, 1);
	for (m.now = HZ; m.now < 11 * HZ; m.now += 5000 + (uint64_t)rand() % 300000) {
		for (unsigned c = 0; c < 3; c++)
			model_backlog(&m, c, c, 64, MODEL_LEN_MAX);
		if (rand() % 50 == 0)
			model_put(&m, 3, 3, 200);
		model_take(&m, BATCH_MAX);
	}
	uint64_t want = exact(20000000, 10 * HZ), sent = 0;

	for (unsigned c = 0; c < 4; c++)
		sent += m.class_bytes[c];
	assert_in_range(sent, want - want / 100, want + want / 100);
	assert_in_range(m.class_bytes[1] * 1000 / m.class_bytes[0], 1980, 2020);
	assert_in_range(m.class_bytes[2] * 1000 / m.class_bytes[0], 3960, 4040);
	assert_true(model_waiting(&m, 3, 3) <= 2);
	model_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_accuracy),
		cmocka_unit_test(test_burst_and_debt),
		cmocka_unit_test(test_shaped_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
