/*
 * ACPI 6.4 tables, as far as a router needs them: cores, PCI config space,
 * timer, power and reset registers, and what is near to what (srat.h).
 *
 * Pure: tables are read through a function that hands out byte ranges, nothing
 * is trusted (tables may be short, unaligned, wrongly summed, or point
 * anywhere), and every walk is bounded.
 */
#ifndef KERNEL_X86_ACPI_H
#define KERNEL_X86_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/bootinfo.h"
#include "kernel/x86/dsdt.h"
#include "kernel/x86/srat.h"
#include "kernel/x86/uart_place.h"
#include "kernel/x86/wdat.h"

#define ACPI_CPUS_MAX  256u
#define ACPI_ECAMS_MAX 4u
#define ACPI_NAMES_MAX 32u

/* How the parser reads physical memory: `bytes` readable bytes at `address`, or NULL. */
struct acpi_memory {
	const void *(*at)(void *ctx, uint64_t address, uint64_t bytes);
	void *ctx;
};

/* MCFG, or the DSDT: config space of buses first..last of a segment; `base` is where bus 0 would
 * stand. */
struct acpi_ecam {
	uint64_t base;
	uint16_t segment;
	uint8_t bus_first, bus_last;
};

struct acpi {
	unsigned tables, bad_tables;  /* listed by the root table: read, and left out */
	char name[ACPI_NAMES_MAX][5]; /* signatures of the first of those read, printable */

	unsigned cpus; /* enabled local APICs, in MADT order, without duplicates */
	uint32_t apic_id[ACPI_CPUS_MAX];
	unsigned cpus_lost; /* enabled, but more than fit */
	uint64_t lapic;     /* address of the local APICs; 0: no MADT */

	unsigned ecams;
	struct acpi_ecam ecam[ACPI_ECAMS_MAX];
	struct dsdt_bridge bridge; /* if there is no MCFG: where ecam[0] and free addresses are */

	struct srat srat; /* no nodes: there is none */

	struct uart_place spcr; /* UART_NONE: there is none, or no UART that is known */

	bool has_wdat;
	const char *wdat_refusal; /* why it cannot be used, a constant; NULL: it can */
	struct wdat wdat;

	uint16_t pm_timer;                   /* port, 3.579545 MHz; 0: none */
	bool pm_timer_32bit;                 /* else 24 */
	uint16_t pm1a_control, pm1b_control; /* ports; 0: none */
	uint16_t smi_command;                /* port; 0: always in ACPI mode */
	uint8_t acpi_enable;                 /* value for smi_command */
	bool has_s5;                         /* soft off can be entered with */
	uint8_t s5_type_a, s5_type_b;
	bool has_reset;
	uint8_t reset_space; /* ACPI_SPACE_... */
	uint64_t reset_address;
	uint8_t reset_value;
};

/* Address spaces of a generic address structure, 5.2.3.2. */
#define ACPI_SPACE_MEMORY 0u
#define ACPI_SPACE_IO     1u

/*
 * May tables be read from all of [address, address + bytes)? Only within one
 * region of memory (of any kind but bad) that the loader knows of, or in the
 * BIOS areas, or, where it lists RAM alone, in what is not listed of the memory
 * below 4 GiB; never in page 0. So no table can send the parser to a device.
 */
bool acpi_range_known(const struct bootinfo *b, uint64_t address, uint64_t bytes);

/* Offset of the root pointer in an area of memory that may hold one (5.2.5.1); -1: none. */
ptrdiff_t acpi_find_rsdp(const uint8_t *area, size_t bytes);

/* Cores that are not used, and why. */
struct acpi_left {
	unsigned too_many, out_of_reach;
};

/*
 * Which cores to use: apic_id[0], the boot core's, is given; others follow in the MADT's order, at
 * most max in all. reaches: can a core be sent messages? Returns how many.
 */
unsigned acpi_pick_cpus(const struct acpi *a, bool (*reaches)(uint32_t apic_id), uint32_t *apic_id,
	unsigned max, struct acpi_left *left);

/* Reads all tables, starting at the root pointer. false: there is no usable root; *a is then empty.
 */
bool acpi_parse(const struct acpi_memory *m, uint64_t rsdp, struct acpi *a);

#endif
