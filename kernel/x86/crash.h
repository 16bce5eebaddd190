/*
 * Where a crash's report outlives a reset: memory at a fixed address, which no
 * firmware that is known to us clears or uses.
 */
#ifndef KERNEL_X86_CRASH_H
#define KERNEL_X86_CRASH_H

#include <stddef.h>

#include "kernel/x86/memmap.h"

/* Takes the place out of the free memory; where it is not free there is none. Boot core, once. */
void crash_take_place(struct memmap *free);

/* Says in the log whether a report lies there from before. Boot core, once. */
void crash_note(void);

/* The report under way, from its first line on; kept in memory at once. Nothing without a place. */
void crash_begin(void);
void crash_keep(const char *s, size_t n);

#endif
