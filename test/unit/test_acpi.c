/* ACPI tables: a good set is understood; short, lying, unaligned and looping ones do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/x86/acpi.h"

#define BASE  0x7ff0003u /* physical address of the simulated memory: nothing is aligned */
#define BYTES 2048u

#define RSDP (BASE + 0)
#define RSDT (BASE + 100)
#define XSDT (BASE + 201)
#define MADT (BASE + 303)
#define MCFG (BASE + 501)
#define FADT (BASE + 603)
#define DSDT (BASE + 1001)
#define SRAT (BASE + 1103)

struct memory {
	uint8_t *p;
	size_t bytes;
};

/* Hands out a copy of exactly the bytes asked for, so that ASan sees every step beyond. */
struct handed {
	const struct memory *m;
	void *copy[4096];
	unsigned copies;
};

static const void *at(void *ctx, uint64_t address, uint64_t bytes)
{
	struct handed *h = ctx;
	void *copy;

	if (address < BASE || address - BASE > h->m->bytes ||
		bytes > h->m->bytes - (address - BASE))
		return NULL;
	assert_true(h->copies < sizeof h->copy / sizeof h->copy[0]);
	copy = malloc(bytes);
	assert_non_null(copy);
	memcpy(copy, h->m->p + (address - BASE), bytes);
	h->copy[h->copies++] = copy;
	return copy;
}

static bool parse(const struct memory *m, uint64_t rsdp, struct acpi *a)
{
	static struct handed h;
	const struct acpi_memory memory = {.at = at, .ctx = &h};
	bool ok;

	h.m = m;
	h.copies = 0;
	ok = acpi_parse(&memory, rsdp, a);
	while (h.copies)
		free(h.copy[--h.copies]);
	return ok;
}

static void put(struct memory *m, uint32_t address, size_t bytes, uint64_t v)
{
	memcpy(m->p + (address - BASE), &v, bytes);
}

static void set_sum(struct memory *m, uint32_t address, size_t bytes, size_t where)
{
	uint8_t *p = m->p + (address - BASE), sum = 0;

	p[where] = 0;
	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + p[i]);
	p[where] = (uint8_t)-sum;
}

/* Gives the table its header; call again after changing its contents. */
static void header(struct memory *m, uint32_t address, const char *signature, uint32_t bytes)
{
	memcpy(m->p + (address - BASE), signature, 4);
	put(m, address + 4, 4, bytes);
	if (bytes <= BASE + m->bytes - address)
		set_sum(m, address, bytes, 9);
}

static void put_rsdp(struct memory *m, uint8_t revision)
{
	memcpy(m->p + (RSDP - BASE), "RSD PTR ", 8);
	put(m, RSDP + 15, 1, revision);
	put(m, RSDP + 16, 4, RSDT);
	put(m, RSDP + 20, 4, 36);
	put(m, RSDP + 24, 8, XSDT);
	set_sum(m, RSDP, 20, 8);
	set_sum(m, RSDP, 36, 32);
}

static void put_madt(struct memory *m)
{
	static const uint8_t entries[] = {
		0, 8, 0, 0, 1, 0, 0, 0,                          /* APIC 0 */
		1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,       /* an I/O APIC: not of interest */
		0, 8, 1, 2, 1, 0, 0, 0,                          /* APIC 2 */
		0, 8, 2, 4, 0, 0, 0, 0,                          /* APIC 4, disabled */
		0, 8, 3, 2, 1, 0, 0, 0,                          /* APIC 2 again */
		9, 16, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* x2APIC 7 */
		9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* x2APIC 256 */
		0, 8, 4, 255, 1, 0, 0, 0,                        /* all */
		9, 16, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, /* all */
	};

	put(m, MADT + 36, 4, 0xfee00000);
	memcpy(m->p + (MADT + 44 - BASE), entries, sizeof entries);
	header(m, MADT, "APIC", 44 + sizeof entries);
}

static void put_fadt(struct memory *m)
{
	put(m, FADT + 40, 4, DSDT);
	put(m, FADT + 48, 4, 0xb2);
	put(m, FADT + 52, 1, 2);
	put(m, FADT + 64, 4, 0x604);
	put(m, FADT + 76, 4, 0x608);
	put(m, FADT + 91, 1, 4);
	put(m, FADT + 112, 4, 1u << 10 | 1u << 8);
	put(m, FADT + 116, 1, ACPI_SPACE_IO);
	put(m, FADT + 120, 8, 0xcf9);
	put(m, FADT + 128, 1, 0x0f);
	header(m, FADT, "FACP", 244);
}

