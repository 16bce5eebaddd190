/* The memory types that follow from the variable range registers. */
#include "kernel/x86/mtrr.h"

/* 12.11.2, table 12-8. */
#define DEF_TYPE_ENABLE (1u << 11)
#define DEF_TYPE_TYPE   0xffu
#define BASE_TYPE       0xffu
#define MASK_VALID      (1u << 11)
#define TYPE_UNCACHED   0u
#define TYPE_THROUGH    4u
#define TYPE_BACK       6u
#define TYPE_NONE       0x100u /* no range holds the address */

/* AMD: from 4 GiB to TOP_MEM2 the default is write-back. */
#define SYSCFG_TOM2       (1u << 21)
#define SYSCFG_WRITE_BACK (1u << 22)
#define FOUR_GIB          (1ull << 32)

#define ONE_MIB    (1ull << 20)
#define PAGE_BYTES 4096ull

/*
 * The i'th range's [*first, *first + *bytes). false: it is not in use, or its mask has holes, which
 * the SDM (12.11.3.1) allows, but no firmware is known to use: it is taken to hold nothing.
 */
static bool range_get(
	const struct mtrr *m, unsigned i, uint64_t all, uint64_t *first, uint64_t *bytes)
{
	uint64_t base = m->range[2 * i], mask = m->range[2 * i + 1],
		 bits = mask & all & -PAGE_BYTES;

	*bytes = (all & ~bits) + 1;
	*first = base & bits;
	return (mask & MASK_VALID) && (*bytes & (*bytes - 1)) == 0;
}

/* 12.11.4.1: uncached before all, write-through before write-back; what else meets is not defined.
 */
static unsigned both(unsigned a, unsigned b)
{
	if (a == TYPE_NONE || a == b)
		return b;
	if ((a == TYPE_THROUGH && b == TYPE_BACK) || (a == TYPE_BACK && b == TYPE_THROUGH))
		return TYPE_THROUGH;
	return TYPE_UNCACHED;
}

/* Of an address where no range is. */
static unsigned type_by_default(const struct mtrr *m, uint64_t at)
{
	if (at >= FOUR_GIB && at < m->top_mem2 && (m->syscfg & SYSCFG_TOM2) &&
		(m->syscfg & SYSCFG_WRITE_BACK))
		return TYPE_BACK;
	return m->def_type & DEF_TYPE_TYPE;
}

/* The type at an address, and *end: up to where it is the same at least. */
static unsigned type_at(const struct mtrr *m, uint64_t all, uint64_t at, uint64_t *end)
{
	unsigned type = TYPE_NONE;
	uint64_t limits[] = {FOUR_GIB, m->top_mem2};

	for (unsigned i = 0; i < 2; i++)
		if (limits[i] > at && limits[i] < *end)
			*end = limits[i];
	for (unsigned i = 0; i < mtrr_ranges(m->cap); i++) {
		uint64_t first, bytes;

		if (!range_get(m, i, all, &first, &bytes))
			continue;
		if (first > at) {
			*end = first < *end ? first : *end;
		} else if (at - first < bytes) {
			type = both(type, m->range[2 * i] & BASE_TYPE);
			*end = first + bytes < *end ? first + bytes : *end;
		}
	}
	return type == TYPE_NONE ? type_by_default(m, at) : type;
}

bool mtrr_on(const struct mtrr *m)
{
	return m->def_type & DEF_TYPE_ENABLE;
}

uint64_t mtrr_slow_bytes(
	const struct mtrr *m, unsigned physical_bits, const struct memmap *ram, uint64_t *first)
{
	uint64_t all = (1ull << physical_bits) - 1, slow = 0;

	for (unsigned i = 0; i < ram->ranges; i++) {
		uint64_t at = ram->range[i].first > ONE_MIB ? ram->range[i].first : ONE_MIB, end;

		for (; at < ram->range[i].end; at = end) {
			end = ram->range[i].end;
			if (type_at(m, all, at, &end) == TYPE_BACK && mtrr_on(m))
				continue;
			if (!slow)
				*first = at;
			slow += end - at;
		}
	}
	return slow;
}
