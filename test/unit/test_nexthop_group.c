/* Groups of next hops and recursive ones: sharing, weights, ends, and what a worker may meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/table/nexthop.h"
#include "test/model/tables.h"

static struct nexthop_table t;
static const uint8_t own[6] = {2, 0, 0, 0, 0, 1};

static int setup(void **state)
{
	model_nexthops_init(&t);
	return 0;
}

static int teardown(void **state)
{
	model_nexthops_free(&t);
	return 0;
}

static uint16_t plain(uint32_t gateway)
{
	uint32_t index;

	assert_int_equal(nexthop_get(&t, NEXTHOP_RESOLVE, 1, gateway, own, 1500, &index), ERR_OK);
	return (uint16_t)index;
}

static uint32_t group(const struct nexthop_member *member, unsigned n)
{
	uint32_t index = 0;

	assert_int_equal(nexthop_get_group(&t, member, n, &index), ERR_OK);
	return index;
}

/* Of how many hashes the group picks each of some indices. */
static void shares(uint32_t index, const uint16_t *of, unsigned n, unsigned *count)
{
	memset(count, 0, n * sizeof *count);
	for (uint32_t hash = 0; hash < 10 * GROUP_SPREAD; hash++) {
		uint32_t picked = nexthop_pick(&t, index, hash);
		unsigned i = 0;

		while (i < n && of[i] != picked)
			i++;
		assert_true(i < n);
		count[i]++;
	}
}

static void grace(void)
{
	nexthop_grace_begin(&t, true);
	nexthop_grace_passed(&t);
}

static void test_weights(void **state)
{
	uint16_t of[3] = {plain(1), plain(2), plain(3)};
	struct nexthop_member m[3] = {{of[2], 2}, {of[0], 1}, {of[1], 1}};
	unsigned count[3];
	uint32_t g = group(m, 3);

	assert_int_equal(adjacency_target(t.adjacency[g].out), NEXTHOP_GROUP);
	shares(g, of, 3, count);
	assert_true(count[0] == 10 * GROUP_SPREAD / 4 && count[1] == count[0]);
	assert_int_equal(count[2], 2 * count[0]);
	m[0].weight = 255; /* the least gets a place still */
	g = group(m, 3);
	shares(g, of, 3, count);
	assert_true(count[0] == 10 && count[1] == 10);
	assert_int_equal(nexthop_pick(&t, of[0], 12345), of[0]); /* no group: itself */
}

static void test_shared(void **state)
{
	uint16_t a = plain(1), b = plain(2);
	struct nexthop_member ab[2] = {{a, 1}, {b, 1}}, ba[2] = {{b, 1}, {a, 1}};
	struct nexthop_member aab[3] = {{a, 1}, {b, 2}, {a, 1}}, other[2] = {{a, 1}, {b, 2}};
	struct nexthop_member aa[2] = {{a, 1}, {a, 7}};
	uint32_t g = group(ab, 2);

	assert_int_equal(group(ab, 2), g);
	assert_int_not_equal(group(ba, 2), g); /* the same members, but others' flows */
	assert_int_not_equal(group(other, 2), g);
	assert_int_not_equal(group(aab, 3), g);
	assert_int_equal(t.nexthop[g].refs, 2);
	assert_int_equal(group(aa, 2), a); /* one member: itself */
	assert_int_equal(t.nexthop[a].refs, 1 + 4 + 1);
}

