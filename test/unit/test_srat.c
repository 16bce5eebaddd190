/* The SRAT: a good one is understood; short, endless, overlapping and contradicting entries do no
 * harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/x86/srat.h"

#define TABLE_MAX  65536u
#define ENTRIES_AT 48u
#define MIB        (UINT64_C(1) << 20)

static uint8_t table[TABLE_MAX];
static size_t table_bytes;

static int set_up(void **state)
{
	memset(table, 0, sizeof table);
	table[8] = 3; /* revision */
	table_bytes = ENTRIES_AT;
	return 0;
}

/* Parses a copy of exactly the table's bytes, so that ASan sees every step beyond. */
static void parse_cut(struct srat *s, size_t bytes)
{
	uint8_t *copy = malloc(bytes);

	assert_non_null(copy);
	memcpy(copy, table, bytes);
	srat_parse(copy, bytes, s);
	free(copy);
}

static void parse(struct srat *s)
{
	parse_cut(s, table_bytes);
}

static uint8_t *entry(uint8_t kind, uint8_t bytes)
{
	uint8_t *p = table + table_bytes;

	table_bytes += bytes;
	assert_true(table_bytes <= TABLE_MAX);
	p[0] = kind;
	p[1] = bytes;
	return p;
}

static void put(uint8_t *p, size_t bytes, uint64_t v)
{
	memcpy(p, &v, bytes);
}

static void core(uint8_t apic_id, uint32_t node, bool enabled)
{
	uint8_t *p = entry(0, 16);

	p[2] = (uint8_t)node;
	p[3] = apic_id;
	put(p + 4, 4, enabled);
	put(p + 9, 3, node >> 8);
}

static void core_x2apic(uint32_t apic_id, uint32_t node, bool enabled)
{
	uint8_t *p = entry(2, 24);

	put(p + 4, 4, node);
	put(p + 8, 4, apic_id);
	put(p + 12, 4, enabled);
}

static void range(uint64_t first, uint64_t bytes, uint32_t node, bool enabled)
{
	uint8_t *p = entry(1, 40);

	put(p + 2, 4, node);
	put(p + 8, 8, first);
	put(p + 16, 8, bytes);
	put(p + 28, 4, enabled);
}

/* Segment 1, bus 0x80, device 3, function 1. */
static uint8_t *device(uint32_t node)
{
	uint8_t *p = entry(5, 32);

	p[3] = 1;
	put(p + 4, 4, node);
	put(p + 8, 2, 1);
	p[10] = 0x80;
	p[11] = 3 << 3 | 1;
	p[24] = 1;
	return p;
}

static uint32_t the_device(const struct srat *s)
{
	return srat_device_node(s, 1, 0x80, 3 << 3 | 1);
}

static void test_good(void **state)
{
	struct srat s;

	core(0, 0, true);
	core(2, 0x123456, true);
	core_x2apic(0x10000, 7, true);
	range(0, 512 * MIB, 0, true);
	range(4096 * MIB, 512 * MIB, 0x123456, true);
	device(7);
	entry(3, 20); /* a GIC's: not of interest */
	parse(&s);
	assert_int_equal(s.nodes, 3);
	assert_int_equal(s.left_out, 0);
	assert_int_equal(srat_core_node(&s, 0), 0);
	assert_int_equal(srat_core_node(&s, 2), 0x123456);
	assert_int_equal(srat_core_node(&s, 0x10000), 7);
	assert_int_equal(srat_core_node(&s, 1), NODE_UNKNOWN);
	assert_int_equal(s.ranges, 2);
	assert_int_equal(s.range[1].first, 4096 * MIB);
	assert_int_equal(s.range[1].end, 4608 * MIB);
	assert_int_equal(s.range[1].node, 0x123456);
	assert_int_equal(the_device(&s), 7);
	assert_int_equal(srat_device_node(&s, 0, 0x80, 3 << 3 | 1), NODE_UNKNOWN);
	assert_int_equal(srat_device_node(&s, 1, 0x81, 3 << 3 | 1), NODE_UNKNOWN);
	assert_int_equal(srat_device_node(&s, 1, 0x80, 3 << 3), NODE_UNKNOWN);
}

/* In revision 1 a node has 8 bits, whatever stands in the others. */
static void test_revision_1(void **state)
{
	struct srat s;

	table[8] = 1;
	core(0, 0xabcd01, true);
	range(0, MIB, 0xabcd02, true);
	parse(&s);
	assert_int_equal(srat_core_node(&s, 0), 1);
	assert_int_equal(s.range[0].node, 2);
}

static void test_disabled(void **state)
{
	struct srat s;

	core(0, 1, false);
	core_x2apic(1, 1, false);
	range(0, MIB, 1, false);
	device(1)[24] = 0;
	device(1)[3] = 0; /* named by the byte code, not by PCI */
	parse(&s);
	assert_int_equal(s.nodes + s.cores + s.ranges + s.devices, 0);
	assert_int_equal(s.left_out, 0);
}

