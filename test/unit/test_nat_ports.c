/* Ports given out one by one until the last: which, and (shown, not asserted) how fast. */
#include <stdio.h>
#include <time.h>

#include "test/unit/nat_fixture.h"

#define OURS IP(192, 0, 2, 1)
#define ALL  (65535u - 1023u)
#define GO   20000u

static struct nat_bench b;
static uint16_t given[ALL];

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static const struct nat_port_wish wish = {
	.external = OURS, .inside = IP(10, 0, 0, 2), .port = 5000, .protocol = IPV4_TCP};

/* Taken and given back, of what is free; ns for both. */
static double take_and_give(struct nat_spaces *s, unsigned n)
{
	double start = now_ns();

	for (unsigned i = 0; i < n; i++) {
		uint16_t port;
		uint32_t space = nat_port_take(s, &b.rules, &wish, i, &port);

		assert_int_not_equal(space, NAT_NO_SPACE);
		nat_port_give(s, space, port);
	}
	return (now_ns() - start) / n;
}

static void last_port_is_found_as_fast_as_the_first(void **state)
{
	struct nat_spaces *s = &b.state[0].spaces;
	uint32_t space = NAT_NO_SPACE;
	static bool taken[65536];
	double empty, full;

	(void)state;
	nat_bench_open(&b, 1, 16, 4);
	nat_bench_publish(&b);
	uint16_t first;

	assert_int_equal(nat_port_take(s, &b.rules, &wish, 0, &first), 0);
	empty = take_and_give(s, GO);
	taken[given[0] = first] = true;
	for (unsigned i = 1; i < ALL; i++) {
		uint32_t got = nat_port_take(s, &b.rules, &wish, i, &given[i]);

		assert_int_not_equal(got, NAT_NO_SPACE);
		space = got;
		assert_true(given[i] >= 1024);
		assert_false(taken[given[i]]);
		taken[given[i]] = true;
	}
	uint16_t none;

	assert_int_equal(nat_port_take(s, &b.rules, &wish, 0, &none), NAT_NO_SPACE);
	nat_port_give(s, space, given[4711]); /* the only one */
	assert_int_equal(nat_port_take(s, &b.rules, &wish, 0, &none), space);
	assert_int_equal(none, given[4711]);
	nat_port_give(s, space, none);
	full = take_and_give(s, GO);
	printf("figure: a port taken and given back: %.0f ns of %u free, %.0f ns of one "
	       "(sanitizers)\n",
		empty, ALL - 1, full);
	for (unsigned i = 0; i < ALL; i++)
		if (i != 4711)
			nat_port_give(s, space, given[i]);
	assert_int_equal(s->in_use, 0);
	nat_bench_close(&b);
}

/* Nobody can tell the next port from the last: they lie all over. */
static void ports_lie_all_over(void **state)
{
	unsigned met[16] = {0};

	(void)state;
	nat_bench_open(&b, 1, 16, 4);
	nat_bench_publish(&b);
	for (unsigned i = 0; i < 4000; i++) {
		uint16_t port;

		assert_int_not_equal(
			nat_port_take(&b.state[0].spaces, &b.rules, &wish, i, &port), NAT_NO_SPACE);
		met[port / 4096]++;
	}
	for (unsigned i = 0; i < 16; i++)
		assert_in_range(met[i], 120, 400);
	nat_bench_close(&b);
}

/* No space is left: nothing is given out, and what there is stays as it is. */
static void spaces_run_out(void **state)
{
	struct nat_port_wish w = wish;
	struct nat_spaces *s = &b.state[0].spaces;
	uint32_t space[4];
	uint16_t port[4], none;

	(void)state;
	nat_bench_open(&b, 1, 16, 4);
	nat_bench_publish(&b);
	for (unsigned i = 0; i < 4; i++) {
		w.external = OURS + i;
		space[i] = nat_port_take(s, &b.rules, &w, i, &port[i]);
		assert_int_not_equal(space[i], NAT_NO_SPACE);
	}
	w.external = OURS + 4;
	assert_int_equal(nat_port_take(s, &b.rules, &w, 0, &none), NAT_NO_SPACE);
	nat_port_give(s, space[2], port[2]);
	assert_int_equal(nat_port_take(s, &b.rules, &w, 0, &none), space[2]);
	assert_int_equal(nat_space_find(s, OURS + 2, NAT_TCP), NAT_NO_SPACE);
	assert_int_equal(nat_space_find(s, OURS + 4, NAT_TCP), space[2]);
	assert_int_equal(nat_space_find(s, OURS + 4, NAT_UDP), NAT_NO_SPACE);
	nat_bench_close(&b);
}

/* An address whose last free ports are all forwarded, to one host each: nothing is given out, in
 * steps that grow with words and rules, not with their product. */
static void reserved_ports_cost_little(void **state)
{
	enum { FORWARDED = 1000, FIRST = 2000 };
	struct nat_spaces *s = &b.state[0].spaces;
	struct nat_port_wish w = wish;
	uint32_t space = 0;
	uint16_t port, last = 0;

	(void)state;
	nat_bench_open(&b, 1, 16, 4);
	for (unsigned i = 0; i < FORWARDED; i++) { /* not in the order of ports */
		unsigned at = FIRST + 60 * (i * 7 % FORWARDED);
		struct nat_destination_spec spec = nat_forward(
			OUTSIDE, IPV4_TCP, OURS, (uint16_t)at, IP(10, 0, 1, i % 200), 80);

		nat_rules_add_destination(&b.rules, &spec);
	}
	nat_bench_publish(&b);
	for (unsigned i = 0; i < ALL - FORWARDED; i++) {
		space = nat_port_take(s, &b.rules, &w, i, &port);
		assert_int_not_equal(space, NAT_NO_SPACE);
		assert_true(
			port < FIRST || (port - FIRST) % 60 != 0 || port >= FIRST + 60 * FORWARDED);
		last = port;
	}
	for (unsigned i = 0; i < 8; i++) {
		uint64_t before = s->steps;

		w.inside = IP(10, 0, 0, i);
		assert_int_equal(nat_port_take(s, &b.rules, &w, i, &port), NAT_NO_SPACE);
		assert_in_range(s->steps - before, FORWARDED, 3 * (NAT_BLOCKS + 2 * FORWARDED));
	}
	/* To whom a port is forwarded may have it; and a port that is free is found. */
	w.inside = IP(10, 0, 1, 0);
	assert_int_equal(nat_port_take(s, &b.rules, &w, 0, &port), space);
	assert_int_equal((port - FIRST) % 60, 0);
	nat_port_give(s, space, last);
	w.inside = IP(10, 0, 0, 2);
	assert_int_equal(nat_port_take(s, &b.rules, &w, 0, &port), space);
	assert_int_equal(port, last);
	/* Other rules: what was noted of the former ones is not asked any more. */
	nat_rules_begin(&b.rules);
	nat_bench_publish(&b);
	assert_int_equal(nat_port_take(s, &b.rules, &w, 0, &port), space);
	assert_int_equal((port - FIRST) % 60, 0);
	nat_bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_port_is_found_as_fast_as_the_first),
		cmocka_unit_test(ports_lie_all_over),
		cmocka_unit_test(spaces_run_out),
		cmocka_unit_test(reserved_ports_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
