/* Appends memory regions and modules to a struct bootinfo, dropping the impossible. */
#include <stddef.h>

#include "boot/parse.h"

/* Of those in the table; NULL: there is no RAM in it. */
static struct boot_region *smallest_ram(struct bootinfo *b)
{
	struct boot_region *best = NULL;

	for (unsigned i = 0; i < b->regions; i++) {
		struct boot_region *r = &b->region[i];

		if (r->type == BOOT_RAM && (!best || r->bytes < best->bytes))
			best = r;
	}
	return best;
}

/*
 * Where a further region goes. When the table is full the smallest RAM makes room, for what
 * is not RAM or is larger: losing memory is harmless, using what is not memory is not. NULL:
 * nowhere.
 */
static struct boot_region *room_for(struct bootinfo *b, uint64_t bytes, uint32_t type)
{
	struct boot_region *least;

	if (b->regions < BOOT_REGIONS_MAX)
		return &b->region[b->regions++];
	b->regions_lost++;
	least = smallest_ram(b);
	return least && (type != BOOT_RAM || bytes > least->bytes) ? least : NULL;
}

/*
 * The types of the ACPI 6.4 table 15-4, which all loaders use; whatever else is
 * reserved. EFI has maps of hundreds of entries, most of them neighbours of one type.
 */
void bootinfo_add_region(struct bootinfo *b, uint64_t base, uint64_t bytes, uint32_t type)
{
	struct boot_region *r;

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
	r = room_for(b, bytes, type);
	if (r)
		*r = (struct boot_region){.base = base, .bytes = bytes, .type = type};
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
