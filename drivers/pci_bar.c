/* PCI base address registers: how large they are, and addresses for those that have none. */
#include "drivers/pci_bar.h"

#include "drivers/pci_regs.h"

#define BAR_AT(n)   (PCI_BAR0 + 4u * (n))
#define BRIDGE_UNIT 0x100000u /* bridges pass memory by the MiB */

/* ---------------------------------------------------------------- size */

/* Device BARs are six, a bridge has two; other headers are left alone. */
static unsigned bar_count(const struct pci_function *f)
{
	if (f->header == PCI_HEADER_DEVICE)
		return PCI_BARS;
	return f->header == PCI_HEADER_BRIDGE ? 2 : 0;
}

/* The bits of one register that can be written (PCI 3.0 6.2.5.1). */
static uint32_t writable_bits(
	const struct pci *pci, const struct pci_function *f, unsigned at, uint32_t old)
{
	uint32_t bits;

	pci_write32(pci, f, at, UINT32_MAX);
	bits = pci_read32(pci, f, at);
	pci_write32(pci, f, at, old);
	return bits;
}

/*
 * Reads BAR n into f->bar[n]. The writable bits must run from the size to the
 * top without a gap; a BAR that says otherwise counts as absent.
 */
static void size_one(const struct pci *pci, struct pci_function *f, unsigned n)
{
	struct pci_bar *bar = &f->bar[n];
	uint32_t low = pci_read32(pci, f, BAR_AT(n)), flags;
	uint64_t value = low, mask = writable_bits(pci, f, BAR_AT(n), low);

	if ((uint32_t)mask == 0)
		return; /* not there */
	bar->io = low & PCI_BAR_IO;
	bar->wide = !bar->io && (low & PCI_BAR_TYPE) == PCI_BAR_TYPE_64;
	flags = bar->io ? 0x3 : 0xf;
	if (bar->wide && n + 1 == bar_count(f)) {
		mask = 0; /* its upper half would lie outside */
	} else if (bar->wide) {
		uint32_t high = pci_read32(pci, f, BAR_AT(n + 1));

		value |= (uint64_t)high << 32;
		mask |= (uint64_t)writable_bits(pci, f, BAR_AT(n + 1), high) << 32;
	} else if (bar->io && !(mask >> 16)) {
		mask |= 0xffffffffffff0000; /* 16-bit ports may leave the upper half out */
	} else {
		mask |= 0xffffffff00000000;
	}
	mask &= ~(uint64_t)flags;
	bar->bytes = mask & -mask;
	if (mask == 0 || mask + bar->bytes != 0) {
		pci->env->log(
			pci->env->ctx, "pci %s: BAR %u makes no sense, ignored", f->location, n);
		bar->bytes = 0;
	}
	bar->address = bar->bytes ? value & ~(uint64_t)flags & mask : 0;
}

void pci_bars_size(const struct pci *pci, struct pci_function *f)
{
	uint16_t command = pci_read16(pci, f, PCI_COMMAND);
	bool host_bridge = f->class_code >> 8 == PCI_CLASS_HOST;

	/* While BARs hold all ones the function must not answer there; RAM may lie behind a host
	 * bridge. */
	if (!host_bridge)
		pci_write16(pci, f, PCI_COMMAND,
			(uint16_t)(command & ~(PCI_COMMAND_MEMORY | PCI_COMMAND_IO)));
	for (unsigned n = 0; n < bar_count(f); n++) {
		size_one(pci, f, n);
		if (f->bar[n].wide)
			n++;
	}
	if (!host_bridge)
		pci_write16(pci, f, PCI_COMMAND, command);
}

/* ---------------------------------------------------------------- assign */

/* A range of bus addresses, both ends included; empty when first > last. */
struct range {
	uint64_t first, last;
};

static const struct range range_empty = {1, 0};

/* What a bridge passes on below 4 GiB (PCI-to-PCI Bridge 1.2, 3.2.5.8). */
static struct range bridge_memory(const struct pci *pci, const struct pci_function *bridge)
{
	uint64_t base = pci_read16(pci, bridge, PCI_MEMORY_BASE) & 0xfff0u;
	uint64_t limit = pci_read16(pci, bridge, PCI_MEMORY_LIMIT) & 0xfff0u;

	if (base == 0) /* never set up */
		return range_empty;
	return (struct range){base << 16, limit << 16 | 0xfffff};
}

/* What it passes on as prefetchable, perhaps above 4 GiB (3.2.5.9). */
static struct range bridge_prefetch(const struct pci *pci, const struct pci_function *bridge)
{
	uint64_t base = pci_read16(pci, bridge, PCI_PREFETCH_BASE);
	uint64_t limit = pci_read16(pci, bridge, PCI_PREFETCH_LAST);
	struct range r = {(base & 0xfff0) << 16, (limit & 0xfff0) << 16 | 0xfffff};

	if (base & 1) {
		r.first |= (uint64_t)pci_read32(pci, bridge, PCI_PREFETCH_BASE_UPPER) << 32;
		r.last |= (uint64_t)pci_read32(pci, bridge, PCI_PREFETCH_LAST_UPPER) << 32;
	}
	return r;
}

/* Where a function's BARs may lie: behind a bridge only what that bridge passes on. */
static struct range assignable(const struct pci *pci, const struct pci_function *f)
{
	if (f->bridge >= 0)
		return bridge_memory(pci, &pci->function[f->bridge]);
	if (!pci->host.window_bytes)
		return range_empty;
	return (struct range){pci->host.window, pci->host.window + pci->host.window_bytes - 1};
}

