/* PVH (QEMU -kernel, Xen, Firecracker): hvm_start_info to a struct bootinfo. */
#include "boot/parse.h"

#include <stddef.h>

/* Xen public/arch-x86/hvm/start_info.h. */
#define PVH_MAGIC 0x336ec578u

struct pvh_start_info {
	uint32_t magic, version, flags;
	uint32_t modules;
	uint64_t module_list, cmdline, rsdp;
};
_Static_assert(sizeof(struct pvh_start_info) == 40, "version 0");

/* Version 1 and later have a memory map. */
struct pvh_map_pointer {
	uint64_t map;
	uint32_t entries, reserved;
};

struct pvh_module {
	uint64_t base, bytes, cmdline, reserved;
};

struct pvh_region {
	uint64_t base, bytes;
	uint32_t type, reserved;
};
_Static_assert(sizeof(struct pvh_region) == 24, "hvm_memmap_table_entry");

#define PVH_REGIONS_READ 1024u /* entries looked at, whatever the count says */

static void pvh_parse_map(const struct boot_view *v, uint64_t info, struct bootinfo *b)
{
	struct pvh_map_pointer p;
	struct pvh_region r;

	if (!boot_view_read(v, info + sizeof(struct pvh_start_info), &p, sizeof p))
		return;
	for (uint32_t i = 0; i < p.entries && i < PVH_REGIONS_READ; i++) {
		if (!boot_view_read(v, p.map + (uint64_t)i * sizeof r, &r, sizeof r))
			return;
		bootinfo_add_region(b, r.base, r.bytes, r.type);
	}
}

static void pvh_parse_modules(
	const struct boot_view *v, const struct pvh_start_info *info, struct bootinfo *b)
{
	for (uint32_t i = 0; i < info->modules && i < BOOT_MODULES_MAX; i++) {
		struct pvh_module from;
		struct boot_module *m;

		if (!boot_view_read(
			    v, info->module_list + (uint64_t)i * sizeof from, &from, sizeof from))
			return;
		m = bootinfo_add_module(b, from.base, from.bytes);
		if (m)
			boot_view_string(v, from.cmdline, m->cmdline, sizeof m->cmdline);
	}
}

bool pvh_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b)
{
	struct pvh_start_info p;

	if (!boot_view_read(v, info, &p, sizeof p) || p.magic != PVH_MAGIC)
		return false;
	b->loader = "PVH";
	b->rsdp = p.rsdp;
	boot_view_string(v, p.cmdline, b->cmdline, sizeof b->cmdline);
	pvh_parse_modules(v, &p, b);
	if (p.version >= 1)
		pvh_parse_map(v, info, b);
	return true;
}
