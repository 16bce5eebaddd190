/* The routing tables of both families: order, matches, spans and noted changes against brute force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "net/table/nexthop.h"
#include "net/table/rib.h"
#include "test/model/tables.h"

static struct rib4 rib4;
static struct rib6 rib6;
static unsigned bits; /* of the family under test: 32 or 128 */
static struct rib *rib;

/* What is in the table, as a plain list. */
static struct entry {
	struct ip6 key;
	uint32_t nexthop;
	uint8_t length, source, distance;
} list[4096];
static unsigned entries;

static void begin(unsigned family_bits, uint32_t routes)
{
	bits = family_bits;
	entries = 0;
	if (bits == 32)
		model_rib4_init(&rib4, routes);
	else
		model_rib6_init(&rib6, routes);
	rib = bits == 32 ? &rib4.rib : &rib6.rib;
}

static void end(void)
{
	model_rib_free(rib);
}

static uint32_t v4(struct ip6 key)
{
	return (uint32_t)(key.hi >> 32);
}

/* ---- both families by one name ---- */

static enum err add(
	struct ip6 key, unsigned length, unsigned source, unsigned distance, uint32_t nh)
{
	struct route4 r4 = {.nexthop = nh,
		.length = (uint8_t)length,
		.source = (uint8_t)source,
		.distance = (uint8_t)distance,
		.prefix = v4(key)};
	struct route6 r6 = {.nexthop = nh,
		.length = (uint8_t)length,
		.source = (uint8_t)source,
		.distance = (uint8_t)distance,
		.prefix = key};

	return bits == 32 ? rib4_add(&rib4, &r4) : rib6_add(&rib6, &r6);
}

static enum err take(struct ip6 key, unsigned length, unsigned source, uint32_t *nh)
{
	struct route4 r4 = {.nexthop = 0};
	struct route6 r6 = {.nexthop = 0};
	enum err err = bits == 32 ? rib4_remove(&rib4, v4(key), length, source, &r4)
				  : rib6_remove(&rib6, key, length, source, &r6);

	*nh = bits == 32 ? r4.nexthop : r6.nexthop;
	return err;
}

static enum err replace(
	struct ip6 key, unsigned length, unsigned source, uint32_t nh, uint32_t *old)
{
	return bits == 32 ? rib4_replace(&rib4, v4(key), length, source, nh, old)
			  : rib6_replace(&rib6, key, length, source, nh, old);
}

static uint32_t match(struct ip6 a, bool skip)
{
	const struct route4 *r4 = bits == 32 ? rib4_match(&rib4, v4(a), skip) : NULL;
	const struct route6 *r6 = bits == 32 ? NULL : rib6_match(&rib6, a, skip);

	return r4 ? r4->nexthop : r6 ? r6->nexthop : NEXTHOP_NONE;
}

static uint32_t match_upto(struct ip6 a, unsigned longest)
{
	const struct route4 *r4 = bits == 32 ? rib4_match_upto(&rib4, v4(a), longest) : NULL;
	const struct route6 *r6 = bits == 32 ? NULL : rib6_match_upto(&rib6, a, longest);

	return r4 ? r4->nexthop : r6 ? r6->nexthop : NEXTHOP_NONE;
}

static uint32_t span(struct ip6 a, struct ip6 *last)
{
	uint32_t end4, nh;

	if (bits == 128)
		return rib6_span(&rib6, a, last);
	nh = rib4_span(&rib4, v4(a), &end4);
	*last = (struct ip6){(uint64_t)end4 << 32 | 0xffffffff, ~0ull};
	return nh;
}

static bool take_change(struct ip6 *key, unsigned *length)
{
	uint32_t prefix = 0;
	bool more = bits == 32 ? rib4_take_change(&rib4, &prefix, length)
			       : rib6_take_change(&rib6, key, length);

	if (bits == 32)
		*key = rib4_key(prefix);
	return more;
}

/* ---- the list ---- */

static bool is_better(const struct entry *a, const struct entry *b)
{
	return a->distance != b->distance ? a->distance < b->distance : a->source < b->source;
}

static bool comes_before(const struct entry *a, const struct entry *b)
{
	if (!ip6_equal(a->key, b->key))
		return ip6_less(a->key, b->key);
	return a->length != b->length ? a->length < b->length : is_better(a, b);
}

/* The answer by looking at every route. */
static uint32_t brute(struct ip6 a, bool skip, unsigned longest)
{
	const struct entry *best = NULL;

	for (unsigned i = 0; i < entries; i++) {
		const struct entry *e = &list[i];

		if (e->length > longest || !ip6_agree(e->key, a, e->length) ||
			(skip && e->source == RIB_NEIGHBOR))
			continue;
		if (!best || e->length > best->length ||
			(e->length == best->length && is_better(e, best)))
			best = e;
	}
	return best ? best->nexthop : NEXTHOP_NONE;
}