/* Scope, then Name (_S5_, Package (4) { 5, One, 0, 0 }). */
static void put_dsdt(struct memory *m)
{
	static const uint8_t code[] = {0x10, 0x20, '\\', 0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x04,
		0x0a, 0x05, 0x01, 0x00, 0x00};

	memcpy(m->p + (DSDT + 36 - BASE), code, sizeof code);
	header(m, DSDT, "DSDT", 36 + sizeof code);
}

static void put_srat(struct memory *m)
{
	put(m, SRAT + 48, 8, 0x0102031000); /* APIC 2 on node 3 */
	header(m, SRAT, "SRAT", 48 + 16);
}

static struct memory good_memory(void)
{
	struct memory m = {.p = calloc(1, BYTES), .bytes = BYTES};

	assert_non_null(m.p);
	put_rsdp(&m, 2);
	put(&m, RSDT + 36, 4, MADT);
	header(&m, RSDT, "RSDT", 40);
	put(&m, XSDT + 36, 8, MADT);
	put(&m, XSDT + 44, 8, MCFG);
	put(&m, XSDT + 52, 8, FADT);
	put(&m, XSDT + 60, 8, SRAT);
	header(&m, XSDT, "XSDT", 68);
	put_madt(&m);
	put_srat(&m);
	put(&m, MCFG + 44, 8, 0xb0000000);
	put(&m, MCFG + 55, 1, 255);
	header(&m, MCFG, "MCFG", 60);
	put_fadt(&m);
	put_dsdt(&m);
	return m;
}

static void test_good(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	assert_true(parse(&m, RSDP, &a));
	assert_int_equal(a.tables, 4);
	assert_int_equal(a.bad_tables, 0);
	assert_int_equal(a.cpus, 4);
	assert_int_equal(a.apic_id[0], 0);
	assert_int_equal(a.apic_id[1], 2);
	assert_int_equal(a.apic_id[2], 7);
	assert_int_equal(a.apic_id[3], 256);
	assert_int_equal(a.cpus_lost, 0);
	assert_int_equal(a.lapic, 0xfee00000);
	assert_int_equal(a.ecams, 1);
	assert_int_equal(a.ecam[0].base, 0xb0000000);
	assert_int_equal(a.ecam[0].bus_last, 255);
	assert_int_equal(a.pm_timer, 0x608);
	assert_true(a.pm_timer_32bit);
	assert_int_equal(a.pm1a_control, 0x604);
	assert_true(a.has_s5);
	assert_int_equal(a.s5_type_a, 5);
	assert_int_equal(a.s5_type_b, 1);
	assert_true(a.has_reset);
	assert_int_equal(a.reset_address, 0xcf9);
	assert_int_equal(a.reset_value, 0x0f);
	assert_int_equal(a.srat.nodes, 1);
	assert_int_equal(srat_core_node(&a.srat, 2), 3);
	assert_int_equal(srat_core_node(&a.srat, 0), NODE_UNKNOWN);
	free(m.p);
}

/* ACPI 1.0 has only the RSDT; so has whoever breaks the XSDT. */
static void test_rsdt(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	put_rsdp(&m, 0);
	assert_true(parse(&m, RSDP, &a));
	assert_int_equal(a.tables, 1);
	put_rsdp(&m, 2);
	m.p[XSDT - BASE + 9]++;
	assert_true(parse(&m, RSDP, &a));
	assert_int_equal(a.tables, 1);
	assert_int_equal(a.cpus, 4);
	m.p[RSDT - BASE + 9]++;
	assert_false(parse(&m, RSDP, &a));
	assert_int_equal(a.cpus, 0);
	free(m.p);
}

static void test_bad_root(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	assert_false(parse(&m, 0, &a));
	assert_false(parse(&m, RSDP + 1, &a));
	assert_false(parse(&m, UINT64_MAX - 3, &a));
	m.p[8]++; /* sum of the first 20 bytes */
	assert_false(parse(&m, RSDP, &a));
	m.p[8]--;
	m.p[32]++; /* sum of all 36 */
	assert_false(parse(&m, RSDP, &a));
	free(m.p);
}

static void test_damaged_table_is_left_out(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	m.p[MADT - BASE + 50] ^= 1;
	assert_true(parse(&m, RSDP, &a));
	assert_int_equal(a.bad_tables, 1);
	assert_int_equal(a.cpus, 0);
	assert_int_equal(a.ecams, 1);
	free(m.p);
}

