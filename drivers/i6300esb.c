/*
 * Watchdog of the Intel 6300ESB (300641-004, chapter 16): two stages of at most 1048 s, of which
 * the second ends in a reset.
 */
#include "drivers/pci_regs.h"
#include "drivers/watchdog.h"

#define VENDOR_INTEL 0x8086u
#define DEVICE       0x25abu

/* Configuration space, 16.4. */
#define CONFIG            0x60u   /* 16 bits */
#define CONFIG_NO_REQUEST 0x0003u /* the first stage raises nothing; clock of 1 kHz, output on */
#define LOCK              0x68u   /* 8 bits */
#define LOCK_ENABLE       0x02u   /* and not locked: it can be stopped */

/* Memory, 16.5. */
#define STAGE1       0x00u /* ms, 20 bits */
#define STAGE2       0x04u
#define RELOAD       0x0cu /* 16 bits */
#define RELOAD_FEED  0x0100u
#define RELOAD_FIRED 0x0200u /* written: cleared */
#define REGISTERS    0x10u

static volatile void *reg(const struct watchdog *w, unsigned at)
{
	return (volatile uint8_t *)w->registers + at;
}

/* 16.5.4: the next write to a register counts only after these. */
static void unlock(const struct watchdog *w)
{
	mmio_write16(reg(w, RELOAD), 0x80);
	mmio_write16(reg(w, RELOAD), 0x86);
}

static void esb_feed(struct watchdog *w)
{
	unlock(w);
	mmio_write16(reg(w, RELOAD), RELOAD_FEED);
}

static void esb_stop(struct watchdog *w)
{
	pci_write8(w->pci, &w->at, LOCK, 0);
}

static bool esb_start(struct watchdog *w, unsigned seconds)
{
	uint32_t stage = seconds * 500; /* half of the time each */

	esb_stop(w);
	pci_write16(w->pci, &w->at, CONFIG, CONFIG_NO_REQUEST);
	unlock(w);
	mmio_write32(reg(w, STAGE1), stage);
	unlock(w);
	mmio_write32(reg(w, STAGE2), stage);
	esb_feed(w);
	pci_write8(w->pci, &w->at, LOCK, LOCK_ENABLE);
	return pci_read8(w->pci, &w->at, LOCK) & LOCK_ENABLE;
}

static const struct watchdog_ops ops = {.start = esb_start, .feed = esb_feed, .stop = esb_stop};

bool i6300esb_match(const struct pci_function *f)
{
	return f->vendor_id == VENDOR_INTEL && f->device_id == DEVICE;
}

const char *i6300esb_probe(struct watchdog *w, const struct pci *pci, const struct pci_function *f,
	const struct io_env *env)
{
	const struct pci_bar *bar = &f->bar[0];

	if (bar->io || !bar->address || bar->bytes < REGISTERS)
		return "no memory BAR";
	*w = (struct watchdog){.ops = &ops, .name = "i6300esb", .pci = pci, .at = *f};
	w->registers = env->map(env->ctx, bar->address, REGISTERS);
	if (!w->registers)
		return "its BAR cannot be mapped";
	pci_write16(pci, f, PCI_COMMAND,
		(uint16_t)(pci_read16(pci, f, PCI_COMMAND) | PCI_COMMAND_MEMORY));
	esb_stop(w); /* whatever firmware left */
	w->fired = mmio_read16(reg(w, RELOAD)) & RELOAD_FIRED;
	if (w->fired) {
		unlock(w);
		mmio_write16(reg(w, RELOAD), RELOAD_FIRED);
	}
	return NULL;
}
