/* PCI: access by both ways, the scan, BAR sizes and places, and capability lists that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "drivers/pci.h"
#include "drivers/pci_regs.h"
#include "test/model/pci_model.h"

static struct pci_model model;
static struct pci pci;
static struct pci_host host;

static int set_up(void **state)
{
	model_io_reset();
	pci_model_init(&model);
	memset(&pci, 0xa5, sizeof pci);
	host = (struct pci_host){
		.ecam = (volatile void *)PCI_MODEL_ECAM,
		.bus_last = 255,
		.window = PCI_MODEL_LOW,
		.window_bytes = 0x10000000,
	};
	return 0;
}

static int tear_down(void **state)
{
	assert_int_equal(model.sized_while_decoding, 0);
	assert_int_equal(model.unaligned, 0);
	assert_int_equal(model_io.strays, 0);
	model_io_reset();
	return 0;
}

static unsigned scan(void)
{
	return pci_scan(&pci, &host, &model_env);
}

static void scans_empty_segment(void **state)
{
	assert_int_equal(scan(), 0);
}

/* The same functions, registers and writes by ECAM and by ports. */
static void ports_see_what_ecam_sees(void **state)
{
	for (unsigned ports = 0; ports < 2; ports++) {
		set_up(state);
		if (ports)
			host.ecam = NULL;
		pci_model_add(&model, 0, 0, 0, 0x8086, 0x29c0);
		pci_model_add(&model, 0, 3, 0, 0x1af4, 0x1041);
		pci_model_add(&model, 0, 3, 2, 0x1234, 0x5678);
		assert_int_equal(scan(), 3);
		assert_string_equal(pci.function[0].location, "0000:00:00.0");
		assert_string_equal(pci.function[2].location, "0000:00:03.2");
		assert_int_equal(pci.function[1].vendor_id, 0x1af4);
		assert_int_equal(pci.function[1].device_id, 0x1041);
		assert_int_equal(pci.function[1].class_code, 0x020000);
		assert_int_equal(pci_read16(&pci, &pci.function[2], 2), 0x5678);
		assert_int_equal(pci_read8(&pci, &pci.function[2], 1), 0x12);
		pci_enable(&pci, &pci.function[1]);
		assert_int_equal(pci_model_get(&model.function[1], PCI_COMMAND, 2), 0x0406);
		pci_disable(&pci, &pci.function[1]);
		assert_int_equal(pci_model_get(&model.function[1], PCI_COMMAND, 2), 0x0402);
		assert_int_equal(
			pci_read32(&pci, &pci.function[0], ports ? 256 : 4096), UINT32_MAX);
	}
}

/* Where the multi-function bit is clear, function 1 is an echo of function 0 or nothing. */
static void single_function_device_has_one(void **state)
{
	pci_model_add(&model, 0, 5, 0, 1, 2);
	pci_model_add(&model, 0, 5, 1, 1, 3);
	model.function[0].config[PCI_HEADER] = 0;
	assert_int_equal(scan(), 1);
}

static void follows_bridges(void **state)
{
	struct pci_model_function *a = pci_model_add(&model, 0, 1, 0, 1, 1);
	struct pci_model_function *b = pci_model_add(&model, 4, 0, 0, 1, 1);

	pci_model_bridge(a, 4, 0x90000000, 0x901fffff);
	pci_model_bridge(b, 7, 0x90000000, 0x900fffff);
	pci_model_add(&model, 7, 31, 0, 2, 2);
	pci_model_add(&model, 9, 0, 0, 3, 3); /* no bridge leads there */
	assert_int_equal(scan(), 3);
	assert_int_equal(pci.function[0].bridge, -1);
	assert_int_equal(pci.function[1].bridge, 0);
	assert_int_equal(pci.function[2].bridge, 1);
	assert_string_equal(pci.function[2].location, "0000:07:1f.0");
}

/* A bridge to its own bus, one upwards, one not set up, two to the same bus, one beyond the
 * segment. */
static void bridges_cannot_make_loops(void **state)
{
	static const unsigned secondary[] = {0, 2, 2, 0, 200};

	host.bus_last = 100;
	for (unsigned i = 0; i < 5; i++)
		pci_model_bridge(pci_model_add(&model, 0, i, 0, 1, 1), secondary[i], 0, 0);
	pci_model_bridge(pci_model_add(&model, 2, 0, 0, 1, 1), 2, 0, 0);
	pci_model_bridge(pci_model_add(&model, 2, 1, 0, 1, 1), 1, 0, 0);
	assert_int_equal(scan(), 7);
	assert_int_equal(model_io.lines, 6);
}

