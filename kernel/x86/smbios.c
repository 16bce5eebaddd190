/* SMBIOS: the entry point, and the serial number among the structures. */
#include "kernel/x86/smbios.h"

#include <string.h>

#define BOUNDARY 16u

/* Offsets in the 64-bit entry point, 5.2.2. */
#define ENTRY3_LENGTH  6u
#define ENTRY3_BYTES   12u
#define ENTRY3_ADDRESS 16u
#define ENTRY3_MIN     24u

/* ... and in the 32-bit one, 5.2.1. */
#define ENTRY2_LENGTH  5u
#define ENTRY2_DMI     16u
#define ENTRY2_BYTES   22u
#define ENTRY2_ADDRESS 24u
#define ENTRY2_MIN     30u /* 2.1 says 30 and means 31 */

/* A structure: 6.1.2. */
#define TYPE          0u
#define LENGTH        1u
#define HEADER        4u
#define TYPE_SYSTEM   1u
#define TYPE_END      127u
#define SYSTEM_SERIAL 7u /* 7.2 */

static uint64_t load_le(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static bool sums_to_zero(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

static void set_place(struct smbios_place *place, uint64_t address, uint64_t bytes)
{
	place->address = address;
	place->bytes = bytes < SMBIOS_TABLE_MAX ? (uint32_t)bytes : SMBIOS_TABLE_MAX;
}

static bool entry3(const uint8_t *p, size_t left, struct smbios_place *place)
{
	if (left < ENTRY3_MIN || memcmp(p, "_SM3_", 5) != 0 || p[ENTRY3_LENGTH] < ENTRY3_MIN ||
		p[ENTRY3_LENGTH] > left || !sums_to_zero(p, p[ENTRY3_LENGTH]))
		return false;
	set_place(place, load_le(p + ENTRY3_ADDRESS, 8), load_le(p + ENTRY3_BYTES, 4));
	return true;
}

static bool entry2(const uint8_t *p, size_t left, struct smbios_place *place)
{
	if (left < ENTRY2_MIN + 1 || memcmp(p, "_SM_", 4) != 0 || p[ENTRY2_LENGTH] < ENTRY2_MIN ||
		p[ENTRY2_LENGTH] > left || !sums_to_zero(p, p[ENTRY2_LENGTH]) ||
		memcmp(p + ENTRY2_DMI, "_DMI_", 5) != 0)
		return false;
	set_place(place, load_le(p + ENTRY2_ADDRESS, 4), load_le(p + ENTRY2_BYTES, 2));
	return true;
}

bool smbios_find(const uint8_t *area, size_t bytes, struct smbios_place *place)
{
	for (size_t at = 0; at < bytes; at += BOUNDARY)
		if (entry3(area + at, bytes - at, place))
			return true;
	for (size_t at = 0; at < bytes; at += BOUNDARY)
		if (entry2(area + at, bytes - at, place))
			return true;
	return false;
}

static void copy_text(char out[SMBIOS_TEXT_MAX], const uint8_t *text, size_t n)
{
	while (n && *text == ' ') {
		text++;
		n--;
	}
	while (n && text[n - 1] == ' ')
		n--;
	if (n >= SMBIOS_TEXT_MAX)
		n = SMBIOS_TEXT_MAX - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = text[i] >= ' ' && text[i] <= '~' ? (char)text[i] : '?';
	out[n] = '\0';
}

/*
 * The strings behind a structure's fields, numbered from 1, each with its zero, and
 * one zero more (6.1.3). Copies the one of that number; returns where the next
 * structure begins, or `bytes` if they do not end.
 */
static size_t walk_strings(
	const uint8_t *table, size_t bytes, size_t at, unsigned number, char out[SMBIOS_TEXT_MAX])
{
	if (at < bytes && table[at] == 0) /* none at all: two zeros */
		return at + 2 < bytes ? at + 2 : bytes;
	for (unsigned i = 1; at < bytes; i++) {
		const uint8_t *end = memchr(table + at, 0, bytes - at);

		if (!end)
			return bytes;
		size_t n = (size_t)(end - table) - at;

		if (n == 0)
			return at + 1;
		if (i == number)
			copy_text(out, table + at, n);
		at += n + 1;
	}
	return bytes;
}

void smbios_serial(const uint8_t *table, size_t bytes, char serial[SMBIOS_TEXT_MAX])
{
	size_t at = 0;

	serial[0] = '\0';
	while (bytes - at >= HEADER) {
		const uint8_t *s = table + at;
		unsigned number = 0;

		if (s[LENGTH] < HEADER || s[LENGTH] > bytes - at || s[TYPE] == TYPE_END)
			return;
		if (s[TYPE] == TYPE_SYSTEM && s[LENGTH] > SYSTEM_SERIAL)
			number = s[SYSTEM_SERIAL];
		at = walk_strings(table, bytes, at + s[LENGTH], number, serial);
		if (s[TYPE] == TYPE_SYSTEM)
			return;
	}
}
