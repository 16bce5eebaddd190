/* Where the console's UART is said to be. */
#include "kernel/x86/uart_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAUD_DEFAULT 115200u
#define BAUD_MIN     50u
#define UART_PORTS   8u

static const uint16_t com_port[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8}; /* since the IBM PC */
#define COM_PORTS (sizeof com_port / sizeof *com_port)

const struct uart_place uart_place_default = {
	.kind = UART_PORT, .address = 0x3f8, .stride = 1, .baud = BAUD_DEFAULT};

/* ---- command line ---- */

/* Digits and nothing else up to a comma or the end. */
static bool number(const char **s, int base, unsigned long *v)
{
	char *end;

	if (!strchr("0123456789abcdefABCDEF", **s) || !**s)
		return false;
	*v = strtoul(*s, &end, base);
	*s = end;
	return *end == '\0' || *end == ',';
}

bool uart_place_parse(const char *text, struct uart_place *p)
{
	struct uart_place found = uart_place_default;
	unsigned long v;

	if (strcmp(text, "none") == 0) {
		*p = (struct uart_place){.kind = UART_NONE};
		return true;
	}
	if (strncmp(text, "com", 3) == 0) {
		text += 3;
		if (!number(&text, 10, &v) || v < 1 || v > COM_PORTS)
			return false;
		found.address = com_port[v - 1];
	} else if (strncmp(text, "0x", 2) == 0) {
		text += 2;
		if (!number(&text, 16, &v) || v == 0 || v > 0x10000 - UART_PORTS)
			return false;
		found.address = v;
	} else {
		return false;
	}
	if (*text == ',') {
		text++;
		if (!number(&text, 10, &v) || *text || v < BAUD_MIN || v > BAUD_DEFAULT)
			return false;
		found.baud = (unsigned)v;
	}
	*p = found;
	return true;
}

/* ---- SPCR ---- */

#define SPCR_TYPE    36u /* of the UART */
#define SPCR_ADDRESS 40u /* generic address structure, ACPI 6.4, 5.2.3.2 */
#define SPCR_BAUD    58u
#define SPCR_BYTES   60u /* up to what is read */

#define TYPE_16550     0x00u
#define TYPE_16450     0x01u
#define TYPE_16550_GAS 0x12u /* registers as wide and far apart as the address structure says */

/* Its code for the rate; what is not known is as it was left. */
static unsigned spcr_baud(uint8_t code)
{
	static const unsigned baud[] = {[3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200};

	return code < sizeof baud / sizeof *baud ? baud[code] : 0;
}

/* Bits from one register to the next, as the structure's width, or its access size says. */
static unsigned spcr_stride(uint8_t type, uint8_t bits, uint8_t access)
{
	if (type != TYPE_16550_GAS)
		return 1;
	if (bits == 16 || bits == 32)
		return bits / 8u;
	return access == 2 ? 2 : access == 3 ? 4 : 1;
}

bool uart_place_spcr(const uint8_t *table, size_t bytes, struct uart_place *p)
{
	uint64_t address;
	uint8_t type;

	if (bytes < SPCR_BYTES)
		return false;
	type = table[SPCR_TYPE];
	if (type != TYPE_16550 && type != TYPE_16450 && type != TYPE_16550_GAS)
		return false;
	memcpy(&address, table + SPCR_ADDRESS + 4, sizeof address);
	*p = (struct uart_place){.address = address,
		.stride = spcr_stride(type, table[SPCR_ADDRESS + 1], table[SPCR_ADDRESS + 3]),
		.baud = spcr_baud(table[SPCR_BAUD])};
	if (table[SPCR_ADDRESS] == 1 && address && address <= 0x10000 - UART_PORTS)
		p->kind = UART_PORT;
	else if (table[SPCR_ADDRESS] == 0 && address)
		p->kind = UART_MEMORY;
	return p->kind != UART_NONE;
}

/* ---- words ---- */

void uart_place_print(const struct uart_place *p, char out[UART_PLACE_TEXT])
{
	char rate[24] = "";

	if (p->baud)
		snprintf(rate, sizeof rate, ", %u baud", p->baud);
	if (p->kind == UART_NONE)
		snprintf(out, UART_PLACE_TEXT, "none");
	if (p->kind == UART_MEMORY)
		snprintf(out, UART_PLACE_TEXT, "memory at %#llx%s", (unsigned long long)p->address,
			rate);
	if (p->kind != UART_PORT)
		return;
	snprintf(out, UART_PLACE_TEXT, "port %#x%s", (unsigned)p->address, rate);
	for (unsigned i = 0; i < COM_PORTS; i++)
		if (p->address == com_port[i])
			snprintf(out, UART_PLACE_TEXT, "COM%u%s", i + 1, rate);
}
