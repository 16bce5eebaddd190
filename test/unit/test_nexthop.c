/* Next hops: sharing, limits, and what a worker may see while one changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/table/nexthop.h"
#include "test/model/tables.h"

#define GATEWAY 0x0a000002u

static struct nexthop_table t;
static const uint8_t own[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xaa};
static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 0xbb};
static const uint8_t mac_c[6] = {2, 0, 0, 0, 0, 0xcc};

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

static uint32_t get(enum nexthop_action action, unsigned port, uint32_t gateway)
{
	uint32_t index = 12345;

	assert_int_equal(nexthop_get(&t, action, port, gateway, own, 1500, &index), ERR_OK);
	return index;
}

static uint32_t target(uint32_t index)
{
	return adjacency_target(t.adjacency[index].out);
}

/* Next hops that something is still to happen to. */
static unsigned waiting(void)
{
	unsigned n = 0;

	for (uint32_t i = 1; i < t.used; i++)
		n += t.nexthop[i].grace != NEXTHOP_SETTLED;
	return n;
}

static void grace(void)
{
	nexthop_grace_begin(&t, true);
	assert_false(nexthop_wants_grace(&t, true));
	nexthop_grace_passed(&t);
}

static void test_none(void **state)
{
	assert_int_equal(target(NEXTHOP_NONE), NEXTHOP_NO_ROUTE);
	assert_int_equal(get(NEXTHOP_NO_ROUTE, 3, 3), NEXTHOP_NONE);
	nexthop_put(&t, NEXTHOP_NONE);
	assert_false(nexthop_wants_grace(&t, true)); /* never freed */
}

static void test_shared(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY), black = get(NEXTHOP_BLACKHOLE, 1, 5);

	assert_int_not_equal(a, NEXTHOP_NONE);
	assert_int_equal(get(NEXTHOP_RESOLVE, 1, GATEWAY), a);
	assert_int_equal(t.nexthop[a].refs, 2);
	assert_int_not_equal(get(NEXTHOP_RESOLVE, 2, GATEWAY), a);
	assert_int_not_equal(get(NEXTHOP_RESOLVE, 1, GATEWAY + 1), a);
	assert_int_equal(get(NEXTHOP_BLACKHOLE, 2, 0), black); /* port and gateway mean nothing */
	assert_int_equal(target(a), NEXTHOP_RESOLVE);
	assert_int_equal(adjacency_mtu(t.adjacency[a].out), 1500);
	assert_memory_equal(t.adjacency[a].mac + 6, own, 6);
	assert_int_equal(target(black), NEXTHOP_BLACKHOLE);
	assert_int_equal(adjacency_mtu(t.adjacency[black].out), 0xffff);
}

static void test_resolve(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY);

	nexthop_set_mac(&t, 1, GATEWAY + 1, mac_a, 3); /* nobody's: nothing happens */
	nexthop_set_mac(&t, 2, GATEWAY, mac_a, 3);
	assert_int_equal(target(a), NEXTHOP_RESOLVE);
	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 3);
	assert_int_equal(target(a), 3);
	assert_int_equal(adjacency_mtu(t.adjacency[a].out), 1500);
	assert_memory_equal(t.adjacency[a].mac, mac_a, 6);
	assert_memory_equal(t.adjacency[a].mac + 6, own, 6);
	assert_true(t.nexthop[a].resolved);
	assert_false(nexthop_wants_grace(&t, true)); /* the first MAC needs no grace period */
}

/* A MAC in use is never overwritten before a grace period without it has passed. */
static void test_change(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY);

	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 3);
	nexthop_set_mac(&t, 1, GATEWAY, mac_b, 4);
	assert_int_equal(target(a), NEXTHOP_RESOLVE);
	assert_memory_equal(t.adjacency[a].mac, mac_a, 6);
	assert_true(nexthop_wants_grace(&t, true));
	nexthop_grace_begin(&t, true);
	assert_memory_equal(t.adjacency[a].mac, mac_a, 6);
	nexthop_set_mac(&t, 1, GATEWAY, mac_c, 5); /* changed again meanwhile: still covered */
	assert_memory_equal(t.adjacency[a].mac, mac_a, 6);
	nexthop_grace_passed(&t);
	assert_memory_equal(t.adjacency[a].mac, mac_c, 6);
	assert_int_equal(target(a), 5);
	assert_int_equal(waiting(), 0);
	assert_false(nexthop_wants_grace(&t, true));
}

static void test_change_and_back(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY);

	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 3);
	nexthop_set_mac(&t, 1, GATEWAY, mac_b, 3);
	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 3); /* what is written is right after all */
	assert_int_equal(target(a), 3);
	assert_false(nexthop_wants_grace(&t, true));
	assert_int_equal(waiting(), 0);
	grace();
	assert_memory_equal(t.adjacency[a].mac, mac_a, 6);
}

static void test_clear(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY);

	nexthop_clear_mac(&t, 1, GATEWAY); /* was not resolved */
	assert_false(nexthop_wants_grace(&t, true));
	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 3);
	nexthop_clear_mac(&t, 1, GATEWAY);
	assert_int_equal(target(a), NEXTHOP_RESOLVE);
	assert_false(t.nexthop[a].resolved);
	nexthop_set_mac(&t, 1, GATEWAY, mac_b, 3); /* a worker may still read the old one */
	assert_memory_equal(t.adjacency[a].mac, mac_a, 6);
	nexthop_clear_mac(&t, 1, GATEWAY);
	grace();
	assert_int_equal(target(a), NEXTHOP_RESOLVE); /* unknown again: nothing is written */
	nexthop_set_mac(&t, 1, GATEWAY, mac_b, 3);    /* and now at once */
	assert_memory_equal(t.adjacency[a].mac, mac_b, 6);
	assert_int_equal(target(a), 3);
}