static void test_refusals(void **state)
{
	uint16_t a = plain(1), b = plain(2);
	struct nexthop_member ok[2] = {{a, 1}, {b, 1}}, m[GROUP_MEMBERS + 1];
	uint32_t g = group(ok, 2), index = 77;

	for (unsigned i = 0; i <= GROUP_MEMBERS; i++)
		m[i] = (struct nexthop_member){a, 1};
	assert_int_equal(nexthop_get_group(&t, m, 0, &index), ERR_INVALID);
	struct nexthop_member gaps[2] = {{NEXTHOP_NONE, 1}, {NEXTHOP_NONE, 1}};

	assert_int_equal(nexthop_get_group(&t, gaps, 2, &index), ERR_INVALID);
	assert_int_equal(nexthop_get_group(&t, m, GROUP_MEMBERS + 1, &index), ERR_INVALID);
	m[1] = (struct nexthop_member){b, 0};
	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_INVALID);
	m[1].weight = 256;
	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_INVALID);
	m[1] = (struct nexthop_member){(uint16_t)g, 1};
	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_INVALID);
	m[1] = (struct nexthop_member){60000, 1};
	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_INVALID);
	assert_int_equal(index, 77);
	assert_int_equal(t.nexthop[a].refs, 2);
}

/* The last reference goes: the members with it, but nothing is reused before workers passed. */
static void test_end(void **state)
{
	uint16_t a = plain(1), b = plain(2);
	struct nexthop_member m[2] = {{a, 1}, {b, 1}};
	uint32_t g = group(m, 2), count = t.count;

	nexthop_put(&t, a);
	nexthop_put(&t, b);
	assert_int_equal(t.count, count); /* the group holds them */
	nexthop_put(&t, g);
	assert_int_equal(t.count, count - 3);
	assert_int_equal(nexthop_pick(&t, g, 0), a); /* a worker on its way there */
	for (uint32_t i = 10; i < 13; i++)
		assert_true(plain(i) > g);
	grace();
	assert_true(plain(20) <= g && plain(21) <= g && plain(22) <= g);
	assert_true(plain(23) > g);
}

/* As many groups as there are; one more finds no room, nor leaves a trace. */
static void test_full(void **state)
{
	struct nexthop_member m[2] = {{plain(1), 1}, {plain(2), 1}};
	uint32_t index, first = 0;

	for (uint32_t i = 0; i < GROUP_MAX; i++) {
		m[1].index = plain(i + 10);
		index = group(m, 2);
		first = i ? first : index;
	}
	m[1].index = plain(GROUP_MAX + 10);
	uint32_t refs = t.nexthop[m[0].index].refs, count = t.count;

	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_FULL);
	assert_int_equal(nexthop_get_recursive(&t, 5, NEXTHOP_ANY_PORT, &index), ERR_FULL);
	assert_int_equal(t.nexthop[m[0].index].refs, refs);
	assert_int_equal(t.count, count);
	nexthop_put(&t, first);
	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_FULL); /* not yet */
	grace();
	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_OK);
}

static void test_recursive(void **state)
{
	uint16_t a = plain(1), b = plain(2), of[2] = {a, b};
	struct nexthop_member m[2] = {{a, 1}, {b, 1}};
	uint32_t g = group(m, 2), index, same;
	unsigned count[2];

	assert_int_equal(nexthop_get_recursive(&t, 99, NEXTHOP_ANY_PORT, &index), ERR_OK);
	assert_int_equal(nexthop_get_recursive(&t, 99, NEXTHOP_ANY_PORT, &same), ERR_OK);
	assert_int_equal(index, same);
	assert_int_equal(t.recursive, 1);
	assert_int_equal(adjacency_target(t.adjacency[index].out), NEXTHOP_UNREACHABLE);
	assert_int_equal(nexthop_pick(&t, index, 5), index);
	nexthop_redirect(&t, index, a);
	assert_int_equal(t.nexthop[a].refs, 3);
	assert_int_equal(nexthop_pick(&t, index, 5), a);
	assert_int_equal(adjacency_target(t.adjacency[index].out),
		NEXTHOP_ONE); /* no worker needs to look at the flow */
	nexthop_redirect(&t, index, g);
	assert_int_equal(t.nexthop[a].refs, 2);
	shares(index, of, 2, count);
	assert_int_equal(count[0], count[1]);
	nexthop_redirect(&t, index, b);
	shares(index, of, 2, count);
	assert_int_equal(count[0], 0);
	nexthop_redirect(&t, index, NEXTHOP_NONE);
	assert_int_equal(adjacency_target(t.adjacency[index].out), NEXTHOP_UNREACHABLE);
	assert_int_equal(t.nexthop[b].refs, 2);
	nexthop_redirect(&t, index, b);
	nexthop_put(&t, index);
	nexthop_put(&t, index);
	assert_int_equal(t.recursive, 0);
	assert_int_equal(t.nexthop[b].refs, 2);
}

