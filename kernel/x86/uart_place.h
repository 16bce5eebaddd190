/*
 * Where the console's UART is said to be: by the command line, by the firmware
 * (SPCR: Serial Port Console Redirection Table, Microsoft, revision 2 and later).
 *
 * Pure: tables may be short and say anything.
 */
#ifndef KERNEL_X86_UART_PLACE_H
#define KERNEL_X86_UART_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum uart_kind { UART_NONE, UART_PORT, UART_MEMORY };

struct uart_place {
	enum uart_kind kind;
	uint64_t address; /* of the first register; a port below 0xfff9 */
	unsigned stride;  /* UART_MEMORY: bytes from one register to the next: 1, 2 or 4 */
	unsigned baud;    /* 0: as it was left */
};

#define UART_PLACE_TEXT 48u

/* COM1 at 115200, where nobody says anything. */
extern const struct uart_place uart_place_default;

/* "com1" to "com4", "0xPORT", each with ",BAUD" behind it if need be, or "none". false: something
 * else. */
bool uart_place_parse(const char *text, struct uart_place *p);

/* Reads an SPCR of `bytes` bytes, its header included, whose sum was found right. false: it
 * names no UART of this kind. */
bool uart_place_spcr(const uint8_t *table, size_t bytes, struct uart_place *p);

/* "COM2 at 9600 baud", "UART in memory at 0x...". */
void uart_place_print(const struct uart_place *p, char out[UART_PLACE_TEXT]);

#endif
