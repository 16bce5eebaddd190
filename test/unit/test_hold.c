/* Held fragments: a table against a model of it, what overlaps, limits, and time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/path/hold.h"

#define HZ   UINT64_C(2000000000)
#define KEYS 40u

static struct hold hold;
static struct hold_entry *entry;
static uint64_t now, word[HOLD_DATAGRAM];

static int setup(void **state)
{
	entry = aligned_alloc(64, HOLD_PLACES * sizeof *entry);
	memset(entry, 0, HOLD_PLACES * sizeof *entry);
	hold_init(&hold, entry, HOLD_PLACES, HZ, 12345);
	now = 77 * HZ;
	return 0;
}

static int teardown(void **state)
{
	free(entry);
	return 0;
}

static struct flow_key datagram(unsigned number)
{
	return (struct flow_key){.src = {0, 0x0a000001 + number % 3},
		.dst = {number % 2, 0x0a010001},
		.ports = number,
		.protocol = number % 2 ? 0 : 17,
		.family = number % 2 ? 6 : 4,
		.later = true};
}

static struct fragment piece(unsigned number, uint32_t begin, uint32_t end, bool last)
{
	return (struct fragment){
		.key = datagram(number), .ports = 80, .begin = begin, .end = end, .last = last};
}

static struct hold_answer give_first(unsigned number, uint32_t end, unsigned owner)
{
	struct fragment f = piece(number, 0, end, false);

	return hold_first(&hold, &f, owner, now, word);
}

static struct hold_answer give_later(
	unsigned number, uint32_t begin, uint32_t end, bool last, uint64_t w)
{
	struct fragment f = piece(number, begin, end, last);

	return hold_later(&hold, &f, w, now, word);
}

/* As many calls as go once round the table; the words that were dropped. */
static unsigned expire_all(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HOLD_PLACES / HOLD_SLICE + HOLD_PLACES / 4; i++)
		n += hold_expire(&hold, now, word);
	return n;
}

/* ---- one datagram ---- */

static void test_first_comes_late(void **state)
{
	struct hold_answer a;

	assert_int_equal(give_later(1, 1480, 2960, false, 101).fate, HOLD_KEPT);
	assert_int_equal(give_later(1, 2960, 3000, true, 102).fate, HOLD_KEPT);
	assert_int_equal(give_later(2, 1480, 3000, true, 201).fate, HOLD_KEPT);
	assert_int_equal(hold.held, 3);
	a = give_first(1, 1480, 5);
	assert_int_equal(a.fate, HOLD_PASS);
	assert_int_equal(a.owner, 5);
	assert_int_equal(a.waited, 2);
	assert_int_equal(word[0], 101);
	assert_int_equal(word[1], 102);
	assert_int_equal(hold.held, 1);
}

static void test_later_goes_where_the_first_went(void **state)
{
	struct hold_answer a;

	assert_int_equal(give_first(1, 1480, 3).fate, HOLD_PASS);
	a = give_later(1, 1480, 3000, true, 1);
	assert_int_equal(a.fate, HOLD_PASS);
	assert_int_equal(a.owner, 3);
	assert_int_equal(hold.held, 0);
	/* another protocol, family or number is another datagram */
	struct fragment f = piece(2, 1480, 3000, true);

	f.key.ports = 1;
	assert_int_equal(hold_later(&hold, &f, 2, now, word).fate, HOLD_KEPT);
	f = piece(1, 1480, 3000, true);
	f.key.protocol = 6;
	assert_int_equal(hold_later(&hold, &f, 3, now, word).fate, HOLD_KEPT);
	f = piece(1, 1480, 3000, true);
	f.key.family = 4;
	assert_int_equal(hold_later(&hold, &f, 4, now, word).fate, HOLD_KEPT);
}

