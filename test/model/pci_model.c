/* A PCI segment in memory: ECAM, ports CF8/CFC, BARs that size as real ones. */
#include "test/model/pci_model.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/pci_regs.h"

void pci_model_set(struct pci_model_function *f, unsigned at, unsigned bytes, uint64_t v)
{
	memcpy(f->config + at, &v, bytes);
}

uint64_t pci_model_get(const struct pci_model_function *f, unsigned at, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, f->config + at, bytes);
	return v;
}

/* ---------------------------------------------------------------- config space */

static struct pci_model_function *find(
	struct pci_model *p, unsigned bus, unsigned device, unsigned function)
{
	for (unsigned i = 0; i < p->functions; i++) {
		struct pci_model_function *f = &p->function[i];

		if (f->bus == bus && f->device == device && f->function == function)
			return f;
	}
	return NULL;
}

static uint64_t config_read(
	struct pci_model *p, const struct pci_model_function *f, unsigned at, unsigned bytes)
{
	p->unaligned += at % bytes != 0;
	return f && at + bytes <= sizeof f->config ? pci_model_get(f, at, bytes) : UINT64_MAX;
}

static void write_bar(struct pci_model *p, struct pci_model_function *f, unsigned at, uint32_t v)
{
	uint32_t writable = f->bar_writable[(at - PCI_BAR0) / 4];
	uint32_t old = (uint32_t)pci_model_get(f, at, 4);

	if (v == UINT32_MAX && writable && (pci_model_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		p->sized_while_decoding++;
	pci_model_set(f, at, 4, (old & ~writable) | (v & writable));
}

/* The command register, BARs and bridge windows can be written, all else is read-only. */
static void config_write(
	struct pci_model *p, struct pci_model_function *f, unsigned at, unsigned bytes, uint64_t v)
{
	p->unaligned += at % bytes != 0;
	if (!f)
		return;
	if (at == PCI_COMMAND && bytes == 2)
		pci_model_set(f, at, 2, v);
	else if ((f->config[PCI_HEADER] & PCI_HEADER_BRIDGE) && at >= PCI_MEMORY_BASE)
		pci_model_set(f, at, bytes, at < 0x30 ? v : pci_model_get(f, at, bytes));
	else if (at >= PCI_BAR0 && at < PCI_BAR0 + 24 && bytes == 4)
		write_bar(p, f, at, (uint32_t)v);
	else if (at >= f->own_first && at + bytes <= f->own_end)
		pci_model_set(f, at, bytes, v);
}

static struct pci_model_function *ecam_find(struct pci_model *p, uint64_t at)
{
	return find(p, at >> 20 & 255, at >> 15 & 31, at >> 12 & 7);
}

static uint64_t ecam_read(void *ctx, uint64_t at, unsigned bytes)
{
	return config_read(ctx, ecam_find(ctx, at), at & 4095, bytes);
}

static void ecam_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	config_write(ctx, ecam_find(ctx, at), at & 4095, bytes, v);
}

static struct pci_model_function *port_find(struct pci_model *p)
{
	uint32_t a = p->address;

	return a >> 31 ? find(p, a >> 16 & 255, a >> 11 & 31, a >> 8 & 7) : NULL;
}

static uint64_t ports_read(void *ctx, uint64_t at, unsigned bytes)
{
	struct pci_model *p = ctx;

	if (at < 4)
		return p->address;
	return config_read(p, port_find(p), (p->address & 0xfc) + ((unsigned)at - 4), bytes);
}

static void ports_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	struct pci_model *p = ctx;

	if (at == 0 && bytes == 4)
		p->address = (uint32_t)v;
	else if (at >= 4)
		config_write(p, port_find(p), (p->address & 0xfc) + ((unsigned)at - 4), bytes, v);
}

/* ---------------------------------------------------------------- device addresses */

