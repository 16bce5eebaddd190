/*
 * What loaders leave in memory: every protocol's parser, and what the kernel makes of the map.
 *
 * Input: protocol, address of the information (4 bytes), memory from BASE on.
 */
#include <stdlib.h>

#include "boot/parse.h"
#include "kernel/x86/acpi.h"
#include "kernel/x86/memmap.h"
#include "test/fuzz/fuzz.h"

#define BASE 0x1000u

typedef bool parse_fn(const struct boot_view *v, uint64_t info, struct bootinfo *b);

static parse_fn *const parsers[] = {multiboot1_parse, pvh_parse, multiboot2_parse, efi_parse};

static void check_info(const struct bootinfo *b)
{
	CLAIM(b->regions <= BOOT_REGIONS_MAX && b->modules <= BOOT_MODULES_MAX);
	CLAIM(memchr(b->cmdline, 0, sizeof b->cmdline));
	for (unsigned i = 0; i < b->regions; i++) {
		CLAIM(b->region[i].bytes);
		CLAIM(b->region[i].base + (b->region[i].bytes - 1) >= b->region[i].base);
	}
	for (unsigned i = 0; i < b->modules; i++) {
		CLAIM(memchr(b->module[i].cmdline, 0, sizeof b->module[i].cmdline));
		CLAIM(b->module[i].base + b->module[i].bytes >= b->module[i].base);
	}
}

static void check_map(const struct memmap *m, uint64_t limit)
{
	CLAIM(m->ranges <= MEMMAP_RANGES_MAX);
	for (unsigned i = 0; i < m->ranges; i++) {
		CLAIM(m->range[i].first < m->range[i].end && m->range[i].end <= limit);
		CLAIM(i == 0 || m->range[i - 1].end < m->range[i].first);
	}
}

static void use_map(const struct bootinfo *b)
{
	const uint64_t limit = 1ull << 46;
	static struct memmap m;

	memmap_init(&m, b, limit);
	check_map(&m, limit);
	memmap_remove_modules(&m, b);
	check_map(&m, limit);
	for (unsigned i = 0; i < b->modules; i++)
		CLAIM(!memmap_overlaps(&m, b->module[i].base, b->module[i].bytes));
	for (unsigned i = 0; i < 20; i++) {
		uint64_t bytes = 4096ull << i, at = memmap_take(&m, bytes, bytes, limit);

		CLAIM(at % bytes == 0 && (!at || !memmap_overlaps(&m, at, bytes)));
	}
	check_map(&m, limit);
	for (unsigned i = 0; i < b->regions; i++)
		(void)acpi_range_known(b, b->region[i].base, b->region[i].bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input in = {data, bytes};
	static struct bootinfo b;
	unsigned protocol = fuzz_byte(&in) % (sizeof parsers / sizeof *parsers);
	uint32_t info;

	fuzz_take(&in, &info, sizeof info);
	uint8_t *memory = malloc(in.left ? in.left : 1);

	if (!memory)
		return 0;
	if (in.left)
		memcpy(memory, in.at, in.left);
	struct boot_view view = {
		.first = BASE, .end = BASE + in.left, .bias = (uintptr_t)memory - BASE};

	memset(&b, 0, sizeof b);
	(void)parsers[protocol](&view, info, &b);
	check_info(&b);
	use_map(&b);
	free(memory);
	return 0;
}
