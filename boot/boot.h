/* The hand-over from boot/ to the kernel. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "boot/bootinfo.h"

/* Zeroed variables that are in use before all of .bss has been cleared: what boot_processor writes.
 */
#define BSS_EARLY __attribute__((section(".bss.early")))

#define BOOT_MAP_END (1ull << 32) /* entry.S maps everything below, identically and writable */

/*
 * Provided by the kernel of the machine (kernel/x86/start.c). Entered on the
 * boot core in long mode at CPL 3 with all ports, on a stack of 16 KiB, interrupts off, SSE on,
 * memory identity-mapped up to BOOT_MAP_END. `b` is static and stays.
 */
void boot_start_kernel(const struct bootinfo *b) __attribute__((noreturn));

/*
 * Provided by the kernel of the machine (kernel/x86/cpu.c): makes the boot core's
 * processor state complete. Called at CPL 0, returns at CPL 3 with all ports.
 */
void boot_processor(void);

/* Called by entry.S: first C at CPL 3, with EAX and EBX of the loader and the TSC at the first
 * instruction.
 */
void boot_main(uint32_t eax, uint32_t ebx, uint64_t tsc) __attribute__((noreturn));

#endif
