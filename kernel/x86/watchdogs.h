/* The machine's watchdog: the first one that can be used. */
#ifndef KERNEL_X86_WATCHDOGS_H
#define KERNEL_X86_WATCHDOGS_H

#include <stdbool.h>

#include "drivers/pci.h"

/* Is the function a watchdog, or has one in it? Then it is tried; *why: NULL if it is used, or a
 * constant. Boot core, before the seal; pci lives on. */
bool watchdogs_try(const struct pci *pci, const struct pci_function *f, const struct io_env *env,
	const char **why);

/* Before the machine is switched off for good. */
void watchdogs_stop(void);

#endif
