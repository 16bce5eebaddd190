/* Parses the ACPI tables (ACPI 6.4 chapter 5) through checked byte ranges. */
#include "kernel/x86/acpi.h"

#include <string.h>

#define HEADER_BYTES 36u        /* 5.2.6: signature, length, ..., creator */
#define TABLE_MAX    (4u << 20) /* a longer table is not believed; DSDTs have some 100 KiB */
#define ROOT_ENTRIES 256u       /* tables looked at */
#define APIC_ID_ALL  0xffu /* nobody's: it stands for all cores; in x2APIC mode 32 bits of ones */

/* Where a BIOS keeps tables that its memory map may not name: extended data area, ROM. */
#define BIOS_FIRST 0x80000u
#define BIOS_END   0x100000u
#define PAGE_0_END 0x1000u

/* A table that has been checked: bytes >= HEADER_BYTES and all readable. */
struct table {
	const uint8_t *p;
	size_t bytes;
};

/* Little-endian, unaligned, 0 beyond the end: a short table says nothing. */
static uint64_t field(const struct table *t, size_t at, size_t bytes)
{
	uint64_t v = 0;

	if (at <= t->bytes && bytes <= t->bytes - at)
		memcpy(&v, t->p + at, bytes);
	return v;
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s = (uint8_t)(s + *p++);
	return s;
}

/* 5.2.5.3: revision 0 has 20 bytes; later ones 36, and a sum of all. */
static bool rsdp_valid(const uint8_t *p, size_t bytes)
{
	if (bytes < 20 || memcmp(p, "RSD PTR ", 8) != 0 || sum(p, 20) != 0)
		return false;
	return p[15] < 2 || (bytes >= 36 && sum(p, 36) == 0);
}

ptrdiff_t acpi_find_rsdp(const uint8_t *area, size_t bytes)
{
	for (size_t at = 0; at + 20 <= bytes; at += 16)
		if (rsdp_valid(area + at, bytes - at))
			return (ptrdiff_t)at;
	return -1;
}

/* Is [address, address + bytes) within [first, first + size)? Nothing here can wrap. */
static bool within(uint64_t address, uint64_t bytes, uint64_t first, uint64_t size)
{
	return address >= first && bytes <= size && address - first <= size - bytes;
}

#define FOUR_GIB     0x100000000ull
#define DEVICES_STEP 0x10000000ull /* devices begin on a boundary of so many bytes */

/*
 * Below which there are no devices above the BIOS areas, by a map that lists RAM
 * alone (iPXE's): the end of the RAM below 4 GiB, and what firmware keeps at its top.
 * 0: the map says itself where tables are.
 */
static uint64_t memory_end(const struct bootinfo *b)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < b->regions; i++) {
		const struct boot_region *r = &b->region[i];

		if (r->type != BOOT_RAM)
			return 0;
		if (r->base < FOUR_GIB && r->bytes <= FOUR_GIB - r->base &&
			r->base + r->bytes > last)
			last = r->base + r->bytes;
	}
	return (last + DEVICES_STEP - 1) & -DEVICES_STEP;
}

bool acpi_range_known(const struct bootinfo *b, uint64_t address, uint64_t bytes)
{
	if (address < PAGE_0_END || bytes == 0)
		return false;
	if (within(address, bytes, BIOS_FIRST, BIOS_END - BIOS_FIRST))
		return true;
	for (unsigned i = 0; i < b->regions; i++)
		if (b->region[i].type != BOOT_BAD &&
			within(address, bytes, b->region[i].base, b->region[i].bytes))
			return true;
	return within(
		address, bytes, BIOS_END, memory_end(b) > BIOS_END ? memory_end(b) - BIOS_END : 0);
}

/* The table at a physical address; false if it is short, too long, or its sum is wrong. */
static bool table_at(const struct acpi_memory *m, uint64_t address, struct table *t)
{
	const uint8_t *p = address ? m->at(m->ctx, address, HEADER_BYTES) : NULL;
	uint32_t bytes;

	if (!p)
		return false;
	memcpy(&bytes, p + 4, sizeof bytes);
	if (bytes < HEADER_BYTES || bytes > TABLE_MAX)
		return false;
	p = m->at(m->ctx, address, bytes);
	if (!p || sum(p, bytes) != 0)
		return false;
	*t = (struct table){.p = p, .bytes = bytes};
	return true;
}

static bool signature_is(const struct table *t, const char *four)
{
	return memcmp(t->p, four, 4) == 0;
}