/* RFC 1858, RFC 5722: what would be written over the first ends the datagram. */
static void test_overlap(void **state)
{
	assert_int_equal(give_first(1, 1480, 3).fate, HOLD_PASS);
	assert_int_equal(give_later(1, 1480, 2000, false, 1).fate, HOLD_PASS);
	assert_int_equal(give_later(1, 1472, 3000, true, 2).fate, HOLD_BAD);
	assert_int_equal(give_later(1, 2000, 3000, true, 3).fate, HOLD_BAD);
	assert_int_equal(give_first(1, 1480, 3).fate, HOLD_BAD);
	/* the same where it came before */
	assert_int_equal(give_later(2, 1480, 3000, true, 4).fate, HOLD_KEPT);
	assert_int_equal(give_later(2, 8, 1480, false, 5).fate, HOLD_KEPT);
	struct hold_answer a = give_first(2, 16, 3);

	assert_int_equal(a.fate, HOLD_BAD);
	assert_int_equal(a.waited, 2);
	assert_int_equal(hold.held, 0);
	assert_int_equal(give_later(2, 3000, 3008, true, 6).fate, HOLD_BAD);
	/* until it is forgotten */
	now += (HOLD_KNOWN_S + 1) * HZ;
	assert_int_equal(give_first(2, 16, 3).fate, HOLD_PASS);
}

/* RFC 3128: a second first that opens something else. */
static void test_second_first(void **state)
{
	struct fragment f = piece(1, 0, 1480, false);

	assert_int_equal(give_first(1, 1480, 3).fate, HOLD_PASS);
	assert_int_equal(give_first(1, 1480, 3).fate, HOLD_PASS); /* a duplicate */
	f.ports = 25;
	assert_int_equal(hold_first(&hold, &f, 3, now, word).fate, HOLD_BAD);
	assert_int_equal(give_later(1, 1480, 3000, true, 1).fate, HOLD_BAD);
	assert_int_equal(give_first(2, 1480, 3).fate, HOLD_PASS);
	assert_int_equal(give_first(2, 24, 3).fate, HOLD_BAD);
}

/* A complete datagram's number may be used again at once (RFC 6864 3). */
static void test_number_again(void **state)
{
	struct fragment f = piece(1, 0, 800, false);

	assert_int_equal(give_first(1, 1480, 3).fate, HOLD_PASS);
	assert_int_equal(give_later(1, 1480, 3000, true, 1).fate, HOLD_PASS);
	f.ports = 25;
	struct hold_answer a = hold_first(&hold, &f, 6, now, word);

	assert_int_equal(a.fate, HOLD_PASS);
	a = give_later(1, 800, 900, true, 2);
	assert_int_equal(a.fate, HOLD_PASS);
	assert_int_equal(a.owner, 6);
}

static void test_two_ends(void **state)
{
	assert_int_equal(give_first(1, 1480, 3).fate, HOLD_PASS);
	assert_int_equal(give_later(1, 2960, 3000, true, 1).fate, HOLD_PASS);
	assert_int_equal(give_later(1, 2960, 3100, true, 2).fate, HOLD_BAD);
	assert_int_equal(give_later(2, 2960, 3000, true, 1).fate, HOLD_KEPT);
	assert_int_equal(give_later(2, 2960, 4000, false, 1).fate, HOLD_BAD);
	assert_int_equal(hold.held, 0);
}

/* ---- limits and time ---- */

static void test_limits(void **state)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < 200; i++)
		kept += give_later(1, 1480 + 8 * i, 1488 + 8 * i, false, i).fate == HOLD_KEPT;
	assert_int_equal(kept, HOLD_DATAGRAM);
	for (unsigned n = 2; n < 100; n++)
		for (unsigned i = 0; i < 20; i++)
			kept += give_later(n, 1480, 1488, false, i).fate == HOLD_KEPT;
	assert_int_equal(kept, HOLD_MOST);
	assert_int_equal(hold.held, HOLD_MOST);
	/* those whose first comes do not wait, and pass all the same */
	assert_int_equal(give_first(1000, 1480, 3).fate, HOLD_PASS);
	assert_int_equal(give_later(1000, 1480, 1488, true, 9).fate, HOLD_PASS);
	now += (HOLD_WAIT_S + 1) * HZ;
	assert_int_equal(expire_all(), HOLD_MOST);
	assert_int_equal(hold.waiting, 0);
	assert_int_equal(give_later(1, 1480, 1488, false, 1).fate, HOLD_KEPT);
}

