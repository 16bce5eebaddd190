/* Parses the WDAT, and says whether what it wants to touch may be touched. */
#include "kernel/x86/wdat.h"

#include <string.h>

#include "drivers/pci.h"
#include "drivers/pci_regs.h"
#include "kernel/x86/acpi.h"
#include "kernel/x86/portset.h"

/* The table. Its field "header length" is not believed: there is firmware that counts entries, too.
 */
#define SEGMENT_AT    40u
#define BUS_AT        42u /* device and function behind it */
#define PERIOD_AT     48u /* ms */
#define COUNT_MAX_AT  52u
#define COUNT_MIN_AT  56u
#define FLAGS_AT      60u
#define FLAGS_ENABLED 0x01u
#define ENTRIES_AT    64u
#define TABLE_BYTES   68u

/* An entry, and in it a generic address structure (ACPI 6.4, 5.2.3.2). */
#define KIND_AT       1u
#define KIND_PRESERVE 0x80u
#define SPACE_AT      4u
#define WIDTH_AT      5u /* bits */
#define SHIFT_AT      6u
#define ACCESS_AT     7u /* 1 to 4: 8, 16, 32, 64 bits; 0: by the width */
#define ADDRESS_AT    8u
#define VALUE_AT      16u
#define MASK_AT       20u
#define ENTRY_BYTES   24u

/* DMA and interrupt controllers, timer, keyboard, clock with CMOS, Super I/O: some are the
 * kernel's, and none is a watchdog's alone. */
#define MAINBOARD_PORTS 0x100u
#define PM_TIMER_BYTES  4u
#define PORTS           0x10000u

/* A write to it is an interrupt, or the local APIC's: SDM volume 3, 11.4.1 and 11.11.1. */
#define INTERRUPTS       0xfee00000u
#define INTERRUPTS_BYTES 0x100000u

#define PAGE        4096u
#define DEVICES_MIN 0x100000u /* below are RAM, the screen and ROM */

