/* The IPv4 FIB against brute force: every boundary, all three forms, updates in place, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "net/table/fib4_table.h"
#include "net/table/nexthop.h"
#include "test/model/tables.h"

#define RANDOM_KEYS 20000u

static struct rib4 rib;
static struct fib4 *fib;

static void begin(const struct fib4_limits *limits)
{
	model_rib4_init(&rib, MODEL_ROUTES * 4);
	fib = fib4_init(model_memory(fib4_size(limits)), limits);
}

static int setup(void **state)
{
	struct fib4_limits limits = fib4_limits_for(MODEL_ROUTES * 4);

	begin(&limits);
	srand(4);
	return 0;
}

static int teardown(void **state)
{
	model_rib_free(&rib.rib);
	free(fib);
	return 0;
}

static void restart(void)
{
	teardown(NULL);
	setup(NULL);
}

static void add(uint32_t address, unsigned length, uint32_t nexthop)
{
	struct route4 r = {.prefix = address & rib4_mask(length),
		.length = (uint8_t)length,
		.source = RIB_STATIC,
		.distance = 1,
		.nexthop = nexthop};

	(void)!rib4_add(&rib, &r);
}

static uint32_t random_address(void)
{
	return (uint32_t)rand() << 16 ^ (uint32_t)rand();
}

/* Follows all that the RIB noted; grace periods pass at once, as nobody reads. */
static void follow(void)
{
	static struct fib4_job job;

	while (job.pending || rib_has_changes(&rib.rib)) {
		assert_int_equal(fib4_follow(fib, &rib, &job, 1 + (unsigned)rand() % 64), ERR_OK);
		fib4_grace_begin(fib);
		fib4_grace_passed(fib);
	}
}

/* ---- comparing ---- */

/* Longest match by looking at every route, without the trie's ways of finding it. */
static uint32_t brute(uint32_t address)
{
	const struct route4 *best = NULL;

	for (const struct route4 *r = rib4_first(&rib); r; r = rib4_next(&rib, r))
		if (((address ^ r->prefix) & rib4_mask(r->length)) == 0 &&
			(!best || r->length > best->length))
			best = r;
	return best ? best->nexthop : NEXTHOP_NONE;
}

static uint32_t by_rib(uint32_t address)
{
	const struct route4 *r = rib4_match(&rib, address, false);

	return r ? r->nexthop : NEXTHOP_NONE;
}

/* Keys wait until a vector of odd length is full, so that all lengths are used. */
static struct {
	uint32_t dst[3 * BATCH_MAX];
	unsigned n, size;
} vector;

static const char *const forms[] = {"x86-64", "x86-64-v3", "x86-64-v4"};

static bool can_run(const char *isa)
{
	if (strcmp(isa, "x86-64-v3") == 0)
		return __builtin_cpu_supports("x86-64-v3");
	return strcmp(isa, "x86-64-v4") != 0 || __builtin_cpu_supports("x86-64-v4");
}

static void check_flush(uint32_t (*want)(uint32_t))
{
	uint32_t nh[3 * BATCH_MAX + 1], right[3 * BATCH_MAX];
	/* On the heap: bytes after its end may not be read. */
	uint32_t *dst = malloc(vector.n * sizeof *dst + 1);

	memcpy(dst, vector.dst, vector.n * sizeof *dst);
	for (unsigned i = 0; i < vector.n; i++)
		right[i] = want(dst[i]);
	for (unsigned f = 0; f < 3; f++) {
		if (!can_run(forms[f]))
			continue;
		fib4_select(forms[f]);
		nh[vector.n] = 0xabcdef01u;
		fib4_lookup(fib, dst, nh, vector.n);
		assert_memory_equal(nh, right, vector.n * sizeof *nh);
		assert_int_equal(nh[vector.n], 0xabcdef01u); /* not one too many */
	}
	free(dst);
	vector.n = 0;
	vector.size = vector.size % (3 * BATCH_MAX) + 1;
}

static void check_key(uint32_t key, uint32_t (*want)(uint32_t))
{
	vector.dst[vector.n++] = key;
	if (vector.n >= vector.size)
		check_flush(want);
}

/* The walk's ranges cover the space without a gap and say what the RIB's spans say. */
static void check_walk(void)
{
	struct fib4_range range = {0};
	uint32_t a = 0, last;

	do {
		uint32_t nh = rib4_span(&rib, a, &last);

		if (a == 0 || a > range.last)
			fib4_walk(fib, a, &range);
		assert_true(range.first <= a && range.last >= a);
		assert_int_equal(range.nexthop, nh);
		a = last < range.last ? last + 1 : range.last + 1;
	} while (a);
}

