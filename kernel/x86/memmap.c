/* Sets of address ranges, made from the loader's memory map. */
#include "kernel/x86/memmap.h"

#include <string.h>

#define PAGE_BYTES 4096u

/* Replaces ranges [from, to) by one, or by none if first >= end. There is room. */
static void memmap_replace(
	struct memmap *m, unsigned from, unsigned to, uint64_t first, uint64_t end)
{
	unsigned put = first < end;

	memmove(&m->range[from + put], &m->range[to], (m->ranges - to) * sizeof m->range[0]);
	m->ranges = m->ranges - (to - from) + put;
	if (put) {
		m->range[from].first = first;
		m->range[from].end = end;
	}
}

static unsigned memmap_smallest(const struct memmap *m)
{
	unsigned best = 0;

	for (unsigned i = 1; i < m->ranges; i++)
		if (m->range[i].end - m->range[i].first < m->range[best].end - m->range[best].first)
			best = i;
	return best;
}

void memmap_add(struct memmap *m, uint64_t first, uint64_t end)
{
	unsigned from = 0, to;

	if (first >= end)
		return;
	while (from < m->ranges && m->range[from].end < first)
		from++;
	/* Swallow all that overlap or adjoin. */
	for (to = from; to < m->ranges && m->range[to].first <= end; to++) {
		if (m->range[to].first < first)
			first = m->range[to].first;
		if (m->range[to].end > end)
			end = m->range[to].end;
	}
	if (from == to && m->ranges == MEMMAP_RANGES_MAX) {
		unsigned lost = memmap_smallest(m);

		if (m->range[lost].end - m->range[lost].first >= end - first)
			return;
		memmap_replace(m, lost, lost + 1, 0, 0);
		if (lost < from)
			from = --to;
	}
	memmap_replace(m, from, to, first, end);
}

void memmap_remove(struct memmap *m, uint64_t first, uint64_t end)
{
	unsigned i = 0;

	while (first < end && i < m->ranges) {
		uint64_t low = m->range[i].first, high = m->range[i].end;

		if (high <= first || low >= end) {
			i++;
		} else if (low < first && high > end) {
			/* A hole in the middle: two pieces. The upper one is added anew. */
			m->range[i].end = first;
			memmap_add(m, end, high);
			return;
		} else if (low < first) {
			m->range[i++].end = first;
		} else {
			memmap_replace(m, i, i + 1, end, high);
		}
	}
}

void memmap_init(struct memmap *m, const struct bootinfo *b, uint64_t limit)
{
	m->ranges = 0;
	for (unsigned i = 0; i < b->regions; i++) {
		uint64_t first = b->region[i].base, end = first + b->region[i].bytes;

		if (b->region[i].type != BOOT_RAM || end < first || first > limit)
			continue;
		if (end > limit)
			end = limit;
		memmap_add(m, (first + PAGE_BYTES - 1) & -(uint64_t)PAGE_BYTES,
			end & -(uint64_t)PAGE_BYTES);
	}
	for (unsigned i = 0; i < b->regions; i++) {
		uint64_t first = b->region[i].base, end = first + b->region[i].bytes;

		if (b->region[i].type == BOOT_RAM)
			continue;
		if (end < first || end > limit)
			end = limit;
		memmap_remove(m, first & -(uint64_t)PAGE_BYTES,
			(end + PAGE_BYTES - 1) & -(uint64_t)PAGE_BYTES);
	}
	memmap_remove(m, 0, PAGE_BYTES);
}

void memmap_remove_modules(struct memmap *m, const struct bootinfo *b)
{
	for (unsigned i = 0; i < b->modules; i++)
		memmap_remove(m, b->module[i].base, b->module[i].base + b->module[i].bytes);
}

/* From the smallest range with room, so that what is asked for last, the forwarding tables, finds
 * one whole. */
uint64_t memmap_take_within(
	struct memmap *m, uint64_t bytes, uint64_t align, uint64_t first, uint64_t end)
{
	uint64_t taken = 0, least = UINT64_MAX;

	for (unsigned i = 0; i < m->ranges; i++) {
		uint64_t low = m->range[i].first > first ? m->range[i].first : first;
		uint64_t high = m->range[i].end < end ? m->range[i].end : end;
		uint64_t at = (low + align - 1) & -align;

		/* at may have wrapped to 0, which is never given away. */
		if (at == 0 || at < low || at > high || bytes > high - at || high - low >= least)
			continue;
		least = high - low;
		taken = at;
	}
	if (taken)
		memmap_remove(m, taken, taken + bytes);
	return taken;
}

uint64_t memmap_take_tight(struct memmap *m, uint64_t bytes, uint64_t align)
{
	uint64_t least = UINT64_MAX, first = 0, end = 0;

	for (unsigned i = 0; i < m->ranges; i++) {
		uint64_t low = m->range[i].first, high = m->range[i].end;
		uint64_t at = (low + align - 1) & -align;

		if (at < low || at > high || bytes > high - at || high - low >= least)
			continue;
		least = high - low;
		first = low;
		end = high;
	}
	return memmap_take_within(m, bytes, align, first, end);
}

uint64_t memmap_take(struct memmap *m, uint64_t bytes, uint64_t align, uint64_t limit)
{
	return memmap_take_within(m, bytes, align, 0, limit);
}

bool memmap_contains(const struct memmap *m, uint64_t first, uint64_t bytes)
{
	if (bytes == 0 || first + bytes < first)
		return false;
	for (unsigned i = 0; i < m->ranges; i++)
		if (m->range[i].first <= first && first + bytes <= m->range[i].end)
			return true;
	return false;
}

bool memmap_overlaps(const struct memmap *m, uint64_t first, uint64_t bytes)
{
	if (bytes == 0 || first + bytes < first)
		return false;
	for (unsigned i = 0; i < m->ranges; i++)
		if (m->range[i].first < first + bytes && first < m->range[i].end)
			return true;
	return false;
}

uint64_t memmap_bytes_within(const struct memmap *m, uint64_t first, uint64_t end)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->ranges; i++) {
		uint64_t low = m->range[i].first > first ? m->range[i].first : first;
		uint64_t high = m->range[i].end < end ? m->range[i].end : end;

		if (low < high)
			sum += high - low;
	}
	return sum;
}

uint64_t memmap_bytes(const struct memmap *m)
{
	return memmap_bytes_within(m, 0, UINT64_MAX);
}
