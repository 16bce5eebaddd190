/*
 * The TCO timer of Intel's ICH9 (316972-004, 13.9): it counts in 0.6 s, and resets the
 * machine when it has run down a second time.
 */
#include "drivers/pci_regs.h"
#include "drivers/watchdog.h"

#define VENDOR_INTEL 0x8086u
#define DEVICE_LPC   0x2918u /* ICH9 */

/* Configuration space of the LPC bridge, 13.1. */
#define ACPI_BASE      0x40u
#define ACPI_BASE_MASK 0xff80u
#define ROOT_BASE      0xf0u /* bit 0: enabled; 16 KiB of memory */
#define ROOT_MASK      0xffffc000u

#define GENERAL_CONTROL        0x3410u /* of it, 10.1.75 */
#define GENERAL_CONTROL_NO_RST (1u << 5)

#define SMI_ENABLE     0x30u /* of the ACPI ports, 13.8.3.7 */
#define SMI_ENABLE_TCO (1u << 13)
#define TCO_PORTS      0x60u /* and the TCO's own */

#define TCO_RELOAD         0x00u
#define TCO_STATUS2        0x06u
#define TCO_STATUS2_SECOND (1u << 1) /* it has run down twice; written: cleared */
#define TCO_CONTROL        0x08u
#define TCO_CONTROL_HALT   (1u << 11)
#define TCO_TIMER          0x12u
#define TCO_TIMER_MASK     0x03ffu
#define TCO_COUNT          0x20u

static uint16_t port(const struct watchdog *w, unsigned at)
{
	return (uint16_t)(w->ports + at);
}

static void tco_feed(struct watchdog *w)
{
	pio_write16(port(w, TCO_RELOAD), 1);
}

static void tco_stop(struct watchdog *w)
{
	pio_write16(port(w, TCO_CONTROL),
		(uint16_t)(pio_read16(port(w, TCO_CONTROL)) | TCO_CONTROL_HALT));
}

static bool tco_start(struct watchdog *w, unsigned seconds)
{
	uint16_t smi = (uint16_t)(w->ports - TCO_PORTS + SMI_ENABLE), control;
	unsigned ticks = seconds * 10 / 12; /* half of the time, in 0.6 s */

	tco_stop(w);
	/* Firmware would be asked at the first time, and might feed it. */
	pio_write32(smi, pio_read32(smi) & ~SMI_ENABLE_TCO);
	pio_write16(port(w, TCO_TIMER),
		(uint16_t)((pio_read16(port(w, TCO_TIMER)) & ~TCO_TIMER_MASK) | ticks));
	tco_feed(w);
	control = pio_read16(port(w, TCO_CONTROL));
	pio_write16(port(w, TCO_CONTROL), (uint16_t)(control & ~TCO_CONTROL_HALT));
	return !(pio_read16(port(w, TCO_CONTROL)) & TCO_CONTROL_HALT) &&
	       (pio_read16(port(w, TCO_TIMER)) & TCO_TIMER_MASK) == ticks;
}

static unsigned tco_ports(const struct watchdog *w, unsigned i, uint16_t *first)
{
	if (i == 0) {
		*first = w->ports;
		return TCO_COUNT;
	}
	if (i == 1) {
		*first = (uint16_t)(w->ports - TCO_PORTS + SMI_ENABLE);
		return 4;
	}
	return 0;
}

static const struct watchdog_ops ops = {
	.start = tco_start, .feed = tco_feed, .stop = tco_stop, .ports = tco_ports};

bool ich_tco_match(const struct pci_function *f)
{
	return f->vendor_id == VENDOR_INTEL && f->device_id == DEVICE_LPC;
}

const char *ich_tco_probe(struct watchdog *w, const struct pci *pci, const struct pci_function *f,
	const struct io_env *env)
{
	uint32_t base = pci_read32(pci, f, ACPI_BASE) & ACPI_BASE_MASK;
	uint32_t root = pci_read32(pci, f, ROOT_BASE);
	volatile void *control;

	if (!base)
		return "firmware gave it no ports";
	if (!(root & 1))
		return "firmware gave it no root memory";
	control = env->map(env->ctx, (root & ROOT_MASK) + GENERAL_CONTROL, 4);
	if (!control)
		return "its root memory cannot be mapped";
	mmio_write32(control, mmio_read32(control) & ~GENERAL_CONTROL_NO_RST);
	if (mmio_read32(control) & GENERAL_CONTROL_NO_RST)
		return "a strap of the board forbids its reset";
	*w = (struct watchdog){.ops = &ops,
		.name = "TCO",
		.pci = pci,
		.at = *f,
		.ports = (uint16_t)(base + TCO_PORTS)};
	tco_stop(w);
	w->fired = pio_read16(port(w, TCO_STATUS2)) & TCO_STATUS2_SECOND;
	pio_write16(port(w, TCO_STATUS2), TCO_STATUS2_SECOND);
	return NULL;
}