/* The best next hop of just this prefix; UINT32_MAX if it has no route. */
static uint32_t brute_exact(struct ip6 key, unsigned length)
{
	const struct entry *best = NULL;

	for (unsigned i = 0; i < entries; i++)
		if (list[i].length == length && ip6_equal(list[i].key, key) &&
			(!best || is_better(&list[i], best)))
			best = &list[i];
	return best ? best->nexthop : UINT32_MAX;
}

static struct entry *list_find(struct ip6 key, unsigned length, unsigned source)
{
	for (unsigned i = 0; i < entries; i++)
		if (list[i].length == length && list[i].source == source &&
			ip6_equal(list[i].key, key))
			return &list[i];
	return NULL;
}

static int by_order(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;

	return comes_before(a, b) ? -1 : comes_before(b, a) ? 1 : 0;
}

/* The ordered walk gives the sorted list. */
static void check_walk(void)
{
	const struct route4 *r4 = bits == 32 ? rib4_first(&rib4) : NULL;
	const struct route6 *r6 = bits == 32 ? NULL : rib6_first(&rib6);

	qsort(list, entries, sizeof *list, by_order);
	for (unsigned i = 0; i < entries; i++) {
		struct ip6 key = r4 ? rib4_key(r4->prefix) : r6 ? r6->prefix : (struct ip6){9, 9};
		const struct route *r = r4 ? (const struct route *)r4 : (const struct route *)r6;

		assert_non_null(r);
		if (!r)
			return;
		assert_true(ip6_equal(key, list[i].key));
		assert_true(r->length == list[i].length && r->source == list[i].source &&
			    r->distance == list[i].distance && r->nexthop == list[i].nexthop);
		if (r4)
			r4 = rib4_next(&rib4, r4);
		else
			r6 = rib6_next(&rib6, r6);
	}
	assert_true(!r4 && !r6);
	assert_int_equal(rib->count, entries);
}

/* Spans cover the whole space without a gap, and each says what its ends are. */
static void check_spans(void)
{
	struct ip6 a = {0, 0}, last;
	unsigned n = 0;

	do {
		uint32_t nh = span(a, &last);

		assert_int_equal(nh, brute(a, false, bits));
		assert_int_equal(nh, brute(last, false, bits));
		assert_false(ip6_less(last, a));
		assert_true(++n <= 2 * entries + 1);
		a = ip6_next(last);
	} while (a.hi | a.lo);
}

/* ---- the cases, for each family ---- */

static struct ip6 key4(uint32_t a)
{
	return rib4_key(a);
}

static void test_refusals(void **state)
{
	uint32_t nh;

	for (unsigned b = 32; b <= 128; b += 96) {
		begin(b, 100);
		assert_int_equal(add(key4(0x0a000001), 24, RIB_STATIC, 1, 1), ERR_INVALID);
		assert_int_equal(add(key4(0x0a000000), b + 1, RIB_STATIC, 1, 1), ERR_INVALID);
		assert_int_equal(add(key4(1), 0, RIB_STATIC, 1, 1), ERR_INVALID);
		assert_int_equal(add(key4(0), 0, RIB_SOURCES, 1, 1), ERR_INVALID);
		assert_int_equal(add(key4(0), 0, RIB_STATIC, 1, NEXTHOP_MAX), ERR_INVALID);
		assert_int_equal(rib->generation, 0);
		assert_int_equal(add(key4(0x0a000000), 24, RIB_STATIC, 1, 1), ERR_OK);
		assert_int_equal(add(key4(0x0a000000), 24, RIB_STATIC, 9, 2), ERR_EXISTS);
		assert_int_equal(take(key4(0x0a000000), 23, RIB_STATIC, &nh), ERR_NOT_FOUND);
		assert_int_equal(take(key4(0x0a000000), 24, RIB_LOCAL, &nh), ERR_NOT_FOUND);
		assert_int_equal(take(key4(0x0a000000), b + 1, RIB_STATIC, &nh), ERR_NOT_FOUND);
		assert_int_equal(replace(key4(0x0a000000), 25, RIB_STATIC, 3, &nh), ERR_NOT_FOUND);
		assert_int_equal(rib->count, 1);
		assert_int_equal(rib->generation, 1);
		end();
	}
}