/* Little-endian, unaligned; the caller knows that it is there. */
static uint64_t field(const uint8_t *p, size_t bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

static bool is_used(uint8_t action)
{
	switch (action) {
	case WDAT_FEED:
	case WDAT_QUERY_COUNT:
	case WDAT_SET_COUNT:
	case WDAT_QUERY_RUNNING:
	case WDAT_SET_RUNNING:
	case WDAT_SET_STOPPED:
	case WDAT_SET_REBOOT:
	case WDAT_QUERY_FIRED:
	case WDAT_SET_FIRED:
		return true;
	default:
		return false;
	}
}

/* 1, 2 or 4; 0: another width. */
static uint8_t access_bytes(const uint8_t *entry)
{
	switch (entry[ACCESS_AT]) {
	case 0:
		return entry[WIDTH_AT] == 8 || entry[WIDTH_AT] == 16 || entry[WIDTH_AT] == 32
			       ? entry[WIDTH_AT] / 8
			       : 0;
	case 1:
	case 2:
	case 3:
		return (uint8_t)(1u << (entry[ACCESS_AT] - 1));
	default:
		return 0;
	}
}

static bool address_good(const struct wdat_step *s)
{
	if (s->address % s->bytes)
		return false;
	if (s->io)
		return s->address < PORTS;
	return s->address >= DEVICES_MIN && s->address < UINT64_MAX - PAGE;
}

static const char *parse_step(const uint8_t *entry, struct wdat_step *s)
{
	uint8_t kind = entry[KIND_AT] & (uint8_t)~KIND_PRESERVE;

	*s = (struct wdat_step){.action = entry[0],
		.kind = kind,
		.preserve = entry[KIND_AT] & KIND_PRESERVE,
		.io = entry[SPACE_AT] == ACPI_SPACE_IO,
		.bytes = access_bytes(entry),
		.shift = entry[SHIFT_AT],
		.value = (uint32_t)field(entry + VALUE_AT, 4),
		.address = field(entry + ADDRESS_AT, 8)};
	if (kind > WDAT_WRITE_COUNT)
		return "an instruction of no known kind";
	if (entry[SPACE_AT] > ACPI_SPACE_IO)
		return "a register that is neither a port nor memory";
	if (!s->bytes)
		return "a register of no known width";
	if (!address_good(s))
		return "a register where none can be";
	if (s->shift >= 8u * s->bytes)
		return "bits beyond their register";
	/* More bits than there are in the register are never seen. */
	s->mask =
		(uint32_t)field(entry + MASK_AT, 4) & UINT32_MAX >> (32 - 8 * s->bytes + s->shift);
	return s->mask ? NULL : "an instruction without bits";
}

static bool has(const struct wdat *w, enum wdat_action action, enum wdat_kind kind)
{
	for (unsigned i = 0; i < w->steps; i++)
		if (w->step[i].action == action && w->step[i].kind == kind)
			return true;
	return false;
}

static bool has_any(const struct wdat *w, enum wdat_action action)
{
	for (enum wdat_kind kind = WDAT_READ_VALUE; kind <= WDAT_WRITE_COUNT; kind++)
		if (has(w, action, kind))
			return true;
	return false;
}

static bool writes(const struct wdat *w, enum wdat_action action)
{
	return has(w, action, WDAT_WRITE_VALUE) || has(w, action, WDAT_WRITE_COUNT);
}

/* Is there room for every count, wherever it is written? */
static bool counts_fit(const struct wdat *w)
{
	uint32_t bits = w->count_max;

	for (unsigned half = 1; half < 32; half *= 2)
		bits |= bits >> half;
	for (unsigned i = 0; i < w->steps; i++)
		if (w->step[i].kind == WDAT_WRITE_COUNT && bits & ~w->step[i].mask)
			return false;
	return true;
}

/* A query that finds nothing out would read as a no. */
static bool queries_read(const struct wdat *w)
{
	return (!has_any(w, WDAT_QUERY_RUNNING) || has(w, WDAT_QUERY_RUNNING, WDAT_READ_VALUE)) &&
	       (!has_any(w, WDAT_QUERY_FIRED) || has(w, WDAT_QUERY_FIRED, WDAT_READ_VALUE)) &&
	       (!has_any(w, WDAT_QUERY_COUNT) || has(w, WDAT_QUERY_COUNT, WDAT_READ_COUNT));
}

static const char *check_whole(const struct wdat *w)
{
	if (!writes(w, WDAT_FEED))
		return "no way to feed it";
	if (!has(w, WDAT_SET_COUNT, WDAT_WRITE_COUNT))
		return "no way to set its time";
	if (!writes(w, WDAT_SET_RUNNING))
		return "no way to start it";
	if (!writes(w, WDAT_SET_STOPPED))
		return "no way to stop it";
	if (!counts_fit(w))
		return "counts that do not fit their register";
	return queries_read(w) ? NULL : "a query that reads nothing";
}

static const char *parse_entries(const uint8_t *entry, size_t n, struct wdat *w)
{
	const char *why;

	for (; n--; entry += ENTRY_BYTES) {
		if (!is_used(entry[0]))
			continue;
		if (w->steps == WDAT_STEPS_MAX)
			return "too many instructions";
		why = parse_step(entry, &w->step[w->steps++]);
		if (why)
			return why;
	}
	return check_whole(w);
}

static const char *parse(const uint8_t *table, size_t bytes, struct wdat *w)
{
	size_t entries;

	if (bytes < TABLE_BYTES)
		return "it is too short";
	if (!(table[FLAGS_AT] & FLAGS_ENABLED))
		return "firmware says that it is disabled";
	w->segment = (uint16_t)field(table + SEGMENT_AT, 2);
	w->bus = table[BUS_AT];
	w->device = table[BUS_AT + 1];
	w->function = table[BUS_AT + 2];
	w->period_ms = (uint32_t)field(table + PERIOD_AT, 4);
	w->count_max = (uint32_t)field(table + COUNT_MAX_AT, 4);
	w->count_min = (uint32_t)field(table + COUNT_MIN_AT, 4);
	if (!w->period_ms || !w->count_max || w->count_min > w->count_max)
		return "its times make no sense";
	entries = field(table + ENTRIES_AT, 4);
	if (entries > (bytes - TABLE_BYTES) / ENTRY_BYTES)
		return "it is shorter than its instructions";
	return parse_entries(table + TABLE_BYTES, entries, w);
}

const char *wdat_parse(const uint8_t *table, size_t bytes, struct wdat *w)
{
	const char *why;

	*w = (struct wdat){0};
	why = parse(table, bytes, w);
	if (why)
		*w = (struct wdat){0};
	return why;
}

/* Is anything of [first, first + bytes) in the step's register? */
static bool touches(const struct wdat_step *s, uint64_t first, uint64_t bytes)
{
	return s->address < first ? first - s->address < s->bytes : s->address - first < bytes;
}

static const char *port_trespass(
	const struct wdat_step *s, const struct acpi *a, const struct portset *open)
{
	if (touches(s, 0, MAINBOARD_PORTS))
		return "it wants a port of the mainboard's own devices";
	if (touches(s, PCI_CONFIG_ADDRESS, PCI_CONFIG_PORTS) ||
		(a->pm_timer && touches(s, a->pm_timer, PM_TIMER_BYTES)))
		return "it wants a port that is the kernel's";
	for (unsigned i = 0; i < s->bytes; i++)
		if (portset_has(open, (uint16_t)(s->address + i)))
			return "it wants a port that is the kernel's";
	return NULL;
}

/* A page is mapped for one end only. */
static const char *memory_trespass(const struct wdat_step *s, const struct acpi *a)
{
	if (touches(s, INTERRUPTS, INTERRUPTS_BYTES) ||
		(a->lapic && touches(s, a->lapic & -(uint64_t)PAGE, PAGE)))
		return "it wants a local APIC";
	if (a->has_reset && a->reset_space == ACPI_SPACE_MEMORY && touches(s, a->reset_address, 1))
		return "it wants the register that resets the machine";
	for (unsigned i = 0; i < a->ecams; i++)
		if (touches(s, a->ecam[i].base + ((uint64_t)a->ecam[i].bus_first << 20),
			    ((uint64_t)a->ecam[i].bus_last - a->ecam[i].bus_first + 1) << 20))
			return "it wants PCI's configuration space";
	return NULL;
}

/* The function that the table says to be the watchdog; it is no NIC. */
static bool is_its_own(const struct wdat *w, const struct pci *pci, const struct pci_function *f)
{
	return pci->host.segment == w->segment && f->bus == w->bus && f->device == w->device &&
	       f->function == w->function && f->class_code >> 16 != PCI_CLASS_NETWORK;
}

static bool touches_function(const struct wdat_step *s, const struct pci_function *f)
{
	for (unsigned i = 0; i < PCI_BARS; i++)
		if (f->bar[i].io == s->io && f->bar[i].address &&
			touches(s, f->bar[i].address, f->bar[i].bytes))
			return true;
	return false;
}

const char *wdat_trespass(const struct wdat *w, const struct acpi *a, const struct pci *pci,
	const struct portset *open)
{
	for (unsigned i = 0; i < w->steps; i++) {
		const struct wdat_step *s = &w->step[i];
		const char *why = s->io ? port_trespass(s, a, open) : memory_trespass(s, a);

		if (why)
			return why;
		for (unsigned f = 0; f < pci->functions; f++)
			if (!is_its_own(w, pci, &pci->function[f]) &&
				touches_function(s, &pci->function[f]))
				return "it wants a register of a PCI device";
	}
	return NULL;
}