/* A flood of datagrams of one fragment leaves places for others. */
static void test_flood(void **state)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < 100000; i++)
		kept += give_later(5000 + i, 1480, 1488, false, i).fate == HOLD_KEPT;
	assert_in_range(kept, HOLD_PLACES / 8, HOLD_PLACES / 4);
	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(give_first(i, 1480, i % 8).fate, HOLD_PASS);
		assert_int_equal(give_later(i, 1480, 1600, true, i).owner, i % 8);
	}
	assert_int_equal(hold.held, kept);
	assert_true(hold.used <= HOLD_PLACES);
}

static void test_time(void **state)
{
	(void)give_later(1, 1480, 1488, false, 7);
	(void)give_first(2, 1480, 1);
	now += HOLD_WAIT_S * HZ - HZ / 10;
	assert_int_equal(expire_all(), 0);
	now += HZ / 5;
	unsigned n = 0;

	for (unsigned i = 0; n == 0 && i < HOLD_PLACES / HOLD_SLICE; i++)
		n = hold_expire(&hold, now, word);
	assert_int_equal(n, 1);
	assert_int_equal(word[0], 7);
	assert_int_equal(hold.used, 1);
	assert_int_equal(give_later(2, 1480, 1488, true, 8).fate, HOLD_PASS);
	now += HOLD_KNOWN_S * HZ;
	assert_int_equal(expire_all(), 0);
	assert_int_equal(hold.used, 0);
}

static void test_clear(void **state)
{
	unsigned n = 0, calls = 0;

	for (unsigned i = 0; i < 50; i++) {
		(void)give_later(i, 1480, 1488, false, i);
		(void)give_later(i, 1488, 1496, false, i);
		(void)give_first(100 + i, 1480, 1);
	}
	while (hold.used && calls++ < 1000)
		n += hold_clear(&hold, word);
	assert_int_equal(n, 100);
	assert_int_equal(hold.held, 0);
	assert_int_equal(hold.waiting, 0);
}

/* ---- the model: every datagram by itself, its words in a list ---- */

struct model {
	enum hold_state state;
	uint64_t since, word[HOLD_DATAGRAM];
	unsigned waits, owner, first_end, least, got, total;
	uint32_t ports;
	bool complete;
};

static struct model model[KEYS];
static unsigned model_held;

static void model_age(void)
{
	for (unsigned k = 0; k < KEYS; k++) {
		struct model *m = &model[k];
		uint64_t limit = (m->state == HOLD_WAITS ? HOLD_WAIT_S : HOLD_KNOWN_S) * HZ;

		if (m->state == HOLD_FREE || now - m->since <= limit)
			continue;
		model_held -= m->waits;
		*m = (struct model){0};
	}
}

static void model_count(struct model *m, unsigned bytes)
{
	m->got = m->got + bytes < 65535 ? m->got + bytes : 65535;
	m->complete |= m->total && m->got >= m->total && m->state == HOLD_KNOWN;
}

static enum hold_fate model_first(struct model *m, const struct fragment *f, unsigned owner)
{
	if (m->state == HOLD_REFUSED)
		return HOLD_BAD;
	bool known = m->state == HOLD_KNOWN && !m->complete;
	bool wrong =
		m->state == HOLD_WAITS && (m->least < f->end || (m->total && f->end > m->total));

	if (known && (m->ports != f->ports || m->first_end != f->end || m->owner != owner))
		wrong = true;
	if (wrong) {
		m->state = HOLD_REFUSED;
		return HOLD_BAD;
	}
	if (known)
		return HOLD_PASS;
	bool waited = m->state == HOLD_WAITS;

	m->state = HOLD_KNOWN;
	m->since = now;
	m->owner = owner;
	m->ports = f->ports;
	m->first_end = f->end;
	m->complete = false;
	if (!waited)
		m->got = m->total = 0;
	model_count(m, f->end);
	return HOLD_PASS;
}