/* The function that decodes a bus address, and how far into its BAR that is. */
static struct pci_model_function *decode(struct pci_model *p, uint64_t address, uint64_t *at)
{
	for (unsigned i = 0; i < p->functions; i++) {
		struct pci_model_function *f = &p->function[i];
		unsigned reg = PCI_BAR0 + 4 * f->decoded;
		uint64_t base;

		if (!f->read || !(pci_model_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
			continue;
		base = pci_model_get(f, reg, 8);
		if (!(base & PCI_BAR_TYPE_64))
			base = (uint32_t)base;
		base &= ~UINT64_C(15);
		if (address - base < f->decoded_bytes) {
			*at = address - base;
			return f;
		}
	}
	model_io.strays++;
	return NULL;
}

static uint64_t space_read(struct pci_model *p, uint64_t address, unsigned bytes)
{
	uint64_t at = 0;
	struct pci_model_function *f = decode(p, address, &at);

	return f ? f->read(f->ctx, at, bytes) : UINT64_MAX;
}

static void space_write(struct pci_model *p, uint64_t address, unsigned bytes, uint64_t v)
{
	uint64_t at = 0;
	struct pci_model_function *f = decode(p, address, &at);

	if (f)
		f->write(f->ctx, at, bytes, v);
}

static uint64_t low_read(void *ctx, uint64_t at, unsigned bytes)
{
	return space_read(ctx, PCI_MODEL_LOW + at, bytes);
}

static void low_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	space_write(ctx, PCI_MODEL_LOW + at, bytes, v);
}

static uint64_t high_read(void *ctx, uint64_t at, unsigned bytes)
{
	return space_read(ctx, PCI_MODEL_HIGH + at, bytes);
}

static void high_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	space_write(ctx, PCI_MODEL_HIGH + at, bytes, v);
}

void pci_model_init(struct pci_model *p)
{
	memset(p, 0, sizeof *p);
	model_add_memory(PCI_MODEL_ECAM, 256u << 20, ecam_read, ecam_write, p);
	model_add_memory(PCI_MODEL_LOW, PCI_MODEL_BYTES, low_read, low_write, p);
	model_add_memory(PCI_MODEL_HIGH, PCI_MODEL_BYTES, high_read, high_write, p);
	model_add_ports(PCI_CONFIG_ADDRESS, 8, ports_read, ports_write, p);
}

/* ---------------------------------------------------------------- building */

struct pci_model_function *pci_model_add(struct pci_model *p, unsigned bus, unsigned device,
	unsigned function, unsigned vendor_id, unsigned device_id)
{
	struct pci_model_function *f = &p->function[p->functions];

	if (p->functions++ == PCI_MODEL_FUNCTIONS)
		abort();
	f->bus = (uint8_t)bus;
	f->device = (uint8_t)device;
	f->function = (uint8_t)function;
	pci_model_set(f, PCI_ID, 4, (uint64_t)device_id << 16 | vendor_id);
	pci_model_set(f, PCI_CLASS, 4, 0x02000000); /* Ethernet */
	if (function) {
		struct pci_model_function *first = find(p, bus, device, 0);

		if (first)
			first->config[PCI_HEADER] |= PCI_HEADER_MULTI;
	}
	return f;
}

void pci_model_bridge(
	struct pci_model_function *f, unsigned secondary, uint32_t base, uint32_t limit)
{
	pci_model_set(f, PCI_CLASS, 4, 0x06040000);
	f->config[PCI_HEADER] |= PCI_HEADER_BRIDGE;
	f->config[PCI_BUS_SECONDARY] = (uint8_t)secondary;
	pci_model_set(f, PCI_MEMORY_BASE, 2, base >> 16 & 0xfff0);
	pci_model_set(f, PCI_MEMORY_LIMIT, 2, limit >> 16 & 0xfff0);
	pci_model_set(f, PCI_PREFETCH_BASE, 2, 0xfff0); /* closed */
}

void pci_model_bar(
	struct pci_model_function *f, unsigned n, uint64_t bytes, uint64_t address, unsigned flags)
{
	uint64_t writable = -bytes & ~(uint64_t)15;

	f->bar_writable[n] = (uint32_t)writable;
	pci_model_set(f, PCI_BAR0 + 4 * n, 4, (uint32_t)address | flags);
	if (!(flags & PCI_BAR_IO) && (flags & PCI_BAR_TYPE_64) && n < 5) {
		f->bar_writable[n + 1] = (uint32_t)(writable >> 32);
		pci_model_set(f, PCI_BAR0 + 4 * n + 4, 4, address >> 32);
	}
}

void pci_model_behind(struct pci_model_function *f, unsigned n, uint64_t bytes, model_read_fn *read,
	model_write_fn *write, void *ctx)
{
	f->decoded = n;
	f->decoded_bytes = bytes;
	f->read = read;
	f->write = write;
	f->ctx = ctx;
}

void pci_model_capability(struct pci_model_function *f, unsigned at, const uint8_t *cap, unsigned n)
{
	unsigned link = PCI_CAP_POINTER;

	while (f->config[link])
		link = f->config[link] + 1u;
	memcpy(f->config + at, cap, n);
	f->config[at + 1] = 0;
	f->config[link] = (uint8_t)at;
	f->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
}
