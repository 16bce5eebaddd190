/* Page tables: what an address may be used for, whatever was set before; and sets of I/O ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/x86/pagetable.h"
#include "kernel/x86/portset.h"

#define MIB    (1ull << 20)
#define GIB    (1ull << 30)
#define TABLES 64u

#define DATA (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_NO_EXECUTE)
#define TEXT (PAGE_PRESENT | PAGE_USER)

static struct pagetable table;
static void *memory;

static void make(unsigned tables, unsigned level_max)
{
	free(memory);
	memory = aligned_alloc(PAGE_BYTES, TABLES * PAGE_BYTES);
	assert_non_null(memory);
	memset(memory, 0xa5, TABLES * PAGE_BYTES); /* nobody has cleared it */
	pagetable_init(&table, (uintptr_t)memory, tables * PAGE_BYTES, level_max);
}

static void test_nothing_at_first(void **state)
{
	make(TABLES, 1);
	assert_int_equal(pagetable_bits(&table, 0), 0);
	assert_int_equal(pagetable_bits(&table, 5 * GIB), 0);
	assert_int_equal(pagetable_bits(&table, UINT64_MAX), 0);
	assert_int_equal(pagetable_bits(&table, 1ull << 47), 0);
}

/* The image: text, constants and data; then pages that CPL 0 takes away, and guards. */
static void test_levels_of_privilege(void **state)
{
	for (unsigned level_max = 1; level_max <= 2; level_max++) {
		make(TABLES, level_max);
		assert_true(pagetable_set(&table, 0x1000, 4 * GIB, DATA));
		assert_true(pagetable_set(&table, 1 * MIB, 2 * MIB, TEXT));
		assert_true(pagetable_set(&table, 3 * MIB, 3 * MIB + PAGE_BYTES, 0));
		assert_true(pagetable_set(&table, 5 * MIB, 6 * MIB, DATA & ~PAGE_USER));
		assert_true(pagetable_set(&table, 8 * MIB, 10 * MIB, DATA & ~PAGE_WRITE));
		assert_int_equal(pagetable_bits(&table, 0xfff), 0);
		assert_int_equal(pagetable_bits(&table, 0x1000), DATA);
		assert_int_equal(pagetable_bits(&table, 1 * MIB - 1), DATA);
		assert_int_equal(pagetable_bits(&table, 1 * MIB), TEXT);
		assert_int_equal(pagetable_bits(&table, 2 * MIB - 1), TEXT);
		assert_int_equal(pagetable_bits(&table, 2 * MIB), DATA);
		assert_int_equal(pagetable_bits(&table, 3 * MIB), 0);
		assert_int_equal(pagetable_bits(&table, 3 * MIB + PAGE_BYTES), DATA);
		assert_int_equal(pagetable_bits(&table, 5 * MIB), DATA & ~PAGE_USER);
		assert_int_equal(pagetable_bits(&table, 6 * MIB), DATA);
		assert_int_equal(pagetable_bits(&table, 9 * MIB), DATA & ~PAGE_WRITE);
		assert_int_equal(pagetable_bits(&table, 10 * MIB), DATA);
		assert_int_equal(pagetable_bits(&table, 4 * GIB - 1), DATA);
		assert_int_equal(pagetable_bits(&table, 4 * GIB), 0);
	}
}

/* What has leaves of its own is changed without a new table: the last change of all needs that. */
static void test_change_in_place(void **state)
{
	make(TABLES, 2);
	assert_true(pagetable_set(&table, 0x1000, 1 * GIB, DATA));
	assert_true(pagetable_set(&table, 4 * MIB, 6 * MIB, DATA));
	table.next = table.end;
	assert_true(pagetable_set(&table, 4 * MIB, 6 * MIB, DATA & ~PAGE_WRITE));
	assert_int_equal(pagetable_bits(&table, 5 * MIB), DATA & ~PAGE_WRITE);
	assert_int_equal(pagetable_bits(&table, 6 * MIB), DATA);
}

static void test_tables_run_out(void **state)
{
	for (unsigned tables = 1; tables < 4; tables++) {
		make(tables, 1);
		assert_false(pagetable_set(&table, 1 * MIB, 2 * MIB, DATA));
		assert_int_equal(pagetable_bits(&table, 1 * MIB), 0);
	}
	make(4, 1);
	assert_true(pagetable_set(&table, 1 * MIB, 2 * MIB, DATA));
	/* A large page that cannot be split stays as it is. */
	assert_true(pagetable_set(&table, 4 * MIB, 6 * MIB, DATA));
	assert_false(pagetable_set(&table, 4 * MIB, 5 * MIB, 0));
	assert_int_equal(pagetable_bits(&table, 4 * MIB), DATA);
}

/* Random changes against a plain array of what each page may be used for. */
static void test_brute_force(void **state)
{
	static uint64_t want[2048]; /* 8 MiB */
	static const uint64_t bits[] = {0, DATA, TEXT, DATA & ~PAGE_USER, DATA | PAGE_UNCACHED};
	uint32_t seed = 3;

	make(TABLES, 1);
	memset(want, 0, sizeof want);
	for (unsigned step = 0; step < 2000; step++) {
		uint64_t first, end, b;

		seed = seed * 1664525 + 1013904223;
		first = (seed >> 8) % 2048;
		end = first + (seed >> 20 & 0x3ff);
		end = end > 2048 ? 2048 : end;
		b = bits[(seed >> 4) % (sizeof bits / sizeof bits[0])];
		assert_true(pagetable_set(&table, first * PAGE_BYTES, end * PAGE_BYTES, b));
		for (uint64_t page = first; page < end; page++)
			want[page] = b;
		for (unsigned page = step % 7; page < 2048; page += 7)
			assert_int_equal(
				pagetable_bits(&table, page * PAGE_BYTES + 123), want[page]);
	}
}

static void test_ports(void **state)
{
	static struct portset open, closed;

	portset_add(&open, 0x3f8, 8);
	portset_add(&open, 0xcf9, 1);
	portset_add(&open, 0xffff, 4);
	portset_add(&open, 0x10, 0);
	portset_invert(&closed, &open);
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		bool want = (port >= 0x3f8 && port < 0x400) || port == 0xcf9 || port == 0xffff;

		assert_int_equal(portset_has(&open, (uint16_t)port), want);
		assert_int_equal(portset_has(&closed, (uint16_t)port), !want);
	}
	assert_int_equal(closed.beyond, 0xff); /* SDM volume 1, 19.5.2 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_at_first),
		cmocka_unit_test(test_levels_of_privilege),
		cmocka_unit_test(test_change_in_place),
		cmocka_unit_test(test_tables_run_out),
		cmocka_unit_test(test_brute_force),
		cmocka_unit_test(test_ports),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(memory);
	return failed;
}
