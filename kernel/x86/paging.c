/* Four-level page tables (SDM volume 3, 4.5) of an identity map. */
#include "kernel/x86/paging.h"

#include <stddef.h>

#include "boot/boot.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/image.h"
#include "kernel/x86/instr.h"

#define ENTRIES    512u
#define PAGE_BYTES 4096ull
#define BYTES_2M   (1ull << 21)
#define BYTES_1G   (1ull << 30)

/* SDM volume 3, tables 4-15 to 4-20. */
#define ENTRY_PRESENT    (1ull << 0)
#define ENTRY_WRITE      (1ull << 1)
#define ENTRY_USER       (1ull << 2)
#define ENTRY_UNCACHED   (3ull << 3) /* PCD and PWT: entry 3 of the reset PAT */
#define ENTRY_LARGE      (1ull << 7)
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_ADDRESS    0x000ffffffffff000ull
#define ENTRY_TABLE      (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER)

#define TABLES_SPARE 256u /* for split pages and devices, beyond what RAM needs */

static struct {
	uint64_t *root;
	uint64_t next, end;  /* page tables not used yet */
	unsigned level_max;  /* largest leaf: 1 is 2 MiB, 2 is 1 GiB */
	uint64_t no_execute; /* ENTRY_NO_EXECUTE where the processor has it */
} paging;

/* Bytes that one entry of a table of this level covers. */
static uint64_t entry_bytes(unsigned level)
{
	return PAGE_BYTES << (9 * level);
}

uint64_t paging_limit(void)
{
	unsigned bits = cpu_physical_bits();

	/* The lower half of the virtual addresses: a four-level identity map reaches no further. */
	if (bits > 47)
		bits = 47;
	return 1ull << bits;
}

uint64_t paging_table_bytes(const struct memmap *ram)
{
	uint64_t gib = 0, tables;

	for (unsigned i = 0; i < ram->ranges; i++)
		gib += (ram->range[i].end - ram->range[i].first) / BYTES_1G + 2;
	/* A directory for each GiB and a pointer table for 512 of them; smaller pages at each
	 * range's ends. */
	tables = TABLES_SPARE + (cpu_has_1g_pages() ? 0 : gib) + gib / ENTRIES + 4ull * ram->ranges;
	return (tables * PAGE_BYTES + BYTES_2M - 1) & -BYTES_2M;
}

static uint64_t *table_of(uint64_t entry)
{
	return (uint64_t *)(uintptr_t)(entry & ENTRY_ADDRESS);
}

/* The tables come from memory that nothing else has: each is filled here. NULL when there is none
 * left. */
static uint64_t *table_new(uint64_t entry, uint64_t step)
{
	uint64_t *table = (uint64_t *)(uintptr_t)paging.next;

	if (paging.next == paging.end)
		return NULL;
	paging.next += PAGE_BYTES;
	for (unsigned i = 0; i < ENTRIES; i++, entry += step)
		table[i] = entry;
	return table;
}

/* The table below entry e of this level; made if there is none, split from a large page if there is
 * one. */
static uint64_t *table_below(uint64_t *e, unsigned level)
{
	uint64_t *table;

	if ((*e & ENTRY_PRESENT) && !(*e & ENTRY_LARGE))
		return table_of(*e);
	if (!(*e & ENTRY_PRESENT))
		table = table_new(0, 0);
	else if (level == 1)
		table = table_new(*e & ~ENTRY_LARGE, entry_bytes(0));
	else
		table = table_new(*e, entry_bytes(level - 1));
	if (table)
		*e = (uintptr_t)table | ENTRY_TABLE;
	return table;
}

/*
 * Sets all leaves of [first, end) in this table: `bits` and their address, or
 * nothing if bits is 0. Both bounds are multiples of 4 KiB within the table.
 */
