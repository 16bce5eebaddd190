/* What is found in a DSDT's byte code of the host bridge: QEMU's microvm, other forms, rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/x86/dsdt.h"

/* Method (_CBA) {Return (0xe0000000)}, and of _CRS: ports, addresses of 32 bits, bus numbers. */
static const uint8_t microvm[] = {0x14, 0x0c, '_', 'C', 'B', 'A', 0x08, 0xa4, 0x0c, 0x00, 0x00,
	0x00, 0xe0, 0x87, 0x17, 0x00, 0x01, 0x0c, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0,
	0, 0, 0, 0, 0, 1, 0, 0x87, 0x17, 0x00, 0x00, 0x0c, 0x01, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff,
	0xff, 0xff, 0xdf, 0, 0, 0, 0, 0, 0, 0, 0x20, 0x87, 0x17, 0x00, 0x00, 0x0c, 0x01, 0, 0, 0, 0,
	0, 0, 0, 0xf0, 0xff, 0xff, 0x0f, 0xf0, 0, 0, 0, 0, 0, 0, 0x10, 0};

/* In memory of its exact size, so that ASan sees every step beyond. */
static struct dsdt_bridge find(const uint8_t *code, size_t bytes)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);
	struct dsdt_bridge b;

	assert_non_null(copy);
	memcpy(copy, code, bytes);
	b = dsdt_find_bridge(copy, bytes);
	free(copy);
	return b;
}

static void test_microvm(void **state)
{
	struct dsdt_bridge b = find(microvm, sizeof microvm);

	assert_true(b.config_base == 0xe0000000);
	assert_true(b.window == 0xc0000000);
	assert_true(b.window_bytes == 0x20000000);
}

static void test_forms(void **state)
{
	static const uint8_t name[] = {0x08, '_', 'C', 'B', 'A', 0x0e, 0, 0, 0, 0, 8, 0, 0, 0};
	static const uint8_t zero[] = {0x08, '_', 'C', 'B', 'A', 0x00, 0, 0, 0, 0, 8, 0, 0, 0};
	uint8_t damaged[sizeof microvm];

	assert_true(find(name, sizeof name).config_base == 0x800000000);
	assert_true(find(zero, sizeof zero).config_base == 0);
	memcpy(damaged, microvm, sizeof microvm);
	damaged[13 + 26 + 25] = 0x21; /* a length that is not that of the range */
	assert_true(find(damaged, sizeof damaged).window == 0xf0000000);
}

static void test_cut_and_damaged(void **state)
{
	uint8_t damaged[sizeof microvm];
	uint32_t seed = 1;

	for (size_t n = 0; n < sizeof microvm; n++)
		assert_int_equal(find(microvm, n).config_base != 0, n >= 13);
	for (unsigned n = 0; n < 20000; n++) {
		struct dsdt_bridge b;

		memcpy(damaged, microvm, sizeof microvm);
		for (unsigned i = 0; i < 4; i++) {
			seed = seed * 1664525 + 1013904223;
			damaged[(seed >> 8) % sizeof damaged] = (uint8_t)(seed >> 24);
		}
		b = find(damaged, sizeof damaged);
		assert_true(b.window + b.window_bytes <= 1ull << 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_microvm),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_cut_and_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