/* If `taken` overlaps `want`, moves *past to its end. */
static bool collides(struct range want, struct range taken, uint64_t *past)
{
	if (taken.first > taken.last || taken.first > want.last || want.first > taken.last)
		return false;
	*past = taken.last;
	return true;
}

/* Does `want` overlap a BAR, or the window of a bridge beside f? *past: where that ends. */
static bool occupied(
	const struct pci *pci, const struct pci_function *f, struct range want, uint64_t *past)
{
	for (unsigned i = 0; i < pci->functions; i++) {
		const struct pci_function *g = &pci->function[i];

		for (unsigned n = 0; n < PCI_BARS; n++) {
			const struct pci_bar *bar = &g->bar[n];
			struct range taken = {bar->address, bar->address + bar->bytes - 1};

			if (!bar->io && bar->address && collides(want, taken, past))
				return true;
		}
		if (g->header == PCI_HEADER_BRIDGE && g->bridge == f->bridge &&
			(collides(want, bridge_memory(pci, g), past) ||
				collides(want, bridge_prefetch(pci, g), past)))
			return true;
	}
	return false;
}

/* The lowest free place for `bytes` in f's range, aligned to its size; 0 when there is none. */
static uint64_t find_place(const struct pci *pci, const struct pci_function *f, uint64_t bytes)
{
	struct range all = assignable(pci, f);
	uint64_t start = all.first, past = 0;

	/* Each turn passes one range for good, so this ends. */
	while (start <= all.last) {
		uint64_t aligned = (start + bytes - 1) & -bytes;
		struct range want = {aligned, aligned + bytes - 1};

		if (aligned < start || want.last < aligned || want.last > all.last)
			return 0;
		if (!occupied(pci, f, want, &past))
			return aligned;
		if (past == UINT64_MAX)
			return 0;
		start = past + 1;
	}
	return 0;
}

static void assign_one(struct pci *pci, struct pci_function *f, unsigned n)
{
	struct pci_bar *bar = &f->bar[n];
	uint64_t address = find_place(pci, f, bar->bytes);
	uint16_t command = pci_read16(pci, f, PCI_COMMAND);

	if (!address || (!bar->wide && address + bar->bytes - 1 > UINT32_MAX)) {
		pci->env->log(pci->env->ctx, "pci %s: no place for BAR %u of %llu bytes",
			f->location, n, (unsigned long long)bar->bytes);
		return;
	}
	pci_write16(pci, f, PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_MEMORY));
	pci_write32(pci, f, BAR_AT(n), (uint32_t)address);
	if (bar->wide)
		pci_write32(pci, f, BAR_AT(n + 1), (uint32_t)(address >> 32));
	pci_write16(pci, f, PCI_COMMAND, command);
	bar->address = address;
}

/* ---------------------------------------------------------------- closed bridges */

static bool is_below(const struct pci *pci, const struct pci_function *f, int bridge)
{
	int above = f->bridge;

	while (above > bridge) /* a bridge comes before what it leads to */
		above = pci->function[above].bridge;
	return above == bridge;
}

/* Window that suffices for all unassigned BARs below a bridge, a power of two; 0: none, or too
 * much. */
static uint64_t window_demand(const struct pci *pci, int bridge)
{
	uint64_t sum = 0, bytes = BRIDGE_UNIT;

	for (unsigned i = 0; i < pci->functions; i++) {
		const struct pci_function *f = &pci->function[i];

		if (!is_below(pci, f, bridge))
			continue;
		if (f->header == PCI_HEADER_BRIDGE)
			sum += BRIDGE_UNIT;
		for (unsigned n = 0; n < PCI_BARS; n++) {
			if (f->bar[n].io || f->bar[n].address)
				continue;
			if (f->bar[n].bytes > UINT32_MAX)
				return 0;
			sum += f->bar[n].bytes;
		}
	}
	while (bytes < 2 * sum) /* alignment costs at most as much again */
		bytes *= 2;
	return sum ? bytes : 0;
}

/* Opens a bridge that firmware left closed, if there is something to assign behind it. */
static void open_bridge(struct pci *pci, int index)
{
	const struct pci_function *bridge = &pci->function[index];
	struct range window = bridge_memory(pci, bridge);
	uint64_t bytes = window_demand(pci, index), base;

	if (window.first <= window.last || !bytes)
		return;
	base = find_place(pci, bridge, bytes);
	if (!base || base + bytes - 1 > UINT32_MAX)
		return; /* each BAR behind it will say so */
	pci_write32(pci, bridge, PCI_MEMORY_BASE,
		(uint32_t)(base >> 16 | ((base + bytes - 1) & 0xfff00000)));
	pci_write32(pci, bridge, PCI_PREFETCH_BASE, PCI_PREFETCH_CLOSED);
}

void pci_bars_assign(struct pci *pci)
{
	for (unsigned i = 0; i < pci->functions; i++) {
		struct pci_function *f = &pci->function[i];

		if (f->header == PCI_HEADER_BRIDGE)
			open_bridge(pci, (int)i);
		for (unsigned n = 0; n < PCI_BARS; n++)
			if (f->bar[n].bytes && !f->bar[n].io && !f->bar[n].address)
				assign_one(pci, f, n);
	}
}
