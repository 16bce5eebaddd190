/* PCI config space: access by ECAM or ports, the scan of all buses, the capability walk. */
#include "drivers/pci.h"

#include "drivers/pci_bar.h"
#include "drivers/pci_regs.h"

#define CONFIG_BYTES      256u
#define CONFIG_BYTES_ECAM 4096u
#define BUSES             256u
#define DEVICES           32u
#define FUNCTIONS         8u
#define WALK_STEPS_MAX    ((CONFIG_BYTES - PCI_CAP_FIRST) / 4) /* capabilities that fit */

#define BRIDGE_NONE      (-1) /* on the root bus */
#define BRIDGE_UNREACHED (-2) /* no bridge leads to this bus */

/* ---------------------------------------------------------------- access */

static bool config_reaches(const struct pci *pci, unsigned at)
{
	return at < (pci->host.ecam ? CONFIG_BYTES_ECAM : CONFIG_BYTES);
}

/* PCIe 5.0 7.2.2: 4 KiB a function, 8 functions a device, 32 devices a bus. */
static volatile uint8_t *ecam_address(
	const struct pci *pci, const struct pci_function *f, unsigned at)
{
	size_t bus = (size_t)(f->bus - pci->host.bus_first);

	return (volatile uint8_t *)pci->host.ecam +
	       (bus << 20 | (size_t)f->device << 15 | (size_t)f->function << 12 | at);
}

/* Selects the register and returns the port that shows it. */
static uint16_t port_select(const struct pci_function *f, unsigned at)
{
	pio_write32(PCI_CONFIG_ADDRESS, 1u << 31 | (uint32_t)f->bus << 16 |
						(uint32_t)f->device << 11 |
						(uint32_t)f->function << 8 | (at & 0xfcu));
	return (uint16_t)(PCI_CONFIG_DATA + (at & 3u));
}

uint8_t pci_read8(const struct pci *pci, const struct pci_function *f, unsigned at)
{
	if (!config_reaches(pci, at))
		return UINT8_MAX;
	if (pci->host.ecam)
		return mmio_read8(ecam_address(pci, f, at));
	return pio_read8(port_select(f, at));
}

uint16_t pci_read16(const struct pci *pci, const struct pci_function *f, unsigned at)
{
	if (!config_reaches(pci, at))
		return UINT16_MAX;
	if (pci->host.ecam)
		return mmio_read16(ecam_address(pci, f, at));
	return pio_read16(port_select(f, at));
}

uint32_t pci_read32(const struct pci *pci, const struct pci_function *f, unsigned at)
{
	if (!config_reaches(pci, at))
		return UINT32_MAX;
	if (pci->host.ecam)
		return mmio_read32(ecam_address(pci, f, at));
	return pio_read32(port_select(f, at));
}

void pci_write8(const struct pci *pci, const struct pci_function *f, unsigned at, uint8_t v)
{
	if (!config_reaches(pci, at))
		return;
	if (pci->host.ecam)
		mmio_write8(ecam_address(pci, f, at), v);
	else
		pio_write8(port_select(f, at), v);
}

void pci_write16(const struct pci *pci, const struct pci_function *f, unsigned at, uint16_t v)
{
	if (!config_reaches(pci, at))
		return;
	if (pci->host.ecam)
		mmio_write16(ecam_address(pci, f, at), v);
	else
		pio_write16(port_select(f, at), v);
}

void pci_write32(const struct pci *pci, const struct pci_function *f, unsigned at, uint32_t v)
{
	if (!config_reaches(pci, at))
		return;
	if (pci->host.ecam)
		mmio_write32(ecam_address(pci, f, at), v);
	else
		pio_write32(port_select(f, at), v);
}

void pci_enable(const struct pci *pci, const struct pci_function *f)
{
	unsigned command = pci_read16(pci, f, PCI_COMMAND);

	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF;
	pci_write16(pci, f, PCI_COMMAND, (uint16_t)command);
	for (int bridge = f->bridge; bridge >= 0; bridge = f->bridge) {
		f = &pci->function[bridge];
		command = pci_read16(pci, f, PCI_COMMAND);
		command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
		pci_write16(pci, f, PCI_COMMAND, (uint16_t)command);
	}
}

void pci_disable(const struct pci *pci, const struct pci_function *f)
{
	unsigned command = pci_read16(pci, f, PCI_COMMAND);

	command &= ~PCI_COMMAND_MASTER;
	command |= PCI_COMMAND_INTX_OFF;
	pci_write16(pci, f, PCI_COMMAND, (uint16_t)command);
}

