/*
 * Hardware watchdogs: once started, they reset the machine unless they are fed.
 *
 * Control core only. Probing is part of boot: it names no more than it may use
 * afterwards, so starting, feeding and stopping need nothing new.
 */
#ifndef DRIVERS_WATCHDOG_H
#define DRIVERS_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/io.h"
#include "drivers/pci.h"

#define WATCHDOG_SECONDS_MIN 5u
#define WATCHDOG_SECONDS_MAX 600u

struct watchdog;
struct wdat;

struct watchdog_ops {
	/* It resets the machine when it has not been fed for so long. false: it does not take it.
	 */
	bool (*start)(struct watchdog *w, unsigned seconds);
	void (*feed)(struct watchdog *w);
	void (*stop)(struct watchdog *w);
	/* The ports that it uses after boot, besides configuration space: the i'th range, *first
	 * and how many; 0: there is no such. NULL: none. */
	unsigned (*ports)(const struct watchdog *w, unsigned i, uint16_t *first);
};

struct watchdog {
	const struct watchdog_ops *ops;
	const char *name;         /* "i6300esb", "TCO", "WDAT" */
	const struct pci *pci;    /* must live on */
	struct pci_function at;   /* a copy */
	volatile void *registers; /* in memory, or */
	uint16_t ports;           /* by ports: the first of TCO's, or */
	const struct wdat *wdat;  /* by a table's steps; must live on, and */
	uint32_t count;           /* what it was last started with, in the table's periods */
	bool fired;               /* the reset before this boot was its doing */
};

/* Intel 6300ESB and its like in QEMU. NULL, or why it is not used: a constant. */
bool i6300esb_match(const struct pci_function *f);
const char *i6300esb_probe(struct watchdog *w, const struct pci *pci, const struct pci_function *f,
	const struct io_env *env);

/* The total-cost-of-ownership timer of Intel's ICH9 LPC bridge. The same. */
bool ich_tco_match(const struct pci_function *f);
const char *ich_tco_probe(struct watchdog *w, const struct pci *pci, const struct pci_function *f,
	const struct io_env *env);

/* What a checked table describes (acpi_wdat.h), wherever it is. The same; maps what is in memory.
 */
const char *acpi_wdat_probe(struct watchdog *w, struct wdat *wdat, const struct io_env *env);

#endif
