/* The search for rates, against simulated devices whose limit is known; and sequences against a
 * model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "tools/pktgen/search.h"
#include "tools/pktgen/track.h"

/* ---- searches ---- */

/* Loses everything above its capacity, and a little below it, as devices do. */
struct device {
	double capacity; /* packets/s */
	double early;    /* loss ratio just below it */
	double from;     /* part of the capacity where that begins */
	double burst;    /* packets it can hold above its capacity */
};

static double loss(const struct device *d, double load, double seconds)
{
	double over = (load - d->capacity) * seconds - d->burst;
	double lost = over > 0 ? over / (load * seconds) : 0;

	return load > d->from * d->capacity ? lost + d->early : lost;
}

static unsigned drive(struct search *s, const struct device *d, double *measured_s)
{
	double load, seconds;

	*measured_s = 0;
	while (search_next(s, &load, &seconds)) {
		assert_true(load >= s->min && load <= s->max);
		assert_true(seconds >= s->first_s * 0.999 && seconds <= s->last_s * 1.001);
		search_note(s, load, seconds, loss(d, load, seconds));
		*measured_s += seconds;
		assert_true(s->trials < SEARCH_TRIALS);
	}
	return s->trials;
}

static struct search halving(void)
{
	return (struct search){.min = 1e3,
		.max = 60e6,
		.precision = 0.005,
		.first_s = 10,
		.last_s = 10,
		.phases = 1,
		.goals = 1};
}

static void binary_search(void **state)
{
	static const double capacity[] = {2e3, 1e6, 14.88e6, 31.7e6, 59.9e6};

	for (unsigned i = 0; i < sizeof capacity / sizeof *capacity; i++) {
		struct device d = {capacity[i], 0, 1, 0};
		struct search s = halving();
		double measured;
		struct search_bounds b;

		drive(&s, &d, &measured);
		b = search_result(&s, 0);
		assert_true(b.has_lower && b.has_upper);
		assert_true(b.lower <= capacity[i] && b.upper > capacity[i]);
		assert_true(b.upper - b.lower <= b.upper * 0.005);
	}
}

static void ends_of_the_range(void **state)
{
	struct device d = {1e9, 0, 1, 0};
	struct search s = halving();
	double measured;

	/* More than can be offered: one trial. */
	assert_int_equal(drive(&s, &d, &measured), 1);
	assert_true(search_result(&s, 0).lower == 60e6);
	assert_false(search_result(&s, 0).has_upper);
	/* Less than the least: nothing is good. */
	s = halving();
	d.capacity = 10;
	drive(&s, &d, &measured);
	assert_false(search_result(&s, 0).has_lower);
	assert_true(search_result(&s, 0).upper == s.min);
}

static struct search multiple(void)
{
	return (struct search){.min = 60e3,
		.max = 60e6,
		.precision = 0.005,
		.first_s = 0.5,
		.last_s = 10,
		.phases = 3,
		.goals = 2,
		.goal = {0, 0.005}};
}

static void two_goals(void **state)
{
	static const double capacity[] = {100e3, 3e6, 21.3e6, 45e6, 59.9e6};

	for (unsigned i = 0; i < sizeof capacity / sizeof *capacity; i++) {
		/* Begins to lose 0.1 % at 90 % of its capacity: NDR there, PDR a little above the
		 * capacity. */
		struct device d = {capacity[i], 0.001, 0.9, 0};
		struct search s = multiple();
		double measured, ndr = capacity[i] * 0.9, pdr = capacity[i] / (1 - 0.004);
		struct search_bounds a, b;

		drive(&s, &d, &measured);
		a = search_result(&s, 0);
		b = search_result(&s, 1);
		assert_true(
			a.lower <= ndr && a.upper > ndr && a.upper - a.lower <= a.upper * 0.005);
		if (pdr > s.max) {
			assert_true(b.lower == s.max);
			continue;
		}
		assert_true(
			b.lower <= pdr && b.upper > pdr && b.upper - b.lower <= b.upper * 0.005);
		assert_true(b.lower >= a.lower);
	}
}

/* What a short trial hides in a buffer, the last phase finds; and long trials are few. */
static void phases(void **state)
{
	struct device d = {20e6, 0, 1, 2e6};
	struct search s = multiple();
	double measured;
	struct search_bounds a;
	unsigned last = 0;

	drive(&s, &d, &measured);
	a = search_result(&s, 0);
	assert_true(a.lower <= 20e6 + 2e6 / 10 && a.upper > 20e6);
	for (unsigned i = 0; i < s.trials; i++)
		last += s.trial[i].seconds > 9.9;
	assert_true(last <= 12);

	struct search plain = halving();
	double plain_s;

	plain.precision = 0.005;
	drive(&plain, &d, &plain_s);
	assert_true(measured < 2 * plain_s); /* two goals, and no longer than twice one */
}

