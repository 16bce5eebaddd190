/* RIBs that get the routes of a loaded table late: all that happens meanwhile comes out right. */
#include "test/unit/fibimage_fixture.h"

static struct fibfill fill;

static void begin(unsigned routes)
{
	make_routes(routes);
	make_image();
	take_image();
	fibfill_begin(&fill, &image, &taker.rib4, &taker.rib6, &taker.t);
}

static void check_ribs(void)
{
	const struct route4 *b = rib4_first(&taker.rib4);
	const struct route6 *d = rib6_first(&taker.rib6);

	for (const struct route4 *a = rib4_first(&maker.rib4); a; a = rib4_next(&maker.rib4, a)) {
		assert_non_null(b);
		assert_true(a->prefix == b->prefix && a->length == b->length);
		assert_true(a->source == b->source && a->nexthop == b->nexthop);
		b = rib4_next(&taker.rib4, b);
	}
	assert_null(b);
	for (const struct route6 *c = rib6_first(&maker.rib6); c; c = rib6_next(&maker.rib6, c)) {
		assert_non_null(d);
		assert_true(ip6_equal(c->prefix, d->prefix) && c->length == d->length);
		assert_true(c->source == d->source && c->nexthop == d->nexthop);
		d = rib6_next(&taker.rib6, d);
	}
	assert_null(d);
}

static void test_steps(void **state)
{
	uint32_t left, before, count;

	begin(4000);
	left = fibfill_left(&fill);
	assert_true(left > 4000 && left < 8000); /* short ones are in */
	do {
		before = left;
		count = taker.rib4.rib.count + taker.rib6.rib.count;
		fibfill_step(&fill, 50);
		left = fibfill_left(&fill);
		assert_true(left <= before);
		assert_true(taker.rib4.rib.count + taker.rib6.rib.count - count <= 50);
		assert_false(rib_has_changes(&taker.rib4.rib));
		assert_false(rib_has_changes(&taker.rib6.rib));
	} while (left);
	assert_false(fibfill_step(&fill, 50));
	assert_int_equal(fill.failed, 0);
	assert_null(taker.rib4.rib.supply);
	assert_null(taker.rib6.rib.supply);
	check_ribs();
	for (uint32_t i = 1; i <= NEXTHOPS; i++) { /* the routes, and groups their members */
		uint32_t refs = 0;

		for (const struct route4 *r = rib4_first(&taker.rib4); r;
			r = rib4_next(&taker.rib4, r))
			refs += r->nexthop == i;
		for (const struct route6 *r = rib6_first(&taker.rib6); r;
			r = rib6_next(&taker.rib6, r))
			refs += r->nexthop == i;
		for (uint32_t k = 1; k <= NEXTHOPS; k++) {
			const struct nexthop *n = &taker.t.nexthop[k];

			for (unsigned m = 0;
				n->action == NEXTHOP_GROUP && m < taker.t.group[n->group].members;
				m++)
				refs += taker.t.group[n->group].member[m].index == i;
		}
		assert_int_equal(taker.t.nexthop[i].refs, refs);
	}
}

/* The same change to both. */
static void random_change(void)
{
	unsigned length;
	uint32_t prefix = random_prefix4(&length), nexthop = random_nexthop(), old;
	struct ip6 prefix6;
	unsigned length6;

	if (length < 12 && rand() % 16) { /* seldom one that wants most of the table */
		length = 24;
		prefix &= rib4_mask(24);
	}
	prefix6 = random_prefix6(&length6);
	for (unsigned w = 0; w < 2; w++) {
		struct world *world = w ? &taker : &maker;

		if (nexthop % 4 == 0) {
			(void)!rib4_remove(&world->rib4, prefix, length, RIB_STATIC, NULL);
			(void)!rib6_remove(&world->rib6, prefix6, length6, RIB_STATIC, NULL);
		} else if (nexthop % 4 == 1) {
			(void)!rib4_replace(
				&world->rib4, prefix, length, RIB_STATIC, nexthop, &old);
		} else {
			add4(world, prefix, length, RIB_STATIC, nexthop);
			add6(world, prefix6, length6, RIB_STATIC, nexthop);
		}
	}
}

