/* The FIBs following the RIBs in slices, without room too, and the comparison that repairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "drivers/mem/memdev.h"
#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "kernel/verify.h"
#include "net/table/fib4_table.h"
#include "test/model/platform.h"

static struct router *r = &router;

/* A worker that passes a quiescent point when it is let. */
static bool worker_runs;

static void relax(void)
{
	if (worker_runs)
		rcu_quiescent(&r->rcu.reader[0]);
}

static int setup(void **state)
{
	struct netdev *dev[1];
	char error[100];

	memset(r, 0, sizeof *r);
	model_platform.now_us = 1000000;
	model_platform.relax = relax;
	worker_runs = true;
	dev[0] = memdev_create(&platform_io, 0, 1, 64);
	assert_true(router_init(r, dev, 1, 1, NULL, MTU_DEFAULT, error, sizeof error));
	assert_true(control_init(r));
	r->rcu.readers = 1;
	return 0;
}

static int teardown(void **state)
{
	model_platform_free();
	return 0;
}

static void turn(void)
{
	model_platform.now_us += 50;
	relax();
	publish_turn(r);
	verify_step(r);
}

static unsigned settle(void)
{
	unsigned turns = 0;

	while (!publish_settled(r)) {
		turn();
		assert_true(++turns < 100000);
	}
	return turns;
}

static enum err add(uint32_t prefix, unsigned length, uint32_t nexthop)
{
	struct route4 route = {.prefix = prefix & rib4_mask(length),
		.length = (uint8_t)length,
		.source = RIB_STATIC,
		.distance = 1,
		.nexthop = nexthop};

	return rib4_add(&r->rib, &route);
}

static uint32_t answer(uint32_t address)
{
	uint32_t nh;

	fib4_lookup(r->tables.fib4, &address, &nh, 1);
	return nh;
}

static void test_follows(void **state)
{
	struct route6 six = {.prefix = {0x2001000000000000ull, 0},
		.length = 32,
		.nexthop = 6,
		.source = RIB_STATIC};
	struct ip6 address = {0x2001000000000000ull, 1};
	uint32_t nh;

	assert_true(publish_settled(r));
	assert_int_equal(add(0x0a000000, 24, 5), ERR_OK);
	assert_int_equal(rib6_add(&r->rib6, &six), ERR_OK);
	assert_false(publish_current(r));
	assert_int_equal(answer(0x0a000001), NEXTHOP_NONE);
	turn();
	assert_true(publish_current(r));
	assert_int_equal(answer(0x0a000001), 5);
	fib6_lookup(r->tables.fib6, &address, &nh, 1);
	assert_int_equal(nh, 6);
	assert_int_equal(rib4_remove(&r->rib, 0x0a000000, 24, RIB_STATIC, NULL), ERR_OK);
	settle();
	assert_int_equal(answer(0x0a000001), NEXTHOP_NONE);
}

/* Time stands still within a turn of the model: it ends by the clock alone if that goes. */
static void test_lost_changes(void **state)
{
	struct publish_stats s;

	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(add(i << 18, 20, i % 50 + 1), ERR_OK);
	r->rib.rib.change_lost = true;
	settle();
	publish_stats(r, &s);
	assert_true(s.current && s.build_us);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(answer(i << 18 | 77), i % 50 + 1);
	publish_rebuild(r);
	assert_false(publish_current(r));
	settle();
	assert_int_equal(answer(77), 1);
}

/* A next hop is not reused while the FIB still names it, nor before workers have passed. */
static void test_nexthop_freed_last(void **state)
{
	static const uint8_t mac[6] = {2};
	uint32_t index, other;

	assert_int_equal(
		nexthop_get(&r->nexthops, NEXTHOP_RESOLVE, 0, 1, mac, 1500, &index), ERR_OK);
	assert_int_equal(add(0x0a000000, 24, index), ERR_OK);
	settle();
	worker_runs = false;
	assert_int_equal(rib4_remove(&r->rib, 0x0a000000, 24, RIB_STATIC, NULL), ERR_OK);
	nexthop_put(&r->nexthops, index);
	for (unsigned i = 0; i < 10; i++)
		turn();
	assert_int_equal(answer(0x0a000001), NEXTHOP_NONE); /* the FIB does not wait */
	assert_int_equal(
		nexthop_get(&r->nexthops, NEXTHOP_RESOLVE, 0, 2, mac, 1500, &other), ERR_OK);
	assert_int_not_equal(other, index);
	worker_runs = true;
	settle();
	assert_int_equal(
		nexthop_get(&r->nexthops, NEXTHOP_RESOLVE, 0, 3, mac, 1500, &other), ERR_OK);
	assert_int_equal(other, index);
}

static uint32_t taken[65536], takens;

/* Takes all lines of the table but 2^order. */
static void take_lines(unsigned order)
{
	struct blocks *b = &r->fib4->blocks;
	static const uint8_t content[BLOCK_LINES * BLOCK_LINE];
	uint32_t spare = blocks_take(b, content, order);

	takens = 0;
	for (unsigned size = BLOCK_ORDERS; size-- > 0;)
		while ((taken[takens] = blocks_take(b, content, size)) != 0)
			takens++;
	(void)blocks_put(b, spare);
	blocks_grace_begin(b);
	blocks_grace_passed(b);
}