static void test_best_source(void **state)
{
	uint32_t nh;

	begin(32, 100);
	assert_int_equal(add(key4(0x0a000000), 24, RIB_STATIC, 1, 3), ERR_OK);
	assert_int_equal(add(key4(0x0a000000), 24, RIB_CONNECTED, 0, 2), ERR_OK);
	assert_int_equal(add(key4(0x0a000000), 16, RIB_STATIC, 1, 4), ERR_OK);
	assert_int_equal(match(key4(0x0a000005), false), 2);
	assert_int_equal(rib4_find(&rib4, 0x0a000000, 24, RIB_STATIC)->nexthop, 3);
	assert_null(rib4_find(&rib4, 0x0a000000, 24, RIB_NEIGHBOR));
	assert_int_equal(take(key4(0x0a000000), 24, RIB_CONNECTED, &nh), ERR_OK);
	assert_int_equal(nh, 2);
	assert_int_equal(match(key4(0x0a000005), false), 3);
	assert_int_equal(take(key4(0x0a000000), 24, RIB_STATIC, &nh), ERR_OK);
	assert_int_equal(match(key4(0x0a000005), false), 4);
	assert_int_equal(match(key4(0x0b000005), false), NEXTHOP_NONE);
	end();
}

static void test_neighbors_can_be_skipped(void **state)
{
	begin(32, 100);
	assert_int_equal(add(key4(0x0a000000), 24, RIB_CONNECTED, 0, 2), ERR_OK);
	assert_int_equal(add(key4(0x0a000005), 32, RIB_NEIGHBOR, 0, 5), ERR_OK);
	assert_int_equal(match(key4(0x0a000005), false), 5);
	assert_int_equal(match(key4(0x0a000005), true), 2);
	assert_int_equal(add(key4(0x0a000005), 32, RIB_STATIC, 1, 6), ERR_OK);
	assert_int_equal(match(key4(0x0a000005), true), 6);
	end();
}

static void test_default_and_ends(void **state)
{
	begin(32, 100);
	assert_int_equal(match(key4(0), false), NEXTHOP_NONE);
	assert_int_equal(add(key4(0), 0, RIB_STATIC, 1, 1), ERR_OK);
	assert_int_equal(add(key4(0), 32, RIB_STATIC, 1, 2), ERR_OK);
	assert_int_equal(add(key4(0xffffffff), 32, RIB_STATIC, 1, 3), ERR_OK);
	assert_int_equal(match(key4(0), false), 2);
	assert_int_equal(match(key4(1), false), 1);
	assert_int_equal(match(key4(0xfffffffe), false), 1);
	assert_int_equal(match(key4(0xffffffff), false), 3);
	assert_int_equal(match_upto(key4(0), 31), 1);
	end();
}

/* Every route that is promised fits, however they part; one more does not. */
static void test_full(void **state)
{
	const uint32_t routes = 5000;
	uint32_t nh;

	begin(32, routes);
	for (uint32_t i = 0; i < routes; i++)
		assert_int_equal(add(key4(i << 8), 24, RIB_STATIC, 1, i + 1), ERR_OK);
	assert_int_equal(add(key4(0xff000000), 24, RIB_STATIC, 1, 1), ERR_FULL);
	assert_int_equal(rib->count, routes);
	assert_int_equal(match(key4((routes - 1) << 8 | 7), false), routes);
	assert_int_equal(take(key4(0), 24, RIB_STATIC, &nh), ERR_OK);
	assert_int_equal(add(key4(0xff000000), 24, RIB_STATIC, 1, 9), ERR_OK);
	assert_int_equal(match(key4(0xff000001), false), 9);
	end();
}

/* A prefix of few bits that differ, so that nearly everything overlaps. */
static struct ip6 random_key(unsigned length)
{
	struct ip6 a = {(uint64_t)rand() << 33 ^ (uint64_t)rand() << 8, (uint64_t)rand() << 32};

	if (bits == 32)
		a = rib4_key(0x0a000000u | ((uint32_t)rand() & 0x70f03u));
	else if (rand() % 4)
		a = (struct ip6){0x2001000000000000ull | ((uint64_t)rand() & 0x7000f03u) << 20,
			(uint64_t)rand() & 0x80000003u};
	return ip6_first(a, length);
}

/* One random change of the table and the list, and what the table must have noted of it. */
static void change(void)
{
	unsigned length = (unsigned)rand() % (bits + 1), source = (unsigned)rand() % RIB_SOURCES;
	struct ip6 key = random_key(length), noted = {0, 0};
	struct entry *e = list_find(key, length, source);
	uint32_t before = brute_exact(key, length), nh = (uint32_t)rand() % 5 + 1, old;
	unsigned distance = (unsigned)rand() % 3, noted_length = 0;

	if (e && rand() % 2) {
		assert_int_equal(take(key, length, source, &old), ERR_OK);
		assert_int_equal(old, e->nexthop);
		*e = list[--entries];
	} else if (e) {
		assert_int_equal(replace(key, length, source, nh, &old), ERR_OK);
		assert_int_equal(old, e->nexthop);
		e->nexthop = nh;
	} else {
		assert_int_equal(add(key, length, source, distance, nh), ERR_OK);
		list[entries++] = (struct entry){
			key, nh, (uint8_t)length, (uint8_t)source, (uint8_t)distance};
	}
	if (brute_exact(key, length) != before) {
		assert_true(rib_has_changes(rib));
		assert_true(take_change(&noted, &noted_length));
		assert_true(ip6_equal(noted, key) && noted_length == length);
	}
	assert_false(rib_has_changes(rib));
}