/* Which of `hop` each place comes to. */
static void places(uint32_t index, uint16_t *picked)
{
	for (uint32_t hash = 0; hash < GROUP_SPREAD; hash++)
		picked[hash] = (uint16_t)nexthop_pick(&t, index, hash);
}

/* Where the places of the group of those of n members come to that are not down. */
static void places_without(
	const struct nexthop_member *all, unsigned n, unsigned down, uint16_t *picked)
{
	struct nexthop_member m[GROUP_MEMBERS];

	for (unsigned i = 0; i < n; i++) {
		m[i] = all[i];
		if (down >> i & 1)
			m[i].index = NEXTHOP_NONE;
	}
	uint32_t g = group(m, n);

	places(g, picked);
	nexthop_put(&t, g);
	grace();
}

/* Whatever fails next, only its own places move, and when it comes back, only those return. */
static void test_failures(void **state)
{
	uint16_t before[GROUP_SPREAD], after[GROUP_SPREAD];

	srand(5);
	for (unsigned round = 0; round < 300; round++) {
		struct nexthop_member all[GROUP_MEMBERS];
		unsigned n = 2 + (unsigned)rand() % (GROUP_MEMBERS - 1), down = 0;

		for (unsigned i = 0; i < GROUP_MEMBERS; i++)
			all[i] = (struct nexthop_member){plain(i + 1), (uint16_t)(1 + rand() % 9)};
		places_without(all, n, down, before);
		for (unsigned step = 0; step < 20; step++) {
			unsigned one = n ? (unsigned)rand() % n : 0, was = down;

			down ^= 1u << one;
			if (down == (1u << n) - 1) {
				down = was;
				continue;
			}
			places_without(all, n, down, after);
			for (unsigned p = 0; p < GROUP_SPREAD; p++) {
				uint16_t its = was >> one & 1 ? after[p] : before[p];

				assert_true(before[p] == after[p] || its == all[one].index);
				assert_true(after[p] != all[one].index || !(down >> one & 1));
			}
			memcpy(before, after, sizeof before);
		}
	}
}

/* The same of recursive members, which stay in their group when nothing leads to them. */
static void test_recursive_failures(void **state)
{
	uint16_t before[GROUP_SPREAD], after[GROUP_SPREAD], again[GROUP_SPREAD];
	struct nexthop_member m[4];
	uint32_t index;

	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(
			nexthop_get_recursive(&t, 90 + i, NEXTHOP_ANY_PORT, &index), ERR_OK);
		m[i] = (struct nexthop_member){(uint16_t)index, (uint16_t)(i + 1)};
		nexthop_redirect(&t, index, plain(i + 1));
	}
	uint32_t g = group(m, 4);

	places(g, before);
	nexthop_redirect(&t, m[2].index, NEXTHOP_NONE);
	places(g, after);
	for (unsigned p = 0; p < GROUP_SPREAD; p++) {
		assert_true(before[p] == plain(3) ? after[p] != plain(3) : after[p] == before[p]);
	}
	nexthop_redirect(&t, m[2].index, plain(3));
	places(g, again);
	assert_memory_equal(before, again, sizeof before);
}

