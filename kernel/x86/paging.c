/* The address space of the image: what is mapped how, and from when on nothing changes. */
#include "kernel/x86/paging.h"

#include "boot/boot.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/image.h"
#include "kernel/x86/pagetable.h"

#define BYTES_2M (1ull << 21)
#define BYTES_1G (1ull << 30)

#define TABLES_SPARE 256u /* for split pages and devices, beyond what RAM needs */

static struct {
	struct pagetable table;
	uint64_t first, end; /* where the tables lie */
	uint64_t no_execute; /* PAGE_NO_EXECUTE where the processor has it */
	bool sealed;
} paging;

uint64_t paging_limit(void)
{
	unsigned bits = cpu_control.physical_bits;

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
	tables = TABLES_SPARE + (cpu_control.has_1g_pages ? 0 : gib) + gib / 512 +
		 4ull * ram->ranges;
	return (tables * PAGE_BYTES + BYTES_2M - 1) & -BYTES_2M;
}

static uint64_t leaf_bits(unsigned flags)
{
	uint64_t bits = PAGE_PRESENT;

	if (flags & PAGING_WRITE)
		bits |= PAGE_WRITE;
	if (flags & PAGING_UNCACHED)
		bits |= PAGE_UNCACHED;
	if (!(flags & PAGING_SUPERVISOR))
		bits |= PAGE_USER;
	if (!(flags & PAGING_EXECUTE))
		bits |= paging.no_execute;
	return bits;
}

static bool paging_set(uint64_t address, uint64_t bytes, uint64_t bits)
{
	uint64_t first = address & -PAGE_BYTES,
		 end = (address + bytes + PAGE_BYTES - 1) & -PAGE_BYTES;
	bool done;

	if (paging.sealed || bytes == 0 || bytes > paging_limit() ||
		address > paging_limit() - bytes)
		return false;
	done = pagetable_set(&paging.table, first, end, bits);
	gate_call(GATE_FLUSH, 0);
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
	return paging.table.root ? pagetable_bits(&paging.table, address) : address < BOOT_MAP_END;
}

/* Before the first use: there is nothing to flush. */
static bool add(uint64_t first, uint64_t end, unsigned flags)
{
	return pagetable_set(&paging.table, first, end, leaf_bits(flags));
}

static bool add_image(void)
{
	uint64_t text = (uintptr_t)text_start, rodata = (uintptr_t)rodata_start;
	uint64_t data = (uintptr_t)rodata_end, end = (uintptr_t)image_end;

	return add(data, end, PAGING_WRITE) && add(rodata, data, 0) &&
	       add(text, rodata, PAGING_EXECUTE);
}

bool paging_init(const struct memmap *ram, uint64_t tables, uint64_t bytes)
{
	paging.first = tables;
	paging.end = tables + bytes;
	paging.no_execute = cpu_control.has_nx ? PAGE_NO_EXECUTE : 0;
	pagetable_init(&paging.table, tables, bytes, cpu_control.has_1g_pages ? 2 : 1);
	for (unsigned i = 0; i < ram->ranges; i++)
		if (!add(ram->range[i].first, ram->range[i].end, PAGING_WRITE))
			return false;
	if (!add_image() || !add(tables, tables + bytes, PAGING_WRITE))
		return false;
	gate_call(GATE_ROOT, paging_root());
	return true;
}

bool paging_seal(void)
{
	bool done = add((uintptr_t)supervisor_start, (uintptr_t)supervisor_end,
		PAGING_WRITE | PAGING_SUPERVISOR);

	paging.sealed = true;
	return done;
}

/* Leaves of their own since paging_init: none is split, so no table is needed. */
void paging_protect(void)
{
	(void)add(paging.first, paging.end, 0);
}

uint32_t paging_root(void)
{
	return (uint32_t)(uintptr_t)paging.table.root;
}

const char *paging_sizes(void)
{
	return paging.table.level_max == 2 ? "1 GiB" : "2 MiB";
}
