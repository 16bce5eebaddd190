/* Routes as text: good lines, each mistake with its line, and no byte read beyond the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/table/route_text.h"
#include "test/model/routegen.h"

/* The text in memory of just its size, so that reading beyond is noticed. */
static struct route_text text_of(const char *s)
{
	size_t n = strlen(s);
	char *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = s[i];
	return (struct route_text){copy, copy + n, 0, NULL};
}

static void test_good(void **state)
{
	struct route_text t = text_of("# a table\n"
				      "\n"
				      "10.1.0.0/16 via 192.0.2.1\n"
				      "  0.0.0.0/0\tvia 192.0.2.2 dev eth1 # default\r\n"
				      "2001:db8::/32 via fe80::1 weight 255 dev port0\n"
				      "::/0 via 2001:db8::1 dev abcdefghijklmno weight 1");
	const char *start = t.at;
	struct route_line r;

	assert_true(route_text_next(&t, &r));
	assert_int_equal(t.line, 3);
	assert_int_equal(r.family, 4);
	assert_int_equal(r.length, 16);
	assert_true(ip6_equal(r.prefix, (struct ip6){0x0a010000ull << 32, 0}));
	assert_true(ip6_equal(r.gateway, (struct ip6){0xc0000201ull << 32, 0}));
	assert_int_equal(r.weight, 1);
	assert_string_equal(r.dev, "");
	assert_true(route_text_next(&t, &r));
	assert_int_equal(r.length, 0);
	assert_string_equal(r.dev, "eth1");
	assert_true(route_text_next(&t, &r));
	assert_int_equal(r.family, 6);
	assert_int_equal(r.length, 32);
	assert_int_equal(r.weight, 255);
	assert_string_equal(r.dev, "port0");
	assert_true(ip6_equal(r.gateway, (struct ip6){0xfe80ull << 48, 1}));
	assert_true(route_text_next(&t, &r));
	assert_int_equal(t.line, 6);
	assert_string_equal(r.dev, "abcdefghijklmno");
	assert_false(route_text_next(&t, &r));
	assert_null(t.error);
	free((void *)start);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {"x", "10.0.0.0", "10.0.0.0/33 via 1.1.1.1",
		"10.0.0.1/8 via 1.1.1.1", "10.0.0.0/8", "10.0.0.0/8 via", "10.0.0.0/8 by 1.1.1.1",
		"10.0.0.0/8 via ::1", "::/0 via 1.1.1.1", "10.0.0.0/8via 1.1.1.1",
		"10.0.0.0/8 via 1.1.1.1x", "10.0.0.0/8 via 1.1.1", "::/129 via ::1",
		"::1/64 via ::1", "10.0.0.0/8 via 1.1.1.1 dev",
		"10.0.0.0/8 via 1.1.1.1 dev a dev b", "10.0.0.0/8 via 1.1.1.1 dev abcdefghijklmnop",
		"10.0.0.0/8 via 1.1.1.1 weight", "10.0.0.0/8 via 1.1.1.1 weight 0",
		"10.0.0.0/8 via 1.1.1.1 weight 256", "10.0.0.0/8 via 1.1.1.1 weight 1 weight 1",
		"10.0.0.0/8 via 1.1.1.1 metric 1", "010.0.0.0/8 via 1.1.1.1",
		"10.0.0.0/08 via 1.1.1.1",
		"1000::/16 via 1000::1::", "10.0.0.0/8 via 1.1.1.1 weight 1x",
		"10.0.0.256/32 via 1.1.1.1"};

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		char s[160];
		struct route_line r;

		snprintf(s, sizeof s, "::/0 via ::1\n%s\n1.0.0.0/8 via 1.1.1.1", bad[i]);
		struct route_text t = text_of(s);
		const char *start = t.at;

		assert_true(route_text_next(&t, &r));
		assert_false(route_text_next(&t, &r));
		assert_non_null(t.error);
		assert_int_equal(t.line, 2);
		assert_true(route_text_next(&t, &r)); /* goes on after it */
		assert_int_equal(r.family, 4);
		free((void *)start);
	}
}

/* Any bytes at all: it ends, and stays inside. */
static void test_garbage(void **state)
{
	static const char some[] = "0129af.:/ \n\tviadevweight#x";
	uint64_t random = 5;

	for (unsigned i = 0; i < 20000; i++) {
		size_t n = routegen_random(&random) % 60;
		char *s = malloc(n + 1);
		struct route_text t = {s, s + n, 0, NULL};
		struct route_line r;

		assert_non_null(s);
		for (size_t k = 0; k < n; k++) {
			uint64_t x = routegen_random(&random);

			s[k] = x & 256 ? some[x % (sizeof some - 1)] : (char)x;
		}
		while (route_text_next(&t, &r) || t.error)
			assert_true(t.line <= n);
		assert_ptr_equal(t.at, s + n);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
