/* Boot memory of the machine: which RAM there is, the arena, the C library's heap. */
#ifndef KERNEL_X86_MEMORY_H
#define KERNEL_X86_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/bootinfo.h"
#include "kernel/x86/memmap.h"
#include "kernel/x86/srat.h"

/*
 * Divides RAM into arena, heap and page tables, and builds the address space.
 * Panics with one line when there is not enough. Boot core; `b` must stay.
 */
void memory_init(const struct bootinfo *b);

/*
 * Memory from the arena as it is, not zeroed: at `align` (a power of two, at
 * least 64), below `limit`. NULL when exhausted or sealed.
 */
void *memory_take(size_t bytes, size_t align, uint64_t limit);

/* From now on memory has nodes; *s must stay. */
void memory_set_nodes(const struct srat *s);

/* memory_take without a limit, from the node's memory if there is room (platform_alloc_near). */
void *memory_take_near(size_t bytes, size_t align, uint32_t node);

/* All usable RAM; constant. */
const struct memmap *memory_ram(void);

/* Is all of it RAM? Is any of it RAM? */
bool memory_is_ram(uint64_t address, uint64_t bytes);
bool memory_touches_ram(uint64_t address, uint64_t bytes);

/* A page of RAM in low memory that nobody else has, no boot module either; 0: none. For real-mode
 * code. Boot core. */
uint32_t memory_take_low_page(void);

#endif
