/* Divides the machine's RAM: boot arena, C library heap, page tables. */
#include "kernel/x86/memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "boot/boot.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/crash.h"
#include "kernel/x86/image.h"
#include "kernel/x86/memmap.h"
#include "kernel/x86/paging.h"

#define KIB 1024ull
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)

#define LOW_BYTES  (1 * MIB) /* belongs to real mode and firmware; never in the arena */
#define LOW_FIRST  0x8000u   /* of it, what firmware and loaders leave alone */
#define LOW_END    0xa0000u
#define RAM_MIN    (48 * MIB)
#define RAM_MAX_2M (1024 * GIB) /* used without 1 GiB pages, so that the tables stay small */
#define HEAP_SHARE 8u           /* one part in so many of RAM, within */
#define HEAP_MIN   (8 * MIB)
#define HEAP_MAX   (512 * MIB)
#define ALIGN_MIN  64u /* a cache line: allocations share none */

static struct {
	struct memmap ram;   /* all usable RAM; constant after memory_init */
	struct memmap arena; /* what is free of it above LOW_BYTES */
	struct memmap low;   /* what is free of it in [LOW_FIRST, LOW_END) */
	uint64_t ram_bytes, arena_bytes;
	uint8_t *heap, *heap_end, *heap_brk;
	bool sealed;
	const struct srat *srat; /* NULL: not known yet */
	struct {
		uint32_t node;
		uint64_t bytes;
	} strayed[SRAT_NODES_MAX]; /* what was to be near a node and found no room there */
	unsigned strays;
} memory;

static void memory_init_heap(void)
{
	uint64_t bytes = memory.ram_bytes / HEAP_SHARE & -(2 * MIB);

	if (bytes < HEAP_MIN)
		bytes = HEAP_MIN;
	if (bytes > HEAP_MAX)
		bytes = HEAP_MAX;
	memory.heap = memory_take(bytes, 2 * MIB, UINT64_MAX);
	if (!memory.heap)
		platform_panic("no %llu MiB of contiguous memory for the heap",
			(unsigned long long)(bytes / MIB));
	memory.heap_brk = memory.heap;
	memory.heap_end = memory.heap + bytes;
}

void memory_init(const struct bootinfo *b)
{
	uint64_t limit = paging_limit(), bytes;
	void *tables;

	if (!cpu_control.has_1g_pages && limit > RAM_MAX_2M)
		limit = RAM_MAX_2M;
	memmap_init(&memory.ram, b, limit);
	memory.ram_bytes = memmap_bytes(&memory.ram);
	if (memory.ram_bytes < RAM_MIN)
		platform_panic("%s reports %llu MiB of memory; %llu are needed", b->loader,
			(unsigned long long)(memory.ram_bytes / MIB),
			(unsigned long long)(RAM_MIN / MIB));

	memory.arena = memory.ram;
	memmap_remove(&memory.arena, (uintptr_t)image_start, (uintptr_t)image_end);
	memmap_remove_modules(&memory.arena, b);
	memory.low = memory.arena;
	memmap_remove(&memory.arena, 0, LOW_BYTES);
	crash_take_place(&memory.arena);
	memmap_remove(&memory.low, 0, LOW_FIRST);
	memmap_remove(&memory.low, LOW_END, UINT64_MAX);

	bytes = paging_table_bytes(&memory.ram);
	tables = memory_take(bytes, 2 * MIB, BOOT_MAP_END);
	if (!tables || !paging_init(&memory.ram, (uintptr_t)tables, bytes))
		platform_panic("no memory for page tables");
	memory_init_heap();
	memory.arena_bytes = memmap_bytes(&memory.arena);
}

static void *memory_take_within(size_t bytes, size_t align, uint64_t first, uint64_t end)
{
	size_t whole = (bytes + ALIGN_MIN - 1) & -(size_t)ALIGN_MIN;

	if (memory.sealed || bytes == 0 || whole < bytes)
		return NULL;
	return (void *)(uintptr_t)memmap_take_within(
		&memory.arena, whole, align < ALIGN_MIN ? ALIGN_MIN : align, first, end);
}

void *memory_take(size_t bytes, size_t align, uint64_t limit)
{
	return memory_take_within(bytes, align, 0, limit);
}

/* ---- nodes ---- */

void memory_set_nodes(const struct srat *s)
{
	memory.srat = s;
}

unsigned platform_nodes(void)
{
	return memory.srat && memory.srat->nodes > 1 ? memory.srat->nodes : 1;
}

