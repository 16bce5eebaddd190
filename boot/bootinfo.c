/* Appends memory regions and modules to a struct bootinfo, dropping the impossible. */
#include "boot/parse.h"

/*
 * The types of the ACPI 6.4 table 15-4, which all loaders use; whatever else is
 * reserved. When the table is full, the last entry makes room for one that is
 * not RAM: losing memory is harmless, using what is not memory is not. EFI has
 * maps of hundreds of entries, most of them neighbours of one type.
 */
void bootinfo_add_region(struct bootinfo *b, uint64_t base, uint64_t bytes, uint32_t type)
{
	if (bytes == 0 || base + bytes < base)
		return;
	if (type < BOOT_RAM || type > BOOT_BAD)
		type = BOOT_RESERVED;
	if (b->regions) {
		struct boot_region *last = &b->region[b->regions - 1];

		if (last->type == type && last->base + last->bytes == base) {
			last->bytes += bytes;
			return;
		}
	}
	if (b->regions == BOOT_REGIONS_MAX) {
		if (type == BOOT_RAM || b->region[b->regions - 1].type != BOOT_RAM)
			return;
		b->regions--;
	}
	b->region[b->regions++] = (struct boot_region){.base = base, .bytes = bytes, .type = type};
}

struct boot_module *bootinfo_add_module(struct bootinfo *b, uint64_t base, uint64_t bytes)
{
	struct boot_module *m;

	if (bytes == 0 || base + bytes < base || b->modules == BOOT_MODULES_MAX)
		return NULL;
	m = &b->module[b->modules++];
	*m = (struct boot_module){.base = base, .bytes = bytes};
	return m;
}