/* routes: how large the table is told to be, which decides how its index is made. */
static void random_table(unsigned family_bits, uint32_t routes, unsigned rounds)
{
	srand(family_bits);
	begin(family_bits, routes);
	for (unsigned round = 1; round <= rounds; round++) {
		change();
		for (unsigned k = 0; k < 10; k++) {
			struct ip6 a = random_key(bits);
			unsigned longest = (unsigned)rand() % (bits + 1);

			assert_int_equal(match(a, k % 2), brute(a, k % 2, bits));
			assert_int_equal(match_upto(a, longest), brute(a, false, longest));
		}
		if (round % 256 == 0) {
			check_walk();
			check_spans();
		}
	}
	while (entries) {
		uint32_t nh;

		entries--;
		assert_int_equal(
			take(list[entries].key, list[entries].length, list[entries].source, &nh),
			ERR_OK);
	}
	assert_int_equal(rib->count, 0);
	assert_int_equal(rib->trie.nodes, 1); /* the root alone */
	end();
}

static void test_random4(void **state)
{
	random_table(32, MODEL_ROUTES, 2000);
	random_table(32, 70000, 1000); /* with the larger index */
}

static void test_random6(void **state)
{
	random_table(128, MODEL_ROUTES, 2000);
	random_table(128, 70000, 1000);
}

/* A walk that pauses at any route goes on behind it, whatever went meanwhile. */
static void test_walk_goes_on(void **state)
{
	struct route4 at;
	uint32_t nh;

	begin(32, 100);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(add(key4(i << 24), 8, RIB_STATIC, 1, i + 1), ERR_OK);
		assert_int_equal(add(key4(i << 24), 8, RIB_CONNECTED, 0, i + 11), ERR_OK);
	}
	at = *rib4_from(&rib4, 3u << 24, 8);
	assert_int_equal(at.nexthop, 14);
	assert_int_equal(rib4_next(&rib4, &at)->nexthop, 4);
	assert_int_equal(take(key4(3u << 24), 8, RIB_CONNECTED, &nh), ERR_OK);
	assert_int_equal(rib4_next(&rib4, &at)->nexthop, 4);
	assert_int_equal(take(key4(3u << 24), 8, RIB_STATIC, &nh), ERR_OK);
	assert_int_equal(rib4_next(&rib4, &at)->nexthop, 15);
	assert_int_equal(rib4_from(&rib4, 3u << 24, 8)->nexthop, 15);
	assert_int_equal(rib4_from(&rib4, 0, 0)->nexthop, 11);
	assert_null(rib4_from(&rib4, 8u << 24, 8));
	end();
}

/* More changes than the queue holds: all that is known is that they were lost. */
static void test_changes_lost(void **state)
{
	struct ip6 key;
	unsigned length;
	uint32_t nh;

	begin(32, 100);
	for (uint32_t i = 0; i <= RIB_CHANGES / 2; i++) {
		assert_int_equal(add(key4(i % 2 << 31), 1, RIB_STATIC, 1, 1), ERR_OK);
		assert_int_equal(add(key4(0), 0, RIB_STATIC, 1, 1), ERR_OK);
		assert_int_equal(take(key4(i % 2 << 31), 1, RIB_STATIC, &nh), ERR_OK);
		assert_int_equal(take(key4(0), 0, RIB_STATIC, &nh), ERR_OK);
	}
	assert_true(rib_has_changes(rib));
	assert_false(take_change(&key, &length));
	assert_true(rib_take_lost(rib));
	assert_false(rib_take_lost(rib));
	assert_false(rib_has_changes(rib));
	assert_int_equal(add(key4(0), 0, RIB_STATIC, 1, 1), ERR_OK);
	assert_true(take_change(&key, &length));
	assert_int_equal(length, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_best_source),
		cmocka_unit_test(test_neighbors_can_be_skipped),
		cmocka_unit_test(test_default_and_ends),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_random4),
		cmocka_unit_test(test_random6),
		cmocka_unit_test(test_walk_goes_on),
		cmocka_unit_test(test_changes_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
