/* A WDAT to be spoiled: of the TCO timer of an ICH9, with its strap in memory. */
#ifndef TEST_UNIT_WDAT_FIXTURE_H
#define TEST_UNIT_WDAT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/x86/wdat.h"

#define ENTRIES_MAX 80u

struct entry {
	uint8_t action, instruction, reserved[2];
	uint8_t space, width, shift, access;
	uint64_t address;
	uint32_t value, mask;
};

static struct {
	uint8_t header[36];
	uint32_t header_bytes;
	uint16_t segment;
	uint8_t bus, device, function, reserved[3];
	uint32_t period, count_max, count_min;
	uint8_t flags, reserved2[3];
	uint32_t entries;
	struct entry entry[ENTRIES_MAX];
} __attribute__((packed)) table;

_Static_assert(sizeof(struct entry) == 24, "an entry's bytes");
_Static_assert(offsetof(__typeof__(table), entry) == 68, "the table's own bytes");

enum { READ, READ_COUNT, WRITE, WRITE_COUNT, KEEP = 0x80 };
enum { FEED, SET_COUNT, QUERY_COUNT, QUERY_RUNNING, START, STOP, REBOOT, QUERY_FIRED, FORGET };

#define PORTS   0x660u /* of the timer */
#define CONTROL 0xfed1f410u

static void good_table(void)
{
	static const struct entry entry[] = {
		[FEED] = {1, WRITE, {0}, 1, 16, 0, 2, PORTS, 1, 0x1ff},
		[SET_COUNT] = {6, WRITE_COUNT | KEEP, {0}, 1, 16, 0, 2, PORTS + 0x12, 0, 0x3ff},
		[QUERY_COUNT] = {5, READ_COUNT, {0}, 1, 16, 0, 2, PORTS + 0x12, 0, 0x3ff},
		[QUERY_RUNNING] = {8, READ, {0}, 1, 16, 11, 2, PORTS + 0x08, 0, 1},
		[START] = {9, WRITE | KEEP, {0}, 1, 16, 0, 2, PORTS + 0x08, 0, 0x800},
		[STOP] = {11, WRITE | KEEP, {0}, 1, 8, 3, 1, PORTS + 0x09, 1, 1},
		[REBOOT] = {0x11, WRITE | KEEP, {0}, 0, 32, 5, 3, CONTROL, 0, 1},
		[QUERY_FIRED] = {0x20, READ, {0}, 1, 16, 0, 0, PORTS + 0x06, 2, 2},
		[FORGET] = {0x21, WRITE, {0}, 1, 16, 0, 2, PORTS + 0x06, 2, 2},
	};

	memset(&table, 0, sizeof table);
	table.segment = 0xff;
	table.bus = table.device = table.function = 0xff;
	table.period = 1200;
	table.count_max = 0x3ff;
	table.count_min = 2;
	table.flags = 0x81;
	table.entries = sizeof entry / sizeof *entry;
	memcpy(table.entry, entry, sizeof entry);
}

/* Parsed from exactly so many bytes, so that a step beyond is seen. */
static const char *parse_bytes(size_t bytes, struct wdat *w)
{
	uint8_t *copy = malloc(bytes);
	const char *why;

	assert_non_null(copy);
	memcpy(copy, &table, bytes);
	why = wdat_parse(copy, bytes, w);
	free(copy);
	return why;
}

static const char *parse(struct wdat *w)
{
	return parse_bytes(
		68 + 24 * (table.entries < ENTRIES_MAX ? table.entries : ENTRIES_MAX), w);
}

#endif