static void add_cpu(struct acpi *a, uint32_t apic_id, uint32_t flags)
{
	if (!(flags & 1)) /* 5.2.12.2: not enabled */
		return;
	for (unsigned i = 0; i < a->cpus; i++)
		if (a->apic_id[i] == apic_id)
			return;
	if (a->cpus == ACPI_CPUS_MAX)
		a->cpus_lost++;
	else
		a->apic_id[a->cpus++] = apic_id;
}

/* 5.2.12: the local APICs. */
static void parse_madt(const struct table *t, struct acpi *a)
{
	size_t at = 44;

	a->lapic = field(t, 36, 4);
	while (at + 2 <= t->bytes) {
		size_t bytes = t->p[at + 1];
		struct table e = {.p = t->p + at, .bytes = bytes};

		if (bytes < 2 || bytes > t->bytes - at)
			return; /* the rest cannot be told apart */
		if (e.p[0] == 0 && bytes >= 8 && e.p[3] != APIC_ID_ALL)
			add_cpu(a, (uint32_t)field(&e, 3, 1), (uint32_t)field(&e, 4, 4));
		else if (e.p[0] == 5 && bytes >= 12)
			a->lapic = field(&e, 4, 8);
		else if (e.p[0] == 9 && bytes >= 16 && field(&e, 4, 4) != UINT32_MAX)
			add_cpu(a, (uint32_t)field(&e, 4, 4), (uint32_t)field(&e, 8, 4));
		at += bytes;
	}
}

unsigned acpi_pick_cpus(const struct acpi *a, bool (*reaches)(uint32_t apic_id), uint32_t *apic_id,
	unsigned max, struct acpi_left *left)
{
	unsigned n = 1;

	*left = (struct acpi_left){.too_many = a->cpus_lost};
	for (unsigned i = 0; i < a->cpus; i++) {
		if (a->apic_id[i] == apic_id[0])
			continue;
		if (!reaches(a->apic_id[i]))
			left->out_of_reach++;
		else if (n == max)
			left->too_many++;
		else
			apic_id[n++] = a->apic_id[i];
	}
	return n;
}

/* PCI Firmware Specification 3.3, 4.1.2: 16 bytes an entry, from byte 44. */
static void parse_mcfg(const struct table *t, struct acpi *a)
{
	for (size_t at = 44; at + 16 <= t->bytes && a->ecams < ACPI_ECAMS_MAX; at += 16) {
		struct acpi_ecam e = {
			.base = field(t, at, 8),
			.segment = (uint16_t)field(t, at + 8, 2),
			.bus_first = (uint8_t)field(t, at + 10, 1),
			.bus_last = (uint8_t)field(t, at + 11, 1),
		};

		if (e.base && e.bus_first <= e.bus_last && e.base < UINT64_MAX - (256ull << 20))
			a->ecam[a->ecams++] = e;
	}
}

/* A port of the FADT: the 64-bit form if there is one and it is a port, else the 32-bit form. */
static uint16_t fadt_port(const struct table *t, size_t at, size_t extended)
{
	uint64_t v = field(t, at, 4), x = field(t, extended + 4, 8);

	if (field(t, extended, 1) == ACPI_SPACE_IO && x)
		v = x;
	return v <= 0xffff ? (uint16_t)v : 0;
}

/*
 * The sleep type of soft off (7.4.2): the object _S5_ in the DSDT's byte code is
 * a package whose first two elements are small integers (20.2.3, 20.2.5.4).
 */
static void parse_s5(const struct table *dsdt, struct acpi *a)
{
	uint8_t type[2] = {0, 0};

	for (size_t at = HEADER_BYTES; at + 6 <= dsdt->bytes; at++) {
		size_t p = at + 4;

		if (memcmp(dsdt->p + at, "_S5_", 4) != 0 || dsdt->p[p] != 0x12)
			continue;
		p += 1 + (field(dsdt, p + 1, 1) >> 6) + 1 +
		     1; /* opcode, length, number of elements */
		for (unsigned i = 0; i < 2; i++) {
			uint8_t op = (uint8_t)field(dsdt, p++, 1);

			if (op == 0x0a) /* a byte follows; else 0 and 1 are their own opcodes */
				op = (uint8_t)field(dsdt, p++, 1);
			type[i] = op & 7;
		}
		if (p > dsdt->bytes)
			return;
		a->has_s5 = true;
		a->s5_type_a = type[0];
		a->s5_type_b = type[1];
		return;
	}
}

