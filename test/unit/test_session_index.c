/* The index of sessions against a plain list: found, begun, ended, crowded; near and far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/path/session_key.h"
#include "test/unit/forms.h"
#include "test/unit/session_fixture.h"

#define KEYS 4096u

/* ---- against a list ---- */

static struct session *there[KEYS]; /* by key, NULL: no session */

static void check_key(uint32_t k)
{
	struct way *way = find(key_of(k)), *back = find(answer_of(k));

	if (!there[k]) {
		assert_null(way);
		assert_null(back);
		return;
	}
	assert_ptr_equal(way, &session_ways(&table, there[k])[0]);
	assert_ptr_equal(back, &session_ways(&table, there[k])[1]);
	assert_ptr_equal(session_of(&table, back), there[k]);
	assert_int_equal(session_way_number(&table, back) % 2, 1);
}

/* The look-up of many at once says the same. */
static void check_batch(void)
{
	struct session_ask ask;
	struct way *way[BATCH_MAX], *should[BATCH_MAX];
	struct flow_key key[BATCH_MAX];
	unsigned n = 1 + draw(BATCH_MAX);

	for (unsigned i = 0; i < n; i++) {
		uint32_t k = draw(KEYS);

		while (k % 5 == 0)
			k = draw(KEYS);
		uint32_t back = draw(2);

		key[i] = back ? answer_of(k) : key_of(k);
		should[i] = there[k] ? &session_ways(&table, there[k])[back] : NULL;
		ask.src[i] = (uint32_t)key[i].src.lo;
		ask.dst[i] = (uint32_t)key[i].dst.lo;
		ask.ports[i] = key[i].ports;
		ask.protocol[i] = key[i].protocol;
	}
	for (unsigned f = 0; f < forms_here(); f++) {
		session_select(forms[f]);
		session_find4(&table, &ask, way, n);
		for (unsigned i = 0; i < n; i++)
			assert_ptr_equal(way[i], should[i]);
	}
}

static void check_empty(void)
{
	assert_int_equal(table.live, 0);
	assert_int_equal(table.in_far, 0);
	for (uint32_t b = 0; b < session_buckets(&table); b++) {
		assert_int_equal(table.bucket[b].passed, 0);
		for (unsigned i = 0; i < SESSION_BUCKET; i++)
			assert_int_equal(table.bucket[b].entry[i], 0);
	}
}

/* Of the table that was just made. */
static void run_here(uint32_t max, unsigned steps)
{
	uint32_t live = 0;

	memset(there, 0, sizeof there);
	for (unsigned i = 0; i < steps; i++) {
		uint32_t k = draw(KEYS);

		if (there[k]) {
			session_end(&table, there[k]);
			there[k] = NULL;
			live--;
		} else {
			there[k] = begin(k, i);
			/* Nothing but the number of sessions is a bound. */
			assert_int_equal(there[k] != NULL, live < max);
			live += there[k] != NULL;
		}
		assert_int_equal(table.live, live);
		assert_int_equal(table.embryonic, live);
		check_key(k);
		check_key(draw(KEYS));
		if (i % 64 == 0)
			check_batch();
	}
	for (uint32_t k = 0; k < KEYS; k++)
		check_key(k);
	for (uint32_t k = 0; k < KEYS; k++)
		if (there[k])
			session_end(&table, there[k]);
	check_empty();
}

static void run(uint32_t max, unsigned steps)
{
	make(max);
	run_here(max, steps);
}

static void test_half_full(void **state)
{
	run(KEYS, 60000);
}

static void test_always_full(void **state)
{
	run(KEYS / 3, 60000);
	run(1, 2000);
	run(7, 20000);
}

/* ---- near and far buckets ---- */

/* A table of few near buckets, as if it were large; with marks of so many bits. */
static void make_far(uint32_t max, uint32_t near, unsigned mark_bits)
{
	make(max);
	uint32_t buckets = session_buckets(&table);

	assert_true(buckets >= 4 * near);
	table.near_mask = near - 1;
	table.far = buckets / 2;
	table.far_mask = buckets / 2 - 1;
	table.way_bits = 32 - mark_bits;
}

static void test_far(void **state)
{
	make_far(KEYS, 8, 18); /* a few ways of many are near */
	run_here(KEYS, 60000);
	make_far(KEYS, 128, 18); /* about half of them */
	run_here(KEYS, 60000);
	make_far(KEYS / 3, 64, 16); /* nearly all */
	run_here(KEYS / 3, 60000);
}

/* Marks that tell little: what has another's mark is found all the same. */
static void test_marks(void **state)
{
	make_far(KEYS / 3, 4, 4);
	run_here(KEYS / 3, 60000);
	make_far(KEYS / 3, 128, 3);
	run_here(KEYS / 3, 60000);
	make(KEYS / 3);
	table.way_bits = 29;
	run_here(KEYS / 3, 60000);
}