/* The first entry of a core, a device, an address counts. */
static void test_contradictions(void **state)
{
	struct srat s;

	core(5, 1, true);
	core_x2apic(5, 2, true);
	device(1);
	device(2);
	range(16 * MIB, 16 * MIB, 1, true);
	range(0, 64 * MIB, 2, true);        /* around it */
	range(31 * MIB, 2 * MIB, 2, true);  /* over its end */
	range(20 * MIB, MIB, 1, true);      /* in it */
	range(32 * MIB, 16 * MIB, 2, true); /* next to it */
	range(64 * MIB, 0, 1, true);        /* nothing */
	range(-MIB, 2 * MIB, 1, true);      /* round the end */
	range(80 * MIB, UINT64_MAX, 1, true);
	core(9, NODE_UNKNOWN, true);
	core_x2apic(10, NODE_UNKNOWN, true);
	parse(&s);
	assert_int_equal(srat_core_node(&s, 5), 1);
	assert_int_equal(the_device(&s), 1);
	assert_int_equal(s.ranges, 2);
	assert_int_equal(s.range[1].first, 32 * MIB);
	assert_int_equal(srat_core_node(&s, 10), NODE_UNKNOWN);
	assert_int_equal(srat_core_node(&s, 9), NODE_UNKNOWN);
	assert_int_equal(s.left_out, 10);
}

/* An entry that is shorter than its kind says nothing; the next one is found. */
static void test_short_entries(void **state)
{
	static const struct {
		uint8_t kind, bytes;
	} kinds[] = {{0, 16}, {1, 40}, {2, 24}, {5, 32}};

	for (unsigned k = 0; k < 4; k++) {
		for (uint8_t bytes = 2; bytes < kinds[k].bytes; bytes++) {
			struct srat s;

			set_up(NULL);
			memset(entry(kinds[k].kind, bytes) + 2, 1, bytes - 2u);
			core(1, 1, true);
			parse(&s);
			assert_int_equal(s.cores, 1);
			assert_int_equal(s.ranges + s.devices, 0);
			assert_int_equal(s.left_out, 1);
		}
	}
}

/* An entry of length 0 or 1, or longer than the table, ends the walk. */
static void test_lying_lengths(void **state)
{
	static const uint8_t lengths[] = {0, 1, 17, 255};

	for (unsigned i = 0; i < sizeof lengths; i++) {
		struct srat s;

		set_up(NULL);
		core(0, 1, true);
		core(1, 2, true);
		table[ENTRIES_AT + 16 + 1] = lengths[i];
		parse(&s);
		assert_int_equal(s.cores, 1);
		assert_int_equal(s.left_out, 1);
	}
}

static void test_too_many(void **state)
{
	struct srat s;

	for (uint32_t i = 0; i < 400; i++) {
		core_x2apic(i, i % 100, true);
		range(i * MIB, MIB, 0, true);
		put(device(0) + 10, 2, i);
	}
	parse(&s);
	assert_int_equal(s.nodes, SRAT_NODES_MAX);
	assert_int_equal(s.cores, SRAT_CORES_MAX);
	assert_int_equal(s.ranges, SRAT_RANGES_MAX);
	assert_int_equal(s.devices, SRAT_DEVICES_MAX);
	assert_int_equal(s.left_out, 1200 - SRAT_CORES_MAX - SRAT_RANGES_MAX - SRAT_DEVICES_MAX);
}

/* Every prefix, and many damaged tables: the sanitizers are the judges. */
static void test_cut_and_damaged(void **state)
{
	uint32_t seed = 5;
	struct srat s;

	for (uint8_t i = 0; i < 4; i++) {
		core(i, i, true);
		core_x2apic(300u + i, i, true);
		range(i * 64 * MIB, 64 * MIB, i, true);
		device(i);
	}
	for (size_t bytes = 36; bytes <= table_bytes; bytes++)
		parse_cut(&s, bytes);
	for (unsigned n = 0; n < 20000; n++) {
		seed = seed * 1664525 + 1013904223;
		table[ENTRIES_AT + (seed >> 8) % (table_bytes - ENTRIES_AT)] =
			(uint8_t)(seed >> 24);
		parse(&s);
		for (unsigned i = 0; i < s.ranges; i++)
			for (unsigned k = 0; k < i; k++)
				assert_true(s.range[i].first >= s.range[k].end ||
					    s.range[k].first >= s.range[i].end);
	}
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_good),
		CASE(test_revision_1),
		CASE(test_disabled),
		CASE(test_contradictions),
		CASE(test_short_entries),
		CASE(test_lying_lengths),
		CASE(test_too_many),
		CASE(test_cut_and_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
