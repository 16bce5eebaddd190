/* Memory types by MTRRs: as firmware sets them, contradicting, off, and against a table of pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/x86/mtrr.h"

#define BITS 40u
#define ALL  ((1ull << BITS) - 1)
#define MIB  (1ull << 20)
#define GIB  (1ull << 30)
#define ON   (1u << 11)

enum { UNCACHED = 0, COMBINING = 1, THROUGH = 4, BACK = 6 };

static void range(struct mtrr *m, uint64_t first, uint64_t bytes, unsigned type)
{
	unsigned i = (unsigned)m->cap++;

	m->range[2 * i] = first | type;
	m->range[2 * i + 1] = (ALL & -bytes) | ON;
}

static void expect(const struct mtrr *m, const struct memmap *ram, uint64_t bytes, uint64_t where)
{
	uint64_t first = 0;

	assert_int_equal(mtrr_slow_bytes(m, BITS, ram, &first), bytes);
	assert_int_equal(first, where);
}

/* 3 GiB, and 5 GiB above 4 GiB. */
static struct memmap ram(void)
{
	struct memmap r = {0};

	memmap_add(&r, 4096, 3 * GIB);
	memmap_add(&r, 4 * GIB, 9 * GIB);
	return r;
}

static void test_firmware(void **state)
{
	struct mtrr m = {.def_type = ON | BACK};
	struct memmap r = ram();

	range(&m, 3 * GIB, GIB, UNCACHED); /* as virtual machines have it */
	expect(&m, &r, 0, 0);
	m.range[1] &= ~(uint64_t)ON; /* not in use: as if it were not there */
	expect(&m, &r, 0, 0);
	m.range[1] |= ON;
	m.range[0] = 2 * GIB | UNCACHED; /* a GiB too low */
	expect(&m, &r, GIB, 2 * GIB);

	m = (struct mtrr){.def_type = ON | UNCACHED}; /* as most machines have it */
	range(&m, 0, 4 * GIB, BACK);
	range(&m, 3 * GIB, GIB, UNCACHED);
	range(&m, 4 * GIB, 4 * GIB, BACK);
	expect(&m, &r, GIB, 8 * GIB); /* the last GiB was forgotten */
	range(&m, 8 * GIB, GIB, BACK);
	expect(&m, &r, 0, 0);
	m.def_type &= ~(uint64_t)ON;
	assert_false(mtrr_on(&m));
	expect(&m, &r, 8 * GIB - MIB, MIB);
}

static void test_amd(void **state)
{
	struct mtrr m = {.def_type = ON | UNCACHED, .syscfg = 3u << 21, .top_mem2 = 8 * GIB};
	struct memmap r = ram();

	range(&m, 0, 4 * GIB, BACK);
	expect(&m, &r, GIB, 8 * GIB);
	m.top_mem2 = 9 * GIB;
	expect(&m, &r, 0, 0);
	range(&m, 6 * GIB, 2 * MIB, THROUGH); /* a range is stronger */
	expect(&m, &r, 2 * MIB, 6 * GIB);
	m.syscfg = 1u << 21;
	expect(&m, &r, 5 * GIB, 4 * GIB);
}

static void test_odd(void **state)
{
	struct mtrr m = {.def_type = ON | BACK};
	struct memmap r = ram();

	range(&m, 0, 1ull << BITS, BACK); /* a mask of nothing holds everything */
	expect(&m, &r, 0, 0);
	m.range[0] = THROUGH;
	expect(&m, &r, 8 * GIB - MIB, MIB);
	m = (struct mtrr){.def_type = ON | BACK};
	range(&m, 1 * GIB, GIB, UNCACHED);
	m.range[1] ^= 1ull << 36; /* a hole in the mask */
	expect(&m, &r, 0, 0);
	m.range[1] = (uint64_t)-1; /* bits above those of an address: 4 KiB */
	expect(&m, &r, 4096, GIB);
	m.range[0] = (uint64_t)-1;
	expect(&m, &r, 0, 0);
	m.cap = 255; /* more than the architecture has */
	expect(&m, &r, 0, 0);
}

/* Page by page, as the table 12-8 and what follows it say. */
static unsigned type_of(const struct mtrr *m, uint64_t page)
{
	bool seen[256] = {false};
	unsigned kinds = 0, type = m->def_type & 0xff;

	for (unsigned i = 0; i < m->cap; i++) {
		uint64_t base = m->range[2 * i], mask = m->range[2 * i + 1];

		if (!(mask & ON) || (page & mask & -4096ull) != (base & mask & -4096ull))
			continue;
		type = base & 0xff;
		kinds += !seen[type];
		seen[type] = true;
	}
	if (kinds < 2)
		return type;
	return kinds == 2 && seen[THROUGH] && seen[BACK] ? THROUGH : UNCACHED;
}

static void test_against_pages(void **state)
{
	static const uint8_t types[] = {UNCACHED, COMBINING, THROUGH, BACK, BACK, BACK};
	uint32_t seed = 3;

	for (unsigned round = 0; round < 2000; round++) {
		struct mtrr m = {.def_type = ON | types[round % 6]};
		struct memmap r = {0};
		uint64_t bytes = 0, where = 0;

		memmap_add(&r, MIB, 2 * MIB);
		memmap_remove(&r, MIB + 0x20000, MIB + 0x35000);
		for (unsigned i = 0; i < 5; i++) {
			uint64_t size = 4096ull << (seed >> 28) % 9;

			seed = seed * 1664525 + 1013904223;
			range(&m, MIB + ((seed >> 8) % MIB & -size), size, types[(seed >> 4) % 6]);
		}
		for (uint64_t page = MIB; page < 2 * MIB; page += 4096) {
			if (!memmap_contains(&r, page, 4096) || type_of(&m, page) == BACK)
				continue;
			if (!bytes)
				where = page;
			bytes += 4096;
		}
		expect(&m, &r, bytes, where);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_amd),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_against_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
