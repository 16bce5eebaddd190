/* The parsers of loader data: what a good loader says arrives, what a bad one says does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "boot/parse.h"
#include "test/unit/bootmem.h"

static void put_mb1_region(struct memory *m, uint64_t address, uint32_t size, uint64_t base,
	uint64_t bytes, uint32_t type)
{
	put32(m, address, size);
	put64(m, address + 4, base);
	put64(m, address + 12, bytes);
	put32(m, address + 20, type);
}

#define MB1_INFO    BASE
#define MB1_CMDLINE (BASE + 0x100)
#define MB1_MODULES (BASE + 0x200)
#define MB1_NAME    (BASE + 0x280)
#define MB1_MAP     (BASE + 0x300)

/* A command line, two modules, three regions. */
static struct memory multiboot1_memory(void)
{
	struct memory m = memory_new(BYTES);

	put32(&m, MB1_INFO, 1u << 2 | 1u << 3 | 1u << 6);
	put32(&m, MB1_INFO + 16, MB1_CMDLINE);
	put(&m, MB1_CMDLINE, "barewire panic=reboot", 22);
	put32(&m, MB1_INFO + 20, 2);
	put32(&m, MB1_INFO + 24, MB1_MODULES);
	put32(&m, MB1_MODULES, 0x400000);
	put32(&m, MB1_MODULES + 4, 0x400123);
	put32(&m, MB1_MODULES + 8, MB1_NAME);
	put(&m, MB1_NAME, "router.conf", 12);
	put32(&m, MB1_MODULES + 16, 0x500000);
	put32(&m, MB1_MODULES + 20, 0x500001);
	put32(&m, MB1_INFO + 44, 24 + 28 + 24);
	put32(&m, MB1_INFO + 48, MB1_MAP);
	put_mb1_region(&m, MB1_MAP, 20, 0, 0x9fc00, 1);
	put_mb1_region(
		&m, MB1_MAP + 24, 24, 0x100000, 0x1ff00000, 1); /* longer, as ACPI 3 has it */
	put_mb1_region(&m, MB1_MAP + 52, 20, 0xb0000000, 0x10000000, 2);
	return m;
}

static void test_multiboot1(void **state)
{
	struct memory m = multiboot1_memory();
	struct bootinfo b = {0};

	assert_true(multiboot1_parse(&m.view, MB1_INFO, &b));
	assert_string_equal(b.loader, "multiboot1");
	assert_string_equal(b.cmdline, "barewire panic=reboot");
	assert_int_equal(b.modules, 2);
	assert_int_equal(b.module[0].base, 0x400000);
	assert_int_equal(b.module[0].bytes, 0x123);
	assert_string_equal(b.module[0].cmdline, "router.conf");
	assert_string_equal(b.module[1].cmdline, "");
	assert_int_equal(b.regions, 3);
	assert_int_equal(b.region[1].base, 0x100000);
	assert_int_equal(b.region[1].bytes, 0x1ff00000);
	assert_int_equal(b.region[2].type, BOOT_RESERVED);
	free(m.p);
}

/* Without a map there are still two sizes. */
static void test_multiboot1_sizes(void **state)
{
	struct memory m = memory_new(64);
	struct bootinfo b = {0};

	put32(&m, MB1_INFO, 1);
	put32(&m, MB1_INFO + 4, 639);
	put32(&m, MB1_INFO + 8, 65536);
	assert_true(multiboot1_parse(&m.view, MB1_INFO, &b));
	assert_int_equal(b.regions, 2);
	assert_int_equal(b.region[0].bytes, 639 * 1024);
	assert_int_equal(b.region[1].base, 0x100000);
	assert_int_equal(b.region[1].bytes, 64 << 20);
	free(m.p);
}

static void test_multiboot1_bad_counts(void **state)
{
	struct memory m = multiboot1_memory();
	struct bootinfo b = {0};

	put32(&m, MB1_INFO + 20, 0xffffffff); /* modules: the array runs out of what there is */
	put32(&m, MB1_INFO + 44, 0xffffffff); /* map */
	put32(&m, MB1_MODULES + 4, 0x3fffff); /* ends before it starts */
	assert_true(multiboot1_parse(&m.view, MB1_INFO, &b));
	assert_int_equal(b.modules, 1);
	assert_int_equal(b.module[0].base, 0x500000);
	assert_int_equal(b.regions, 3);
	free(m.p);
}

