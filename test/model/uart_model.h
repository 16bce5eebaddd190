/* A 16550 in memory: FIFOs, a transmitter as slow as a test likes, and ways to be dead. */
#ifndef TEST_MODEL_UART_MODEL_H
#define TEST_MODEL_UART_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "test/model/io.h"

#define UART_MODEL_ROOM 65536u

struct uart_model {
	bool no_fifo;        /* an 8250 or 16450 */
	int absent;          /* what every register reads, or -1 */
	bool stuck;          /* the transmitter never empties */
	unsigned busy_polls; /* LSR reads after a burst until the transmitter is empty again */
	uint8_t line_errors; /* LSR error bits that come with each received byte */

	uint8_t lcr, ier, mcr, scratch, fcr, divisor[2];
	unsigned busy, in_fifo; /* polls left; bytes in the transmitter */
	unsigned overruns;      /* bytes written into a full transmitter */
	uint8_t rx[64];
	unsigned rx_n, rx_at;
	uint8_t sent[UART_MODEL_ROOM];
	unsigned sent_n;
};

/* A good UART at `base`. */
void uart_model_init(struct uart_model *u, uint16_t base);

/* The line brings a byte. */
void uart_model_receive(struct uart_model *u, uint8_t c);

#endif
