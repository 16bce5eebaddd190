/* The machine's watchdog: the first one that can be used. */
#ifndef KERNEL_X86_WATCHDOGS_H
#define KERNEL_X86_WATCHDOGS_H

#include <stdbool.h>

#include "drivers/pci.h"
#include "kernel/x86/acpi.h"

/* The watchdog of firmware's own description, which comes before all others. What is not used is
 * said at boot. Boot core, before the seal, after those parts that name their ports, and the scan.
 */
void watchdogs_try_table(const struct acpi *a, const struct pci *pci, const struct io_env *env);

/* Is the function a watchdog, or has one in it? Then it is tried; *why: NULL if it is used, or a
 * constant. Boot core, before the seal; pci lives on. */
bool watchdogs_try(const struct pci *pci, const struct pci_function *f, const struct io_env *env,
	const char **why);

/* Before the machine is switched off for good. */
void watchdogs_stop(void);

#endif
