/*
 * ACPI tables, from the root pointer on: memory is the input, at BASE, with the
 * root pointer first. Sums are made right on the way, or no mutation would get past them.
 */
#include <stdlib.h>

#include "drivers/pci.h"
#include "kernel/x86/acpi.h"
#include "kernel/x86/portset.h"
#include "test/fuzz/fuzz.h"

#define BASE       0x100000u
#define COPIES_MAX 2000u
#define RSDP_FIRST 20u /* bytes of revision 0 */
#define RSDP_BYTES 36u
#define SUM_AT     9u /* of a table: 5.2.6 */

struct memory {
	const uint8_t *p;
	size_t bytes;
	void *copy[COPIES_MAX];
	unsigned copies;
};

/* A copy of exactly the bytes asked for, so that a step beyond is seen. */
static const void *at(void *ctx, uint64_t address, uint64_t bytes)
{
	struct memory *m = ctx;
	uint8_t *copy;

	if (address < BASE || address - BASE > m->bytes || bytes > m->bytes - (address - BASE) ||
		m->copies == COPIES_MAX)
		return NULL;
	copy = malloc(bytes ? bytes : 1);
	if (!copy)
		return NULL;
	memcpy(copy, m->p + (address - BASE), bytes);
	m->copy[m->copies++] = copy;
	if (address == BASE && bytes >= RSDP_FIRST)
		fuzz_set_sum(copy, RSDP_FIRST, 8);
	if (address == BASE && bytes >= RSDP_BYTES)
		fuzz_set_sum(copy, RSDP_BYTES, 32);
	if (address != BASE && bytes > SUM_AT)
		fuzz_set_sum(copy, bytes, SUM_AT);
	return copy;
}

/* Each step can be done as it is. */
static void check_wdat(const struct acpi *a)
{
	static const struct pci pci;
	static const struct portset none;

	CLAIM(a->has_wdat || (!a->wdat_refusal && !a->wdat.steps));
	CLAIM(a->wdat.steps <= WDAT_STEPS_MAX);
	CLAIM(!a->has_wdat || !a->wdat_refusal == (a->wdat.period_ms && a->wdat.steps >= 4));
	for (unsigned i = 0; i < a->wdat.steps; i++) {
		const struct wdat_step *s = &a->wdat.step[i];

		CLAIM(s->kind <= WDAT_WRITE_COUNT && s->mask);
		CLAIM(s->bytes == 1 || s->bytes == 2 || s->bytes == 4);
		CLAIM((uint64_t)s->mask << s->shift < 1ull << 8 * s->bytes);
		CLAIM(s->address % s->bytes == 0 && (!s->io || s->address < 65536));
	}
	(void)wdat_trespass(&a->wdat, a, &pci, &none);
}

static void check(const struct acpi *a)
{
	CLAIM(a->cpus <= ACPI_CPUS_MAX && a->ecams <= ACPI_ECAMS_MAX);
	CLAIM(a->srat.nodes <= SRAT_NODES_MAX && a->srat.cores <= SRAT_CORES_MAX);
	CLAIM(a->srat.ranges <= SRAT_RANGES_MAX && a->srat.devices <= SRAT_DEVICES_MAX);
	for (unsigned i = 0; i < a->ecams; i++)
		CLAIM(a->ecam[i].bus_first <= a->ecam[i].bus_last);
	for (unsigned i = 0; i < a->srat.ranges; i++)
		CLAIM(a->srat.range[i].first < a->srat.range[i].end);
	for (unsigned i = 0; i < a->tables && i < ACPI_NAMES_MAX; i++)
		CLAIM(strlen(a->name[i]) == 4);
	check_wdat(a);
	(void)srat_core_node(&a->srat, 1);
	(void)srat_device_node(&a->srat, 0, 0, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct memory m;
	const struct acpi_memory memory = {.at = at, .ctx = &m};
	static struct acpi a;

	m = (struct memory){.p = data, .bytes = bytes};
	(void)acpi_parse(&memory, BASE, &a);
	check(&a);
	(void)acpi_find_rsdp(data, bytes);
	while (m.copies)
		free(m.copy[--m.copies]);
	return 0;
}