void platform_node(unsigned i, struct platform_node *n)
{
	const struct srat *s = memory.srat;

	*n = (struct platform_node){.node = i < s->nodes ? s->node[i] : NODE_UNKNOWN};
	for (unsigned r = 0; r < s->ranges; r++) {
		uint64_t first = s->range[r].first, end = s->range[r].end;

		if (s->range[r].node != n->node)
			continue;
		n->ram_bytes += memmap_bytes_within(&memory.ram, first, end);
		n->free_bytes += memmap_bytes_within(&memory.arena, first, end);
	}
}

static void memory_note_stray(uint32_t node, size_t bytes)
{
	unsigned i = 0;

	while (i < memory.strays && memory.strayed[i].node != node)
		i++;
	if (i == SRAT_NODES_MAX)
		return;
	if (i == memory.strays)
		memory.strayed[memory.strays++].node = node;
	memory.strayed[i].bytes += bytes;
}

/* Of one node, so that what is asked for last, the forwarding tables, still finds a range that is
 * large enough; of several, from the first on, so that the others' is there for their cores. */
static void *memory_take_anywhere(size_t bytes, size_t align)
{
	const struct srat *s = memory.srat;
	size_t whole = (bytes + ALIGN_MIN - 1) & -(size_t)ALIGN_MIN;
	void *p;

	for (unsigned i = 0; platform_nodes() > 1 && i < s->ranges; i++)
		if ((p = memory_take_within(bytes, align, s->range[i].first, s->range[i].end)))
			return p;
	if (platform_nodes() > 1 || memory.sealed || bytes == 0 || whole < bytes)
		return memory_take(bytes, align, UINT64_MAX);
	return (void *)(uintptr_t)memmap_take_tight(
		&memory.arena, whole, align < ALIGN_MIN ? ALIGN_MIN : align);
}

void *memory_take_near(size_t bytes, size_t align, uint32_t node)
{
	const struct srat *s = memory.srat;
	void *p;

	if (platform_nodes() == 1 || node == NODE_UNKNOWN)
		return memory_take_anywhere(bytes, align);
	for (unsigned i = 0; i < s->ranges; i++)
		if (s->range[i].node == node &&
			(p = memory_take_within(bytes, align, s->range[i].first, s->range[i].end)))
			return p;
	p = memory_take(bytes, align, UINT64_MAX);
	if (p)
		memory_note_stray(node, bytes);
	return p;
}

/* ---- the platform's ---- */

void *platform_alloc_near(size_t bytes, size_t align, uint32_t node)
{
	void *p = memory_take_near(bytes, align, node);

	return p ? memset(p, 0, bytes) : NULL;
}

void *platform_alloc(size_t bytes, size_t align)
{
	return platform_alloc_near(bytes, align, NODE_UNKNOWN);
}

void *platform_reserve(size_t bytes, size_t align)
{
	return memory_take_anywhere(bytes, align);
}

void *platform_reserve_near(size_t bytes, size_t align, uint32_t node)
{
	return memory_take_near(bytes, align, node);
}

void platform_seal(void)
{
	memory.sealed = true;
	if (!cpu_seal())
		log_text("error: page tables ran out: CPL 0 is not closed off");
	for (unsigned i = 0; i < memory.strays; i++)
		log_text("memory: no room on node %lu for %llu KiB that its cores use",
			(unsigned long)memory.strayed[i].node,
			(unsigned long long)((memory.strayed[i].bytes + KIB - 1) / KIB));
}

void platform_memory(struct platform_memory *m)
{
	*m = (struct platform_memory){
		.ram_bytes = memory.ram_bytes,
		.arena_bytes = memory.arena_bytes,
		.arena_used = memory.arena_bytes - memmap_bytes(&memory.arena),
		.heap_bytes = (uint64_t)(memory.heap_end - memory.heap),
		.heap_used = (uint64_t)(memory.heap_brk - memory.heap),
		.pages = paging_sizes(),
	};
}

const struct memmap *memory_ram(void)
{
	return &memory.ram;
}

bool memory_is_ram(uint64_t address, uint64_t bytes)
{
	return memmap_contains(&memory.ram, address, bytes);
}

bool memory_touches_ram(uint64_t address, uint64_t bytes)
{
	return memmap_overlaps(&memory.ram, address, bytes);
}

uint32_t memory_take_low_page(void)
{
	return (uint32_t)memmap_take(&memory.low, 4096, 4096, LOW_END);
}

/* The C library's heap; the control core alone uses it. */
void *sbrk(ptrdiff_t bytes)
{
	uint8_t *was = memory.heap_brk;

	if (bytes > memory.heap_end - was || bytes < memory.heap - was) {
		errno = ENOMEM;
		return (void *)-1;
	}
	memory.heap_brk = was + bytes;
	return was;
}
