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

#define UART_FIFO_BYTES 16u

struct uart16550 {
	uint16_t base;            /* first of eight I/O ports, */
	volatile void *registers; /* or, if not NULL, the first register in memory */
	uint8_t stride;           /* of those in memory: bytes from one to the next, 1, 2 or 4 */
	uint8_t burst; /* bytes the transmitter takes at once: 16 with FIFO, 1 without; 0: absent */
	bool stuck; /* a write ran into its bound; cleared when the transmitter takes bytes again */
	uint64_t lost; /* bytes given up */
	uint8_t early_n, early_at;
	uint8_t early[UART_FIFO_BYTES]; /* received before init, still to be read */
};

/*
 * Looks for a UART at `base` and sets it up; baud 0: at the rate it has. false: none; the other
 * calls are then harmless.
 */
bool uart16550_init(struct uart16550 *u, uint16_t base, unsigned baud);

/* The same for one whose registers are mapped in memory. */
bool uart16550_init_memory(
	struct uart16550 *u, volatile void *registers, unsigned stride, unsigned baud);

/* The next byte received, 0..255, or -1 when there is none. Never waits. */
int uart16550_getc(struct uart16550 *u);

/* Sends what the transmitter takes now, at most 16 bytes; returns how many. Never waits. */
size_t uart16550_send(struct uart16550 *u, const char *s, size_t n);

/*
 * Sends n bytes as they are, waiting for the transmitter. If it takes nothing
 * for two million polls (a second or two, so that a slow reader of an emulated
 * port loses nothing) the rest is lost and counted, and later calls look once.
 */
void uart16550_write(struct uart16550 *u, const char *s, size_t n);

#endif
