/* Configuration space: header, power management, MSI-X, PCI Express; bits by what may be done to
 * them. */
#include "tools/ixgbe-sim/config.h"

#include <linux/pci_regs.h>
#include <string.h>

/* Where the capabilities are, as on the card (datasheet 9.3.1). */
#define AT_PM   0x40u
#define AT_MSIX 0x70u
#define AT_EXP  0xa0u

#define INTEL           0x8086u
#define SUBSYSTEM       0x000cu
#define BAR_MEM64       (PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH)
#define MSIX_BAR        4u
#define EXP_VERSION     2u
#define EXP_PAYLOAD_512 2u
#define EXP_X8_AT_5G    (PCI_EXP_LNKSTA_CLS_5_0GB | PCI_EXP_LNKSTA_NLW_X8)

static void put(uint8_t *to, unsigned at, unsigned bytes, uint32_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		to[at + i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get(const uint8_t *from, unsigned at, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint32_t)from[at + i] << 8 * i;
	return v;
}

/* A 64-bit memory BAR takes the address bits above its size. */
static void put_bar(struct config *c, unsigned bar, uint32_t bytes)
{
	unsigned at = PCI_BASE_ADDRESS_0 + 4 * bar;

	put(c->value, at, 4, BAR_MEM64);
	put(c->writable, at, 4, ~(bytes - 1));
	put(c->writable, at + 4, 4, UINT32_MAX);
}

static void put_header(struct config *c, uint16_t device_id)
{
	put(c->value, PCI_VENDOR_ID, 2, INTEL);
	put(c->value, PCI_DEVICE_ID, 2, device_id);
	/* No I/O space: BAR 2, registers by way of ports, is left out. */
	put(c->writable, PCI_COMMAND, 2,
		PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
			PCI_COMMAND_INTX_DISABLE);
	put(c->value, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	put(c->clears, PCI_STATUS, 2,
		PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT |
			PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_SIG_SYSTEM_ERROR |
			PCI_STATUS_DETECTED_PARITY);
	put(c->value, PCI_REVISION_ID, 1, 1);
	put(c->value, PCI_CLASS_DEVICE, 2, 0x0200); /* network, Ethernet */
	put(c->writable, PCI_CACHE_LINE_SIZE, 1, 0xff);
	put(c->value, PCI_SUBSYSTEM_VENDOR_ID, 2, INTEL);
	put(c->value, PCI_SUBSYSTEM_ID, 2, SUBSYSTEM);
	put(c->value, PCI_CAPABILITY_LIST, 1, AT_PM);
	/* No pin: the only interrupts are MSI-X. */
	put(c->writable, PCI_INTERRUPT_LINE, 1, 0xff);
}

static void put_power(struct config *c)
{
	put(c->value, AT_PM, 2, PCI_CAP_ID_PM | AT_MSIX << 8);
	put(c->value, AT_PM + PCI_PM_PMC, 2, 3 | PCI_PM_CAP_DSI);
	put(c->writable, AT_PM + PCI_PM_CTRL, 2, PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_ENABLE);
	put(c->clears, AT_PM + PCI_PM_CTRL, 2, PCI_PM_CTRL_PME_STATUS);
}

static void put_msix(struct config *c)
{
	put(c->value, AT_MSIX, 2, PCI_CAP_ID_MSIX | AT_EXP << 8);
	put(c->value, AT_MSIX + PCI_MSIX_FLAGS, 2, CONFIG_VECTORS - 1);
	put(c->writable, AT_MSIX + PCI_MSIX_FLAGS, 2,
		PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put(c->value, AT_MSIX + PCI_MSIX_TABLE, 4, MSIX_BAR);
	put(c->value, AT_MSIX + PCI_MSIX_PBA, 4, CONFIG_BAR4_PBA | MSIX_BAR);
}

static void put_express(struct config *c)
{
	put(c->value, AT_EXP, 2, PCI_CAP_ID_EXP);
	put(c->value, AT_EXP + PCI_EXP_FLAGS, 2, EXP_VERSION | PCI_EXP_TYPE_ENDPOINT << 4);
	put(c->value, AT_EXP + PCI_EXP_DEVCAP, 4,
		EXP_PAYLOAD_512 | PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
	put(c->value, AT_EXP + PCI_EXP_DEVCTL, 2,
		PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ_512B);
	/* But the reset: it reads as zero. */
	put(c->writable, AT_EXP + PCI_EXP_DEVCTL, 2, 0x78ffu);
	put(c->clears, AT_EXP + PCI_EXP_DEVSTA, 2,
		PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD);
	put(c->value, AT_EXP + PCI_EXP_LNKCAP, 4,
		PCI_EXP_LNKCAP_SLS_5_0GB | (uint32_t)PCI_EXP_LNKSTA_NLW_X8);
	put(c->writable, AT_EXP + PCI_EXP_LNKCTL, 2,
		PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
	put(c->value, AT_EXP + PCI_EXP_LNKSTA, 2, EXP_X8_AT_5G);
	put(c->value, AT_EXP + PCI_EXP_DEVCAP2, 4,
		0xfu | PCI_EXP_DEVCAP2_COMP_TMOUT_DIS); /* ranges A to D of time-outs */
	put(c->writable, AT_EXP + PCI_EXP_DEVCTL2, 2,
		PCI_EXP_DEVCTL2_COMP_TIMEOUT | PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
}

void config_init(struct config *c, uint16_t device_id, uint32_t bar0_bytes)
{
	memset(c, 0, sizeof *c);
	put_header(c, device_id);
	put_bar(c, 0, bar0_bytes);
	put_bar(c, MSIX_BAR, CONFIG_BAR4_BYTES);
	put_power(c);
	put_msix(c);
	put_express(c);
}

void config_read(const struct config *c, uint64_t at, void *data, uint32_t bytes)
{
	memcpy(data, c->value + at, bytes);
}

static unsigned power_state(const struct config *c)
{
	return get(c->value, AT_PM + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK;
}

enum config_effect config_write(struct config *c, uint64_t at, const uint8_t *data, uint32_t bytes)
{
	/* The reset is in the upper byte. */
	const uint64_t reset_at = AT_EXP + PCI_EXP_DEVCTL + 1;
	unsigned power = power_state(c);

	for (uint32_t i = 0; i < bytes; i++) {
		uint8_t *value = &c->value[at + i];
		uint8_t mask = c->writable[at + i];

		*value = (uint8_t)((*value & ~mask) | (data[i] & mask));
		*value &= (uint8_t) ~(data[i] & c->clears[at + i]);
	}
	if (at <= reset_at && reset_at < at + bytes &&
		(data[reset_at - at] & PCI_EXP_DEVCTL_BCR_FLR >> 8))
		return CONFIG_RESET;
	/* From D3hot to D0 a function is reset (PCI power management 1.2, 5.4). */
	return power == 3 && power_state(c) == 0 ? CONFIG_RESET : CONFIG_NOTHING;
}

bool config_bus_master(const struct config *c)
{
	return get(c->value, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

bool config_memory(const struct config *c)
{
	return get(c->value, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY;
}
