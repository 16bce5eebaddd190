/* Routes of interface addresses: what comes, what goes, overlaps, and failure without remains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/table/iface.h"
#include "test/model/tables.h"

static struct nexthop_table t;
static struct rib4 rib;
static struct iface iface[2];

static int setup(void **state)
{
	model_nexthops_init(&t);
	model_rib4_init(&rib, MODEL_ROUTES);
	for (unsigned p = 0; p < 2; p++)
		iface[p] = (struct iface){
			.port = (uint16_t)p, .mtu = 1500, .mac = {2, 0, 0, 0, 0, (uint8_t)p}};
	return 0;
}

static int teardown(void **state)
{
	model_rib_free(&rib.rib);
	model_nexthops_free(&t);
	return 0;
}

static void address(unsigned p, uint32_t a, unsigned length)
{
	iface[p].addr[iface[p].addrs++] = (struct iface_addr){a, (uint8_t)length};
}

static void install(unsigned p)
{
	assert_int_equal(iface_install(&iface[p], &rib, &t), ERR_OK);
	assert_true(iface[p].installed);
}

/* Action of the next hop for an address. */
static unsigned action(uint32_t a)
{
	const struct route4 *r = rib4_match(&rib, a, false);

	return r ? t.nexthop[r->nexthop].action : NEXTHOP_NO_ROUTE;
}

static unsigned port(uint32_t a)
{
	return t.nexthop[rib4_match(&rib, a, false)->nexthop].port;
}

/* Nothing refers to any next hop but the one that is always there. */
static void assert_nothing_left(void)
{
	assert_int_equal(rib.rib.count, 0);
	for (unsigned i = 1; i < NEXTHOP_MAX; i++)
		assert_int_equal(t.nexthop[i].refs, 0);
}

static void withdraw_all(void)
{
	for (unsigned p = 0; p < 2; p++) {
		iface_withdraw(&iface[p], &rib, &t);
		iface_withdraw(&iface[p], &rib, &t); /* no-op */
		assert_false(iface[p].installed);
	}
	assert_nothing_left();
}

static void test_ordinary(void **state)
{
	address(1, 0x0a000001, 24);
	install(1);
	install(1); /* no-op */
	assert_int_equal(rib.rib.count, 4);
	assert_int_equal(action(0x0a000001), NEXTHOP_LOCAL);
	assert_int_equal(action(0x0a000002), NEXTHOP_RESOLVE);
	assert_int_equal(port(0x0a000002), 1);
	assert_int_equal(action(0x0a0000ff), NEXTHOP_BROADCAST);
	assert_int_equal(action(0x0a000000), NEXTHOP_BROADCAST);
	assert_int_equal(action(0x0a000100), NEXTHOP_NO_ROUTE);
	const struct route4 *r = rib4_match(&rib, 0x0a000002, false);
	assert_int_equal(r->source, RIB_CONNECTED);
	assert_int_equal(t.nexthop[r->nexthop].gateway, 0);
	withdraw_all();
}

static void test_31_and_32(void **state)
{
	address(0, 0x0a000000, 31); /* RFC 3021: both are hosts */
	address(0, 0x0a000009, 32);
	install(0);
	assert_int_equal(action(0x0a000000), NEXTHOP_LOCAL);
	assert_int_equal(action(0x0a000001), NEXTHOP_RESOLVE);
	assert_int_equal(action(0x0a000009), NEXTHOP_LOCAL);
	assert_int_equal(rib.rib.count, 3);
	assert_non_null(iface_neighbor(&iface[0], 0x0a000001));
	assert_null(iface_neighbor(&iface[0], 0x0a000009));
	withdraw_all();
}

/* Two addresses of one network, and an own address that is the other's broadcast. */
static void test_same_network(void **state)
{
	address(0, 0x0a000001, 24);
	address(0, 0x0a000005, 24);
	address(0, 0x0a0000ff, 16);
	install(0);
	assert_int_equal(action(0x0a000001), NEXTHOP_LOCAL);
	assert_int_equal(action(0x0a000005), NEXTHOP_LOCAL);
	assert_int_equal(action(0x0a0000ff), NEXTHOP_LOCAL);
	assert_int_equal(action(0x0a00ffff), NEXTHOP_BROADCAST);
	withdraw_all();
}