/* What passes above a load that did not is luck. */
static void good_above_bad(void **state)
{
	struct search s = halving();

	search_note(&s, 60e6, 10, 0.5);
	search_note(&s, 20e6, 10, 0.1);
	search_note(&s, 30e6, 10, 0);
	assert_false(search_result(&s, 0).has_lower);
	search_note(&s, 10e6, 10, 0);
	search_note(&s, 19e6, 5, 0); /* too short to count */
	assert_true(search_result(&s, 0).lower == 10e6 && search_result(&s, 0).upper == 20e6);
}

/* A device that loses at random now and then: it ends, below the first loss at full length. */
static void noise(void **state)
{
	srand(5);
	for (unsigned i = 0; i < 200; i++) {
		struct device d = {20e6, 0, 1, 0};
		struct search s = multiple();
		double load, seconds;

		while (search_next(&s, &load, &seconds))
			search_note(&s, load, seconds,
				rand() % 5 ? loss(&d, load, seconds)
					   : fmax(loss(&d, load, seconds), 1e-6));
		assert_true(s.trials < SEARCH_TRIALS);
		for (unsigned k = 0; k < s.trials; k++)
			if (s.trial[k].seconds > 9.9 && s.trial[k].loss > 0)
				assert_true(search_result(&s, 0).lower < s.trial[k].load);
	}
}

/* ---- sequences ---- */

#define NUMBERS 300000u

static struct track t;

static int set_up(void **state)
{
	t.seen = malloc(TRACK_WORDS * sizeof *t.seen);
	track_reset(&t);
	return 0;
}

static int tear_down(void **state)
{
	free(t.seen);
	return 0;
}

static void in_order(void **state)
{
	for (uint32_t i = 0; i < NUMBERS; i++)
		assert_true(track_note(&t, i, NUMBERS));
	assert_int_equal(track_received(&t), NUMBERS);
	assert_int_equal(t.reordered + t.duplicate + t.too_late, 0);
	assert_true(track_note(&t, 5, NUMBERS));
	assert_int_equal(t.too_late, 1);
	assert_true(track_note(&t, NUMBERS - TRACK_WINDOW, NUMBERS));
	assert_int_equal(t.duplicate, 1);
	assert_false(track_note(&t, NUMBERS, NUMBERS));
	assert_false(track_note(&t, NUMBERS + 7, NUMBERS));
	assert_int_equal(track_received(&t), NUMBERS);
}

/* Swaps, losses and repetitions at random, against a plain list of what was seen. */
static void against_a_model(void **state)
{
	static bool seen[NUMBERS];
	static uint32_t order[NUMBERS * 2];

	for (unsigned round = 0; round < 20; round++) {
		uint64_t received = 0, reordered = 0, duplicate = 0, highest = 0;
		uint32_t n = 0, reach = (uint32_t[]){2, 60, 64, 1000, 20000}[round % 5];

		srand(round);
		track_reset(&t);
		memset(seen, 0, sizeof seen);
		for (uint32_t i = 0; i < NUMBERS; i++)
			for (int k = rand() % 50 == 0 ? rand() % 3 : 1; k; k--)
				order[n++] = i;
		for (uint32_t i = 0; i < n / 20; i++) {
			uint32_t a = (uint32_t)rand() % n, b = a + (uint32_t)rand() % reach / 2, c;

			b = b < n ? b : n - 1;
			c = order[a];
			order[a] = order[b];
			order[b] = c;
		}
		for (uint32_t i = 0; i < n; i++) {
			uint32_t x = order[i];

			assert_true(track_note(&t, x, NUMBERS));
			if (highest > x && highest - x > TRACK_WINDOW) {
				continue;
			} else if (seen[x]) {
				duplicate++;
			} else {
				received++;
				reordered += x < highest;
				seen[x] = true;
			}
			highest = x >= highest ? x + 1 : highest;
		}
		assert_int_equal(t.too_late, 0);
		assert_int_equal(track_received(&t), received);
		assert_int_equal(t.duplicate, duplicate);
		assert_int_equal(t.reordered, reordered);
	}
}

/* Gaps larger than the window, and numbers beyond 32 bits. */
static void far_ahead(void **state)
{
	uint64_t sent = UINT64_C(1) << 40;

	t.next = t.solid = (UINT64_C(1) << 32) - 3;
	for (uint32_t i = 0; i < 6; i++)
		assert_true(track_note(&t, (uint32_t)-3 + i, sent));
	assert_int_equal(t.next, (UINT64_C(1) << 32) + 3);
	assert_true(track_note(&t, 3 + 10 * TRACK_WINDOW, sent));
	assert_int_equal(t.missing, 10 * TRACK_WINDOW);
	for (uint32_t i = 1; i < TRACK_WINDOW; i++)
		assert_true(track_note(&t, 3 + 10 * TRACK_WINDOW - i, sent));
	assert_int_equal(t.reordered, TRACK_WINDOW - 1);
	assert_int_equal(t.missing, 9 * TRACK_WINDOW + 1);
	assert_int_equal(t.duplicate, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(binary_search),
		cmocka_unit_test(ends_of_the_range),
		cmocka_unit_test(two_goals),
		cmocka_unit_test(phases),
		cmocka_unit_test(good_above_bad),
		cmocka_unit_test(noise),
		cmocka_unit_test_setup_teardown(in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(against_a_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(far_ahead, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
