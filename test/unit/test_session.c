/* The table of sessions against a plain list: found, begun, ended, full, given up, copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/path/lane.h"
#include "net/path/session.h"
#include "net/path/track.h"
#include "test/unit/forms.h"

#define KEYS 4096u

static struct sessions table;
static void *memory;
static uint32_t lcg = 1;

static uint32_t draw(uint32_t n)
{
	lcg = lcg * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(lcg >> 4) * n >> 28);
}

static void make(uint32_t max)
{
	free(memory);
	memory = aligned_alloc(CACHE_LINE, sessions_bytes(max));
	memset(memory, 0xa5, sessions_bytes(max));
	sessions_init(&table, memory, max, 4711);
	for (unsigned i = 0; i < SESSION_TIMEOUT_COUNT; i++)
		table.timeout[i] = 400 * (i + 1);
}

static int teardown(void **state)
{
	free(memory);
	memory = NULL;
	return 0;
}

/* Key k: four in five are IPv4, and many differ in one field only. */
static struct flow_key key_of(uint32_t k)
{
	struct flow_key key = {.protocol = k % 3 ? 6 : 17, .family = 4};

	key.src.lo = 0x0a000000 + k % 61;
	key.dst.lo = 0x14000000 + k / 61 % 7;
	key.ports = (1024 + k) << 16 | 80;
	if (k % 5 == 0) {
		key.family = 6;
		key.src.hi = key.dst.hi = 0x20010db800000000ull + k % 3;
	}
	return key;
}

static struct flow_key answer_of(uint32_t k)
{
	struct flow_key key = key_of(k), r = key;

	r.src = key.dst;
	r.dst = key.src;
	r.ports = key.ports << 16 | key.ports >> 16;
	return r;
}

static struct session *begin(uint32_t k, uint32_t now)
{
	struct flow_key key = key_of(k), answer = answer_of(k);

	return session_begin(&table, &key, &answer, now);
}

static struct way *find(struct flow_key key)
{
	return session_find(&table, &key);
}

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
	assert_ptr_equal(way, &there[k]->way[0]);
	assert_ptr_equal(back, &there[k]->way[1]);
	assert_ptr_equal(session_of(&table, back), there[k]);
	assert_int_equal(session_way_number(&table, back) % 2, 1);
}

/* The look-up of many at once says the same. */
static void check_batch(void)
{
	struct session_ask ask;
	struct way *way[BATCH_MAX];
	struct flow_key key[BATCH_MAX];
	unsigned n = 1 + draw(BATCH_MAX);

	for (unsigned i = 0; i < n; i++) {
		uint32_t k = draw(KEYS);

		while (k % 5 == 0)
			k = draw(KEYS);
		key[i] = draw(2) ? key_of(k) : answer_of(k);
		ask.src[i] = (uint32_t)key[i].src.lo;
		ask.dst[i] = (uint32_t)key[i].dst.lo;
		ask.ports[i] = key[i].ports;
		ask.protocol[i] = key[i].protocol;
	}
	for (unsigned f = 0; f < forms_here(); f++) {
		session_select(forms[f]);
		session_find4(&table, &ask, way, n);
		for (unsigned i = 0; i < n; i++)
			assert_ptr_equal(way[i], find(key[i]));
	}
}