/* Lengths that lie: below a header, beyond memory, a table cut within an entry. */
static void test_lying_lengths(void **state)
{
	static const uint32_t length[] = {0, 35, 0x7fffffff, 0xffffffff, BYTES};
	struct memory m = good_memory();
	struct acpi a;

	for (unsigned i = 0; i < sizeof length / sizeof length[0]; i++) {
		put(&m, MADT + 4, 4, length[i]);
		assert_true(parse(&m, RSDP, &a));
		assert_int_equal(a.bad_tables, 1);
	}
	for (uint32_t bytes = 36; bytes < 120; bytes++) {
		header(&m, MADT, "APIC", bytes);
		assert_true(parse(&m, RSDP, &a));
		assert_true(a.cpus <= 3);
	}
	/* An XSDT whose last entry is cut off has one less. */
	header(&m, XSDT, "XSDT", 59);
	assert_true(parse(&m, RSDP, &a));
	assert_int_equal(a.tables, 2);
	free(m.p);
}

/* An entry of length 0 or 1 must end the walk. */
static void test_endless_entries(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	for (uint8_t length = 0; length < 2; length++) {
		m.p[MADT - BASE + 44 + 8 + 1] = length;
		header(&m, MADT, "APIC", 120);
		assert_true(parse(&m, RSDP, &a));
		assert_int_equal(a.cpus, 1);
	}
	free(m.p);
}

/* Tables that list each other, or themselves, are not followed round. */
static void test_loops(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	put(&m, XSDT + 36, 8, XSDT);
	put(&m, XSDT + 44, 8, RSDP);
	header(&m, XSDT, "XSDT", 60);
	put(&m, FADT + 40, 4, FADT);
	header(&m, FADT, "FACP", 244);
	assert_true(parse(&m, RSDP, &a));
	assert_false(a.has_s5);
	assert_int_equal(a.pm_timer, 0x608);
	free(m.p);
}

static void test_short_fadt(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	for (uint32_t bytes = 36; bytes < 244; bytes++) {
		header(&m, FADT, "FACP", bytes);
		assert_true(parse(&m, RSDP, &a));
		assert_int_equal(a.has_reset, bytes >= 129);
		assert_int_equal(a.pm_timer, bytes >= 92 ? 0x608 : 0);
	}
	free(m.p);
}

/* The 64-bit fields win where they are ports; a port above 0xffff is none. */
static void test_fadt_extended(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	put(&m, FADT + 208, 1, ACPI_SPACE_IO);
	put(&m, FADT + 212, 8, 0x808);
	put(&m, FADT + 172, 1, ACPI_SPACE_IO);
	put(&m, FADT + 176, 8, 0x10604);
	header(&m, FADT, "FACP", 244);
	assert_true(parse(&m, RSDP, &a));
	assert_int_equal(a.pm_timer, 0x808);
	assert_int_equal(a.pm1a_control, 0);
	free(m.p);
}

/* A DSDT that ends within the package says nothing about soft off. */
static void test_cut_s5(void **state)
{
	struct memory m = good_memory();
	struct acpi a;

	for (uint32_t bytes = 36; bytes <= 52; bytes++) {
		header(&m, DSDT, "DSDT", bytes);
		assert_true(parse(&m, RSDP, &a));
		assert_int_equal(a.has_s5, bytes >= 36 + 14); /* up to the second element */
	}
	free(m.p);
}

static void test_too_many_cpus(void **state)
{
	struct memory m = {.p = calloc(1, 8192), .bytes = 8192};
	struct memory small = good_memory();
	struct acpi a;

	memcpy(m.p, small.p, BYTES);
	put(&m, XSDT + 36, 8, BASE + BYTES);
	header(&m, XSDT, "XSDT", 44);
	for (unsigned i = 0; i < 300; i++) {
		put(&m, BASE + BYTES + 44 + i * 16, 2, 9 | 16 << 8);
		put(&m, BASE + BYTES + 44 + i * 16 + 4, 4, i);
		put(&m, BASE + BYTES + 44 + i * 16 + 8, 4, 1);
	}
	put(&m, BASE + BYTES + 36, 4, 0xfee00000);
	header(&m, BASE + BYTES, "APIC", 44 + 300 * 16);
	assert_true(parse(&m, RSDP, &a));
	assert_int_equal(a.cpus, ACPI_CPUS_MAX);
	assert_int_equal(a.cpus_lost, 300 - ACPI_CPUS_MAX);
	free(m.p);
	free(small.p);
}

