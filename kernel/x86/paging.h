/*
 * The address space: physical memory, identically, with the largest pages.
 *
 * Pages carry the U bit, so that code at CPL 3 has them; the image's text and
 * constants are read-only, and so are the page tables, once the address space is
 * sealed. What belongs to CPL 0 alone loses its U bit then.
 * What nobody mapped (page 0, guards, unknown addresses) faults.
 */
#ifndef KERNEL_X86_PAGING_H
#define KERNEL_X86_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/x86/memmap.h"

#define PAGING_WRITE      (1u << 0)
#define PAGING_EXECUTE    (1u << 1)
#define PAGING_UNCACHED   (1u << 2)
#define PAGING_SUPERVISOR (1u << 3) /* for CPL 0 alone */

/* Bytes of page tables needed for this RAM and what will be mapped later; a multiple of 2 MiB. */
uint64_t paging_table_bytes(const struct memmap *ram);

/*
 * Builds the address space from `ram` and the image, with page tables in
 * [tables, tables + bytes), which lie below 4 GiB at a multiple of 2 MiB; then
 * uses it. false: the tables did not suffice. Boot core.
 */
bool paging_init(const struct memmap *ram, uint64_t tables, uint64_t bytes);

/*
 * (Re)maps [address, address + bytes), rounded outward to 4 KiB. false: it
 * wraps, lies beyond what can be mapped, page tables ran out, or the address space
 * is sealed. Boot core; other cores are not told, so once they are started nothing
 * is unmapped, and what is mapped is an address that none of them has used.
 */
bool paging_map(uint64_t address, uint64_t bytes, unsigned flags);
void paging_unmap(uint64_t address, uint64_t bytes);

/*
 * Nothing is mapped any more, and all is prepared for paging_protect. false: page
 * tables ran out. Boot core, at CPL 3.
 */
bool paging_seal(void);

/* Makes the page tables read-only, by the gate (GATE_SEAL): the last change to them, at CPL 0. */
void paging_protect(void);

/* Is the page of this address mapped? Any core; used before a doubtful read. */
bool paging_mapped(uint64_t address);

/* Highest address + 1 that can be mapped. */
uint64_t paging_limit(void);

/* The root, for cores that start; below 4 GiB. */
uint32_t paging_root(void);

/* The largest page in use: "1 GiB" or "2 MiB". */
const char *paging_sizes(void);

#endif