/* Of two interfaces with one network the first has it, until it goes. */
static void test_overlap(void **state)
{
	address(0, 0x0a000001, 24);
	address(1, 0x0a000002, 24);
	install(0);
	install(1);
	assert_int_equal(port(0x0a000009), 0);
	assert_int_equal(action(0x0a000002), NEXTHOP_LOCAL);
	iface_withdraw(&iface[1], &rib, &t); /* takes nothing from the first */
	assert_int_equal(action(0x0a000009), NEXTHOP_RESOLVE);
	assert_int_equal(action(0x0a0000ff), NEXTHOP_BROADCAST);
	install(1);
	iface_withdraw(&iface[0], &rib, &t);
	assert_int_equal(action(0x0a000009), NEXTHOP_NO_ROUTE);
	install(1); /* what is free now */
	assert_int_equal(port(0x0a000009), 1);
	assert_int_equal(action(0x0a0000ff), NEXTHOP_BROADCAST);
	withdraw_all();
}

static void test_rib_full(void **state)
{
	address(0, 0x0a000001, 24);
	address(0, 0x0a000101, 24);
	for (unsigned room = 0; room < 8; room++) {
		struct rib4 before;

		model_rib_free(&rib.rib);
		model_rib4_init(&rib, MODEL_ROUTES);
		for (uint32_t i = 0; i < MODEL_ROUTES - room; i++) {
			struct route4 r = {.prefix = 0xc0000000u + (i << 8),
				.length = 24,
				.source = RIB_STATIC,
				.distance = 1};

			assert_int_equal(rib4_add(&rib, &r), ERR_OK);
		}
		before = rib;
		assert_int_equal(iface_install(&iface[0], &rib, &t), ERR_FULL);
		assert_false(iface[0].installed);
		assert_int_equal(rib.rib.count, before.rib.count);
		for (unsigned i = 1; i < NEXTHOP_MAX; i++)
			assert_int_equal(t.nexthop[i].refs, 0);
		nexthop_grace_begin(&t, true);
		nexthop_grace_passed(&t);
	}
}

static void test_nexthops_full(void **state)
{
	uint32_t index;

	address(0, 0x0a000001, 24);
	for (uint32_t i = 1; i < NEXTHOP_MAX - 1; i++) /* one is left: for the local address */
		assert_int_equal(
			nexthop_get(&t, NEXTHOP_RESOLVE, 1, i, iface[1].mac, 1500, &index), ERR_OK);
	assert_int_equal(iface_install(&iface[0], &rib, &t), ERR_FULL);
	assert_int_equal(rib.rib.count, 0);
	assert_false(iface[0].installed);
	assert_int_equal(t.nexthop[NEXTHOP_MAX - 1].refs, 0);
}

static void test_questions(void **state)
{
	assert_null(iface_source(&iface[0], 0x0a000002));
	address(0, 0x0a000001, 24);
	address(0, 0x0a000101, 24);
	address(1, 0x0a000181, 25);
	assert_int_equal(iface_source(&iface[0], 0x0a000102)->address, 0x0a000101);
	assert_int_equal(iface_source(&iface[0], 0x0a000002)->address, 0x0a000001);
	assert_int_equal(iface_source(&iface[0], 0xc0000001)->address, 0x0a000001);
	assert_null(iface_to(iface, 2, 0x0a000002)); /* not installed */
	install(0);
	install(1);
	assert_ptr_equal(iface_to(iface, 2, 0x0a000002), &iface[0]);
	assert_ptr_equal(iface_to(iface, 2, 0x0a000182), &iface[1]); /* the longer network */
	assert_null(iface_to(iface, 2, 0x0a000201));
	assert_non_null(iface_neighbor(&iface[0], 0x0a000002));
	assert_null(iface_neighbor(&iface[0], 0x0a000001)); /* own */
	assert_null(iface_neighbor(&iface[0], 0x0a000101));
	assert_null(iface_neighbor(&iface[0], 0x0a000000)); /* broadcast */
	assert_null(iface_neighbor(&iface[0], 0x0a0000ff));
	assert_null(iface_neighbor(&iface[0], 0x0b000001)); /* elsewhere */
	withdraw_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ordinary, setup, teardown),
		cmocka_unit_test_setup_teardown(test_31_and_32, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_network, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rib_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nexthops_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_questions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
