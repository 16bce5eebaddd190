/* ACPI: where tables may be read, by the loader's map of the memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/x86/acpi.h"

/* Only what the loader calls memory, and the BIOS areas; no address wraps into them. */
static void test_range_known(void **state)
{
	static const struct bootinfo b = {
		.regions = 4,
		.region =
			{
				{.base = 0, .bytes = 0x80000, .type = BOOT_RAM},
				{.base = 0x100000, .bytes = 0x7f00000, .type = BOOT_RAM},
				{.base = 0x8000000, .bytes = 0x1000, .type = BOOT_BAD},
				{.base = UINT64_MAX - 0x1000, .bytes = 0x1000, .type = BOOT_ACPI},
			},
	};
	static const struct {
		uint64_t address, bytes;
		bool known;
	} cases[] = {
		{0, 36, false},
		{0xff8, 36, false}, /* page 0 is not mapped */
		{0x1000, 36, true},
		{0x80000, 0x80000, true}, /* the BIOS areas */
		{0x80000, 0x80001, false},
		{0xfffff, 1, true},
		{0xfffff, 2, false}, /* in two places */
		{0x7ffffff, 1, true},
		{0x7ffffff, 2, false},
		{0x8000000, 36, false},  /* bad memory */
		{0xfee00000, 36, false}, /* a device */
		{0x100000, 0, false},
		{0xfffffffffffffff0, 36, false}, /* ends at 0x14 */
		{UINT64_MAX, 1, false},
		{UINT64_MAX, UINT64_MAX, false},
		{0x100000, UINT64_MAX, false},
		{UINT64_MAX - 0x1000, 0x1000, true},
		{UINT64_MAX - 0x1000, 0x1001, false},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (acpi_range_known(&b, cases[i].address, cases[i].bytes) != cases[i].known)
			fail_msg("%#llx, %#llx bytes", (unsigned long long)cases[i].address,
				(unsigned long long)cases[i].bytes);
}

/* iPXE's map has RAM alone; the tables are behind its end, and devices on the next boundary. */
static void test_range_beside_ram(void **state)
{
	struct bootinfo b = {
		.regions = 3,
		.region =
			{
				{.base = 0, .bytes = 0x9f000, .type = BOOT_RAM},
				{.base = 0x100000, .bytes = 0x1fe80000, .type = BOOT_RAM},
				{.base = 0x100000000, .bytes = 0x40000000, .type = BOOT_RAM},
			},
	};

	assert_true(acpi_range_known(&b, 0x1ff80000, 36));
	assert_true(acpi_range_known(&b, 0x1fffffff, 1));
	assert_false(acpi_range_known(&b, 0x1fffffff, 2));
	assert_false(acpi_range_known(&b, 0x20000000, 36));
	assert_false(acpi_range_known(&b, 0xb0000000, 36));
	assert_false(acpi_range_known(&b, UINT64_MAX - 8, 36));
	b.region[0].type = BOOT_RESERVED; /* a map that has more than RAM has all */
	assert_false(acpi_range_known(&b, 0x1ff80000, 36));
	b.regions = 0;
	assert_false(acpi_range_known(&b, 0x1ff80000, 36));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range_known),
		cmocka_unit_test(test_range_beside_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
