/*
 * The two halves of pci_scan that deal with base address registers (BARs).
 * Internal to drivers/pci.c.
 */
#ifndef DRIVERS_PCI_BAR_H
#define DRIVERS_PCI_BAR_H

#include "drivers/pci.h"

/* Fills f->bar[] with what the registers say; decoding is off meanwhile. */
void pci_bars_size(const struct pci *pci, struct pci_function *f);

/*
 * Gives every memory BAR that is 0 an address, opening closed bridges on the
 * way; those that fit nowhere stay 0, with a line of log.
 */
void pci_bars_assign(struct pci *pci);

#endif
