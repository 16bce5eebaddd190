/*
 * A set of address ranges: which memory there is, and which of it is free.
 *
 * Pure: it never touches the memory it speaks of. Ranges are sorted, disjoint
 * and not adjacent. A set that would need more than MEMMAP_RANGES_MAX ranges
 * loses the smallest piece, so memory may be lost but never invented.
 */
#ifndef KERNEL_X86_MEMMAP_H
#define KERNEL_X86_MEMMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/bootinfo.h"

#define MEMMAP_RANGES_MAX 160u

struct memmap {
	unsigned ranges;
	struct {
		uint64_t first, end; /* [first, end) */
	} range[MEMMAP_RANGES_MAX];
};

/*
 * The RAM that the loader reports below `limit`, in whole 4 KiB pages, without
 * what any other region claims as well, and without page 0: that is never
 * mapped, so that following NULL is a fault.
 */
void memmap_init(struct memmap *m, const struct bootinfo *b, uint64_t limit);

/* Removes what the loader's modules occupy. */
void memmap_remove_modules(struct memmap *m, const struct bootinfo *b);

/* Adds, removes [first, end); nothing if first >= end. Any alignment. */
void memmap_add(struct memmap *m, uint64_t first, uint64_t end);
void memmap_remove(struct memmap *m, uint64_t first, uint64_t end);

/* Removes and returns the lowest `bytes` at a multiple of align (a power of two), below limit, of
 * the smallest range that has them; 0: none. */
uint64_t memmap_take(struct memmap *m, uint64_t bytes, uint64_t align, uint64_t limit);

/* The same, all of it in [first, end). */
uint64_t memmap_take_within(
	struct memmap *m, uint64_t bytes, uint64_t align, uint64_t first, uint64_t end);

/* The same without a limit, of the smallest range that has room: large ones stay whole. */
uint64_t memmap_take_tight(struct memmap *m, uint64_t bytes, uint64_t align);

/* Does one range hold all of [first, first + bytes)? Does any touch it? False for what wraps or is
 * empty. */
bool memmap_contains(const struct memmap *m, uint64_t first, uint64_t bytes);
bool memmap_overlaps(const struct memmap *m, uint64_t first, uint64_t bytes);

/* Sum of all ranges; of what lies in [first, end). */
uint64_t memmap_bytes(const struct memmap *m);
uint64_t memmap_bytes_within(const struct memmap *m, uint64_t first, uint64_t end);

#endif
