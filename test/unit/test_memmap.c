/* Sets of address ranges: against a bitmap, and on memory maps that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/x86/memmap.h"

#define PAGE  4096ull
#define LIMIT (1ull << 40)

static void check_form(const struct memmap *m)
{
	assert_true(m->ranges <= MEMMAP_RANGES_MAX);
	for (unsigned i = 0; i < m->ranges; i++) {
		assert_true(m->range[i].first < m->range[i].end);
		if (i)
			assert_true(m->range[i - 1].end < m->range[i].first);
	}
}

/* Random additions and removals in a small space, compared bit by bit with a plain array. */
static void test_brute_force(void **state)
{
	static struct memmap m;
	static uint8_t bits[256];
	uint32_t seed = 7;

	for (unsigned step = 0; step < 20000; step++) {
		unsigned first, end, total = 0;

		seed = seed * 1664525 + 1013904223;
		first = seed >> 24;
		end = first + (seed >> 16 & 31);
		if (end > 256)
			end = 256;
		if (seed & 0x100)
			memmap_add(&m, first, end);
		else
			memmap_remove(&m, first, end);
		memset(bits + first, seed & 0x100 ? 1 : 0, end - first);
		check_form(&m);
		for (unsigned i = 0; i < 256; i++) {
			total += bits[i];
			assert_int_equal(memmap_contains(&m, i, 1), bits[i]);
			assert_int_equal(memmap_overlaps(&m, i, 1), bits[i]);
		}
		assert_int_equal(memmap_bytes(&m), total);
	}
}

static void add_region(struct bootinfo *b, uint64_t base, uint64_t bytes, uint32_t type)
{
	b->region[b->regions++] = (struct boot_region){.base = base, .bytes = bytes, .type = type};
}

/* What is claimed twice belongs to nobody; part pages are lost; order does not matter. */
static void test_from_bootinfo(void **state)
{
	static struct bootinfo b;
	static struct memmap m;

	add_region(&b, 0xa000, 0x2000, BOOT_NVS);
	add_region(&b, 0x8000, 0x8000, BOOT_RAM);
	add_region(&b, 0x800, 0x1000, BOOT_RAM);      /* no whole page */
	add_region(&b, 0x10000, 0x1800, BOOT_RAM);    /* adjoins; its last page is half */
	add_region(&b, 0x10800, 0x10, BOOT_RESERVED); /* takes its whole page */
	add_region(&b, LIMIT - PAGE, 4 * PAGE, BOOT_RAM);
	add_region(&b, 2 * LIMIT, PAGE, BOOT_RAM);
	add_region(&b, UINT64_MAX - PAGE, PAGE, BOOT_RAM);
	memmap_init(&m, &b, LIMIT);
	check_form(&m);
	assert_int_equal(m.ranges, 3);
	assert_int_equal(m.range[0].first, 0x8000);
	assert_int_equal(m.range[0].end, 0xa000);
	assert_int_equal(m.range[1].first, 0xc000);
	assert_int_equal(m.range[1].end, 0x10000);
	assert_int_equal(m.range[2].first, LIMIT - PAGE);
	assert_int_equal(m.range[2].end, LIMIT);
}

/* Page 0 is never RAM: neither the arena nor a boot module may lie there. */
static void test_page_0(void **state)
{
	static struct bootinfo b;
	static struct memmap m;

	add_region(&b, 0, 0x9f000, BOOT_RAM);
	memmap_init(&m, &b, LIMIT);
	assert_false(memmap_contains(&m, 0x600, 0x100));
	assert_false(memmap_overlaps(&m, 0x600, 0x100));
	assert_false(memmap_contains(&m, 0xf00, 0x200)); /* its end lies in page 1 */
	assert_true(memmap_contains(&m, PAGE, 0x9f000 - PAGE));
}

/* A page for real-mode code is not one that a module touches. */
static void test_modules(void **state)
{
	static struct bootinfo b;
	static struct memmap m;

	add_region(&b, 0, 0x9f000, BOOT_RAM);
	b.modules = 2;
	b.module[0].base = 0x8ff0; /* the last bytes of one page, the first of another */
	b.module[0].bytes = 0x20;
	b.module[1].base = 0x600;
	b.module[1].bytes = 0x100;
	memmap_init(&m, &b, LIMIT);
	memmap_remove_modules(&m, &b);
	memmap_remove(&m, 0, 0x8000);
	check_form(&m);
	assert_false(memmap_overlaps(&m, 0x8ff0, 0x20));
	assert_int_equal(memmap_take(&m, PAGE, PAGE, 0xa0000), 0xa000);
}

