/* Reset and soft off. */
#ifndef KERNEL_X86_POWER_H
#define KERNEL_X86_POWER_H

#include "kernel/x86/acpi.h"

/* From now on the registers that ACPI names are known. */
void power_init(const struct acpi *a);

#endif