/* A question is answered as if all routes were in. */
static void random_question(void)
{
	unsigned length;
	uint32_t address = random_prefix4(&length) | (uint32_t)rand() % 256;
	struct ip6 address6 = random_prefix6(&length);
	const struct route4 *a = rib4_match(&maker.rib4, address, false);
	const struct route4 *b = rib4_match(&taker.rib4, address, false);
	const struct route6 *c = rib6_match_upto(&maker.rib6, address6, length);
	const struct route6 *d = rib6_match_upto(&taker.rib6, address6, length);

	assert_int_equal(a ? a->length : 99, b ? b->length : 99);
	assert_int_equal(a ? a->nexthop : 0, b ? b->nexthop : 0);
	assert_int_equal(a ? a->source : 99, b ? b->source : 99);
	assert_int_equal(c ? c->length : 199, d ? d->length : 199);
	assert_int_equal(c ? c->nexthop : 0, d ? d->nexthop : 0);
}

/* Changes, questions and slices of the rest in any order: the two always answer alike. */
static void test_meanwhile(void **state)
{
	unsigned rounds = 0;

	begin(5000);
	while (taker.rib4.rib.supply || rounds < 100) {
		for (int i = rand() % 8; i > 0; i--)
			random_change();
		for (int i = rand() % 4; i > 0; i--)
			random_question();
		follow(&maker);
		if (rand() % 2) { /* some follow later, together */
			follow(&taker);
			compare(50);
		}
		fibfill_step(&fill, (uint32_t)rand() % 150);
		rounds++;
	}
	assert_true(rounds > 50);
	follow(&taker);
	compare(1);
	check_ribs();
}

/* Steps until an address has this next hop; it must not take the time of a whole table. */
static void follow_until(uint32_t address, uint32_t nexthop)
{
	uint32_t index = 0;

	for (unsigned steps = 0; index != nexthop; steps++) {
		assert_true(steps < 50);
		assert_int_equal(fib4_follow(taker.fib4, &taker.rib4, &taker.job4, 1), ERR_OK);
		fib4_lookup(taker.fib4, &address, &index, 1);
	}
}

/* A change of many blocks does not hold up those after it. */
static void test_overtaken(void **state)
{
	struct world *w[2] = {&taker, &maker};
	uint32_t address = 0xc0af0505u;

	begin(5000);
	for (unsigned i = 0; i < 2; i++) {
		add4(w[i], 0xc0a80000u, 13, RIB_STATIC, NEXTHOPS + 3);
		add4(w[i], address, 32, RIB_CONNECTED, NEXTHOPS + 1);
		add4(w[i], 0xc0a80000u, 14, RIB_STATIC, NEXTHOPS + 4); /* to be done with it */
		add4(w[i], address + 1, 32, RIB_CONNECTED, NEXTHOPS + 2);
		add4(w[i], 0xc0600000u, 14, RIB_STATIC, NEXTHOPS + 5); /* likewise */
	}
	follow_until(address, NEXTHOPS + 1);
	follow_until(address + 1, NEXTHOPS + 2);
	while (rib_has_changes(&taker.rib4.rib))
		assert_int_equal(fib4_follow(taker.fib4, &taker.rib4, &taker.job4, 1), ERR_OK);
	assert_true(taker.job4.pending);
	assert_true(taker.job4.next <= 0xc0600000u && taker.job4.last >= 0xc0afffffu);
	follow(&maker);
	follow(&taker);
	compare(1);
}

/* Changes lost in the queue: the table is made anew, and brings all routes. */
static void test_lost(void **state)
{
	begin(3000);
	taker.rib4.rib.change_lost = taker.rib6.rib.change_lost = true;
	follow(&taker);
	compare(1);
	while (fibfill_step(&fill, 1000))
		;
	check_ribs();
}

/* A RIB without room for all: that is counted, nothing worse. */
static void test_no_room(void **state)
{
	make_routes(5000);
	make_image();
	world_end(&taker);
	world_begin(&taker, 3000);
	take_image();
	fibfill_begin(&fill, &image, &taker.rib4, &taker.rib6, &taker.t);
	while (fibfill_step(&fill, 1000))
		;
	assert_true(fill.failed >= 2000);
	assert_int_equal(taker.rib4.rib.count, 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_steps),
		CASE(test_meanwhile),
		CASE(test_overtaken),
		CASE(test_lost),
		CASE(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