static void test_take(void **state)
{
	static struct memmap m;

	memmap_add(&m, 0x1100, 0x3000);
	memmap_add(&m, 0x100000, 0x200000);
	assert_int_equal(
		memmap_take(&m, 0x100, 0x1000, LIMIT), 0x2000); /* the gap before it stays free */
	assert_int_equal(memmap_take(&m, 0x100, 0x40, LIMIT), 0x1100);
	assert_int_equal(memmap_take(&m, 0x80000, 0x80000, LIMIT), 0x100000);
	assert_int_equal(
		memmap_take(&m, 0x80000, 0x80000, 0x180000), 0); /* all free is above the limit */
	assert_int_equal(memmap_take(&m, 0x80001, 0x40, LIMIT), 0);
	assert_int_equal(memmap_take(&m, UINT64_MAX, 0x40, LIMIT), 0);
	assert_int_equal(memmap_take(&m, 0x80000, 0x80000, LIMIT), 0x180000);
	check_form(&m);
}

/* Only what lies in the part asked for, and nothing beyond it. */
/* A small range is used up before a large one is begun. */
static void test_take_of_smallest(void **state)
{
	static struct memmap m;

	(void)state;
	memmap_add(&m, 0x100000, 0x200000);
	memmap_add(&m, 0x300000, 0x310000);
	assert_int_equal(memmap_take_tight(&m, 0x8000, 0x1000), 0x300000);
	assert_int_equal(memmap_take_tight(&m, 0x8000, 0x1000), 0x308000);
	assert_int_equal(memmap_take_tight(&m, 0x100000, 0x1000), 0x100000);
	assert_int_equal(memmap_take_tight(&m, 0x1000, 0x1000), 0);
}

static void test_within(void **state)
{
	static struct memmap m;

	memmap_add(&m, 0x1000, 0x5000);
	memmap_add(&m, 0x8000, 0xa000);
	assert_int_equal(memmap_bytes_within(&m, 0, LIMIT), 0x6000);
	assert_int_equal(memmap_bytes_within(&m, 0x4800, 0x9000), 0x1800);
	assert_int_equal(memmap_bytes_within(&m, 0x5000, 0x8000), 0);
	assert_int_equal(memmap_bytes_within(&m, 0x9000, 0x4800), 0);
	assert_int_equal(memmap_take_within(&m, 0x1000, 0x1000, 0x4800, 0x8fff), 0);
	assert_int_equal(memmap_take_within(&m, 0x1000, 0x1000, 0x4800, 0x9000), 0x8000);
	assert_int_equal(memmap_take_within(&m, 0x1000, 0x40, 0x3840, 0x4900), 0x3840);
	assert_int_equal(memmap_take_within(&m, 0x100, 0x1000, 0x9001, UINT64_MAX), 0);
	assert_int_equal(memmap_take_within(&m, 0x100, 0x40, 0x9000, 0x2000), 0);
	assert_int_equal(memmap_bytes(&m), 0x4000);
	check_form(&m);
}

/* Full of small ranges: a larger one costs the smallest, and nothing is invented. */
static void test_overflow(void **state)
{
	static struct memmap m;
	uint64_t before;

	for (uint64_t i = 0; i < MEMMAP_RANGES_MAX; i++)
		memmap_add(&m, i * 0x10000, i * 0x10000 + (i == 50 ? 0x100 : 0x1000));
	before = memmap_bytes(&m);
	memmap_add(&m, 0xf0000000, 0xf0000010);
	assert_int_equal(memmap_bytes(&m), before);
	memmap_add(&m, 0xf0000000, 0xf0002000);
	assert_int_equal(memmap_bytes(&m), before - 0x100 + 0x2000);
	memmap_remove(&m, 0x100, 0x200); /* a hole needs one more range */
	check_form(&m);
	assert_false(memmap_overlaps(&m, 0x100, 0x100));
	assert_true(memmap_bytes(&m) <= before + 0x2000);
}

static void test_doubtful_questions(void **state)
{
	static struct memmap m;

	memmap_add(&m, 0x1000, UINT64_MAX);
	assert_false(memmap_contains(&m, 0x2000, 0));
	assert_false(memmap_contains(&m, 0x2000, UINT64_MAX));
	assert_false(memmap_overlaps(&m, 0x2000, UINT64_MAX));
	assert_true(memmap_contains(&m, 0x1000, 1));
	assert_false(memmap_contains(&m, 0xfff, 2));
	assert_true(memmap_overlaps(&m, 0xfff, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_brute_force),
		cmocka_unit_test(test_from_bootinfo),
		cmocka_unit_test(test_page_0),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_take_of_smallest),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_doubtful_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
