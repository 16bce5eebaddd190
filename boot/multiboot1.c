/* Multiboot 0.6.96 (QEMU -kernel, iPXE, GRUB): its information structure to a struct bootinfo. */
#include "boot/parse.h"

#include <stddef.h>

/* 3.3, boot information format; only the fields used here are named. */
struct multiboot1_info {
	uint32_t flags;
	uint32_t mem_lower_kib, mem_upper_kib;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_bytes, mmap_addr;
};
_Static_assert(sizeof(struct multiboot1_info) == 52, "3.3: mmap_addr ends at byte 52");

#define MULTIBOOT1_HAS_MEMORY  (1u << 0)
#define MULTIBOOT1_HAS_CMDLINE (1u << 2)
#define MULTIBOOT1_HAS_MODULES (1u << 3)
#define MULTIBOOT1_HAS_MAP     (1u << 6)

struct multiboot1_module {
	uint32_t start, end, string, reserved;
};

/* An entry says its size without the field that says it; packed, because of that field. */
struct multiboot1_region {
	uint32_t size;
	uint64_t base, bytes;
	uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct multiboot1_region) == 24, "3.3: 20 bytes and the size");

#define MULTIBOOT1_REGIONS_READ 1024u /* entries looked at, however long the map claims to be */

static void multiboot1_parse_map(
	const struct boot_view *v, const struct multiboot1_info *info, struct bootinfo *b)
{
	uint64_t at = info->mmap_addr, end = at + info->mmap_bytes;
	struct multiboot1_region r;

	for (unsigned n = 0; n < MULTIBOOT1_REGIONS_READ && at + sizeof r <= end; n++) {
		if (!boot_view_read(v, at, &r, sizeof r) || r.size < sizeof r - sizeof r.size)
			break;
		bootinfo_add_region(b, r.base, r.bytes, r.type);
		at += (uint64_t)r.size + sizeof r.size;
	}
}

static void multiboot1_parse_modules(
	const struct boot_view *v, const struct multiboot1_info *info, struct bootinfo *b)
{
	for (uint32_t i = 0; i < info->mods_count && i < BOOT_MODULES_MAX; i++) {
		struct multiboot1_module from;
		struct boot_module *m;

		if (!boot_view_read(
			    v, info->mods_addr + (uint64_t)i * sizeof from, &from, sizeof from))
			break;
		if (from.end <= from.start)
			continue;
		m = bootinfo_add_module(b, from.start, from.end - from.start);
		if (m)
			boot_view_string(v, from.string, m->cmdline, sizeof m->cmdline);
	}
}

bool multiboot1_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b)
{
	struct multiboot1_info m;

	b->loader = "multiboot1";
	if (!boot_view_read(v, info, &m, sizeof m))
		return false;
	if (m.flags & MULTIBOOT1_HAS_CMDLINE)
		boot_view_string(v, m.cmdline, b->cmdline, sizeof b->cmdline);
	if (m.flags & MULTIBOOT1_HAS_MODULES)
		multiboot1_parse_modules(v, &m, b);
	if (m.flags & MULTIBOOT1_HAS_MAP)
		multiboot1_parse_map(v, &m, b);
	if (b->regions == 0 && (m.flags & MULTIBOOT1_HAS_MEMORY)) {
		bootinfo_add_region(b, 0, (uint64_t)m.mem_lower_kib * 1024, BOOT_RAM);
		bootinfo_add_region(b, 0x100000, (uint64_t)m.mem_upper_kib * 1024, BOOT_RAM);
	}
	return true;
}
