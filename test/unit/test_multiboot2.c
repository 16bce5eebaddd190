/* Multiboot2's tags and EFI's memory map: what a good loader says arrives, what a bad one says does
 * no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boot/parse.h"
#include "test/unit/bootmem.h"

#define GOOD_BYTES 0x400u /* more than what good() says */

/* Tags are appended: the information's own size grows. */
static uint64_t end(const struct memory *m)
{
	uint32_t bytes;

	memcpy(&bytes, m->p, sizeof bytes);
	return BASE + bytes;
}

static void tag(struct memory *m, uint32_t type, const void *data, uint32_t bytes)
{
	uint64_t at = end(m);

	put32(m, at, type);
	put32(m, at + 4, bytes + 8);
	put(m, at + 8, data, bytes);
	put32(m, BASE, (uint32_t)(at - BASE) + ((bytes + 15) & -8u));
}

static void tag_module(struct memory *m, uint32_t start, uint32_t stop, const char *name)
{
	char data[64];

	memcpy(data, &start, 4);
	memcpy(data + 4, &stop, 4);
	memcpy(data + 8, name, strlen(name) + 1);
	tag(m, 3, data, (uint32_t)(8 + strlen(name) + 1));
}

static struct memory empty(void)
{
	struct memory m = memory_new(BYTES);

	put32(&m, BASE, 8);
	return m;
}

struct region {
	uint64_t base, bytes;
	uint32_t type, reserved;
};

static void tag_map(struct memory *m)
{
	struct {
		uint32_t entry_bytes, version;
		struct region r[3];
	} map = {24, 0,
		{{0, 0x9fc00, 1, 0}, {0x100000, 0x7ff00000, 1, 0}, {0xfe000000, 0x1000, 9, 0}}};

	tag(m, 6, &map, sizeof map);
}

struct efi_entry {
	uint32_t type, padding;
	uint64_t base, virtual_base, pages, attributes, extra;
};

/* Entries of 48 bytes, as firmware has them. */
static void tag_efi_map(struct memory *m)
{
	struct {
		uint32_t entry_bytes, version;
		struct efi_entry e[6];
	} map = {48, 1,
		{{7, 0, 0, 0, 0xa0, 15, 0}, {4, 0, 0x100000, 0, 0x100, 15, 0},
			{2, 0, 0x200000, 0, 0x100, 15, 0}, {9, 0, 0x300000, 0, 1, 15, 0},
			{6, 0, 0x301000, 0, 1, 15, 0},
			{7, 0, 0x400000, 0, UINT64_MAX / 2048, 15, 0}}};

	tag(m, 17, &map, sizeof map);
}

static struct memory good(void)
{
	static const uint32_t sizes[2] = {640, 65536};
	struct memory m = empty();

	tag(&m, 1, "panic=reboot", 13);
	tag(&m, 4, sizes, sizeof sizes);
	tag_module(&m, 0x400000, 0x400123, "barewire.conf");
	tag_module(&m, 0x500000, 0x500000, "empty");
	tag_map(&m);
	tag(&m, 15, "RSD PTR +version two, of thirty-six.", 36);
	tag(&m, 14, "RSD PTR version one.", 20);
	tag_efi_map(&m);
	tag(&m, 0, "", 0);
	assert_true(end(&m) < BASE + GOOD_BYTES);
	return m;
}

static void test_good(void **state)
{
	struct memory m = good();
	struct bootinfo b = {0};

	assert_true(multiboot2_parse(&m.view, BASE, &b));
	assert_string_equal(b.loader, "multiboot2");
	assert_string_equal(b.cmdline, "panic=reboot");
	assert_int_equal(b.modules, 1);
	assert_int_equal(b.module[0].base, 0x400000);
	assert_int_equal(b.module[0].bytes, 0x123);
	assert_string_equal(b.module[0].cmdline, "barewire.conf");
	assert_int_equal(b.regions, 3);
	assert_int_equal(b.region[1].bytes, 0x7ff00000);
	assert_int_equal(b.region[2].type, BOOT_RESERVED);
	/* A copy, of the newer of the two. */
	assert_true(b.rsdp == (uintptr_t)b.rsdp_copy);
	assert_memory_equal(b.rsdp_copy, "RSD PTR +version two, of thirty-six.", 36);
	free(m.p);
}

static void test_rsdp_1(void **state)
{
	struct memory m = empty();
	struct bootinfo b = {0};

	tag(&m, 15, "too short", 9);
	tag(&m, 14, "RSD PTR version one.", 20);
	assert_true(multiboot2_parse(&m.view, BASE, &b));
	assert_true(b.rsdp == (uintptr_t)b.rsdp_copy);
	assert_memory_equal(b.rsdp_copy, "RSD PTR version one.\0\0", 22);
	free(m.p);
}

