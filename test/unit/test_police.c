/* Policing of what is handed to the control core: which kind a packet is, rates and bursts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "lib/limits.h"
#include "net/path/police.h"

#define HZ 1000000000u

static uint8_t frame[128];

static uint32_t ipv4(uint8_t protocol, uint16_t fragment, uint8_t type)
{
	memset(frame, 0, sizeof frame);
	store_be16(frame + 12, 0x0800);
	frame[14] = 0x46; /* four bytes of options */
	store_be16(frame + 20, fragment);
	frame[23] = protocol;
	frame[38] = type;
	return 46;
}

static uint32_t ipv6(uint8_t next, uint8_t hops, uint8_t type)
{
	memset(frame, 0, sizeof frame);
	store_be16(frame + 12, 0x86dd);
	frame[20] = next;
	frame[21] = hops;
	frame[54] = type;
	return 62;
}

#define KIND(reason, make) police_kind(reason, frame, make)

static void test_kinds(void **state)
{
	assert_int_equal(KIND(PUNT_ARP, 42), POLICE_ARP);
	assert_int_equal(KIND(PUNT_LOCAL, ipv4(1, 0, 8)), POLICE_ECHO);
	assert_int_equal(KIND(PUNT_LOCAL, ipv4(1, 0x2000, 8)), POLICE_ECHO);
	assert_int_equal(KIND(PUNT_LOCAL, ipv4(1, 1, 8)), POLICE_LOCAL);
	assert_int_equal(KIND(PUNT_LOCAL, ipv4(1, 0, 0)), POLICE_LOCAL);
	assert_int_equal(KIND(PUNT_LOCAL, ipv4(17, 0, 8)), POLICE_LOCAL);
	assert_int_equal(KIND(PUNT_LOCAL, ipv6(58, 64, 128)), POLICE_ECHO);
	assert_int_equal(KIND(PUNT_LOCAL, ipv6(58, 255, 135)), POLICE_ND);
	assert_int_equal(KIND(PUNT_LOCAL, ipv6(58, 255, 137)), POLICE_ND);
	assert_int_equal(KIND(PUNT_LOCAL, ipv6(58, 254, 135)), POLICE_LOCAL);
	assert_int_equal(KIND(PUNT_LOCAL, ipv6(58, 255, 138)), POLICE_LOCAL);
	assert_int_equal(KIND(PUNT_LOCAL, ipv6(6, 255, 135)), POLICE_LOCAL);
	assert_int_equal(KIND(PUNT_RESOLVE, ipv4(17, 0, 0)), POLICE_RESOLVE);
	assert_int_equal(KIND(PUNT_TTL, ipv4(17, 0, 0)), POLICE_ERROR);
	assert_int_equal(KIND(PUNT_PROHIBIT, ipv6(17, 64, 0)), POLICE_ERROR);
	assert_int_equal(KIND(PUNT_OPTIONS, ipv4(17, 0, 0)), POLICE_TRANSIT);
	assert_int_equal(KIND(PUNT_MTU, ipv4(17, 0, 0)), POLICE_TRANSIT);
	assert_int_equal(KIND(PUNT_MTU, ipv4(17, 0x4000, 0)), POLICE_ERROR);
	assert_int_equal(KIND(PUNT_MTU, ipv6(17, 64, 0)), POLICE_ERROR);
}

/* Packets that end behind their IP header: nothing behind it is looked at. */
static void test_short(void **state)
{
	uint8_t *end;

	ipv4(1, 0, 8);
	end = malloc(38);
	memcpy(end, frame, 38);
	assert_int_equal(police_kind(PUNT_LOCAL, end, 38), POLICE_LOCAL);
	free(end);
	ipv6(58, 255, 135);
	end = malloc(54);
	memcpy(end, frame, 54);
	assert_int_equal(police_kind(PUNT_LOCAL, end, 54), POLICE_LOCAL);
	free(end);
}

/* How many of n packets pass at one instant. */
static unsigned passed(struct police *p, enum police_kind kind, uint64_t tsc, unsigned n)
{
	unsigned pass = 0;

	for (unsigned i = 0; i < n; i++)
		pass += police_take(p, kind, tsc);
	return pass;
}

static void test_rates(void **state)
{
	struct police p;
	unsigned bursts = 0;

	police_init(&p, HZ);
	for (unsigned k = 0; k < POLICE_KINDS; k++) {
		unsigned burst = passed(&p, k, HZ, 10000), second = 0;

		assert_true(burst >= 16 && burst < 256);
		bursts += burst;
		for (unsigned ms = 1; ms <= 1000; ms++)
			second += passed(&p, k, HZ + ms * (HZ / 1000), 10000);
		assert_true(second >= HZ / p.interval[k] - 1 && second <= HZ / p.interval[k] + 1);
		assert_int_equal(
			passed(&p, k, 100ull * HZ, 10000), burst);  /* no more after a pause */
		assert_int_equal(passed(&p, k, 99ull * HZ, 10), 0); /* nor when time goes back */
	}
	assert_true(bursts <= PUNT_SLOTS);
}

/* A kind that has had enough costs the others nothing. */
static void test_kinds_apart(void **state)
{
	struct police p;

	police_init(&p, HZ);
	assert_true(passed(&p, POLICE_ECHO, HZ, 100000) < 1000);
	assert_int_equal(passed(&p, POLICE_ARP, HZ, 10), 10);
	assert_int_equal(passed(&p, POLICE_ND, HZ, 10), 10);
}

/* Another rate holds at once, whatever was let through by the one before. */
static void test_other_rate(void **state)
{
	struct police p;
	unsigned second = 0;

	police_init(&p, HZ);
	police_set_rate(&p, POLICE_ARP, 1, HZ);
	assert_int_equal(passed(&p, POLICE_ARP, HZ, 1000), police_burst(POLICE_ARP));
	assert_int_equal(passed(&p, POLICE_ARP, 2ull * HZ, 1000), 1);
	assert_int_equal(passed(&p, POLICE_ND, HZ, 1000), police_burst(POLICE_ND));
	police_set_rate(&p, POLICE_ARP, 1000, HZ);
	assert_int_equal(passed(&p, POLICE_ARP, 2ull * HZ, 1000), police_burst(POLICE_ARP));
	for (unsigned ms = 1; ms <= 1000; ms++)
		second += passed(&p, POLICE_ARP, 2ull * HZ + ms * (HZ / 1000), 10000);
	assert_in_range(second, 999, 1001);
	police_set_rate(&p, POLICE_ARP, 0, HZ);
	assert_int_equal(p.interval[POLICE_ARP], HZ / police_default_rate(POLICE_ARP));
	assert_int_equal(p.interval[POLICE_LLDP], HZ / police_default_rate(POLICE_LLDP));
}

/* Neither clock nor rate: all pass. */
static void test_no_clock(void **state)
{
	struct police p;

	police_init(&p, HZ);
	assert_int_equal(passed(&p, POLICE_ARP, 0, 100000), 100000);
	police_init(&p, 0);
	assert_int_equal(passed(&p, POLICE_ARP, HZ, 100000), 100000);
}

static void test_names(void **state)
{
	assert_string_equal(police_name(POLICE_ARP), "arp");
	assert_string_equal(police_name(POLICE_TRANSIT), "transit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_kinds_apart),
		cmocka_unit_test(test_other_rate),
		cmocka_unit_test(test_no_clock),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
