/* EFI's memory map to regions of a struct bootinfo. */
#include "boot/parse.h"

#define EFI_PAGE_BYTES   4096u
#define EFI_ENTRIES_READ 4096u /* entries looked at, however long the map claims to be */

/* UEFI 2.10, 7.2.3: EFI_MEMORY_DESCRIPTOR. Firmware may append fields. */
struct efi_entry {
	uint32_t type, padding;
	uint64_t base, virtual_base, pages, attributes;
};
_Static_assert(sizeof(struct efi_entry) == 40, "EFI_MEMORY_DESCRIPTOR, version 1");

/* UEFI 2.10, table 7-10: what is whose after ExitBootServices. Runtime services keep theirs. */
static uint32_t efi_region_type(uint32_t type)
{
	switch (type) {
	case 1: /* EfiLoaderCode */
	case 2: /* EfiLoaderData */
	case 3: /* EfiBootServicesCode */
	case 4: /* EfiBootServicesData */
	case 7: /* EfiConventionalMemory */
		return BOOT_RAM;
	case 8: /* EfiUnusableMemory */
		return BOOT_BAD;
	case 9: /* EfiACPIReclaimMemory */
		return BOOT_ACPI;
	case 10: /* EfiACPIMemoryNVS */
		return BOOT_NVS;
	default:
		return BOOT_RESERVED;
	}
}

void efi_parse_map(const struct boot_view *v, uint64_t map, uint64_t bytes, uint32_t entry_bytes,
	struct bootinfo *b)
{
	struct efi_entry e;

	if (entry_bytes < sizeof e)
		return;
	for (unsigned n = 0; n < EFI_ENTRIES_READ && bytes >= entry_bytes; n++) {
		if (!boot_view_read(v, map, &e, sizeof e))
			return;
		if (e.pages <= UINT64_MAX / EFI_PAGE_BYTES)
			bootinfo_add_region(
				b, e.base, e.pages * EFI_PAGE_BYTES, efi_region_type(e.type));
		map += entry_bytes;
		bytes -= entry_bytes;
	}
}