/* Loader and boot services memory is free, neighbours are joined, a size that wraps is left out. */
static void test_efi_map(void **state)
{
	struct memory m = empty(), runs;
	struct bootinfo b = {0}, none = {0};

	tag_efi_map(&m);
	assert_true(multiboot2_parse(&m.view, BASE, &b));
	assert_int_equal(b.regions, 4);
	assert_int_equal(b.region[0].bytes, 0xa0000);
	assert_int_equal(b.region[1].base, 0x100000);
	assert_int_equal(b.region[1].bytes, 0x200000);
	assert_int_equal(b.region[1].type, BOOT_RAM);
	assert_int_equal(b.region[2].type, BOOT_ACPI);
	assert_int_equal(b.region[3].type, BOOT_RESERVED);
	free(m.p);

	runs = empty(); /* the map is not in force while boot services run */
	tag(&runs, 18, "", 0);
	tag_efi_map(&runs);
	assert_true(multiboot2_parse(&runs.view, BASE, &none));
	assert_int_equal(none.regions, 0);
	free(runs.p);
}

static void test_sizes_alone(void **state)
{
	static const uint32_t sizes[2] = {639, 65536};
	struct memory m = empty();
	struct bootinfo b = {0};

	tag(&m, 4, sizes, sizeof sizes);
	assert_true(multiboot2_parse(&m.view, BASE, &b));
	assert_int_equal(b.regions, 2);
	assert_int_equal(b.region[0].bytes, 639 * 1024);
	assert_int_equal(b.region[1].base, 0x100000);
	free(m.p);
}

static void test_framebuffer(void **state)
{
	struct {
		uint64_t base;
		uint32_t pitch, width, height;
		uint8_t bits, type;
		uint16_t reserved;
		uint8_t colours[6];
	} f = {0xc0000000, 4096, 1024, 768, 32, 1, 0, {16, 8, 8, 8, 0, 8}};
	struct memory m = empty(), text = empty();
	struct bootinfo b = {0}, none = {0};

	tag(&m, 8, &f, 30);
	assert_true(multiboot2_parse(&m.view, BASE, &b));
	assert_true(b.framebuffer.base == 0xc0000000);
	assert_int_equal(b.framebuffer.pitch_bytes, 4096);
	assert_int_equal(b.framebuffer.height, 768);
	assert_int_equal(b.framebuffer.pixel_bits, 32);
	assert_int_equal(b.framebuffer.red_bit, 16);
	assert_int_equal(b.framebuffer.green_bit, 8);
	f.type = 2; /* text */
	tag(&text, 8, &f, 30);
	assert_true(multiboot2_parse(&text.view, BASE, &none));
	assert_true(none.framebuffer.base == 0);
	free(m.p);
	free(text.p);
}

/* Sizes that lead nowhere end the walk; a string ends with its tag. */
static void test_bad_sizes(void **state)
{
	struct memory m = empty();
	struct bootinfo b = {0};

	tag(&m, 1, "abc", 3);
	tag(&m, 1, "never seen", 11);
	put32(&m, BASE + 8 + 16 + 4, 7); /* less than its own header */
	assert_true(multiboot2_parse(&m.view, BASE, &b));
	assert_string_equal(b.cmdline, "abc");
	put32(&m, BASE + 8 + 16 + 4, 0xfffffff0);
	assert_true(multiboot2_parse(&m.view, BASE, &b));
	assert_string_equal(b.cmdline, "abc");
	put32(&m, BASE, 0xffffffff);
	assert_false(multiboot2_parse(&m.view, BASE, &b));
	assert_false(multiboot2_parse(&m.view, 0, &b));
	assert_false(multiboot2_parse(&m.view, UINT64_MAX - 4, &b));
	free(m.p);
}

/* All prefixes of good memory, then many damaged ones: the sanitizers are the judges. */
static void test_cut_and_damaged(void **state)
{
	static struct bootinfo b;
	struct memory from = good();
	uint32_t seed = 1;

	for (unsigned n = 0; n < GOOD_BYTES + 20000; n++) {
		struct memory m = memory_new(n < GOOD_BYTES ? n : GOOD_BYTES);

		memcpy(m.p, from.p, m.view.end - BASE);
		for (unsigned i = 0; n >= GOOD_BYTES && i < 4; i++) {
			seed = seed * 1664525 + 1013904223;
			m.p[(seed >> 8) % GOOD_BYTES] = (uint8_t)(seed >> 24);
		}
		memset(&b, 0, sizeof b);
		(void)multiboot2_parse(&m.view, BASE, &b);
		assert_true(b.regions <= BOOT_REGIONS_MAX && b.modules <= BOOT_MODULES_MAX);
		free(m.p);
	}
	free(from.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_rsdp_1),
		cmocka_unit_test(test_efi_map),
		cmocka_unit_test(test_sizes_alone),
		cmocka_unit_test(test_framebuffer),
		cmocka_unit_test(test_bad_sizes),
		cmocka_unit_test(test_cut_and_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
