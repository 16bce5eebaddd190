/*
 * 16550 UART, polled: 8 data bits, no parity, one stop bit, no interrupts
 * (National Semiconductor PC16550D data sheet).
 *
 * Control core only. No call waits longer than its bound, even on a port that
 * is absent or has died.
 */
#ifndef DRIVERS_UART16550_H
#define DRIVERS_UART16550_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uart16550 {
	uint16_t base; /* first of eight I/O ports */
	uint8_t burst; /* bytes the transmitter takes at once: 16 with FIFO, 1 without; 0: absent */
	bool stuck;    /* the transmitter gave no room within the bound; cleared when it does */
	uint64_t lost; /* bytes given up */
};

/* Looks for a UART at `base` and sets it up. false: none; the other calls are then harmless. */
bool uart16550_init(struct uart16550 *u, uint16_t base, unsigned baud);

/* The next byte received, 0..255, or -1 when there is none. Never waits. */
int uart16550_getc(struct uart16550 *u);

/* Sends n bytes as they are. A transmitter that stays full beyond its bound loses the rest. */
void uart16550_write(struct uart16550 *u, const char *s, size_t n);

#endif
