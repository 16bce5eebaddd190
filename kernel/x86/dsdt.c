/* Finds the host bridge's constants in the DSDT's byte code (ACPI 6.4 chapter 20). */
#include "kernel/x86/dsdt.h"

#include <string.h>

#define OP_DWORD   0x0cu /* 20.2.3: constants */
#define OP_QWORD   0x0eu
#define OP_RETURN  0xa4u /* 20.2.5.3 */
#define LOW_MEMORY 0x100000u

static uint64_t number(const uint8_t *p, size_t bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

/*
 * The object _CBA, a number or a method that returns one: PCI Firmware Specification 3.3, 4.1.3.
 * Returns 0 if these bytes, from behind the name, are neither.
 */
static uint64_t config_base(const uint8_t *p, size_t bytes)
{
	if (bytes >= 2 && p[1] == OP_RETURN) { /* behind the method's flags */
		p += 2;
		bytes -= 2;
	}
	if (bytes >= 5 && p[0] == OP_DWORD)
		return number(p + 1, 4);
	if (bytes >= 9 && p[0] == OP_QWORD)
		return number(p + 1, 8);
	return 0;
}

/* 6.4.3.5.2, a descriptor of 26 bytes: a range of memory addresses that a bridge passes on
 * unchanged. */
static void note_window(const uint8_t *p, struct dsdt_bridge *b)
{
	static const uint8_t head[4] = {0x87, 23, 0, 0}; /* DWord, length, memory */
	uint64_t first = number(p + 10, 4), last = number(p + 14, 4);

	if (memcmp(p, head, sizeof head) != 0 || number(p + 18, 4) != 0 || first < LOW_MEMORY ||
		last < first || last - first + 1 != number(p + 22, 4))
		return;
	if (last - first + 1 > b->window_bytes) {
		b->window = first;
		b->window_bytes = last - first + 1;
	}
}

struct dsdt_bridge dsdt_find_bridge(const uint8_t *code, size_t bytes)
{
	struct dsdt_bridge b = {0};

	for (size_t at = 0; at + 4 <= bytes; at++) {
		if (memcmp(code + at, "_CBA", 4) == 0 && !b.config_base)
			b.config_base = config_base(code + at + 4, bytes - at - 4);
		if (bytes - at >= 26)
			note_window(code + at, &b);
	}
	return b;
}