/* 5.2.9. */
static void parse_fadt(const struct acpi_memory *m, const struct table *t, struct acpi *a)
{
	uint32_t flags = (uint32_t)field(t, 112, 4);
	uint64_t dsdt = field(t, 140, 8);
	struct table d;

	a->smi_command = (uint16_t)field(t, 48, 4);
	a->acpi_enable = (uint8_t)field(t, 52, 1);
	a->pm1a_control = fadt_port(t, 64, 172);
	a->pm1b_control = fadt_port(t, 68, 184);
	a->pm_timer = field(t, 91, 1) == 4 ? fadt_port(t, 76, 208) : 0;
	a->pm_timer_32bit = flags & (1u << 8);
	if ((flags & (1u << 10)) && t->bytes >= 129) {
		a->reset_space = (uint8_t)field(t, 116, 1);
		a->reset_address = field(t, 120, 8);
		a->reset_value = (uint8_t)field(t, 128, 1);
		a->has_reset = a->reset_address != 0 && a->reset_space <= ACPI_SPACE_IO;
	}
	if (table_at(m, dsdt ? dsdt : field(t, 40, 4), &d) && signature_is(&d, "DSDT")) {
		parse_s5(&d, a);
		a->bridge = dsdt_find_bridge(d.p + HEADER_BYTES, d.bytes - HEADER_BYTES);
	}
}

static void parse_wdat(const struct table *t, struct acpi *a)
{
	a->has_wdat = true;
	a->wdat_refusal = wdat_parse(t->p, t->bytes, &a->wdat);
}

static void note_name(const struct table *t, struct acpi *a)
{
	for (unsigned i = 0; i < 4 && a->tables < ACPI_NAMES_MAX; i++)
		a->name[a->tables][i] = t->p[i] > 0x20 && t->p[i] < 0x7f ? (char)t->p[i] : '?';
	a->tables++;
}

/* 5.2.7, 5.2.8: RSDT has 4 bytes an entry, XSDT 8. */
static void parse_root(const struct acpi_memory *m, const struct table *root, struct acpi *a)
{
	size_t size = signature_is(root, "XSDT") ? 8 : 4, n = (root->bytes - HEADER_BYTES) / size;

	for (size_t i = 0; i < n && i < ROOT_ENTRIES; i++) {
		struct table t;

		if (!table_at(m, field(root, HEADER_BYTES + i * size, size), &t)) {
			a->bad_tables++;
			continue;
		}
		note_name(&t, a);
		if (signature_is(&t, "APIC") && !a->lapic)
			parse_madt(&t, a);
		else if (signature_is(&t, "MCFG") && !a->ecams)
			parse_mcfg(&t, a);
		else if (signature_is(&t, "SRAT") && !a->srat.nodes)
			srat_parse(t.p, t.bytes, &a->srat);
		else if (signature_is(&t, "SPCR") && a->spcr.kind == UART_NONE)
			(void)uart_place_spcr(t.p, t.bytes, &a->spcr);
		else if (signature_is(&t, "WDAT") && !a->has_wdat)
			parse_wdat(&t, a);
		else if (signature_is(&t, "FACP") && !a->pm1a_control)
			parse_fadt(m, &t, a);
	}
}

/* Without an MCFG what the DSDT says of configuration space must do. */
static void use_bridge(struct acpi *a)
{
	uint64_t base = a->bridge.config_base;

	if (a->ecams || base == 0 || base >= UINT64_MAX - (256ull << 20))
		a->bridge = (struct dsdt_bridge){0};
	else
		a->ecam[a->ecams++] = (struct acpi_ecam){.base = base, .bus_last = 255};
}

bool acpi_parse(const struct acpi_memory *m, uint64_t rsdp, struct acpi *a)
{
	const uint8_t *p = rsdp ? m->at(m->ctx, rsdp, 20) : NULL;
	struct table whole, root;

	memset(a, 0, sizeof *a);
	if (p && p[15] >= 2)
		p = m->at(m->ctx, rsdp, 36);
	if (!p || !rsdp_valid(p, p[15] >= 2 ? 36 : 20))
		return false;
	whole = (struct table){.p = p, .bytes = p[15] >= 2 ? 36 : 20};
	/* A broken XSDT: the RSDT may still be good. */
	if (!(table_at(m, field(&whole, 24, 8), &root) && signature_is(&root, "XSDT")) &&
		!(table_at(m, field(&whole, 16, 4), &root) && signature_is(&root, "RSDT")))
		return false;
	parse_root(m, &root, a);
	use_bridge(a);
	return true;
}