static void give_lines(void)
{
	while (takens > 0)
		(void)blocks_put(&r->fib4->blocks, taken[--takens]);
}

/* A FIB that is full keeps its old answers and their next hops, and catches up when there is room.
 */
static void test_no_room(void **state)
{
	static const uint8_t mac[6] = {2};
	struct publish_stats s;
	uint32_t index, other;

	assert_int_equal(
		nexthop_get(&r->nexthops, NEXTHOP_RESOLVE, 0, 1, mac, 1500, &index), ERR_OK);
	assert_int_equal(add(0x0a000000, 24, index), ERR_OK);
	settle();
	take_lines(1);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(add(0x0a000000 + (i << 8) + i, 32, 100 + i), ERR_OK);
	assert_int_equal(rib4_remove(&r->rib, 0x0a000000, 24, RIB_STATIC, NULL), ERR_OK);
	nexthop_put(&r->nexthops, index);
	assert_int_equal(add(0x0b000000, 8, 7), ERR_OK);
	settle();
	publish_stats(r, &s);
	assert_true(s.no_room && !s.current);
	assert_int_equal(answer(0x0b010203), 7); /* what needs no such room goes on */
	assert_int_equal(answer(0x0a000000 + (9 << 8) + 9), NEXTHOP_NONE);
	assert_int_equal(
		nexthop_get(&r->nexthops, NEXTHOP_RESOLVE, 0, 2, mac, 1500, &other), ERR_OK);
	assert_int_not_equal(other, index); /* some address may still be sent there */
	give_lines();
	for (unsigned i = 0; i < 30000 && !publish_current(r); i++)
		turn();
	settle();
	assert_true(publish_current(r));
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(answer(0x0a000000 + (i << 8) + i), 100 + i);
	assert_int_equal(
		nexthop_get(&r->nexthops, NEXTHOP_RESOLVE, 0, 3, mac, 1500, &other), ERR_OK);
	assert_int_equal(other, index);
}

/* All room is waiting for a grace period: the change is made when that has passed. */
static void test_room_after_grace(void **state)
{
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(add(0x0a000000 + (i << 8) + i, 32, 5), ERR_OK);
	settle();
	take_lines(2); /* four are enough for the first change, and not for more */
	worker_runs = false;
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(
			rib4_remove(&r->rib, 0x0a000000 + (i << 8) + i, 32, RIB_STATIC, NULL),
			ERR_OK);
		assert_int_equal(add(0x0a001000 + (i << 8) + i, 32, 6), ERR_OK);
	}
	for (unsigned i = 0; i < 10; i++)
		turn();
	assert_false(publish_idle(r));
	worker_runs = true;
	settle();
	assert_true(publish_current(r));
	assert_int_equal(answer(0x0a001000), 6);
	assert_int_equal(answer(0x0a001101), 6);
	assert_int_equal(answer(0x0a000000), NEXTHOP_NONE);
}

static struct verify_result verified(void)
{
	struct verify_result v;

	verify_start(r);
	do {
		turn();
		verify_result(&v);
	} while (v.state == VERIFY_RUNNING);
	assert_int_equal(v.state, VERIFY_DONE);
	return v;
}

static void test_verify(void **state)
{
	struct verify_result v;

	verify_result(&v);
	for (uint32_t i = 0; i < 3000; i++)
		(void)!add((uint32_t)rand() << 1, 16 + i % 17, i % 50 + 1);
	settle();
	v = verified();
	assert_int_equal(v.mismatches, 0);
	assert_true(v.ranges > 3000);

	/* One wrong next hop for a /24, and a /16 gone astray. */
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(add(0xdf0a0000 + (i << 8), 24, 40 + i), ERR_OK);
	assert_int_equal(add(0xdf140000, 16, 33), ERR_OK);
	settle();
	uint32_t ref = r->fib4->root[0xdf0a];
	uint8_t *line = blocks_data(&r->fib4->blocks, fib4_line(ref, 0xdf0a0100));

	line[FIB4_STARTS + fib4_rank(line, 1)] = 99;
	r->fib4->root[0xdf14] = r->fib4->root[0xdf15];
	v = verified();
	assert_int_equal(v.mismatches, 2);
	assert_int_equal(v.repaired, 2);
	assert_true(v.first.ipv4 && v.first.repaired);
	assert_int_equal(v.first.first.hi >> 32, 0xdf0a0100);
	assert_int_equal(v.first.last.hi >> 32, 0xdf0a01ff);
	assert_int_equal(v.first.fib, 99);
	assert_int_equal(v.first.rib, 41);
	assert_int_equal(answer(0xdf0a0101), 41);
	assert_int_equal(answer(0xdf140101), 33);
	assert_int_equal(verified().mismatches, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_follows),
		CASE(test_lost_changes),
		CASE(test_nexthop_freed_last),
		CASE(test_no_room),
		CASE(test_room_after_grace),
		CASE(test_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