/* One near bucket: the first ways are there, and all others pass it, until there is room again. */
static void test_near_full(void **state)
{
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		struct session *s[64];

		make_far(512, 1, 20);
		for (uint32_t i = 0; i < 64; i++) {
			uint32_t ways = 2 * i + 2;

			s[i] = begin(i, 1);
			assert_int_equal(table.bucket[0].passed,
				ways > SESSION_BUCKET ? ways - SESSION_BUCKET : 0);
			assert_int_equal(table.in_far, table.bucket[0].passed);
		}
		session_end(&table, s[3]);
		s[3] = begin(100, 2);
		assert_int_equal(table.bucket[0].passed, 128 - SESSION_BUCKET);
		for (uint32_t i = 0; i < 64; i++) {
			uint32_t k = backwards ? 63 - i : i;

			session_end(&table, s[k]);
			assert_null(find(key_of(k == 3 ? 100 : k)));
			for (uint32_t left = i + 1; left < 64; left++) {
				uint32_t l = backwards ? 63 - left : left;

				assert_ptr_equal(find(key_of(l == 3 ? 100 : l)),
					&session_ways(&table, s[l])[0]);
				assert_ptr_equal(find(answer_of(l == 3 ? 100 : l)),
					&session_ways(&table, s[l])[1]);
			}
		}
		check_empty();
	}
}

/* ---- as large as there are ---- */

#define LARGE 160000u
#define PEER  0xc0000201u

/* Ways 0 and 1 of session i. */
static struct flow_key large_key(uint32_t i, unsigned way)
{
	return (struct flow_key){.src.lo = way ? PEER : i,
		.dst.lo = way ? i : PEER,
		.ports = 80,
		.protocol = 17,
		.family = 4};
}

/* Sessions from i on, every fourth one of none; those below `live` are there. */
static void look_at(uint32_t i, uint32_t live, unsigned *guessed)
{
	static session_ahead4_fn *const ahead[] = {
		session_ahead4_plain, session_ahead4_v3, session_ahead4_v4};
	static session_look4_fn *const look[] = {
		session_look4_plain, session_look4_v3, session_look4_v4};
	static session_others4_fn *const others[] = {
		session_others4_plain, session_others4_v3, session_others4_v4};
	struct session_ask ask;
	struct session_hash hash;
	struct way *way[BATCH_MAX];
	uint64_t there_are = 0;
	unsigned form = i / BATCH_MAX % forms_here();

	for (uint32_t k = 0; k < BATCH_MAX; k++) {
		ask.src[k] = k % 2 ? PEER : i + k;
		ask.dst[k] = k % 2 ? i + k : PEER;
		ask.ports[k] = k % 4 ? 80 : 81;
		ask.protocol[k] = 17;
		there_are |= (uint64_t)(k % 4 && i + k < live) << k;
	}
	ahead[form](&table, &ask, &hash, BATCH_MAX);
	for (unsigned k = 0; k < BATCH_MAX; k++)
		assert_true(((uint64_t)hash.high[k] << 32 | hash.low[k]) ==
			    session_hash4(table.seed, ask.src[k], ask.dst[k], ask.ports[k],
				    ask.protocol[k]));
	look[form](&table, &hash, way, BATCH_MAX);
	*guessed += (unsigned)__builtin_popcountll(there_are & ~others[form](&ask, way, BATCH_MAX));
	session_select(forms[form]);
	session_find4(&table, &ask, way, BATCH_MAX);
	for (uint32_t k = 0; k < BATCH_MAX; k++)
		assert_ptr_equal(
			way[k], there_are >> k & 1 ? &table.way[2 * (i + k) + k % 2] : NULL);
}

/* All of so many, nearly all at the first guess. */
static void look_at_all(uint32_t live)
{
	unsigned guessed = 0;

	for (uint32_t i = 0; i < LARGE; i += BATCH_MAX)
		look_at(i, live, &guessed);
	assert_true(guessed > live / 4 * 3 / 100 * 98);
}

/* Few are far, then most. */
static void test_large(void **state)
{
	make(LARGE);
	uint32_t near = (table.near_mask + 1) * SESSION_BUCKET;

	assert_int_equal(table.near_mask, table.far - 1);
	assert_true(table.far_mask > table.near_mask);
	for (uint32_t i = 0; i < LARGE; i++) {
		struct flow_key a = large_key(i, 0), b = large_key(i, 1);

		assert_ptr_equal(session_begin(&table, &a, &b, 1), &table.session[i]);
		if (i + 1 == LARGE / 5 || i + 1 == LARGE / 2 || i + 1 == LARGE)
			look_at_all(i + 1);
		if (i + 1 == LARGE / 5)
			assert_true(table.in_far > 0 && table.in_far < near / 100);
		if (i + 1 == LARGE / 2)
			assert_true(table.in_far > near / 4 && table.in_far < near);
	}
	assert_true(table.in_far > near);
	for (uint32_t i = 0; i < LARGE; i++)
		session_end(&table, &table.session[i * 7u % LARGE]);
	check_empty();
}