static void run(uint32_t max, unsigned steps)
{
	uint32_t live = 0;

	make(max);
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
	for (uint32_t b = 0; b <= table.bucket_mask; b++) {
		assert_int_equal(table.bucket[b].passed, 0);
		for (unsigned i = 0; i < SESSION_BUCKET; i++)
			assert_int_equal(table.bucket[b].entry[i], 0);
	}
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
		assert_ptr_equal(session_find(&table, &a), &s->way[0]);
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
	for (uint32_t b = 0; b <= table.bucket_mask; b++)
		assert_int_equal(table.bucket[b].passed, 0);
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

/* ---- who is given up ---- */

static void test_oldest_first(void **state)
{
	make(64);
	struct session *s[64];

	for (uint32_t i = 0; i < 64; i++)
		s[i] = begin(i, i);
	assert_null(begin(100, 100));
	session_settle(&table, s[0]);
	session_settle(&table, s[5]);
	session_settle(&table, s[63]);
	for (uint32_t i = 1; i < 63; i++) {
		if (i == 5)
			continue;
		assert_ptr_equal(session_victim(&table), s[i]);
		session_end(&table, s[i]);
	}
	assert_null(session_victim(&table));
	session_unsettle(&table, s[5]);
	assert_ptr_equal(session_victim(&table), s[5]);
	assert_int_equal(table.embryonic, 1);
}

/* ---- limit by source ---- */

static void test_source(void **state)
{
	static uint32_t count[61];
	struct session *s[256] = {NULL};

	make(256);
	memset(count, 0, sizeof count);
	assert_non_null(s[0] = begin(1, 1)); /* before there is a limit: not counted */
	session_source_add(&table, s[0]);
	session_end(&table, s[0]);
	s[0] = NULL;
	table.limit = 3;
	for (unsigned i = 0; i < 40000; i++) {
		uint32_t k = draw(256);
		struct flow_key key = key_of(k);
		uint32_t source = k % 61;

		if (k % 5 == 0)
			continue; /* IPv6: other addresses */
		assert_int_equal(session_source_may(&table, &key), count[source] < 3);
		if (s[k]) {
			session_end(&table, s[k]);
			s[k] = NULL;
			count[source]--;
		} else if (count[source] < 3) {
			s[k] = begin(k, i);
			session_source_add(&table, s[k]);
			count[source]++;
		}
	}
	assert_true(table.source_used <= 61);
}

/* ---- time ---- */

/* Sessions end when their time has come and not before, also where ticks begin at 0 again. */
static void test_time(void **state)
{
	static struct lane lane;
	static uint32_t last[512];
	struct session *s[512] = {NULL};
	uint32_t now = 0xffff8000u;

	make(512);
	lane.sessions = &table;
	for (unsigned round = 0; round < 2000; round++, now += draw(40)) {
		for (unsigned i = 0; i < 8; i++) {
			uint32_t k = draw(512);

			if (!s[k])
				s[k] = begin(k, now);
			s[k]->way[draw(2)].last = last[k] = now;
		}
		/* Often enough that all have been looked at. */
		for (unsigned i = 0; i < 300; i++)
			track_turn(&lane, (uint64_t)(now + i) << SESSION_TICK_SHIFT);
		now += 300;
		for (uint32_t k = 0; k < 512; k++) {
			struct flow_key key = key_of(k);
			uint32_t lasts = key.protocol == 6
						 ? table.timeout[SESSION_TIMEOUT_TCP_OPENING]
						 : table.timeout[SESSION_TIMEOUT_UDP];

			if (s[k] && now - last[k] > lasts + 256)
				assert_null(find(key));
			if (s[k] && now - last[k] <= lasts)
				assert_ptr_equal(find(key), &s[k]->way[0]);
			if (!find(key))
				s[k] = NULL;
		}
	}
	assert_true(now < 0xffff8000u); /* it went round */
}

/* Packets go one way for longer than half of all ticks: the session lasts as long as they come, and
 * no longer. */
static void test_one_way(void **state)
{
	static struct lane lane;
	uint32_t now = 0x1234, lasts = 1u << 26;

	make(1);
	table.timeout[SESSION_TIMEOUT_UDP] = lasts;
	lane.sessions = &table;
	for (unsigned round = 0; round < 5; round++) {
		struct session *s = begin(3, now);

		for (unsigned i = 0; i < 70 + 10 * round; i++) { /* 2^31 ticks are 64 of them */
			now += lasts / 2 + draw(1000);
			s->way[0].last = now;
			track_turn(&lane, (uint64_t)now << SESSION_TICK_SHIFT);
			assert_ptr_equal(find(key_of(3)), &s->way[0]);
		}
		for (unsigned i = 0; i < 3; i++) {
			now += lasts;
			track_turn(&lane, (uint64_t)now << SESSION_TICK_SHIFT);
		}
		assert_null(find(key_of(3)));
	}
}

/* ---- copies ---- */

static void test_copy(void **state)
{
	struct session_view view;

	make(8);
	struct session *s = begin(2, 0xfffffff0u); /* time goes round meanwhile */

	assert_true(session_copy(&table, 0, 0xfffffff0u, &view));
	assert_int_equal(view.left, table.timeout[SESSION_TIMEOUT_TCP_OPENING]);
	assert_int_equal(view.state, SESSION_SYN_SENT);
	s->way[1].last = 10;
	s->way[1].packets = 7;
	assert_true(session_copy(&table, 0, 20, &view));
	assert_int_equal(view.left, table.timeout[SESSION_TIMEOUT_TCP_OPENING] - 10);
	assert_int_equal(view.packets[1], 7);
	s->version++; /* as if it were changing */
	assert_false(session_copy(&table, 0, 20, &view));
	s->version--;
	session_end(&table, s);
	assert_false(session_copy(&table, 0, 20, &view));
}

static void test_match(void **state)
{
	struct flow_key key[2] = {key_of(7), answer_of(7)};
	struct session_match m = {0};

	key[1].dst.lo = 0xc0000201; /* NAT */
	assert_true(session_matches(&m, key));
	m.from = (struct ip6){0, 0x0a000000};
	m.from_length = 8;
	m.from_family = 4;
	assert_true(session_matches(&m, key));
	m.from_family = 6;
	assert_false(session_matches(&m, key));
	m.from_family = 4;
	m.from = (struct ip6){0, 0xc0000200};
	m.from_length = 24;
	assert_true(session_matches(&m, key));
	m.to = (struct ip6){0, 0x15000000};
	m.to_length = 8;
	m.to_family = 4;
	assert_false(session_matches(&m, key));
	m = (struct session_match){.port = 80};
	assert_true(session_matches(&m, key));
	m.protocol = 17;
	assert_false(session_matches(&m, key));
	m = (struct session_match){.port = 81};
	assert_false(session_matches(&m, key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_half_full, teardown),
		cmocka_unit_test_teardown(test_always_full, teardown),
		cmocka_unit_test_teardown(test_crowded, teardown),
		cmocka_unit_test_teardown(test_flooded, teardown),
		cmocka_unit_test_teardown(test_oldest_first, teardown),
		cmocka_unit_test_teardown(test_source, teardown),
		cmocka_unit_test_teardown(test_time, teardown),
		cmocka_unit_test_teardown(test_one_way, teardown),
		cmocka_unit_test_teardown(test_copy, teardown),
		cmocka_unit_test_teardown(test_match, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
