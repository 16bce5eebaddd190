/* An Intel controller, other than by its PCI function: what drivers of them are given to open. */
#ifndef DRIVERS_INTEL_H
#define DRIVERS_INTEL_H

#include <stdint.h>

#include "drivers/io.h"
#include "drivers/netdev.h"
#include "drivers/pci.h"

#define INTEL_VENDOR    0x8086u
#define INTEL_BAR_BYTES 0x20000u /* of BAR 0, as far as it is used */

struct intel_place {
	volatile uint8_t *registers; /* BAR 0, mapped */
	uint16_t device_id;
	const char *location;       /* as dev->location; copied */
	unsigned slots;             /* of each ring: a power of two, 64 to 4096 */
	void (*cut_off)(void *ctx); /* takes DMA away from it for good */
	void *ctx;
};

#endif