static enum hold_fate model_later(struct model *m, const struct fragment *f, uint64_t w)
{
	bool end_wrong = m->total && (f->last ? f->end != m->total : f->end > m->total);

	if (m->state == HOLD_REFUSED)
		return HOLD_BAD;
	if (m->state == HOLD_KNOWN) {
		if (f->begin < m->first_end || (!m->complete && end_wrong)) {
			m->state = HOLD_REFUSED;
			return HOLD_BAD;
		}
		if (!m->complete && f->last)
			m->total = f->end;
		if (!m->complete)
			model_count(m, f->end - f->begin);
		return HOLD_PASS;
	}
	if (m->state == HOLD_WAITS && end_wrong) {
		m->state = HOLD_REFUSED;
		return HOLD_BAD;
	}
	if (m->waits == HOLD_DATAGRAM || model_held == HOLD_MOST)
		return HOLD_FULL;
	if (m->state == HOLD_FREE) {
		*m = (struct model){.state = HOLD_WAITS, .since = now, .least = 65535};
	}
	m->word[m->waits++] = w;
	model_held++;
	if (f->last)
		m->total = f->end;
	if (f->begin < m->least)
		m->least = f->begin;
	model_count(m, f->end - f->begin);
	return HOLD_KEPT;
}

/* What waited is the same, in the same order, and taken out by both. */
static void model_compare_waited(struct model *m, const struct hold_answer *a)
{
	if (a->fate != HOLD_PASS && a->fate != HOLD_BAD)
		return;
	assert_int_equal(a->waited, m->waits);
	assert_memory_equal(word, m->word, m->waits * sizeof *word);
	model_held -= m->waits;
	m->waits = 0;
}

static void random_fragment(unsigned k)
{
	static const uint32_t cut[] = {0, 16, 512, 1024, 1480, 2960, 3000};
	static uint64_t number;
	unsigned i = rand() % 8 ? 1 + (unsigned)rand() % 2 * 3 : (unsigned)rand() % 6;
	struct fragment f = piece(k, cut[i], cut[i + 1], i + 1 == 6);
	struct hold_answer a;
	enum hold_fate expected;

	if (rand() % 30 == 0) {
		f.end += 8;
		f.last = rand() & 1;
	}
	if (rand() % 3 == 0) {
		unsigned owner = rand() % 20 ? k % 8 : (unsigned)rand() % 8;

		f.begin = 0;
		f.end = rand() % 8 ? 16 : 1480;
		f.last = false;
		f.ports = rand() % 20 ? 80 : 25;
		expected = model_first(&model[k], &f, owner);
		a = hold_first(&hold, &f, owner, now, word);
	} else {
		if (f.begin == 0)
			f.begin = 8;
		expected = model_later(&model[k], &f, ++number);
		a = hold_later(&hold, &f, number, now, word);
	}
	assert_int_equal(a.fate, expected);
	if (a.fate == HOLD_PASS)
		assert_int_equal(a.owner, model[k].owner);
	model_compare_waited(&model[k], &a);
	assert_int_equal(hold.held, model_held);
}

static void test_model(void **state)
{
	unsigned fates = 0;

	memset(model, 0, sizeof model);
	model_held = 0;
	srand(3);
	for (unsigned i = 0; i < 200000; i++) {
		random_fragment((unsigned)rand() % KEYS);
		if (rand() % 50 == 0) {
			now += (uint64_t)(rand() % 8) * HZ / 2 + HZ / 100;
			model_age();
			(void)expire_all();
			assert_int_equal(hold.held, model_held);
		}
		fates += model_held > 0;
	}
	assert_true(fates > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_first_comes_late),
		CASE(test_later_goes_where_the_first_went),
		CASE(test_overlap),
		CASE(test_second_first),
		CASE(test_number_again),
		CASE(test_two_ends),
		CASE(test_limits),
		CASE(test_flood),
		CASE(test_time),
		CASE(test_clear),
		CASE(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