/* Every route's ends and the addresses around them, random keys, and the walk. */
static void check(uint32_t (*want)(uint32_t), unsigned keys)
{
	vector.n = 0;
	vector.size = 1;
	for (const struct route4 *r = rib4_first(&rib); r; r = rib4_next(&rib, r)) {
		uint32_t first = r->prefix, last = first | ~rib4_mask(r->length);

		for (uint32_t d = 0; d < 3; d++) {
			check_key(first + d - 1, want);
			check_key(last + d - 1, want);
		}
	}
	check_key(0, want);
	check_key(0xffffffffu, want);
	for (unsigned i = 0; i < keys; i++)
		check_key(random_address(), want);
	check_flush(want);
	check_walk();
}

static struct fib4_limits used(void)
{
	struct fib4_stats s;

	fib4_stats(fib, &s);
	return s.used;
}

/* The table is as an empty one: nothing leaked. */
static void check_empty(void)
{
	struct fib4_limits u = used();

	assert_true(u.wide == 1 && u.pairs == 1 && u.narrow == 0 && u.deep == 0 && u.hosts == 0);
}

static void remove_all(void)
{
	for (const struct route4 *r; (r = rib4_first(&rib)) != NULL;) {
		struct route4 gone = *r;

		assert_int_equal(
			rib4_remove(&rib, gone.prefix, gone.length, gone.source, NULL), ERR_OK);
	}
}

/* ---- shapes ---- */

static void test_empty(void **state)
{
	check(brute, 1000);
	check_empty();
}

static void test_default_only(void **state)
{
	add(0, 0, 9);
	follow();
	check(brute, 1000);
	assert_int_equal(used().wide, 1);
	remove_all();
	follow();
	check(brute, 1000);
	check_empty();
}

/* Every length around one address: the deepest nesting there is, at both ends and in the middle. */
static void test_nested(void **state)
{
	static const uint32_t around[] = {0, 0xffffffffu, 0x0a0a0a0au, 0x80000000u, 0x7fffffffu};

	for (unsigned k = 0; k < 5; k++) {
		restart();
		for (unsigned length = 0; length <= 32; length++)
			add(around[k], length, length + 1);
		follow();
		check(brute, 300);
		for (unsigned length = 0; length <= 32; length += 6) {
			assert_int_equal(rib4_remove(&rib, around[k] & rib4_mask(length), length,
						 RIB_STATIC, NULL),
				ERR_OK);
			follow();
			check(by_rib, 100);
		}
	}
}

/* Prefixes that touch, share first or last addresses, or repeat the next hop around them. */
static void test_adjacent(void **state)
{
	struct fib4_range r;

	add(0x0a000000, 8, 1);
	add(0x0a000000, 9, 2);
	add(0x0a800000, 9, 2);  /* both halves of the /8, merged */
	add(0x0b000000, 8, 2);  /* and on */
	add(0x0b000000, 16, 2); /* invisible */
	add(0x0bff0000, 16, 3);
	add(0x0bffff00, 24, 2);
	add(0x0bffffff, 32, 1);
	add(0x0c000000, 32, 1);
	follow();
	check(brute, 1000);
	fib4_walk(fib, 0x0bff0000, &r);
	assert_true(r.first == 0x0bff0000 && r.last == 0x0bfffeff && r.nexthop == 3);
	fib4_walk(fib, 0x0bffff01, &r);
	assert_true(r.first == 0x0bffff01 && r.last == 0x0bfffffe && r.nexthop == 2);
}

/* The next hop of the better source, and the other when that goes. */
static void test_best_route(void **state)
{
	struct route4 worse = {.prefix = 0x0a000000,
		.length = 8,
		.source = RIB_STATIC,
		.distance = 1,
		.nexthop = 5};
	struct route4 best = {
		.prefix = 0x0a000000, .length = 8, .source = RIB_CONNECTED, .nexthop = 6};
	uint32_t old;

	assert_int_equal(rib4_add(&rib, &worse), ERR_OK);
	assert_int_equal(rib4_add(&rib, &best), ERR_OK);
	follow();
	assert_int_equal(fib4_one(&fib->view, 0x0a010203), 6);
	assert_int_equal(rib4_replace(&rib, 0x0a000000, 8, RIB_CONNECTED, 7, &old), ERR_OK);
	assert_int_equal(old, 6);
	follow();
	assert_int_equal(fib4_one(&fib->view, 0x0a010203), 7);
	assert_int_equal(rib4_remove(&rib, 0x0a000000, 8, RIB_CONNECTED, NULL), ERR_OK);
	follow();
	check(by_rib, 1000);
	assert_int_equal(fib4_one(&fib->view, 0x0a010203), 5);
}

