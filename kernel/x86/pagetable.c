/* Four-level page tables of an identity map: set, split, look up. */
#include "kernel/x86/pagetable.h"

#include <stddef.h>

#define ENTRIES       512u
#define LEVEL_ROOT    3u
#define PAGE_LARGE    (1ull << 7)
#define PAGE_ADDRESS  0x000ffffffffff000ull
#define PAGE_TABLE    (PAGE_PRESENT | PAGE_WRITE | PAGE_USER) /* the leaves decide */
#define ADDRESS_LIMIT (1ull << 47) /* a four-level identity map reaches no further */

/* Bytes that one entry of a table of this level covers. */
static uint64_t entry_bytes(unsigned level)
{
	return PAGE_BYTES << (9 * level);
}

static uint64_t *table_of(uint64_t entry)
{
	return (uint64_t *)(uintptr_t)(entry & PAGE_ADDRESS);
}

/* The tables come from memory that nothing else has: each is filled here. NULL when there is none
 * left. */
static uint64_t *table_new(struct pagetable *t, uint64_t entry, uint64_t step)
{
	uint64_t *table = (uint64_t *)(uintptr_t)t->next;

	if (t->next == t->end)
		return NULL;
	t->next += PAGE_BYTES;
	for (unsigned i = 0; i < ENTRIES; i++, entry += step)
		table[i] = entry;
	return table;
}

/* The table below entry e of this level; made if there is none, split from a large page if there is
 * one. */
static uint64_t *table_below(struct pagetable *t, uint64_t *e, unsigned level)
{
	uint64_t *table;

	if ((*e & PAGE_PRESENT) && !(*e & PAGE_LARGE))
		return table_of(*e);
	if (!(*e & PAGE_PRESENT))
		table = table_new(t, 0, 0);
	else if (level == 1)
		table = table_new(t, *e & ~PAGE_LARGE, entry_bytes(0));
	else
		table = table_new(t, *e, entry_bytes(level - 1));
	if (table)
		*e = (uintptr_t)table | PAGE_TABLE;
	return table;
}

/* The same as pagetable_set, within one table of this level. */
static bool table_set(struct pagetable *t, uint64_t *table, unsigned level, uint64_t first,
	uint64_t end, uint64_t bits)
{
	uint64_t size = entry_bytes(level), next;

	for (; first < end; first = next) {
		uint64_t *e = &table[first / size % ENTRIES], *below;
		bool is_table = level > 0 && (*e & PAGE_PRESENT) && !(*e & PAGE_LARGE);

		next = (first & -size) + size;
		if (next > end)
			next = end;
		if (level == 0 || (level <= t->level_max && next - first == size && !is_table)) {
			*e = bits ? first | bits | (level ? PAGE_LARGE : 0) : 0;
			continue;
		}
		below = table_below(t, e, level);
		if (!below || !table_set(t, below, level - 1, first, next, bits))
			return false;
	}
	return true;
}

void pagetable_init(struct pagetable *t, uint64_t tables, uint64_t bytes, unsigned level_max)
{
	t->next = tables;
	t->end = tables + bytes;
	t->level_max = level_max;
	t->root = table_new(t, 0, 0);
}

bool pagetable_set(struct pagetable *t, uint64_t first, uint64_t end, uint64_t bits)
{
	return table_set(t, t->root, LEVEL_ROOT, first, end, bits);
}

uint64_t pagetable_bits(const struct pagetable *t, uint64_t address)
{
	const uint64_t *table = t->root;
	uint64_t all = PAGE_WRITE | PAGE_USER, any = 0;

	if (address >= ADDRESS_LIMIT)
		return 0;
	for (unsigned level = LEVEL_ROOT;; level--) {
		uint64_t e = table[address / entry_bytes(level) % ENTRIES];

		if (!(e & PAGE_PRESENT))
			return 0;
		all &= e;
		any |= e & PAGE_NO_EXECUTE;
		if (level == 0 || (e & PAGE_LARGE))
			return PAGE_PRESENT | all | any | (e & PAGE_UNCACHED);
		table = table_of(e);
	}
}