/* An entry that says size 0 must not be read for ever. */
static void test_multiboot1_zero_size(void **state)
{
	struct memory m = multiboot1_memory();
	struct bootinfo b = {0};

	put32(&m, MB1_MAP + 24, 0);
	assert_true(multiboot1_parse(&m.view, MB1_INFO, &b));
	assert_int_equal(b.regions, 1);
	free(m.p);
}

static void test_multiboot1_nowhere(void **state)
{
	struct memory m = multiboot1_memory();
	struct bootinfo b = {0};

	assert_false(multiboot1_parse(&m.view, 0, &b));
	assert_false(multiboot1_parse(&m.view, BASE + BYTES - 51, &b));
	assert_false(multiboot1_parse(&m.view, UINT64_MAX - 8, &b));
	assert_int_equal(b.regions + b.modules, 0);
	free(m.p);
}

#define PVH_INFO    BASE
#define PVH_CMDLINE (BASE + 0x100)
#define PVH_MODULES (BASE + 0x200)
#define PVH_NAME    (BASE + 0x280)
#define PVH_MAP     (BASE + 0x300)

static struct memory pvh_memory(uint32_t version)
{
	struct memory m = memory_new(BYTES);

	put32(&m, PVH_INFO, 0x336ec578);
	put32(&m, PVH_INFO + 4, version);
	put32(&m, PVH_INFO + 12, 1);
	put64(&m, PVH_INFO + 16, PVH_MODULES);
	put64(&m, PVH_INFO + 24, PVH_CMDLINE);
	put64(&m, PVH_INFO + 32, 0xf59e0);
	put64(&m, PVH_INFO + 40, PVH_MAP);
	put32(&m, PVH_INFO + 48, 2);
	put(&m, PVH_CMDLINE, "a b", 4);
	put64(&m, PVH_MODULES, 0x700000);
	put64(&m, PVH_MODULES + 8, 77);
	put64(&m, PVH_MODULES + 16, PVH_NAME);
	put(&m, PVH_NAME, "cfg", 4);
	put64(&m, PVH_MAP + 8, 0x9fc00);
	put32(&m, PVH_MAP + 16, 1);
	put64(&m, PVH_MAP + 24, 0x100000000);
	put64(&m, PVH_MAP + 32, 0x80000000);
	put32(&m, PVH_MAP + 40, 77); /* an unknown type is reserved */
	return m;
}

static void test_pvh(void **state)
{
	struct memory m = pvh_memory(1);
	struct bootinfo b = {0};

	assert_true(pvh_parse(&m.view, PVH_INFO, &b));
	assert_string_equal(b.loader, "PVH");
	assert_string_equal(b.cmdline, "a b");
	assert_int_equal(b.rsdp, 0xf59e0);
	assert_int_equal(b.modules, 1);
	assert_int_equal(b.module[0].bytes, 77);
	assert_string_equal(b.module[0].cmdline, "cfg");
	assert_int_equal(b.regions, 2);
	assert_int_equal(b.region[1].base, 0x100000000);
	assert_int_equal(b.region[1].type, BOOT_RESERVED);
	free(m.p);
}

/* Version 0 ends before the map; another magic is not PVH, and nothing is touched. */
static void test_pvh_versions(void **state)
{
	struct memory m = pvh_memory(0);
	struct bootinfo b = {0}, none = {0};

	assert_true(pvh_parse(&m.view, PVH_INFO, &b));
	assert_int_equal(b.regions, 0);
	put32(&m, PVH_INFO, 0x336ec579);
	memset(&b, 0, sizeof b);
	assert_false(pvh_parse(&m.view, PVH_INFO, &b));
	assert_memory_equal(&b, &none, sizeof b);
	free(m.p);
}

static void test_strings(void **state)
{
	struct memory m = memory_new(16);
	char out[8];

	memset(m.p, 'x', 16);
	boot_view_string(&m.view, BASE, out, sizeof out); /* no end in sight */
	assert_string_equal(out, "xxxxxxx");
	boot_view_string(&m.view, BASE + 13, out, sizeof out); /* ends with the view */
	assert_string_equal(out, "xxx");
	boot_view_string(&m.view, 0, out, sizeof out);
	assert_string_equal(out, "");
	memcpy(m.p, "a\x1b[2J\n", 7);
	boot_view_string(&m.view, BASE, out, sizeof out);
	assert_string_equal(out, "a [2J ");
	free(m.p);
}