bool pci_walk_capabilities(
	const struct pci *pci, const struct pci_function *f, struct pci_walk *walk)
{
	unsigned pointer = walk->steps ? walk->at + 1u : PCI_CAP_POINTER;
	uint8_t next;

	if (f->header > PCI_HEADER_BRIDGE || walk->steps >= WALK_STEPS_MAX)
		return false;
	if (!(pci_read16(pci, f, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return false;
	next = pci_read8(pci, f, pointer) & 0xfcu; /* the low two bits are reserved */
	if (next < PCI_CAP_FIRST)
		return false;
	walk->at = next;
	walk->id = pci_read8(pci, f, next);
	walk->steps++;
	return walk->id != UINT8_MAX; /* all ones: nothing answers */
}

/* ---------------------------------------------------------------- scan */

/* Writes `digits` hexadecimal digits and returns what follows them. */
static char *print_hex(char *out, unsigned v, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; v >>= 4)
		out[i] = "0123456789abcdef"[v & 15];
	return out + digits;
}

static void print_location(const struct pci *pci, struct pci_function *f)
{
	char *out = print_hex(f->location, pci->host.segment, 4);

	*out++ = ':';
	out = print_hex(out, f->bus, 2);
	*out++ = ':';
	out = print_hex(out, f->device, 2);
	*out++ = '.';
	out = print_hex(out, f->function, 1);
	*out = '\0';
}

/* Notes that a bridge leads to its secondary bus; above[] says which bridge leads to each bus. */
static void follow_bridge(const struct pci *pci, unsigned bridge, int16_t above[BUSES])
{
	const struct pci_function *f = &pci->function[bridge];
	uint8_t secondary = pci_read8(pci, f, PCI_BUS_SECONDARY);

	/* Numbers grow downwards (PCI-to-PCI Bridge 1.2, 12.1.3.1): a bus is never scanned twice.
	 */
	if (secondary <= f->bus || secondary > pci->host.bus_last ||
		above[secondary] != BRIDGE_UNREACHED)
		pci->env->log(pci->env->ctx, "pci %s: bridge to bus %u, not followed", f->location,
			secondary);
	else
		above[secondary] = (int16_t)bridge;
}

/* Adds the function if there is one. */
static bool add_function(struct pci *pci, const struct pci_function *at, int16_t above[BUSES])
{
	uint32_t id = pci_read32(pci, at, PCI_ID);
	uint16_t vendor_id = (uint16_t)id;
	struct pci_function *f;

	if (vendor_id == UINT16_MAX || vendor_id == 0 || pci->functions == PCI_FUNCTIONS_MAX)
		return false;
	f = &pci->function[pci->functions];
	*f = *at;
	f->vendor_id = vendor_id;
	f->device_id = (uint16_t)(id >> 16);
	f->class_code = pci_read32(pci, f, PCI_CLASS) >> 8;
	f->header = (uint8_t)(pci_read8(pci, f, PCI_HEADER) & ~PCI_HEADER_MULTI);
	print_location(pci, f);
	if (f->header == PCI_HEADER_BRIDGE)
		follow_bridge(pci, pci->functions, above);
	pci_bars_size(pci, f);
	pci->functions++;
	return true;
}

static void scan_device(struct pci *pci, unsigned bus, unsigned device, int16_t above[BUSES])
{
	struct pci_function at = {
		.bus = (uint8_t)bus, .device = (uint8_t)device, .bridge = above[bus]};

	if (!add_function(pci, &at, above) || !(pci_read8(pci, &at, PCI_HEADER) & PCI_HEADER_MULTI))
		return;
	for (at.function = 1; at.function < FUNCTIONS; at.function++)
		add_function(pci, &at, above);
}

unsigned pci_scan(struct pci *pci, const struct pci_host *host, const struct io_env *env)
{
	int16_t above[BUSES];

	pci->host = *host;
	pci->env = env;
	pci->functions = 0;
	for (unsigned bus = 0; bus < BUSES; bus++)
		above[bus] = BRIDGE_UNREACHED;
	above[host->bus_first] = BRIDGE_NONE;

	for (unsigned bus = host->bus_first; bus <= host->bus_last; bus++)
		for (unsigned device = 0; above[bus] != BRIDGE_UNREACHED && device < DEVICES;
			device++)
			scan_device(pci, bus, device, above);
	if (pci->functions == PCI_FUNCTIONS_MAX)
		env->log(env->ctx, "pci: %u functions found, the rest is not looked at",
			PCI_FUNCTIONS_MAX);
	pci_bars_assign(pci);
	return pci->functions;
}
