/* The kernel's entry on bare metal: brings the machine up, step by step, and calls kernel_main. */
#include "kernel/x86/start.h"

#include "boot/boot.h"
#include "kernel/bootlog.h"
#include "kernel/log.h"
#include "kernel/main.h"
#include "kernel/platform.h"
#include "kernel/x86/acpi.h"
#include "kernel/x86/cmdline.h"
#include "kernel/x86/console.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/crash.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/inventory.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/memory.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/ports.h"
#include "kernel/x86/power.h"
#include "kernel/x86/screen.h"
#include "kernel/x86/smbios.h"
#include "kernel/x86/smp.h"
#include "kernel/x86/tsc.h"

static const struct bootinfo *bootinfo;
static struct acpi acpi;
static char serial[SMBIOS_TEXT_MAX];

/* Where a BIOS leaves the ACPI root pointer: ACPI 6.4, 5.2.5.1. */
#define BIOS_EBDA_SEGMENT 0x40eu
#define BIOS_EBDA_BYTES   1024u
#define BIOS_ROM          0xe0000u
#define BIOS_ROM_BYTES    0x20000u

/* On the boot map, which still has page 0. */
static uint64_t find_rsdp(void)
{
	uint64_t ebda;
	ptrdiff_t at;

	if (bootinfo->rsdp)
		return bootinfo->rsdp;
	/* Read by hand: the compiler takes so small an address for a mistake. */
	__asm__("movzwl (%1), %k0" : "=r"(ebda) : "r"((uintptr_t)BIOS_EBDA_SEGMENT) : "memory");
	ebda <<= 4;
	if (ebda >= 0x80000 && ebda <= 0xa0000 - BIOS_EBDA_BYTES) {
		at = acpi_find_rsdp((const uint8_t *)(uintptr_t)ebda, BIOS_EBDA_BYTES);
		if (at >= 0)
			return ebda + (uint64_t)at;
	}
	at = acpi_find_rsdp((const uint8_t *)(uintptr_t)BIOS_ROM, BIOS_ROM_BYTES);
	return at >= 0 ? BIOS_ROM + (uint64_t)at : 0;
}

/* Some firmware keeps tables in reserved memory, which is not mapped yet. */
static const void *acpi_at(void *ctx, uint64_t address, uint64_t bytes)
{
	if (!acpi_range_known(bootinfo, address, bytes))
		return NULL;
	for (uint64_t page = address & -4096ull; page < address + bytes; page += 4096)
		if (!paging_mapped(page) && !paging_map(page, 4096, 0))
			return NULL;
	return (const void *)(uintptr_t)address;
}

static void start_acpi(uint64_t rsdp)
{
	const struct acpi_memory memory = {.at = acpi_at};

	if (!acpi_parse(&memory, rsdp, &acpi))
		log_text("no ACPI tables: one core, PCI through ports");
	else if (acpi.bad_tables)
		log_text("ACPI: %u of %u tables are damaged and left out", acpi.bad_tables,
			acpi.bad_tables + acpi.tables);
	if (acpi.srat.left_out)
		log_text("ACPI: %u entries of the SRAT are left out", acpi.srat.left_out);
}

/* On the boot map, as find_rsdp. No place: 0 bytes. */
static struct smbios_place find_smbios(void)
{
	struct smbios_place place = {0, 0};
	uint64_t at = bootinfo->smbios;

	if (!at || at >= BOOT_MAP_END - SMBIOS_ENTRY_MAX ||
		!smbios_find((const uint8_t *)(uintptr_t)at, SMBIOS_ENTRY_MAX, &place))
		(void)smbios_find(
			(const uint8_t *)(uintptr_t)SMBIOS_AREA, SMBIOS_AREA_BYTES, &place);
	return place;
}

static void start_smbios(const struct smbios_place *place)
{
	const void *table = place->bytes ? acpi_at(NULL, place->address, place->bytes) : NULL;

	if (table)
		smbios_serial(table, place->bytes, serial);
}

/* On the boot core's own stack, whose guards can now be taken out of the map. */
static void start_machine(void) __attribute__((noreturn));
static void start_machine(void)
{
	uint64_t rsdp = find_rsdp();
	struct smbios_place smbios = find_smbios();

	bootlog_begin(bootinfo->entry_tsc);
	bootlog_phase("entry");
	memory_init(bootinfo);
	screen_map();
	cpu_guard_stacks(cpu_table[0].stacks);
	bootlog_phase("memory");
	start_acpi(rsdp);
	start_smbios(&smbios);
	console_settle(&acpi.spcr);
	bootlog_phase("ACPI");
	tsc_init(bootinfo->entry_tsc, acpi.pm_timer, acpi.pm_timer_32bit ? 0xffffffff : 0xffffff);
	bootlog_phase("clock");
	memory_set_nodes(&acpi.srat);
	power_init(&acpi);
	ports_init(bootinfo, &acpi);
	smp_init(&acpi, lapic_init());
	bootlog_phase("cores");
	inventory_note(bootinfo, &acpi);
	log_text("x86: %s, TSC %llu kHz by %s, cores: %u, %s", bootinfo->loader,
		(unsigned long long)(platform_tsc_hz() / 1000), tsc_source(), platform_cores(),
		platform_isa());
	crash_note();
	kernel_main();
}

void boot_start_kernel(const struct bootinfo *b)
{
	bootinfo = b;
	console_init(b); /* from here on a fault is reported */
	cpu_note_isa();
	__asm__ volatile("movq %0, %%rsp\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "call *%1"
			 :
			 : "r"(cpu_table[0].stacks->stack + CPU_STACK_BYTES), "r"(start_machine)
			 : "memory");
	__builtin_unreachable();
}

void platform_confine(unsigned worker)
{
	gate_call(GATE_CONFINE, worker);
}

bool start_has_option(const char *word)
{
	return cmdline_has(bootinfo->cmdline, word);
}

const char *platform_cmdline(void)
{
	return bootinfo->cmdline;
}

const char *platform_serial(void)
{
	return serial;
}

const char *platform_loader(void)
{
	return bootinfo->loader;
}

unsigned platform_modules(struct platform_module *m, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < bootinfo->modules && n < max; i++) {
		const struct boot_module *b = &bootinfo->module[i];

		/* A loader may lie about where it put a module. */
		if (!memory_is_ram(b->base, b->bytes)) {
			log_text("boot module %u is not in memory and left out", i);
			continue;
		}
		m[n++] = (struct platform_module){
			.name = b->cmdline,
			.data = (const void *)(uintptr_t)b->base,
			.bytes = b->bytes,
		};
	}
	return n;
}
