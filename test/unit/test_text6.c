/* IPv6 addresses as text: every form, what is none, and the C library's opinion of random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "lib/text6.h"
#include "test/model/routegen.h"

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		uint64_t hi, lo;
		const char *printed;
	} good[] = {
		{"::", 0, 0, "::"},
		{"::1", 0, 1, "::1"},
		{"1::", 1ull << 48, 0, "1::"},
		{"2001:db8::8:800:200C:417a", 0x20010db800000000, 0x00080800200c417a,
			"2001:db8::8:800:200c:417a"},
		{"1:2:3:4:5:6:7::", 0x0001000200030004, 0x0005000600070000, "1:2:3:4:5:6:7:0"},
		{"::2:3:4:5:6:7:8", 0x0000000200030004, 0x0005000600070008, "0:2:3:4:5:6:7:8"},
		{"1:0:0:4:0:0:0:8", 0x0001000000000004, 8, "1:0:0:4::8"},
		{"1:0:0:4:5:0:0:8", 0x0001000000000004, 0x0005000000000008, "1::4:5:0:0:8"},
		{"::ffff:192.0.2.33", 0, 0xffffc0000221, "::ffff:c000:221"},
		{"1:2:3:4:5:6:1.2.3.4", 0x0001000200030004, 0x0005000601020304,
			"1:2:3:4:5:6:102:304"},
	};
	static const char *const bad[] = {"", ":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1.2.3", "::1.2.3.256",
		"::01.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1 ", " ::1", "::%1", "::1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:8::", "::1.2.3.4:5", "1:::2"};
	char text[TEXT_IPV6_MAX];
	uint64_t hi, lo;

	for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(text_parse_ipv6(good[i].text, &hi, &lo));
		assert_true(hi == good[i].hi && lo == good[i].lo);
		assert_int_equal(text_print_ipv6(text, hi, lo), strlen(good[i].printed));
		assert_string_equal(text, good[i].printed);
	}
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(text_parse_ipv6(bad[i], &hi, &lo));
}

static void test_prefixes(void **state)
{
	static const char *const bad[] = {
		"::", "::/", "::/129", "::/1000", "::/01", "::/-1", "/0", "::/1x", "::/ 1"};
	char text[TEXT_IPV6_PREFIX_MAX];
	uint64_t hi, lo;
	unsigned length;

	for (unsigned n = 0; n <= 128; n++) {
		text_print_ipv6_prefix(text, 0x20010db8ffffffff, ~0ull, n);
		assert_true(text_parse_ipv6_prefix(text, &hi, &lo, &length));
		assert_int_equal(length, n);
		assert_true(hi == 0x20010db8ffffffff && lo == ~0ull);
	}
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(text_parse_ipv6_prefix(bad[i], &hi, &lo, &length));
}

/* The C library reads what is printed and prints the same; but for addresses with IPv4 ones inside.
 */
static void test_against_libc(void **state)
{
	uint64_t random = 3, hi, lo;

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t a[2] = {routegen_random(&random), routegen_random(&random)}, wire[2],
			 back[2];
		char text[TEXT_IPV6_MAX], libc[INET6_ADDRSTRLEN];

		for (unsigned g = 0; g < 8; g++) /* groups of zeros, of few digits */
			if (routegen_random(&random) % 2)
				a[g / 4] &= ~((routegen_random(&random) % 2 ? 0xffffull : 0xff00ull)
					      << g % 4 * 16);
		wire[0] = __builtin_bswap64(a[0]);
		wire[1] = __builtin_bswap64(a[1]);
		text_print_ipv6(text, a[0], a[1]);
		assert_int_equal(inet_pton(AF_INET6, text, back), 1);
		assert_memory_equal(back, wire, 16);
		assert_non_null(inet_ntop(AF_INET6, wire, libc, sizeof libc));
		if (!strchr(libc, '.'))
			assert_string_equal(text, libc);
		assert_true(text_parse_ipv6(libc, &hi, &lo));
		assert_true(hi == a[0] && lo == a[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_against_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
