/* SMBIOS: tables as firmware makes them, and as it should not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/x86/smbios.h"

static uint8_t area[256];

static void fix_sum(uint8_t *p, size_t n, size_t at)
{
	uint8_t sum = 0;

	p[at] = 0;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	p[at] = (uint8_t)-sum;
}

static void put_entry2(size_t at)
{
	uint8_t *p = area + at;

	memcpy(p, "_SM_\0\x1f\2\x8", 8);
	static const uint8_t rest[] = {'_', 'D', 'M', 'I', '_', 0, 0x34, 0x12, 0, 0x20, 0x0f, 0};

	memcpy(p + 16, rest, sizeof rest); /* 0x1234 bytes at 0xf2000 */
	fix_sum(p, 31, 4);
}

static void put_entry3(size_t at)
{
	uint8_t *p = area + at;

	memcpy(p, "_SM3_\0\x18\3\6\0\1\0\x00\x10\x00\x00\x00\x00\x00\x80\x01\0\0\0", 24);
	fix_sum(p, 24, 5);
}

static void test_entry(void **state)
{
	struct smbios_place place;

	memset(area, 0, sizeof area);
	assert_false(smbios_find(area, sizeof area, &place));
	put_entry2(32);
	assert_true(smbios_find(area, sizeof area, &place));
	assert_int_equal(place.address, 0xf2000);
	assert_int_equal(place.bytes, 0x1234);
	put_entry3(96); /* the newer one counts, also behind the other */
	assert_true(smbios_find(area, sizeof area, &place));
	assert_int_equal(place.address, 0x180000000ull);
	assert_int_equal(place.bytes, 0x1000);
	area[100] ^= 1;
	assert_true(smbios_find(area, sizeof area, &place));
	assert_int_equal(place.bytes, 0x1234);
	area[50] ^= 1;
	assert_false(smbios_find(area, sizeof area, &place));
	for (size_t n = 0; n < 31; n++) { /* cut off by the end of the area */
		uint8_t *copy = malloc(n + 1);

		assert_non_null(copy);
		memset(area, 0, sizeof area);
		put_entry2(0);
		memcpy(copy, area, n);
		assert_false(smbios_find(copy, n, &place));
		free(copy);
	}
}

/* Reads a table in memory that is exactly as long. */
static const char *serial_of(const void *table, size_t n)
{
	static char serial[SMBIOS_TEXT_MAX];
	uint8_t *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, table, n);
	memset(serial, 'x', sizeof serial);
	smbios_serial(copy, n, serial);
	free(copy);
	return serial;
}

#define SERIAL(text) serial_of(text, sizeof(text) - 1)

static void test_serial(void **state)
{
	/* type 0 with a string, type 1 whose serial number is string 3, the end */
	static const char whole[] = "\0\5\0\0\1BIOS\0\0"
				    "\1\x8\1\0\1\2\0\3Maker\0Router\0 AB-1\0012 \0\0"
				    "\177\4\2\0\0";

	assert_string_equal(SERIAL(whole), "AB-1?2");
	for (size_t n = 0; n < sizeof whole - 1; n++)
		serial_of(whole, n);
	assert_string_equal(SERIAL("\1\x8\1\0\1\2\0\0Maker\0\0\0"), "");
	assert_string_equal(SERIAL("\1\x8\1\0\1\2\0\7Maker\0\0\0"), "");
	assert_string_equal(SERIAL("\1\x7\1\0\1\2\0Maker\0\0\0"), ""); /* too short for it */
	assert_string_equal(SERIAL("\1\x8\1\0\1\2\0\1no zero"), "");
	assert_string_equal(SERIAL("\1\x3\1\0\1\2\0\1x\0\0"), ""); /* no header */
	assert_string_equal(SERIAL("\2\4\0\0\0\0\1\x8\1\0\1\2\0\1S1\0\0"), "S1");
	assert_string_equal(SERIAL("\177\4\0\0\0\0\1\x8\1\0\1\2\0\1S1\0\0"), "");
	assert_int_equal(strlen(SERIAL("\1\x8\1\0\1\2\0\1"
				       "0123456789012345678901234567890123456789"
				       "0123456789012345678901234567890123456789\0\0")),
		SMBIOS_TEXT_MAX - 1);
}

static void test_garbage(void **state)
{
	uint32_t seed = 1;

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t p[64] = {0};
		size_t n = round % sizeof p;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			p[i] = (uint8_t)(seed >> 24) & (round & 1 ? 0xff : 0x07);
		}
		assert_true(strlen(serial_of(p, n)) < SMBIOS_TEXT_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
