/*
 * SMBIOS 3.6 (DSP0134), as far as a router needs it: the machine's serial number.
 *
 * Pure: it reads the bytes it is given, trusts none of them, and every walk is bounded.
 */
#ifndef KERNEL_X86_SMBIOS_H
#define KERNEL_X86_SMBIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a BIOS leaves the entry point, on 16-byte boundaries: 5.2.1. */
#define SMBIOS_AREA       0xf0000u
#define SMBIOS_AREA_BYTES 0x10000u
#define SMBIOS_ENTRY_MAX  32u
#define SMBIOS_TABLE_MAX  65536u /* of a longer table the beginning is read */
#define SMBIOS_TEXT_MAX   65u    /* with the terminating zero; a longer text is cut */

/* Where the structures stand. */
struct smbios_place {
	uint64_t address;
	uint32_t bytes; /* at most SMBIOS_TABLE_MAX */
};

/* An entry point of 3.x, or else of 2.x, in an area that begins on a 16-byte boundary. false: none
 * that is sound. */
bool smbios_find(const uint8_t *area, size_t bytes, struct smbios_place *place);

/* The serial number of the system (type 1), printable and without blanks at its ends; "": none. */
void smbios_serial(const uint8_t *table, size_t bytes, char serial[SMBIOS_TEXT_MAX]);

#endif