static void test_mtu(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY), b = get(NEXTHOP_RESOLVE, 2, GATEWAY);
	uint32_t local = get(NEXTHOP_LOCAL, 1, 0);

	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 3);
	nexthop_set_mtu(&t, 1, 600);
	assert_int_equal(t.adjacency[a].out, 3 | 600 << 16);
	assert_int_equal(adjacency_mtu(t.adjacency[b].out), 1500);
	assert_int_equal(adjacency_mtu(t.adjacency[local].out), 0xffff);
	nexthop_set_mac(&t, 1, GATEWAY, mac_b, 3);
	nexthop_set_mtu(&t, 1, 700); /* while the MAC waits */
	grace();
	assert_int_equal(t.adjacency[a].out, 3 | 700 << 16);
}

/* A freed index is not used again before a grace period that began after it was freed. */
static void test_reuse(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY), b;

	get(NEXTHOP_RESOLVE, 1, GATEWAY);
	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 3);
	nexthop_put(&t, a);
	assert_false(nexthop_wants_grace(&t, true));
	nexthop_grace_begin(&t, true); /* before the last reference goes */
	nexthop_put(&t, a);
	assert_int_equal(target(a), 3); /* an old FIB may lead here still */
	b = get(NEXTHOP_RESOLVE, 1, GATEWAY);
	assert_int_not_equal(b, a);
	nexthop_grace_passed(&t);
	assert_int_not_equal(get(NEXTHOP_RESOLVE, 5, 5), a);
	assert_true(nexthop_wants_grace(&t, true));
	grace();
	assert_int_equal(get(NEXTHOP_RESOLVE, 6, 6), a);
	assert_int_equal(target(a), NEXTHOP_RESOLVE);
	assert_false(t.nexthop[a].resolved);
}

/* Freed while its MAC change waits: the change is forgotten, the wait begins anew. */
static void test_free_while_waiting(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY);

	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 3);
	nexthop_set_mac(&t, 1, GATEWAY, mac_b, 3);
	nexthop_grace_begin(&t, true);
	nexthop_put(&t, a);
	nexthop_grace_passed(&t);
	assert_int_equal(waiting(), 1);
	assert_memory_equal(t.adjacency[a].mac, mac_a, 6);
	grace();
	assert_int_equal(waiting(), 0);
	assert_int_equal(get(NEXTHOP_RESOLVE, 7, 7), a);
}

/* One grace period ends while another change has just begun to wait. */
static void test_two_changes(void **state)
{
	uint32_t a = get(NEXTHOP_RESOLVE, 1, GATEWAY), b = get(NEXTHOP_RESOLVE, 2, GATEWAY);

	nexthop_set_mac(&t, 1, GATEWAY, mac_a, 1);
	nexthop_set_mac(&t, 2, GATEWAY, mac_a, 2);
	nexthop_set_mac(&t, 2, GATEWAY, mac_b, 2);
	nexthop_grace_begin(&t, true);
	nexthop_set_mac(&t, 1, GATEWAY, mac_b, 1); /* not covered */
	nexthop_grace_passed(&t);
	assert_memory_equal(t.adjacency[b].mac, mac_b, 6);
	assert_memory_equal(t.adjacency[a].mac, mac_a, 6);
	assert_int_equal(target(a), NEXTHOP_RESOLVE);
	assert_true(nexthop_wants_grace(&t, true));
	grace();
	assert_memory_equal(t.adjacency[a].mac, mac_b, 6);
	assert_int_equal(waiting(), 0);
}

static void test_full(void **state)
{
	uint32_t index, last = 0;

	for (uint32_t i = 1; i < NEXTHOP_MAX; i++)
		last = get(NEXTHOP_RESOLVE, 0, i);
	assert_int_equal(nexthop_get(&t, NEXTHOP_RESOLVE, 1, 1, own, 1500, &index), ERR_FULL);
	assert_int_equal(get(NEXTHOP_RESOLVE, 0, 77), 77); /* what is there is found */
	nexthop_put(&t, last);
	assert_int_equal(nexthop_get(&t, NEXTHOP_RESOLVE, 1, 1, own, 1500, &index), ERR_FULL);
	grace();
	assert_int_equal(get(NEXTHOP_RESOLVE, 1, 1), last);
}

/* References of random next hops come and go; the table always finds what is alive. */
static void test_random(void **state)
{
	static uint32_t refs[64], known[64];

	srand(8);
	for (unsigned round = 0; round < 50000; round++) {
		uint32_t k = (uint32_t)rand() % 64;

		if (rand() % 2) {
			uint32_t i = get(NEXTHOP_RESOLVE, k % 4, k << 24 | 1);

			if (refs[k]++)
				assert_int_equal(i, known[k]);
			known[k] = i;
		} else if (refs[k]) {
			refs[k]--;
			nexthop_put(&t, known[k]);
		}
		if (rand() % 8 == 0)
			nexthop_set_mac(&t, k % 4, k << 24 | 1, rand() % 2 ? mac_a : mac_b, 2);
		if (round % 16 == 0)
			nexthop_grace_passed(&t);
		if (round % 16 == 0 && nexthop_wants_grace(&t, true))
			nexthop_grace_begin(&t, true);
	}
	for (unsigned k = 0; k < 64; k++)
		while (refs[k]--)
			nexthop_put(&t, known[k]);
	grace();
	assert_int_equal(waiting(), 0);
	for (uint32_t i = 1; i < t.used; i++)
		assert_int_equal(t.nexthop[i].refs, 0);
	assert_true(t.used < 256); /* indices are used again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolve, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reuse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_while_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
