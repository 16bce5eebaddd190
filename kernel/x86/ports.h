/* What ports.c needs to know of the machine before platform_probe_ports. */
#ifndef KERNEL_X86_PORTS_H
#define KERNEL_X86_PORTS_H

#include "boot/bootinfo.h"
#include "kernel/x86/acpi.h"

void ports_init(const struct bootinfo *b, const struct acpi *a);

#endif
