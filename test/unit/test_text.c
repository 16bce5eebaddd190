/* Addresses and numbers as text: round trips, and every shape that must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/text.h"

static void test_ipv4(void **state)
{
	static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", " 1.2.3.4",
		"1.2.3.256", "01.2.3.4", "1.2.3.00", "1..3.4", "1.2.3.", ".1.2.3", "1.2.3.-4",
		"+1.2.3.4", "1.2.3.4/24", "0x1.2.3.4", "1.2.3.4294967297", "a.b.c.d",
		"1.2.3.99999999999999999999999"};
	uint32_t a = 7;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_parse_ipv4(bad[i], &a));
	assert_int_equal(a, 7); /* untouched by what fails */
	assert_true(text_parse_ipv4("0.0.0.0", &a));
	assert_int_equal(a, 0);
	assert_true(text_parse_ipv4("255.255.255.255", &a));
	assert_int_equal(a, 0xffffffffu);
	assert_true(text_parse_ipv4("192.0.2.10", &a));
	assert_int_equal(a, 0xc000020au);
}

static void test_ipv4_round_trip(void **state)
{
	for (uint64_t i = 0; i < 0x100000000u; i += 65521 * 61) {
		char out[TEXT_IPV4_MAX], want[32];
		uint32_t a = (uint32_t)i, back;

		snprintf(want, sizeof want, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255,
			a & 255);
		assert_int_equal(text_print_ipv4(out, a), strlen(want));
		assert_string_equal(out, want);
		assert_true(text_parse_ipv4(out, &back));
		assert_int_equal(back, a);
	}
}

static void test_prefix(void **state)
{
	static const char *const bad[] = {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08",
		"10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0/8", "/8", "10.0.0.0//8", "10.0.0.0/8/8"};
	char out[TEXT_PREFIX_MAX];
	uint32_t a;
	unsigned n;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_parse_ipv4_prefix(bad[i], &a, &n));
	assert_true(text_parse_ipv4_prefix("10.1.2.3/8", &a, &n)); /* host bits are kept */
	assert_int_equal(a, 0x0a010203);
	assert_int_equal(n, 8);
	assert_true(text_parse_ipv4_prefix("0.0.0.0/0", &a, &n));
	assert_int_equal(n, 0);
	assert_int_equal(text_print_ipv4_prefix(out, 0xffffffffu, 32), TEXT_PREFIX_MAX - 1);
	assert_string_equal(out, "255.255.255.255/32");
	assert_int_equal(text_print_ipv4_prefix(out, 0, 0), 9);
	assert_string_equal(out, "0.0.0.0/0");
}

static void test_mac(void **state)
{
	static const char *const bad[] = {"", "52:54:00:12:34", "52:54:00:12:34:56:78",
		"52:54:00:12:34:5", "5254.0012.3456", "52-54-00-12-34-56", "52:54:00:12:34:5g",
		"52:54:00:12:34:56 ", " 2:54:00:12:34:56", "52:54:00:12:34:", "5", "52:"};
	uint8_t mac[6] = {1, 1, 1, 1, 1, 1};
	char out[TEXT_MAC_MAX];

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_parse_mac(bad[i], mac));
	assert_int_equal(mac[0], 1);
	assert_true(text_parse_mac("52:54:00:AB:cd:eF", mac));
	assert_int_equal(text_print_mac(out, mac), TEXT_MAC_MAX - 1);
	assert_string_equal(out, "52:54:00:ab:cd:ef");
}

static void test_number(void **state)
{
	uint64_t v = 7;

	assert_false(text_parse_number("", 0, 100, &v));
	assert_false(text_parse_number("-1", 0, 100, &v));
	assert_false(text_parse_number("+1", 0, 100, &v));
	assert_false(text_parse_number("1 ", 0, 100, &v));
	assert_false(text_parse_number("0x10", 0, 100, &v));
	assert_false(text_parse_number("010", 0, 100, &v));
	assert_false(text_parse_number("101", 0, 100, &v));
	assert_false(text_parse_number("4", 5, 100, &v));
	assert_false(text_parse_number("9", 0, 5, &v));
	assert_int_equal(v, 7);
	assert_true(text_parse_number("0", 0, 100, &v) && v == 0);
	assert_true(text_parse_number("5", 5, 5, &v) && v == 5);
	assert_true(text_parse_number("100", 0, 100, &v) && v == 100);
	assert_true(text_parse_number("18446744073709551615", 0, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(text_parse_number("18446744073709551616", 0, UINT64_MAX, &v));
	assert_false(text_parse_number("99999999999999999999", 0, UINT64_MAX, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv4_round_trip),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
