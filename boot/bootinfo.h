/*
 * What every way of booting hands to the kernel. All addresses are physical,
 * and identity-mapped when the kernel reads them. Strings are copies; module
 * contents stay where the loader put them, and the kernel never allocates over
 * them.
 */
#ifndef BOOT_BOOTINFO_H
#define BOOT_BOOTINFO_H

#include <stdint.h>

#define BOOT_REGIONS_MAX 128
#define BOOT_MODULES_MAX 8
#define BOOT_CMDLINE_MAX 1024
#define BOOT_RSDP_BYTES  36 /* ACPI 6.4, table 5-3 */

enum boot_region_type {
	BOOT_RAM = 1,
	BOOT_RESERVED = 2,
	BOOT_ACPI = 3,
	BOOT_NVS = 4,
	BOOT_BAD = 5
};

struct boot_region {
	uint64_t base, bytes;
	uint32_t type; /* enum boot_region_type */
};

struct boot_module {
	uint64_t base, bytes;
	char cmdline[64]; /* truncated if longer */
};

/* A linear frame buffer of direct colours. */
struct boot_framebuffer {
	uint64_t base; /* 0: there is none, or none is known */
	uint32_t pitch_bytes, width, height;
	uint8_t pixel_bits, red_bit, green_bit, blue_bit; /* where in a pixel each colour begins */
};

struct bootinfo {
	const char *loader;                 /* "multiboot1", "multiboot2", "PVH", "EFI" */
	uint64_t entry_tsc;                 /* TSC at the first instruction of the image */
	uint64_t rsdp;                      /* 0: search the BIOS areas */
	uint8_t rsdp_copy[BOOT_RSDP_BYTES]; /* what rsdp points to, where a loader gives a copy */
	uint64_t smbios;                    /* an entry point of SMBIOS; 0: search the BIOS area */
	unsigned regions;
	unsigned regions_lost; /* did not fit */
	unsigned modules;
	struct boot_region region[BOOT_REGIONS_MAX];
	struct boot_module module[BOOT_MODULES_MAX];
	struct boot_framebuffer framebuffer;
	char cmdline[BOOT_CMDLINE_MAX];
};

#endif
