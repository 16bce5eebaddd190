/* What firmware and processor say of the machine, noted for `show hardware`. */
#ifndef KERNEL_X86_INVENTORY_H
#define KERNEL_X86_INVENTORY_H

#include "boot/bootinfo.h"
#include "kernel/x86/acpi.h"

/* Boot core, once cores and clock are known. */
void inventory_note(const struct bootinfo *b, const struct acpi *a);

#endif
