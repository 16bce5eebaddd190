/*
 * PCI: finds functions, sizes and assigns their BARs, walks their capabilities.
 *
 * Config space is reached through ECAM (PCIe 5.0 7.2.2) where the platform has
 * found one, else through ports CF8/CFC (PCI 3.0 3.2.2.3.2). Nothing that
 * config space says is trusted: every walk is bounded, every range checked.
 * All of this runs on the control core at boot; nothing blocks or allocates.
 */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/io.h"

#define PCI_FUNCTIONS_MAX 512u
#define PCI_BARS          6u
#define PCI_LOCATION_MAX  13u /* "0000:00:03.0" and its zero */

/* What the platform knows about one PCI segment. */
struct pci_host {
	volatile void *ecam; /* mapped, 1 MiB a bus, starting at bus_first; NULL: ports */
	uint16_t segment;
	uint8_t bus_first, bus_last;
	uint64_t window, window_bytes; /* free device addresses for BARs left unassigned; 0: none */
};

struct pci_bar {
	uint64_t address; /* bus address = physical address; 0: unassigned */
	uint64_t bytes;   /* a power of two; 0: there is no such BAR */
	bool io;          /* in port space; never assigned here */
	bool wide;        /* 64-bit: occupies the next register as well */
};

struct pci_function {
	uint8_t bus, device, function;
	uint8_t header; /* header type without the multi-function bit: 0 device, 1 bridge */
	uint16_t vendor_id, device_id;
	uint32_t class_code; /* class 23-16 | subclass 15-8 | interface 7-0 */
	int16_t bridge;      /* index of the bridge above, -1 on the root bus */
	struct pci_bar bar[PCI_BARS];
	char location[PCI_LOCATION_MAX];
	const char *refusal; /* why its driver would not have it, a constant; NULL: nobody said */
};

struct pci {
	struct pci_host host;
	const struct io_env *env;
	unsigned functions;
	struct pci_function function[PCI_FUNCTIONS_MAX]; /* in order of bus, device, function */
};

/*
 * Finds every function on bus_first and behind its bridges, sizes BARs and
 * assigns those that are 0: from the bridge's own window behind a bridge (which
 * is opened if it was closed), from host->window on the root bus. Returns how many functions there
 * are. env and what host->ecam maps must live as long as *pci.
 */
unsigned pci_scan(struct pci *pci, const struct pci_host *host, const struct io_env *env);

/*
 * Config registers, little-endian as the processor. `at` is aligned to the
 * access; beyond the space (256 bytes through ports, else 4096) reads give all
 * ones and writes do nothing.
 */
uint8_t pci_read8(const struct pci *pci, const struct pci_function *f, unsigned at);
uint16_t pci_read16(const struct pci *pci, const struct pci_function *f, unsigned at);
uint32_t pci_read32(const struct pci *pci, const struct pci_function *f, unsigned at);
void pci_write8(const struct pci *pci, const struct pci_function *f, unsigned at, uint8_t v);
void pci_write16(const struct pci *pci, const struct pci_function *f, unsigned at, uint16_t v);
void pci_write32(const struct pci *pci, const struct pci_function *f, unsigned at, uint32_t v);

/* Lets the function, and the bridges above it, answer in memory space and do DMA; no INTx. */
void pci_enable(const struct pci *pci, const struct pci_function *f);

/* Takes bus mastering away: no DMA afterwards. */
void pci_disable(const struct pci *pci, const struct pci_function *f);

/*
 * Steps through the capability list: start with a zeroed walk, go on while it
 * returns true. `at` lies in 0x40..0xfc, but what follows may be cut off by the
 * end of the 256 bytes. Ends on a bad pointer and after as many steps as fit.
 */
struct pci_walk {
	uint8_t at;    /* offset of this capability */
	uint8_t id;    /* its id */
	uint8_t steps; /* taken so far */
};
bool pci_walk_capabilities(
	const struct pci *pci, const struct pci_function *f, struct pci_walk *walk);

#endif
