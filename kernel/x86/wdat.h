/*
 * The Watchdog Action Table (Microsoft, Hardware Watchdog Timers Design Specification): reads and
 * writes that a driver is to do for firmware. A table that would have it touch what is not the
 * watchdog's is not used.
 *
 * Pure, and as trusting as acpi.h.
 */
#ifndef KERNEL_X86_WDAT_H
#define KERNEL_X86_WDAT_H

#include <stddef.h>
#include <stdint.h>

#include "drivers/acpi_wdat.h"

struct acpi;
struct pci;
struct portset;

/* Reads a table of `bytes` bytes, its header included, whose sum was found right. NULL, or why it
 * cannot be used: a constant, and *w is then empty. */
const char *wdat_parse(const uint8_t *table, size_t bytes, struct wdat *w);

/*
 * Why its steps may not be done: a constant; NULL: they may. Not among the mainboard's own
 * ports, those that are open, what the tables give to the kernel, and the BARs of other functions
 * than its own. RAM is not looked at: nobody can map that as a device.
 */
const char *wdat_trespass(const struct wdat *w, const struct acpi *a, const struct pci *pci,
	const struct portset *open);

#endif