/* The type of the region that begins there; 0: none does. */
static unsigned region_at(const struct bootinfo *b, uint64_t base)
{
	for (unsigned i = 0; i < b->regions; i++)
		if (b->region[i].base == base)
			return b->region[i].type;
	return 0;
}

static void test_regions(void **state)
{
	static struct bootinfo b;

	bootinfo_add_region(&b, 0x1000, 0, BOOT_RAM);
	bootinfo_add_region(&b, UINT64_MAX - 0xfff, 0x2000, BOOT_RAM); /* wraps */
	assert_int_equal(b.regions, 0);
	for (unsigned i = 0; i < 2 * BOOT_REGIONS_MAX; i++)
		bootinfo_add_region(&b, i * 0x2000, 0x1000, BOOT_RAM);
	assert_int_equal(b.regions, BOOT_REGIONS_MAX);
	assert_int_equal(b.regions_lost, BOOT_REGIONS_MAX);
	/* A neighbour of the last one needs no room. */
	bootinfo_add_region(&b, (BOOT_REGIONS_MAX - 1) * 0x2000 + 0x1000, 0x1000, BOOT_RAM);
	assert_int_equal(b.region[BOOT_REGIONS_MAX - 1].bytes, 0x2000);
	/* Full: larger RAM is more important than the smallest, and what is not RAM than any. */
	bootinfo_add_region(&b, 1ull << 32, 0x1000, BOOT_RAM);
	assert_int_equal(region_at(&b, 1ull << 32), 0);
	bootinfo_add_region(&b, 1ull << 32, 1ull << 30, BOOT_RAM);
	assert_int_equal(region_at(&b, 1ull << 32), BOOT_RAM);
	for (unsigned i = 0; i < 2 * BOOT_REGIONS_MAX; i++) {
		bootinfo_add_region(&b, i * 0x2000 + 0x1000, 0x1000, BOOT_RESERVED);
		assert_int_equal(b.regions, BOOT_REGIONS_MAX);
		assert_int_equal(
			region_at(&b, 1ull << 32), i < BOOT_REGIONS_MAX - 1 ? BOOT_RAM : 0);
		assert_int_equal(region_at(&b, i * 0x2000 + 0x1000),
			i < BOOT_REGIONS_MAX ? BOOT_RESERVED : 0);
	}
	for (unsigned i = 0; i < 2 * BOOT_MODULES_MAX; i++)
		(void)bootinfo_add_module(&b, i * 0x1000, 1);
	assert_int_equal(b.modules, BOOT_MODULES_MAX);
}

/* All prefixes of good memory, then many damaged ones: the sanitizers are the judges. */
static void test_cut_and_damaged(void **state)
{
	static struct bootinfo b;
	uint32_t seed = 1;

	for (unsigned kind = 0; kind < 2; kind++) {
		struct memory good = kind ? pvh_memory(1) : multiboot1_memory();

		for (unsigned n = 0; n < 1000 + 20000; n++) {
			struct memory m = memory_new(n < 1000 ? n : 0x400);

			memcpy(m.p, good.p, m.view.end - BASE);
			for (unsigned i = 0; n >= 1000 && i < 4; i++) {
				seed = seed * 1664525 + 1013904223;
				m.p[(seed >> 8) % (i < 2 ? 0x400 : 52)] = (uint8_t)(seed >> 24);
			}
			memset(&b, 0, sizeof b);
			(void)(kind ? pvh_parse(&m.view, BASE, &b)
				    : multiboot1_parse(&m.view, BASE, &b));
			assert_true(b.regions <= BOOT_REGIONS_MAX && b.modules <= BOOT_MODULES_MAX);
			free(m.p);
		}
		free(good.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multiboot1),
		cmocka_unit_test(test_multiboot1_sizes),
		cmocka_unit_test(test_multiboot1_bad_counts),
		cmocka_unit_test(test_multiboot1_zero_size),
		cmocka_unit_test(test_multiboot1_nowhere),
		cmocka_unit_test(test_pvh),
		cmocka_unit_test(test_pvh_versions),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_cut_and_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
