/* Sessions: given up, limited by source, ended by time, copied, matched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/path/lane.h"
#include "net/path/track.h"
#include "test/unit/session_fixture.h"

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
			session_ways(&table, s[k])[draw(2)].last = last[k] = now;
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
				assert_ptr_equal(find(key), &session_ways(&table, s[k])[0]);
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
			session_ways(&table, s)[0].last = now;
			track_turn(&lane, (uint64_t)now << SESSION_TICK_SHIFT);
			assert_ptr_equal(find(key_of(3)), &session_ways(&table, s)[0]);
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
	session_ways(&table, s)[1].last = 10;
	session_ways(&table, s)[1].packets = 7;
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
		cmocka_unit_test_teardown(test_oldest_first, teardown),
		cmocka_unit_test_teardown(test_source, teardown),
		cmocka_unit_test_teardown(test_time, teardown),
		cmocka_unit_test_teardown(test_one_way, teardown),
		cmocka_unit_test_teardown(test_copy, teardown),
		cmocka_unit_test_teardown(test_match, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
