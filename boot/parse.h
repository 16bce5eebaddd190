/*
 * The parsers: from what a loader left in memory to a struct bootinfo.
 *
 * Pure functions of the view, so that they run in unit tests. Whatever the
 * loader says may be nonsense: counts and strings are bounded, ranges that wrap
 * are dropped, and what cannot be read is left out.
 */
#ifndef BOOT_PARSE_H
#define BOOT_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/bootinfo.h"
#include "boot/efi/loaded.h"
#include "boot/view.h"

#define MULTIBOOT1_LOADED 0x2badb002u /* EAX at entry; multiboot 0.6.96, 3.2 */
#define MULTIBOOT2_LOADED 0x36d76289u /* the same; multiboot2 2.0, 3.3 */

/* `info`: physical address of the multiboot information (EBX at entry). false: it cannot be read.
 */
bool multiboot1_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b);

/* The same of the multiboot2 information. */
bool multiboot2_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b);

/* `info`: physical address of the hvm_start_info (EBX at entry). false: there is none. */
bool pvh_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b);

/* `info`: physical address of the struct bootinfo that barewire.efi made (EBX at entry). It brings
 * its own time of entry.
 */
bool efi_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b);

/*
 * Appends the memory that EFI describes (UEFI 2.10, 7.2.3) as it is once boot services have
 * ended: `bytes` of entries of `entry_bytes` each, from physical address `map`.
 */
void efi_parse_map(const struct boot_view *v, uint64_t map, uint64_t bytes, uint32_t entry_bytes,
	struct bootinfo *b);

/* Shared by the parsers: append, or drop what is empty, wraps, or has no room. Neighbours of one
 * type become one region.
 */
void bootinfo_add_region(struct bootinfo *b, uint64_t base, uint64_t bytes, uint32_t type);
struct boot_module *bootinfo_add_module(struct bootinfo *b, uint64_t base, uint64_t bytes);

#endif
