/* What drivers get from this machine, and how its NICs are found. */
#include "kernel/x86/ports.h"

#include <stdarg.h>
#include <stdio.h>

#include "drivers/igb/igb.h"
#include "drivers/ixgbe/ixgbe.h"
#include "drivers/pci.h"
#include "drivers/pci_regs.h"
#include "drivers/virtio/virtio_net.h"
#include "kernel/bootlog.h"
#include "kernel/hardware.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/x86/io_map.h"
#include "kernel/x86/memory.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/portset.h"
#include "kernel/x86/watchdogs.h"

/* Chipsets decode PCI memory from the end of low RAM to the I/O APIC's fixed place. */
#define WINDOW_END   0xfec00000ull
#define WINDOW_ALIGN (1ull << 24)

static const struct bootinfo *bootinfo;
static const struct acpi *acpi;

void ports_init(const struct bootinfo *b, const struct acpi *a)
{
	bootinfo = b;
	acpi = a;
}

volatile void *io_map(uint64_t address, uint64_t bytes)
{
	if (memory_touches_ram(address, bytes) || address < 0x1000 ||
		!paging_map(address, bytes, PAGING_WRITE | PAGING_UNCACHED))
		return NULL;
	return (volatile void *)(uintptr_t)address;
}

/* The node of the device that is being probed: its rings are made there. */
static uint32_t probed_node = NODE_UNKNOWN;

static void *env_alloc(void *ctx, size_t bytes, size_t align)
{
	return platform_alloc_near(bytes, align, probed_node);
}

static volatile void *env_map(void *ctx, uint64_t address, uint64_t bytes)
{
	return io_map(address, bytes);
}

static uint64_t env_now_us(void *ctx)
{
	return platform_now_us();
}

static void env_log(void *ctx, const char *format, ...)
{
	char line[160];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	log_text("%s", line);
}

const struct io_env platform_io = {
	.alloc = env_alloc,
	.map = env_map,
	.now_us = env_now_us,
	.log = env_log,
};

/* Free device addresses: what the DSDT says where it must do; above everything that the loader or
 * the MCFG names. */
static void window_find(struct pci_host *host)
{
	uint64_t first = 0x10000000;

	if (acpi->bridge.window_bytes) {
		host->window = acpi->bridge.window;
		host->window_bytes = acpi->bridge.window_bytes;
		return;
	}
	for (unsigned i = 0; i < bootinfo->regions; i++) {
		uint64_t base = bootinfo->region[i].base, end = base + bootinfo->region[i].bytes;

		if (base < WINDOW_END && end > first)
			first = end;
	}
	for (unsigned i = 0; i < acpi->ecams; i++) {
		const struct acpi_ecam *e = &acpi->ecam[i];
		uint64_t end = e->base + ((uint64_t)e->bus_last + 1) * (1u << 20);

		if (e->base < WINDOW_END && end > first)
			first = end;
	}
	first = (first + WINDOW_ALIGN - 1) & -WINDOW_ALIGN;
	if (first < WINDOW_END) {
		host->window = first;
		host->window_bytes = WINDOW_END - first;
	}
}

/* Config space of segment 0 through memory, if the MCFG tells where. */
static void ecam_find(struct pci_host *host)
{
	for (unsigned i = 0; i < acpi->ecams; i++) {
		const struct acpi_ecam *e = &acpi->ecam[i];
		uint64_t buses = (uint64_t)e->bus_last - e->bus_first + 1;

		if (e->segment != 0)
			continue;
		host->ecam = io_map(e->base + ((uint64_t)e->bus_first << 20), buses << 20);
		if (!host->ecam)
			continue;
		host->bus_first = e->bus_first;
		host->bus_last = e->bus_last;
		return;
	}
}