static void stops_at_the_table_end(void **state)
{
	for (unsigned i = 0; i < PCI_MODEL_FUNCTIONS; i++) {
		if (i < 256)
			pci_model_add(&model, 0, i / 8, i % 8, 1, 1);
		else
			pci_model_add(&model, 1 + (i - 256) / 256, i % 256 / 8, i % 8, 1, 1);
	}
	for (unsigned i = 0; i < 2; i++) {
		model.function[i].config[PCI_HEADER] |= PCI_HEADER_BRIDGE;
		model.function[i].config[PCI_BUS_SECONDARY] = (uint8_t)(i + 1);
	}
	assert_int_equal(scan(), PCI_FUNCTIONS_MAX);
	assert_non_null(strstr(model_io.line, "512"));
}

/* ---------------------------------------------------------------- BARs */

static void sizes_bars(void **state)
{
	struct pci_model_function *f = pci_model_add(&model, 0, 1, 0, 1, 1);

	pci_model_bar(f, 0, 0x1000, 0x81234000, 0);
	pci_model_bar(f, 1, 0x40, 0xc040, PCI_BAR_IO);
	pci_model_bar(f, 2, UINT64_C(1) << 33, PCI_MODEL_HIGH * 2, PCI_BAR_TYPE_64 | 8);
	pci_model_bar(f, 5, 16, 0x80000010, 0);
	pci_model_set(f, PCI_COMMAND, 2, 3); /* decoding as firmware left it */
	scan();
	assert_int_equal(pci.function[0].bar[0].bytes, 0x1000);
	assert_int_equal(pci.function[0].bar[0].address, 0x81234000);
	assert_true(pci.function[0].bar[1].io);
	assert_int_equal(pci.function[0].bar[2].bytes, UINT64_C(1) << 33);
	assert_int_equal(pci.function[0].bar[2].address, PCI_MODEL_HIGH * 2);
	assert_true(pci.function[0].bar[2].wide);
	assert_int_equal(pci.function[0].bar[3].bytes, 0);
	assert_int_equal(pci.function[0].bar[4].bytes, 0);
	assert_int_equal(pci.function[0].bar[5].bytes, 16);
	assert_int_equal(pci_model_get(f, PCI_BAR0, 4), 0x81234000);
	assert_int_equal(pci_model_get(f, PCI_BAR0 + 12, 4), PCI_MODEL_HIGH * 2 >> 32);
	assert_int_equal(pci_model_get(f, PCI_COMMAND, 2), 3);
}

/* Gaps in the size mask, a 64-bit BAR in the last register, one whose upper half is missing. */
static void ignores_bars_that_make_no_sense(void **state)
{
	struct pci_model_function *f = pci_model_add(&model, 0, 1, 0, 1, 1);

	pci_model_bar(f, 0, 0x1000, 0, 0);
	f->bar_writable[0] = 0xff0ff000;
	pci_model_bar(f, 2, 0x1000, 0, PCI_BAR_TYPE_64);
	f->bar_writable[3] = 0;
	pci_model_bar(f, 5, 0x1000, 0, PCI_BAR_TYPE_64);
	pci_model_set(f, PCI_BAR0 + 24, 4, UINT32_MAX); /* the register after the last BAR */
	scan();
	for (unsigned n = 0; n < PCI_BARS; n++)
		assert_int_equal(pci.function[0].bar[n].bytes, 0);
	assert_int_equal(model_io.lines, 3);
	assert_int_equal(pci_model_get(f, PCI_BAR0 + 20, 4), PCI_BAR_TYPE_64);
}