static bool by_xapic(uint32_t apic_id)
{
	return apic_id < 255;
}

static bool by_x2apic(uint32_t apic_id)
{
	return true;
}

/* The boot core first, which need not be the first of the table, nor in it. */
static void test_pick_cpus(void **state)
{
	const struct acpi a = {.cpus = 5, .apic_id = {2, 300, 4, 6, 1u << 31}, .cpus_lost = 3};
	struct acpi_left left;
	uint32_t id[8] = {4};

	assert_int_equal(acpi_pick_cpus(&a, by_x2apic, id, 8, &left), 5);
	assert_memory_equal(id, ((uint32_t[]){4, 2, 300, 6, 1u << 31}), 5 * sizeof *id);
	assert_int_equal(left.too_many, 3);
	assert_int_equal(left.out_of_reach, 0);

	assert_int_equal(acpi_pick_cpus(&a, by_xapic, id, 2, &left), 2);
	assert_int_equal(id[1], 2);
	assert_int_equal(left.too_many, 3 + 1);
	assert_int_equal(left.out_of_reach, 2);

	id[0] = 9;
	assert_int_equal(acpi_pick_cpus(&a, by_xapic, id, 8, &left), 4);
	assert_memory_equal(id, ((uint32_t[]){9, 2, 4, 6}), 4 * sizeof *id);
}

static void test_find(void **state)
{
	struct memory m = good_memory();
	uint8_t *area = calloc(1, 1024);

	assert_non_null(area);
	assert_int_equal(acpi_find_rsdp(area, 1024), -1);
	memcpy(area + 8, m.p, 36); /* not at a multiple of 16 */
	assert_int_equal(acpi_find_rsdp(area, 1024), -1);
	memcpy(area + 1024 - 32, m.p, 32); /* cut off: revision 2 needs 36 bytes */
	assert_int_equal(acpi_find_rsdp(area, 1024), -1);
	put_rsdp(&m, 0);
	memcpy(area + 1024 - 32, m.p, 32);
	assert_int_equal(acpi_find_rsdp(area, 1024), 1024 - 32);
	memcpy(area + 512, m.p, 36);
	assert_int_equal(acpi_find_rsdp(area, 1024), 512);
	assert_int_equal(acpi_find_rsdp(area, 10), -1);
	free(area);
	free(m.p);
}

/* Every prefix, and many damaged sets whose sums are right again: the sanitizers are the judges. */
static void test_cut_and_damaged(void **state)
{
	static const struct {
		uint32_t address;
		const char *signature;
		uint32_t bytes;
	} table[] = {{XSDT, "XSDT", 60}, {MADT, "APIC", 120}, {MCFG, "MCFG", 60},
		{FADT, "FACP", 244}, {DSDT, "DSDT", 52}};
	struct memory good = good_memory();
	struct acpi a;
	uint32_t seed = 3;

	for (size_t bytes = 0; bytes < BYTES; bytes++) {
		struct memory cut = {.p = good.p, .bytes = bytes};

		(void)parse(&cut, RSDP, &a);
	}
	for (unsigned n = 0; n < 20000; n++) {
		struct memory m = {.p = malloc(BYTES), .bytes = BYTES};
		unsigned t = n % 5;

		assert_non_null(m.p);
		memcpy(m.p, good.p, BYTES);
		for (unsigned i = 0; i < 3; i++) {
			seed = seed * 1664525 + 1013904223;
			m.p[table[t].address - BASE + 10 + (seed >> 8) % (table[t].bytes - 10)] =
				(uint8_t)(seed >> 24);
		}
		header(&m, table[t].address, table[t].signature, table[t].bytes);
		(void)parse(&m, RSDP, &a);
		assert_true(a.cpus <= ACPI_CPUS_MAX && a.ecams <= ACPI_ECAMS_MAX);
		free(m.p);
	}
	free(good.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_rsdt),
		cmocka_unit_test(test_bad_root),
		cmocka_unit_test(test_damaged_table_is_left_out),
		cmocka_unit_test(test_lying_lengths),
		cmocka_unit_test(test_endless_entries),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_short_fadt),
		cmocka_unit_test(test_fadt_extended),
		cmocka_unit_test(test_cut_s5),
		cmocka_unit_test(test_too_many_cpus),
		cmocka_unit_test(test_pick_cpus),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_cut_and_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