static bool table_set(uint64_t *table, unsigned level, uint64_t first, uint64_t end, uint64_t bits)
{
	uint64_t size = entry_bytes(level), next;

	for (; first < end; first = next) {
		uint64_t *e = &table[first / size % ENTRIES], *below;
		bool is_table = level > 0 && (*e & ENTRY_PRESENT) && !(*e & ENTRY_LARGE);

		next = (first & -size) + size;
		if (next > end)
			next = end;
		if (level <= paging.level_max && next - first == size && !is_table) {
			*e = bits ? first | bits | (level ? ENTRY_LARGE : 0) : 0;
			continue;
		}
		below = table_below(e, level);
		if (!below || !table_set(below, level - 1, first, next, bits))
			return false;
	}
	return true;
}

static uint64_t leaf_bits(unsigned flags)
{
	uint64_t bits = ENTRY_PRESENT | ENTRY_USER;

	if (flags & PAGING_WRITE)
		bits |= ENTRY_WRITE;
	if (flags & PAGING_UNCACHED)
		bits |= ENTRY_UNCACHED;
	if (!(flags & PAGING_EXECUTE))
		bits |= paging.no_execute;
	return bits;
}

/* The tables are read-only in their own map: write protection is lifted while they change. */
static bool paging_set(uint64_t address, uint64_t bytes, uint64_t bits)
{
	uint64_t first = address & -PAGE_BYTES,
		 end = (address + bytes + PAGE_BYTES - 1) & -PAGE_BYTES;
	uint64_t cr0 = read_cr0();
	bool done;

	if (bytes == 0 || bytes > paging_limit() || address > paging_limit() - bytes)
		return false;
	write_cr0(cr0 & ~CR0_WP);
	done = table_set(paging.root, 3, first, end, bits);
	write_cr0(cr0);
	write_cr3(read_cr3());
	return done;
}

bool paging_map(uint64_t address, uint64_t bytes, unsigned flags)
{
	return paging_set(address, bytes, leaf_bits(flags));
}

void paging_unmap(uint64_t address, uint64_t bytes)
{
	(void)paging_set(address, bytes, 0);
}

bool paging_mapped(uint64_t address)
{
	uint64_t *table = paging.root;

	if (!table)
		return address < BOOT_MAP_END;
	if (address >= paging_limit())
		return false;
	for (unsigned level = 3;; level--) {
		uint64_t e = table[address / entry_bytes(level) % ENTRIES];

		if (!(e & ENTRY_PRESENT))
			return false;
		if (level == 0 || (e & ENTRY_LARGE))
			return true;
		table = table_of(e);
	}
}

static bool map_image(void)
{
	uint64_t text = (uintptr_t)text_start, rodata = (uintptr_t)rodata_start;
	uint64_t data = (uintptr_t)rodata_end, end = (uintptr_t)image_end;

	return paging_map(data, end - data, PAGING_WRITE) && paging_map(rodata, data - rodata, 0) &&
	       paging_map(text, rodata - text, PAGING_EXECUTE);
}

bool paging_init(const struct memmap *ram, uint64_t tables, uint64_t bytes)
{
	paging.next = tables;
	paging.end = tables + bytes;
	paging.level_max = cpu_has_1g_pages() ? 2 : 1;
	paging.no_execute = cpu_has_nx() ? ENTRY_NO_EXECUTE : 0;
	paging.root = table_new(0, 0);
	for (unsigned i = 0; i < ram->ranges; i++) {
		uint64_t first = ram->range[i].first, end = ram->range[i].end;

		if (!paging_map(first, end - first, PAGING_WRITE))
			return false;
	}
	if (!map_image() || !paging_map(tables, bytes, 0))
		return false;
	write_cr3((uintptr_t)paging.root);
	return true;
}

uint32_t paging_root(void)
{
	return (uint32_t)(uintptr_t)paging.root;
}

const char *paging_sizes(void)
{
	return paging.level_max == 2 ? "1 GiB" : "2 MiB";
}