/* As qboot leaves them: all 0. Places are aligned to the size and clear of what is assigned. */
static void assigns_bars(void **state)
{
	struct pci_model_function *f = pci_model_add(&model, 0, 1, 0, 1, 1);
	struct pci_model_function *g = pci_model_add(&model, 0, 2, 0, 1, 1);
	struct pci_model_function *h = pci_model_add(&model, 0, 3, 0, 1, 1);

	host.window = PCI_MODEL_LOW + 0x800;
	pci_model_bar(f, 0, 0x1000, 0, 0);
	pci_model_bar(f, 1, 0x1000, 0, PCI_BAR_IO);
	pci_model_bar(f, 4, 0x4000, 0, PCI_BAR_TYPE_64);
	pci_model_bar(g, 0, 0x100000, 0, 8);
	pci_model_bar(h, 0, 0x10000, PCI_MODEL_LOW, 0);
	pci_model_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	scan();
	assert_int_equal(pci.function[0].bar[0].address, PCI_MODEL_LOW + 0x10000);
	assert_int_equal(pci.function[0].bar[1].address, 0);
	assert_int_equal(pci.function[0].bar[4].address, PCI_MODEL_LOW + 0x14000);
	assert_int_equal(pci.function[1].bar[0].address, PCI_MODEL_LOW + 0x100000);
	assert_int_equal(pci_model_get(f, PCI_BAR0 + 16, 8), (PCI_MODEL_LOW + 0x14000) | 4);
	assert_int_equal(pci_model_get(f, PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
	assert_int_equal(model_io.lines, 0);
}

static void says_when_there_is_no_place(void **state)
{
	struct pci_model_function *f = pci_model_add(&model, 0, 1, 0, 1, 1);

	host.window_bytes = 0x1800;
	pci_model_bar(f, 0, 0x1000, 0, 0);
	pci_model_bar(f, 1, 0x1000, 0, 0);
	pci_model_bar(f, 2, 0x800, 0, 0);
	scan();
	assert_int_equal(pci.function[0].bar[0].address, PCI_MODEL_LOW);
	assert_int_equal(pci.function[0].bar[1].address, 0);
	assert_int_equal(pci.function[0].bar[2].address, PCI_MODEL_LOW + 0x1000);
	assert_int_equal(model_io.lines, 1);
	assert_string_equal(model_io.line, "pci 0000:00:01.0: no place for BAR 1 of 4096 bytes");
}

static void no_place_without_a_window(void **state)
{
	pci_model_bar(pci_model_add(&model, 0, 1, 0, 1, 1), 0, 0x1000, 0, 0);
	host.window_bytes = 0;
	scan();
	assert_int_equal(pci.function[0].bar[0].address, 0);
	assert_int_equal(model_io.lines, 1);
}

/* A 32-bit BAR is never put above 4 GiB. */
static void narrow_bar_stays_below_4g(void **state)
{
	pci_model_bar(pci_model_add(&model, 0, 1, 0, 1, 1), 0, 0x1000, 0, 0);
	host.window = PCI_MODEL_HIGH;
	scan();
	assert_int_equal(pci.function[0].bar[0].address, 0);
}

/* A size that overflows every address is passed by. */
static void huge_bar_fits_nowhere(void **state)
{
	pci_model_bar(
		pci_model_add(&model, 0, 1, 0, 1, 1), 0, UINT64_C(1) << 63, 0, PCI_BAR_TYPE_64);
	host.window_bytes = UINT64_MAX - host.window;
	scan();
	assert_int_equal(pci.function[0].bar[0].bytes, UINT64_C(1) << 63);
	assert_true(pci.function[0].bar[0].address == 0 ||
		    pci.function[0].bar[0].address == UINT64_C(1) << 63);
}

/* Behind an open bridge only its window works, and nothing beside it is put into that. */
static void bridge_windows_are_kept(void **state)
{
	pci_model_bar(pci_model_add(&model, 0, 1, 0, 1, 1), 0, 0x1000, 0, 0);
	pci_model_bridge(
		pci_model_add(&model, 0, 2, 0, 1, 1), 1, PCI_MODEL_LOW, PCI_MODEL_LOW + 0xfffff);
	pci_model_bridge(pci_model_add(&model, 0, 3, 0, 1, 1), 2, 0xfff00000, 0);
	pci_model_bar(pci_model_add(&model, 1, 0, 0, 1, 1), 0, 0x1000, 0, 0);
	pci_model_bar(pci_model_add(&model, 2, 0, 0, 1, 1), 0, 0x1000, 0, 0);
	assert_int_equal(scan(), 5);
	assert_int_equal(pci.function[0].bar[0].address, PCI_MODEL_LOW + 0x100000);
	assert_int_equal(pci.function[3].bar[0].address, PCI_MODEL_LOW);
	assert_int_equal(pci.function[4].bar[0].address, PCI_MODEL_LOW + 0x200000);
	assert_int_equal(model_io.lines, 0);
}

/* As qboot leaves a root port: bus numbers, but no windows. Each bridge down to the device is
 * opened. */
static void closed_bridges_are_opened(void **state)
{
	struct pci_model_function *a, *b, *dev;

	pci_model_bar(pci_model_add(&model, 0, 1, 0, 1, 1), 0, 0x1000, 0, 0);
	a = pci_model_add(&model, 0, 2, 0, 1, 1);
	pci_model_bridge(a, 1, 0, 0);
	pci_model_set(a, PCI_PREFETCH_BASE, 4, 0);
	b = pci_model_add(&model, 1, 0, 0, 1, 1);
	pci_model_bridge(b, 2, 0, 0);
	dev = pci_model_add(&model, 2, 0, 0, 1, 1);
	pci_model_bar(dev, 0, 0x1000, 0, 0);
	pci_model_bar(dev, 4, 0x100000, 0, PCI_BAR_TYPE_64);
	assert_int_equal(scan(), 4);
	assert_int_equal(model_io.lines, 0);
	assert_int_equal(pci_model_get(a, PCI_MEMORY_BASE, 4), 0x80f08080); /* 8 MiB */
	assert_int_equal(pci_model_get(b, PCI_MEMORY_BASE, 4), 0x80b08080); /* 4 of them */
	assert_int_equal(pci.function[3].bar[0].address, 0x80800000);
	assert_int_equal(pci.function[3].bar[4].address, 0x80900000);
	assert_int_equal(pci_model_get(a, PCI_PREFETCH_BASE, 4), 0xfff0);
	pci_enable(&pci, &pci.function[3]);
	assert_int_equal(pci_model_get(a, PCI_COMMAND, 2), 6);
	assert_int_equal(pci_model_get(b, PCI_COMMAND, 2), 6);
}

/* Random segments: whatever is assigned is aligned, in the window and overlaps nothing. */
static void assigned_bars_never_overlap(void **state)
{
	uint32_t seed = 1;

	for (unsigned round = 0; round < 200; round++) {
		set_up(state);
		for (unsigned i = 0; i < 12; i++) {
			struct pci_model_function *f = pci_model_add(&model, 0, i, 0, 1, 1);

			for (unsigned n = 0; n < 6; n++) {
				uint64_t bytes, place;

				seed = seed * 1103515245 + 12345;
				bytes = UINT64_C(16) << (seed >> 16) % 18;
				place = seed >> 8 & 1 ? PCI_MODEL_LOW + (n * 16 + i) * 0x200000 : 0;
				if (seed >> 9 & 1)
					pci_model_bar(f, n, bytes, place, 0);
			}
		}
		scan();
		for (unsigned a = 0; a < 72; a++) {
			const struct pci_bar *p = &pci.function[a / 6].bar[a % 6];

			assert_int_equal(p->bytes ? p->address % p->bytes : 0, 0);
			for (unsigned b = 0; b < a; b++) {
				const struct pci_bar *q = &pci.function[b / 6].bar[b % 6];

				assert_true(!p->address || !q->address ||
					    p->address + p->bytes <= q->address ||
					    q->address + q->bytes <= p->address);
			}
		}
	}
}

/* ---------------------------------------------------------------- capabilities */

static unsigned walk(void)
{
	struct pci_walk w = {0};
	unsigned n = 0;

	while (pci_walk_capabilities(&pci, &pci.function[0], &w)) {
		assert_in_range(w.at, 0x40, 0xfc);
		assert_true(++n < 100);
	}
	return n;
}

static void walks_capabilities(void **state)
{
	struct pci_model_function *f = pci_model_add(&model, 0, 1, 0, 1, 1);
	struct pci_walk w = {0};

	scan();
	assert_int_equal(walk(), 0);
	pci_model_capability(f, 0x80, (const uint8_t[]){0x11, 0}, 2);
	pci_model_capability(f, 0x41, (const uint8_t[]){0x09, 0}, 2);
	f->config[0x40] = 0x09; /* the pointer's low bits do not count */
	f->config[0x41] = 0;
	assert_true(pci_walk_capabilities(&pci, &pci.function[0], &w));
	assert_int_equal(w.id, 0x11);
	assert_true(pci_walk_capabilities(&pci, &pci.function[0], &w));
	assert_int_equal(w.id, 0x09);
	assert_int_equal(w.at, 0x40);
	assert_false(pci_walk_capabilities(&pci, &pci.function[0], &w));
	f->config[PCI_STATUS] = 0;
	assert_int_equal(walk(), 0);
}

static void walk_survives_loops_and_bad_pointers(void **state)
{
	struct pci_model_function *f = pci_model_add(&model, 0, 1, 0, 1, 1);

	scan();
	pci_model_capability(f, 0x40, (const uint8_t[]){9, 0}, 2);
	f->config[0x41] = 0x40;
	assert_int_equal(walk(), 48);
	f->config[0x41] = 0x3c; /* into the header */
	assert_int_equal(walk(), 1);
	f->config[0x41] = 0xff; /* the last four bytes, which then point at themselves */
	f->config[0xfc] = 9;
	f->config[0xfd] = 0xfc;
	assert_int_equal(walk(), 48);
	f->config[0xfc] = 0xff;
	assert_int_equal(walk(), 1);
	memset(f->config, 0xff, sizeof f->config); /* it has gone */
	assert_int_equal(walk(), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(scans_empty_segment),
		CASE(ports_see_what_ecam_sees),
		CASE(single_function_device_has_one),
		CASE(follows_bridges),
		CASE(bridges_cannot_make_loops),
		CASE(stops_at_the_table_end),
		CASE(sizes_bars),
		CASE(ignores_bars_that_make_no_sense),
		CASE(assigns_bars),
		CASE(says_when_there_is_no_place),
		CASE(no_place_without_a_window),
		CASE(narrow_bar_stays_below_4g),
		CASE(huge_bar_fits_nowhere),
		CASE(bridge_windows_are_kept),
		CASE(closed_bridges_are_opened),
		CASE(assigned_bars_never_overlap),
		CASE(walks_capabilities),
		CASE(walk_survives_loops_and_bad_pointers),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