/* Random tables: few next hops, so that neighbours often merge. */
static void test_random(void **state)
{
	for (unsigned round = 0; round < 6; round++) {
		restart();
		srand(round);
		for (unsigned i = 0; i < 60; i++) {
			uint32_t near = 0xc0a80000u | (random_address() & 0x1ffu);

			add(i % 2 ? near : random_address(), (unsigned)rand() % 33,
				(uint32_t)rand() % 4);
		}
		follow();
		check(brute, 500);
	}
}

/* Many routes, /8 to /32 nested at random; built in slices and one by one alike. */
static void test_large(void **state)
{
	struct fib4_limits one_by_one;

	while (rib.rib.count < MODEL_ROUTES)
		add(random_address() & 0x0fffffffu, 8 + (unsigned)rand() % 25,
			1 + (uint32_t)rand() % 64);
	follow();
	check(by_rib, RANDOM_KEYS);
	one_by_one = used();

	struct fib4_job job = fib4_job(0, 0);

	while (job.pending) { /* over a table that is right: nothing changes */
		assert_int_equal(fib4_job_step(fib, &rib, &job, 1000), ERR_OK);
		assert_false(fib4_wants_grace(fib));
	}
	struct fib4_limits again = used();

	assert_memory_equal(&again, &one_by_one, sizeof again);
	free(fib);
	struct fib4_limits limits = fib4_limits_for(MODEL_ROUTES * 4);

	fib = fib4_init(model_memory(fib4_size(&limits)), &limits);
	assert_int_equal(fib4_update(fib, &rib, 0, 0), ERR_OK);
	again = used();
	assert_memory_equal(&again, &one_by_one, sizeof again);
	check(by_rib, RANDOM_KEYS);
	remove_all();
	follow();
	check_empty();
}

/* ---- hostile tables ---- */

/* Every address of a /16 a route of its own, with as many next hops as there are. */
static void test_all_hosts(void **state)
{
	for (uint32_t i = 0; i < 65535; i++)
		add(0x0a0a0000 + i, 32, i + 1);
	for (uint32_t prefix, length; rib4_take_change(&rib, &prefix, &length);)
		;
	assert_int_equal(fib4_update(fib, &rib, 0x0a0a0000, 16), ERR_OK);
	check_walk();
	for (uint32_t i = 0; i < 65536; i += 3)
		check_key(0x0a0a0000 + i, by_rib);
	check_flush(by_rib);
	assert_int_equal(used().hosts, 256);
	add(0, 0, 3);
	for (uint32_t i = 0; i < 65536; i += 40)
		assert_int_equal(rib4_remove(&rib, 0x0a0a0000 + i, 32, RIB_STATIC, NULL), ERR_OK);
	follow();
	check_walk();
	remove_all();
	assert_int_equal(fib4_update(fib, &rib, 0, 0), ERR_OK);
	fib4_grace_begin(fib);
	fib4_grace_passed(fib);
	check_empty();
}

/* Every other /25 of a /13: one group of hosts serves them all. */
static void test_alternating(void **state)
{
	for (uint32_t i = 0; i < 2048; i++)
		add(0x20000000 + (i << 8), 25, 7);
	follow();
	check(by_rib, 1000);
	assert_int_equal(used().hosts, 1);
	assert_int_equal(used().deep, 1);
	add(0, 0, 8);
	follow();
	check(by_rib, 1000);
	assert_int_equal(used().hosts, 1);
}

/* More pairs of next hops than there is room for: narrow groups take their place. */
static void test_many_nexthops(void **state)
{
	for (uint32_t i = 0; i < 40000; i++)
		add(0x40000000 + (i << 12), 20, i + 1);
	follow();
	check_walk();
	for (uint32_t i = 0; i < 40001; i++)
		check_key(0x40000000 + (i << 12), by_rib);
	check_flush(by_rib);
	assert_int_equal(used().pairs, FIB4_PAIRS - 1);
	assert_true(used().narrow > 7000);
	remove_all();
	follow();
	check_empty();
}

/* ---- changes in place ---- */

static void random_change(void)
{
	uint32_t near = 0xc0a80000u | (random_address() & 0x3ff00fu);
	unsigned length = rand() % 8 ? 12 + (unsigned)rand() % 21 : (unsigned)rand() % 33;
	uint32_t prefix = near & rib4_mask(length), old;

	if (rand() % 16 == 0)
		(void)!rib4_replace(
			&rib, prefix, length, RIB_STATIC, 1 + (uint32_t)rand() % 5, &old);
	else if (rand() % 2)
		add(prefix, length, 1 + (uint32_t)rand() % 5);
	else
		(void)!rib4_remove(&rib, prefix, length, RIB_STATIC, NULL);
}