/* A silent member counts as one that is not there, in the group it is in already. */
static void test_silence(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	uint16_t now[GROUP_SPREAD], expected[GROUP_SPREAD];
	struct nexthop_member all[6];
	unsigned down = 0;
	uint32_t by;

	srand(6);
	for (unsigned i = 0; i < 6; i++)
		all[i] = (struct nexthop_member){plain(i + 1), (uint16_t)(1 + rand() % 9)};
	uint32_t g = group(all, 6);

	assert_int_equal(nexthop_get_recursive(&t, 99, NEXTHOP_ANY_PORT, &by), ERR_OK);
	nexthop_redirect(&t, by, g);
	for (unsigned step = 0; step < 300; step++) {
		unsigned one = (unsigned)rand() % 6;

		down ^= 1u << one;
		if (down >> one & 1)
			nexthop_silence(&t, 1, one + 1);
		else
			nexthop_set_mac(&t, 1, one + 1, mac, 1);
		places_without(all, 6, down == 63 ? 0 : down, expected); /* all: as if none */
		places(g, now);
		assert_memory_equal(now, expected, sizeof now);
		places(by, now); /* it stands for the group */
		assert_memory_equal(now, expected, sizeof now);
		assert_int_equal(adjacency_target(t.adjacency[g].out), NEXTHOP_GROUP);
		grace();
	}
}

/* Recursive members are as silent as what they stand for, and gateways are found through them. */
static void test_recursive_silence(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	uint16_t before[GROUP_SPREAD], after[GROUP_SPREAD];
	struct nexthop_member m[2];
	unsigned found = 0;
	uint32_t index;

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			nexthop_get_recursive(&t, 90 + i, NEXTHOP_ANY_PORT, &index), ERR_OK);
		m[i] = (struct nexthop_member){(uint16_t)index, 1};
		nexthop_redirect(&t, index, plain(i + 1));
	}
	uint32_t g = group(m, 2);

	places(g, before);
	nexthop_silence(&t, 1, 2);
	nexthop_silence(&t, 1, 77); /* nobody's */
	places(g, after);
	for (unsigned p = 0; p < GROUP_SPREAD; p++)
		assert_int_equal(after[p], plain(1));
	for (uint32_t at = 0; nexthop_shared(&t, at, &index); at++)
		found += index != NEXTHOP_NONE;
	assert_int_equal(found, 2);
	nexthop_redirect(&t, m[0].index, NEXTHOP_NONE); /* better a silent one than none */
	places(g, after);
	for (unsigned p = 0; p < GROUP_SPREAD; p++)
		assert_int_equal(after[p], plain(2));
	nexthop_redirect(&t, m[0].index, plain(1));
	nexthop_set_mac(&t, 1, 2, mac, 1);
	places(g, after);
	assert_memory_equal(before, after, sizeof before);
}

/* Groups come and go; the table always finds what is alive, and nothing leaks. */
static void test_random(void **state)
{
	static uint32_t alive[40];
	uint16_t hop[8];

	srand(3);
	for (uint32_t i = 0; i < 8; i++)
		hop[i] = plain(i + 1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned k = (unsigned)rand() % 40;
		struct nexthop_member m[4];
		unsigned n = 2 + (unsigned)rand() % 3;

		for (unsigned i = 0; i < n; i++)
			m[i] = (struct nexthop_member){hop[rand() % 8], (uint16_t)(1 + rand() % 3)};
		if (alive[k])
			nexthop_put(&t, alive[k]);
		alive[k] = group(m, n);
		for (unsigned i = 0; i < n; i++)
			assert_true(t.nexthop[nexthop_pick(&t, alive[k], (uint32_t)rand())].refs);
		if (round % 8 == 0)
			grace();
	}
	for (unsigned k = 0; k < 40; k++)
		nexthop_put(&t, alive[k]);
	grace();
	assert_int_equal(t.count, 1 + 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(t.nexthop[hop[i]].refs, 1);
	assert_true(t.group_used < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_weights),
		CASE(test_shared),
		CASE(test_refusals),
		CASE(test_end),
		CASE(test_full),
		CASE(test_recursive),
		CASE(test_failures),
		CASE(test_recursive_failures),
		CASE(test_silence),
		CASE(test_recursive_silence),
		CASE(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
