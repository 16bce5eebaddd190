/* The clock: the time stamp counter, measured once against a timer of known rate. */
#ifndef KERNEL_X86_TSC_H
#define KERNEL_X86_TSC_H

#include <stdint.h>

/*
 * Measures the TSC's rate; time starts at entry_tsc. Takes about 10 ms. Boot
 * core. pm_timer: port of the ACPI timer or 0, pm_timer_mask its width.
 */
void tsc_init(uint64_t entry_tsc, uint16_t pm_timer, uint32_t pm_timer_mask);

/* What it was measured against: "ACPI timer", "PIT", "PIT, channel 0", "CPUID", "a guess". */
const char *tsc_source(void);

/* Spins for so long; after tsc_init. */
void tsc_wait_us(uint64_t us);

#endif
