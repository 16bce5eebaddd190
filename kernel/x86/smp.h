/* The other cores. */
#ifndef KERNEL_X86_SMP_H
#define KERNEL_X86_SMP_H

#include "kernel/x86/acpi.h"

/*
 * Starts the cores of the MADT, one at a time, and leaves each asleep until
 * platform_start. A core that does not answer is noted and gone on without.
 * Boot core, after memory_init, lapic and clock. lapic: can messages be sent?
 */
void smp_init(const struct acpi *a, bool lapic);

#endif