/* A key of zeros is a key. */
static void test_zeros(void **state)
{
	const struct session_ask zeros = {.dst = {0}};
	struct flow_key a = {.family = 4}, b = {.dst.lo = 1, .family = 4};
	struct way *way[BATCH_MAX];

	make(4);
	for (unsigned f = 0; f < forms_here(); f++) {
		session_select(forms[f]);
		session_find4(&table, &zeros, way, 1);
		assert_null(way[0]);
		struct session *s = session_begin(&table, &a, &b, 1);

		session_find4(&table, &zeros, way, 1);
		assert_ptr_equal(way[0], &session_ways(&table, s)[0]);
		session_end(&table, s);
	}
}

/* A bucket that is too small for its keys: what passes it is found all the same. */
static void test_crowded(void **state)
{
	make(2048);
	table.seed[0] = table.seed[1] = 0; /* a hash that anybody can see through */
	unsigned n = 0;

	for (uint32_t i = 0; i < 200; i++) {
		/* src 0: the product is 0 whatever dst is; so is the other. */
		struct flow_key a = {.dst.lo = 1 + i, .family = 4},
				b = {.dst.lo = 1 + i, .ports = 1 + i, .family = 4};
		struct session *s = session_begin(&table, &a, &b, 1);

		assert_non_null(s);
		assert_ptr_equal(session_find(&table, &a), &session_ways(&table, s)[0]);
		n++;
	}
	for (uint32_t i = 0; i < 200; i++) {
		struct flow_key a = {.dst.lo = 1 + i, .family = 4};
		struct way *way = session_find(&table, &a);

		assert_non_null(way);
		session_end(&table, session_of(&table, way));
		assert_null(session_find(&table, &a));
		assert_int_equal(table.live, --n);
	}
	for (uint32_t b = 0; b < session_buckets(&table); b++)
		assert_int_equal(table.bucket[b].passed, 0);
}

/* What has ended is nobody's, also where as many as can be have passed its bucket: all have one
 * hash, and that bucket is the near one and the first far one. */
static void test_passed_by_all(void **state)
{
	struct session *s[200];

	make(200);
	table.seed[0] = table.seed[1] = 0;
	for (uint32_t i = 0; i < 200; i++) {
		struct flow_key a = {.dst.lo = 1 + i, .family = 4},
				b = {.dst.lo = 1 + i, .ports = 1 + i, .family = 4};

		s[i] = session_begin(&table, &a, &b, 1);
		assert_non_null(s[i]);
	}
	assert_int_equal(table.bucket[0].passed, 2 * (400 - SESSION_BUCKET));
	for (uint32_t i = 0; i < 200; i++) {
		session_end(&table, s[i]);
		for (uint32_t k = 0; k < 200; k++) {
			struct session_ask ask = {.dst = {1 + k, 1 + k}, .ports = {0, 1 + k}};
			struct way *way[BATCH_MAX];

			session_select(forms[k % forms_here()]);
			session_find4(&table, &ask, way, 2);
			assert_ptr_equal(way[0], k > i ? &session_ways(&table, s[k])[0] : NULL);
			assert_ptr_equal(way[1], k > i ? &session_ways(&table, s[k])[1] : NULL);
		}
	}
	check_empty();
}

/* All of one hash: the number of buckets looked at is bounded, and a refusal leaves no trace. */
static void test_flooded(void **state)
{
	make(4096);
	table.seed[0] = table.seed[1] = 0;
	unsigned n = 0;

	for (uint32_t i = 0; i < 4000; i++) {
		struct flow_key a = {.dst.lo = 1 + i, .family = 4},
				b = {.dst.lo = 1 + i, .ports = 1 + i, .family = 4};

		if (!session_begin(&table, &a, &b, 1)) {
			assert_null(session_find(&table, &a));
			assert_null(session_find(&table, &b));
		} else {
			n++;
		}
	}
	assert_int_equal(table.live, n);
	assert_true(n > 400 && n < 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_half_full, teardown),
		cmocka_unit_test_teardown(test_always_full, teardown),
		cmocka_unit_test_teardown(test_far, teardown),
		cmocka_unit_test_teardown(test_marks, teardown),
		cmocka_unit_test_teardown(test_near_full, teardown),
		cmocka_unit_test_teardown(test_large, teardown),
		cmocka_unit_test_teardown(test_zeros, teardown),
		cmocka_unit_test_teardown(test_crowded, teardown),
		cmocka_unit_test_teardown(test_passed_by_all, teardown),
		cmocka_unit_test_teardown(test_flooded, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
