/* The caching of memory, as firmware has set it on each core. */
#ifndef KERNEL_X86_MEMTYPES_H
#define KERNEL_X86_MEMTYPES_H

#include "kernel/x86/mtrr.h"

struct memtypes {
	struct mtrr boot;   /* the boot core's */
	unsigned set;       /* cores that had others, and now have these */
	unsigned different; /* cores that have others all the same */
};

/*
 * Notes the boot core's MTRRs, or gives them to another calling core; gives its PAT the value of
 * power on. At CPL 0, by cpu_init: on a core that starts, nothing but page tables and stack is in
 * use.
 */
void memtypes_take(unsigned core);

/* Until the seal. */
const struct memtypes *memtypes_get(void);

#endif
