/* Facts for `show hardware`: processor, memory, firmware tables, clock. */
#include "kernel/x86/inventory.h"

#include <stdio.h>
#include <string.h>

#include "kernel/hardware.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/dca.h"
#include "kernel/x86/instr.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/memory.h"
#include "kernel/x86/memtypes.h"
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

static void note_memory(const struct bootinfo *b)
{
	char lost[32] = "";
	struct platform_memory m;

	platform_memory(&m);
	if (b->regions_lost) {
		snprintf(lost, sizeof lost, " and %u too many", b->regions_lost);
		log_text("memory: the loader's map has %u ranges too many; some RAM is not used",
			b->regions_lost);
	}
	hardware_fact("memory", "%llu MiB usable; %u ranges%s in the loader's map",
		(unsigned long long)(m.ram_bytes >> 20), b->regions, lost);
}

static const char *types_text(const struct memtypes *t, uint64_t slow, uint64_t first)
{
	static char text[HARDWARE_FACT_BYTES];
	int used;

	if (!t->boot.cap)
		return "the processor has no MTRRs";
	if (!mtrr_on(&t->boot))
		used = snprintf(text, sizeof text, "MTRRs are off: nothing is cached");
	else if (slow)
		used = snprintf(text, sizeof text, "%llu KiB of memory not write-back, from %#llx",
			(unsigned long long)(slow >> 10), (unsigned long long)first);
	else
		used = snprintf(text, sizeof text, "write-back by MTRRs");
	if (t->set)
		used += snprintf(text + used, sizeof text - (size_t)used,
			"; made those of the boot core on %u others", t->set);
	if (t->different)
		snprintf(text + used, sizeof text - (size_t)used, "; others on %u cores",
			t->different);
	return text;
}

/* A hypervisor decides itself how its memory is cached: there it is a fact, and no reason to worry.
 */
static void note_types(void)
{
	const struct memtypes *t = memtypes_get();
	uint64_t first = 0, slow = 0;
	const char *text;

	if (t->boot.cap)
		slow = mtrr_slow_bytes(&t->boot, cpu_control.physical_bits, memory_ram(), &first);
	text = types_text(t, slow, first);
	hardware_fact("memory_types", "%s", text);
	if ((slow || t->set || t->different) && !cpu_is_virtual())
		log_text("memory types: %s", text);
}

void inventory_note(const struct bootinfo *b, const struct acpi *a)
{
	char name[NAME_BYTES + 1];

	hardware_fact("processor", "%s, %s", processor_name(name), platform_isa());
	hardware_fact("cores", "%u", platform_cores());
	hardware_fact("local_apic", "%s", lapic_mode());
	dca_note();
	note_memory(b);
	note_types();
	note_tables(a);
	hardware_fact("clock", "TSC at %llu kHz, by %s",
		(unsigned long long)(platform_tsc_hz() / 1000), tsc_source());
}