/* Announcements and withdrawals that overlap in all ways, checked after each batch. */
static void test_churn(void **state)
{
	for (unsigned batch = 0; batch < 60; batch++) {
		for (int i = rand() % 100; i >= 0; i--)
			random_change();
		follow();
		vector.n = 0;
		for (unsigned i = 0; i < 300; i++)
			check_key(0xc0a80000u ^ (random_address() & 0x3ff0ffu), by_rib);
		check_flush(by_rib);
		if (batch % 10 == 0)
			check_walk();
	}
	remove_all();
	follow();
	check_empty();
}

/* What workers may still read stays as it is until a grace period has passed. */
static void test_grace(void **state)
{
	struct fib4_view *v = &fib->view;
	uint32_t entry;

	for (uint32_t i = 0; i < 16; i++)
		add(0x0a000000 + (i << 8), 24, i + 1); /* a narrow group */
	add(0x0b000000, 16, 50);                       /* a wide one shared by two /16s */
	add(0x0c000000, 16, 50);
	follow();
	entry = fib4_entry(v, 0x0a000000);
	assert_true(entry >= FIB4_NARROW && entry < FIB4_DEEP);
	uint32_t shared = v->direct[0x0b00];

	assert_int_equal(v->direct[0x0c00], shared);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(
			rib4_remove(&rib, 0x0a000000 + (i << 8), 24, RIB_STATIC, NULL), ERR_OK);
	add(0x0b000000, 24, 51);
	add(0x0c000000, 24, 52); /* the group is its own now, but some may come by the other way */

	struct fib4_job job = {.pending = false};

	while (job.pending || rib_has_changes(&rib.rib))
		assert_int_equal(fib4_follow(fib, &rib, &job, 8), ERR_OK);
	for (uint32_t i = 0; i < 1000; i++) /* wants many groups; takes none of those */
		add(0x60000000 + (i << 12), 21, i + 1);
	while (job.pending || rib_has_changes(&rib.rib))
		assert_int_equal(fib4_follow(fib, &rib, &job, 8), ERR_OK);
	for (uint32_t i = 0; i < 16;
		i++) { /* written in place while it was in use, then left alone */
		uint32_t nh = v->narrow[fib4_place(entry, i << 8)];

		assert_true(nh == i + 1 || nh == NEXTHOP_NONE);
	}
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(v->narrow[fib4_place(v->wide[shared << 4 | i], 0)], 50);
	assert_true(fib4_wants_grace(fib));
	fib4_grace_begin(fib);
	assert_false(fib4_wants_grace(fib));
	fib4_grace_passed(fib);
	check(by_rib, 100);
}

/* ---- no room ---- */

/* Answers of before, or of now, but nothing else; and all of now once there is room. */
static void test_full(void **state)
{
	static uint32_t before[4096];
	struct fib4_limits limits = {.wide = 40, .narrow = 60, .pairs = 40, .deep = 4, .hosts = 10};
	unsigned failed = 0;

	teardown(NULL);
	begin(&limits);
	for (unsigned round = 0; round < 2000; round++) {
		uint32_t prefix;
		unsigned length;

		for (uint32_t i = 0; i < 64; i++)
			before[i] = fib4_one(&fib->view, 0xc0a80000u + (i << 10) + i);
		random_change();
		if (!rib4_take_change(&rib, &prefix, &length))
			continue;
		if (fib4_update(fib, &rib, prefix, length) == ERR_OK)
			continue;
		failed++;
		for (uint32_t i = 0; i < 64; i++) {
			uint32_t a = 0xc0a80000u + (i << 10) + i, now = fib4_one(&fib->view, a);

			assert_true(now == before[i] || now == by_rib(a));
		}
		fib4_grace_begin(fib);
		fib4_grace_passed(fib);
	}
	assert_true(failed > 10);
	remove_all();
	for (unsigned i = 0; i < 3; i++) { /* what is let go makes room for the rest */
		struct fib4_job job = fib4_job(0, 0);

		while (job.pending)
			if (fib4_job_step(fib, &rib, &job, 1) != ERR_OK)
				fib4_job_skip(&job);
		fib4_grace_begin(fib);
		fib4_grace_passed(fib);
	}
	rib_take_lost(&rib.rib);
	check_walk();
	check_empty();
}

/* A table of no room but for what is there from the start. */
static void test_smallest(void **state)
{
	struct fib4_limits limits = {0};

	teardown(NULL);
	begin(&limits);
	check(brute, 100);
	add(0, 0, 1);
	assert_int_equal(fib4_update(fib, &rib, 0, 0), ERR_FULL);
	assert_int_equal(fib4_one(&fib->view, 5), NEXTHOP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_empty),
		CASE(test_default_only),
		CASE(test_nested),
		CASE(test_adjacent),
		CASE(test_best_route),
		CASE(test_random),
		CASE(test_large),
		CASE(test_all_hosts),
		CASE(test_alternating),
		CASE(test_many_nexthops),
		CASE(test_churn),
		CASE(test_grace),
		CASE(test_full),
		CASE(test_smallest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
