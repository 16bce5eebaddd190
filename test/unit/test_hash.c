/* The flow hash: what it looks at, what it does not, and how evenly it spreads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"

static uint8_t ip[64];

static uint32_t flow(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t sport, uint16_t dport)
{
	memset(ip, 0, sizeof ip);
	ip[0] = 0x45;
	ip[9] = protocol;
	store_be32(ip + 12, src);
	store_be32(ip + 16, dst);
	store_be16(ip + 20, sport);
	store_be16(ip + 22, dport);
	return hash_flow4(ip, 40);
}

static void test_both_directions(void **state)
{
	uint32_t h = flow(0x0a000001, 0x0b000002, HASH_TCP, 1234, 80);

	assert_int_equal(flow(0x0b000002, 0x0a000001, HASH_TCP, 80, 1234), h);
	assert_int_not_equal(flow(0x0a000001, 0x0b000002, HASH_TCP, 1235, 80), h);
	assert_int_not_equal(flow(0x0a000001, 0x0b000002, HASH_UDP, 1234, 80), h);
	assert_int_not_equal(flow(0x0a000003, 0x0b000002, HASH_TCP, 1234, 80), h);
}

/* Ports count where there are ports: with these protocols, in whole packets, behind options. */
static void test_ports(void **state)
{
	uint32_t icmp = flow(1, 2, 1, 10, 20), h;

	assert_int_equal(flow(1, 2, 1, 30, 20), icmp);
	h = flow(1, 2, HASH_UDP, 10, 20);
	store_be16(ip + 6, 0x2000); /* the first fragment */
	uint32_t first = hash_flow4(ip, 40);

	store_be16(ip + 6, 0x0010); /* the last; these are no ports */
	store_be32(ip + 20, 0x12345678);
	assert_int_equal(hash_flow4(ip, 40), first);
	assert_int_not_equal(first, h);
	h = flow(1, 2, HASH_UDP, 10, 20);
	store_be16(ip + 6, 0x4000); /* "don't fragment" is no fragment */
	assert_int_equal(hash_flow4(ip, 40), h);
	ip[0] = 0x46;
	memcpy(ip + 24, ip + 20, 4);
	memset(ip + 20, 1, 4);
	assert_int_equal(hash_flow4(ip, 40), h);
}

static uint32_t flow6(uint64_t src, uint64_t dst, uint8_t next, uint16_t sport, uint16_t dport)
{
	memset(ip, 0, sizeof ip);
	ip[0] = 0x60;
	ip[6] = next;
	store_be64(ip + 8, 0xfd00000000000000u | src >> 32);
	store_be64(ip + 16, src);
	store_be64(ip + 24, 0xfd00000000000000u | dst >> 32);
	store_be64(ip + 32, dst);
	store_be16(ip + 40, sport);
	store_be16(ip + 42, dport);
	return hash_flow6(ip, 60);
}

static void test_ipv6(void **state)
{
	uint32_t h = flow6(1, 2, HASH_TCP, 1234, 80), counts[8] = {0};

	assert_int_equal(flow6(2, 1, HASH_TCP, 80, 1234), h);
	assert_int_not_equal(flow6(1, 2, HASH_TCP, 1235, 80), h);
	assert_int_not_equal(flow6(1, 2, HASH_UDP, 1234, 80), h);
	assert_int_not_equal(flow6(1, 3, HASH_TCP, 1234, 80), h);
	assert_int_not_equal(flow6(1ull << 40, 2, HASH_TCP, 1234, 80), h);
	/* no ports: of a fragment, of ICMPv6, of a packet that ends before them */
	assert_int_equal(flow6(1, 2, 44, 5, 6), flow6(2, 1, 44, 7, 8));
	assert_int_equal(flow6(1, 2, 58, 5, 6), flow6(1, 2, 58, 7, 8));
	(void)flow6(1, 2, HASH_UDP, 5, 6);
	assert_int_equal(hash_flow6(ip, 43), flow6(1, 2, 58, 0, 0));
	for (uint16_t i = 0; i < 8000; i++)
		counts[flow6(i / 90, 7, HASH_UDP, (uint16_t)(i % 90), 53) >> 29]++;
	for (unsigned i = 0; i < 8; i++)
		assert_true(counts[i] > 850 && counts[i] < 1150);
}

/* A packet that ends before its ports: nothing behind it is read. */
static void test_short(void **state)
{
	uint8_t *exact = malloc(20);

	flow(1, 2, HASH_UDP, 0, 0);
	memcpy(exact, ip, 20);
	uint32_t h = hash_flow4(exact, 20);

	free(exact);
	store_be32(ip + 20, 0xffffffff);
	for (uint32_t bytes = 20; bytes < 24; bytes++)
		assert_int_equal(hash_flow4(ip, bytes), h);
}

/* Flows that differ little, spread over 8 places: none has much more than its part. */
static void even(unsigned step)
{
	unsigned count[8] = {0};

	for (uint32_t i = 0; i < 8000; i++) {
		uint32_t src = step == 0 ? 0x0a000001 + i : 0x0a000001;
		uint16_t port = (uint16_t)(step == 1 ? 1024 + i : 5000);
		/* Pairs of neighbours, as in parallel tests: both addresses and ports go on
		 * together. */
		uint32_t dst = step == 2 ? 0x0b000001 + i : 0x0b000001;

		if (step == 2)
			src = 0x0a000001 + i;
		count[flow(src, dst, HASH_UDP, port, port) & 7]++;
	}
	for (unsigned i = 0; i < 8; i++)
		assert_true(count[i] > 850 && count[i] < 1150);
}

static void test_spread(void **state)
{
	for (unsigned step = 0; step < 3; step++)
		even(step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
