/*
 * Four-level page tables of an identity map (SDM volume 3, 4.5).
 *
 * Pure: it knows the tables alone, not the processor, so units test it. The tables
 * lie at their own addresses in memory that the caller gives.
 */
#ifndef KERNEL_X86_PAGETABLE_H
#define KERNEL_X86_PAGETABLE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_BYTES 4096ull

/* SDM volume 3, tables 4-15 to 4-20. */
#define PAGE_PRESENT    (1ull << 0)
#define PAGE_WRITE      (1ull << 1)
#define PAGE_USER       (1ull << 2) /* for CPL 3, too */
#define PAGE_UNCACHED   (3ull << 3) /* PCD and PWT: entry 3 of the reset PAT */
#define PAGE_NO_EXECUTE (1ull << 63)

struct pagetable {
	uint64_t *root;
	uint64_t next, end; /* page tables not used yet */
	unsigned level_max; /* largest leaf: 1 is 2 MiB, 2 is 1 GiB */
};

/* An empty address space with its tables in [tables, tables + bytes), at least one page. */
void pagetable_init(struct pagetable *t, uint64_t tables, uint64_t bytes, unsigned level_max);

/*
 * Sets all leaves of [first, end), multiples of 4 KiB below 2^47: PAGE_* bits and
 * their own address, or nothing if bits is 0. Large pages where they fit, and split
 * where they are in the way. false: the tables ran out; part of it may be done.
 */
bool pagetable_set(struct pagetable *t, uint64_t first, uint64_t end, uint64_t bits);

/* The PAGE_* bits that hold for this address on the whole way down; 0: it is not mapped. */
uint64_t pagetable_bits(const struct pagetable *t, uint64_t address);

#endif
