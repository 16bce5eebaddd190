/* A forwarding table made elsewhere: the same answers, and refusal of what is none. */
#include "test/unit/fibimage_fixture.h"

static void test_round_trip(void **state)
{
	struct fib4_stats a, b;
	struct fib6_stats c, d;

	make_routes(4000);
	make_image();
	take_image();
	assert_int_equal(image.nexthops, NEXTHOPS);
	assert_int_equal(image.routes[0], maker.rib4.rib.count);
	assert_int_equal(image.routes[1], maker.rib6.rib.count);
	compare(1);
	fib4_stats(maker.fib4, &a);
	fib4_stats(taker.fib4, &b);
	assert_memory_equal(&a.used, &b.used, sizeof a.used);
	assert_int_equal(a.bytes, b.bytes);
	fib6_stats(maker.fib6, &c);
	fib6_stats(taker.fib6, &d);
	assert_int_equal(c.bytes, d.bytes);
	for (uint32_t i = 1; i <= NEXTHOPS; i++) {
		const struct nexthop *m = &maker.t.nexthop[i], *n = &taker.t.nexthop[i];

		assert_true(n->refs > 0);
		assert_int_equal(m->action, n->action);
		assert_int_equal(m->gateway, n->gateway);
		assert_int_equal(m->port, n->port);
		if (n->action == NEXTHOP_GROUP)
			assert_memory_equal(maker.t.group[m->group].member,
				taker.t.group[n->group].member, sizeof taker.t.group->member);
	}
}

/* A table that was changed often has free blocks in between: they are free afterwards, too. */
static void test_after_changes(void **state)
{
	struct fib4_stats s;

	make_routes(2000);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned length;
		uint32_t prefix = random_prefix4(&length);

		if (rand() % 2)
			add4(&maker, prefix, length, RIB_FILE, random_nexthop());
		else
			(void)!rib4_remove(&maker.rib4, prefix, length, RIB_FILE, NULL);
		if (i % 100 == 0)
			follow(&maker);
	}
	make_image();
	take_image();
	compare(1);
	struct fib4_job job = fib4_job(0, 0); /* the taker has no routes: all of it goes */

	assert_int_equal(fib4_job_step(taker.fib4, &taker.rib4, &job, ~0u), ERR_OK);
	grace(&taker);
	fib4_stats(taker.fib4, &s);
	assert_int_equal(s.used.lines, 1);
	assert_int_equal(s.waiting, 0);
}

static void test_empty(void **state)
{
	make_image();
	take_image();
	compare(1);
}

/* ---- refusals ---- */

static bool is_refused(void)
{
	struct fibimage ignored;

	return fibimage_open(&ignored, bytes, bytes_n) != NULL;
}

static void test_damaged(void **state)
{
	struct fibimage ignored;
	uint8_t *p, *longer;

	make_routes(100);
	make_image();
	p = bytes;
	assert_false(is_refused());
	for (unsigned i = 0; i < 1000; i++) {
		/* Anywhere, and the head bit by bit. */
		size_t at = i < 192 ? i : random64() % bytes_n;

		p[at] ^= (uint8_t)(1u << i % 8);
		assert_true(is_refused() || (at >= 144 && at < 192)); /* unused */
		p[at] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < bytes_n; n += 1 + random64() % 5000)
		assert_non_null(fibimage_open(&ignored, bytes, n));
	longer = model_memory(bytes_n + 64);
	memcpy(longer, bytes, bytes_n);
	assert_string_equal(fibimage_open(&ignored, longer, bytes_n + 64), "it is not whole");
	memmove(longer + 8, longer, bytes_n);
	assert_string_equal(
		fibimage_open(&ignored, longer + 8, bytes_n), "it is no forwarding table");
	free(longer);
	p[8]++;
	assert_string_equal(
		fibimage_open(&ignored, bytes, bytes_n), "it is of another version: make it anew");
	memset(p, ' ', 40);
	assert_string_equal(fibimage_open(&ignored, bytes, bytes_n), "it is no forwarding table");
}

/* Nothing has changed: no next hops, no answers. */
static void check_untouched(uint32_t nexthops)
{
	uint32_t address = 0xc0a80101u, index;
	struct ip6 address6 = {0x2001000000000000ull, 1};

	assert_int_equal(taker.t.count, nexthops);
	fib4_lookup(taker.fib4, &address, &index, 1);
	assert_int_equal(index, NEXTHOP_NONE);
	fib6_lookup(taker.fib6, &address6, &index, 1);
	assert_int_equal(index, NEXTHOP_NONE);
	model_nexthops_free(&taker.t); /* an image is loaded into new tables only */
	model_nexthops_init(&taker.t);
}

static void test_does_not_fit(void **state)
{
	static const char wanted[] = "there is not enough memory for a table of this size";
	struct fib4_limits limits4 = {.lines = 100};
	struct fib6_limits limits6 = {.words = 0};
	struct fib6 *fib6 = taker.fib6;
	uint32_t index;

	add4(&maker, 0, 0, RIB_FILE, 1);
	add6(&maker, (struct ip6){0, 0}, 0, RIB_FILE, 1);
	make_routes(3000);
	make_image();
	assert_null(fibimage_open(&image, bytes, bytes_n));

	taker.fib6 = fib6_init(model_memory(fib6_size(&limits6)), &limits6);
	assert_string_equal(fibimage_load(&image, taker.fib4, taker.fib6, &taker.t), wanted);
	check_untouched(1);
	free(taker.fib6);
	taker.fib6 = fib6;

	struct fib4 *fib4 = taker.fib4;

	taker.fib4 = fib4_init(model_memory(fib4_size(&limits4)), &limits4);
	assert_string_equal(fibimage_load(&image, taker.fib4, taker.fib6, &taker.t), wanted);
	check_untouched(1);
	free(taker.fib4);
	taker.fib4 = fib4;

	assert_int_equal(nexthop_get_recursive(&taker.t, 1, NEXTHOP_ANY_PORT, &index), ERR_OK);
	assert_string_equal(fibimage_load(&image, taker.fib4, taker.fib6, &taker.t),
		"the numbers of its next hops are taken");
	check_untouched(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_round_trip),
		CASE(test_after_changes),
		CASE(test_empty),
		CASE(test_damaged),
		CASE(test_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