static void scan(struct pci *pci, const struct io_env *env)
{
	struct pci_host host = {.bus_last = 255};

	window_find(&host);
	ecam_find(&host);
	if (pci_scan(pci, &host, env) == 0 && host.ecam) {
		log_text("pci: nothing at the MCFG's address, trying ports");
		host.ecam = NULL;
		host.bus_first = 0;
		host.bus_last = 255;
		pci_scan(pci, &host, env);
	}
	log_text("pci: %u functions through %s", pci->functions,
		host.ecam     ? "ECAM"
		: acpi->ecams ? "ports"
			      : "ports: there is no MCFG");
	/* Also later: a device that fails, or is stopped for a reboot, loses its bus mastering. */
	if (!host.ecam)
		portset_allow(PCI_CONFIG_ADDRESS, PCI_CONFIG_PORTS);
	hardware_fact(
		"pci", "%u functions through %s", pci->functions, host.ecam ? "ECAM" : "ports");
	bootlog_phase("PCI");
}

/* Notes a function for `show hardware`; a NIC that nobody drives is said at boot, too. */
static void note_function(const struct pci_function *f, const char *driver, const char *why)
{
	struct hardware_device d = {.vendor_id = f->vendor_id,
		.device_id = f->device_id,
		.class_code = f->class_code,
		.driver = driver,
		.note = why ? why : ""};

	snprintf(d.location, sizeof d.location, "%s", f->location);
	if (!driver && !why && f->class_code >> 16 == PCI_CLASS_NETWORK) {
		d.note = "no driver";
		log_text("pci %s: a NIC without a driver, %04x:%04x", f->location, f->vendor_id,
			f->device_id);
	}
	hardware_device(&d);
}

/* A function that is no NIC of ours: a bridge, a watchdog, or nothing that is used. */
static void note_other(
	const struct pci *pci, const struct pci_function *f, const struct io_env *env)
{
	const char *why = NULL;

	if (watchdogs_try(pci, f, env, &why))
		note_function(f, why ? NULL : platform_watchdog(), why);
	else
		note_function(f, f->header == 1 ? "pci" : NULL, NULL);
}

/* The drivers of NICs. */
static const struct driver {
	bool (*match)(const struct pci_function *f);
	struct netdev *(*probe)(struct pci *pci, struct pci_function *f,
		const struct netdev_request *want, const struct io_env *env);
} driver[] = {
	{virtio_net_match, virtio_net_probe},
	{ixgbe_match, ixgbe_probe},
	{igb_match, igb_probe},
};

/* Whose a function is; NULL: nobody's. */
static const struct driver *driver_of(const struct pci_function *f)
{
	for (unsigned i = 0; i < sizeof driver / sizeof *driver; i++)
		if (driver[i].match(f))
			return &driver[i];
	return NULL;
}

/* One NIC, on its node if the SRAT has it. */
static struct netdev *probe(struct pci *pci, struct pci_function *f,
	const struct netdev_request *want, const struct io_env *env)
{
	struct netdev *d;

	probed_node = srat_device_node(
		&acpi->srat, pci->host.segment, f->bus, (uint8_t)(f->device << 3 | f->function));
	d = driver_of(f)->probe(pci, f, want, env);
	if (d)
		d->node = probed_node;
	probed_node = NODE_UNKNOWN;
	return d;
}

unsigned platform_probe_ports(const struct io_env *env, const struct netdev_request *want,
	struct netdev **dev, unsigned max)
{
	static struct pci pci;
	struct netdev_request each = *want;
	unsigned nics = 0, n = 0, left = 0;

	scan(&pci, env);
	watchdogs_try_table(acpi, &pci, env);
	for (unsigned i = 0; i < pci.functions && nics < max; i++)
		nics += driver_of(&pci.function[i]) != NULL;
	each.queue_pairs = netdev_queue_share(want, nics);
	for (unsigned i = 0; i < pci.functions; i++) {
		struct pci_function *f = &pci.function[i];
		struct netdev *d;

		if (!driver_of(f)) {
			note_other(&pci, f, env);
			continue;
		}
		if (n == max) {
			note_function(f, NULL, "there are more NICs than are used");
			left++;
			continue;
		}
		d = probe(&pci, f, &each, env);
		note_function(f, d ? d->driver : NULL, d ? NULL : f->refusal);
		if (d)
			dev[n++] = d;
	}
	if (left)
		log_text("pci: %u network devices are left alone: %u are used at most", left, max);
	return n;
}
