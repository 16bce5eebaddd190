/* Facts for `show hardware`: processor, memory, firmware tables, clock. */
#include "kernel/x86/inventory.h"

#include <stdio.h>
#include <string.h>

#include "kernel/hardware.h"
#include "kernel/platform.h"
#include "kernel/x86/dca.h"
#include "kernel/x86/instr.h"
#include "kernel/x86/tsc.h"

/* SDM volume 2, CPUID: leaves 0x80000002 to 4 are 48 characters. */
#define NAME_LEAF   0x80000002u
#define NAME_LEAVES 3u
#define NAME_BYTES  (16 * NAME_LEAVES)

static const char *processor_name(char name[NAME_BYTES + 1])
{
	char *first = name;

	for (unsigned i = 0; i < NAME_LEAVES; i++) {
		struct cpuid c = cpuid(NAME_LEAF + i, 0);

		memcpy(name + 16 * i, &c, 16);
	}
	name[NAME_BYTES] = '\0';
	for (char *p = name; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = ' ';
	while (*first == ' ')
		first++;
	return *first ? first : "unknown";
}

static void note_tables(const struct acpi *a)
{
	char names[HARDWARE_FACT_BYTES] = "none";
	size_t used = 0;

	for (unsigned i = 0; i < a->tables && i < ACPI_NAMES_MAX && used < sizeof names; i++)
		used += (size_t)snprintf(
			names + used, sizeof names - used, "%s%s", i ? " " : "", a->name[i]);
	hardware_fact("acpi_tables", "%s", names);
	if (a->bad_tables)
		hardware_fact("acpi_damaged", "%u tables", a->bad_tables);
}

void inventory_note(const struct bootinfo *b, const struct acpi *a)
{
	char name[NAME_BYTES + 1];
	struct platform_memory m;

	platform_memory(&m);
	hardware_fact("processor", "%s, %s", processor_name(name), platform_isa());
	hardware_fact("cores", "%u", platform_cores());
	dca_note();
	hardware_fact("memory", "%llu MiB usable; %u ranges in the loader's map",
		(unsigned long long)(m.ram_bytes >> 20), b->regions);
	note_tables(a);
	hardware_fact("clock", "TSC at %llu kHz, by %s",
		(unsigned long long)(platform_tsc_hz() / 1000), tsc_source());
}
