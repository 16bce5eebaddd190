/* A 16550 in memory. */
#include "test/model/uart_model.h"

#include <string.h>

#define LCR_DLAB  0x80u
#define LSR_READY 0x01u
#define LSR_EMPTY 0x20u

static uint8_t line_status(struct uart_model *u)
{
	uint8_t lsr = 0;

	if (u->busy)
		u->busy--;
	else if (!u->stuck)
		u->in_fifo = 0;
	if (!u->in_fifo && !u->stuck)
		lsr |= LSR_EMPTY;
	if (u->rx_at < u->rx_n)
		lsr |= LSR_READY | u->line_errors;
	return lsr;
}

static uint64_t uart_model_read(void *ctx, uint64_t at, unsigned bytes)
{
	struct uart_model *u = ctx;

	if (u->absent >= 0)
		return (uint64_t)u->absent;
	switch (at) {
	case 0:
		if (u->lcr & LCR_DLAB)
			return u->divisor[0];
		return u->rx_at < u->rx_n ? u->rx[u->rx_at++] : 0;
	case 1:
		return u->lcr & LCR_DLAB ? u->divisor[1] : u->ier;
	case 2:
		return (u->fcr & 1) && !u->no_fifo ? 0xc1 : 0x01;
	case 3:
		return u->lcr;
	case 4:
		return u->mcr;
	case 5:
		return line_status(u);
	case 7:
		return u->scratch;
	default:
		return 0;
	}
}

static void transmit(struct uart_model *u, uint8_t c)
{
	unsigned depth = (u->fcr & 1) && !u->no_fifo ? 16 : 1;

	if (u->in_fifo == depth || u->stuck) {
		u->overruns++;
		return;
	}
	u->in_fifo++;
	u->busy = u->busy_polls;
	if (u->sent_n < UART_MODEL_ROOM)
		u->sent[u->sent_n++] = c;
}

static void set_fifo(struct uart_model *u, uint8_t v)
{
	if ((v ^ u->fcr) & 1) /* a change of the enable bit empties both FIFOs */
		u->rx_at = u->rx_n;
	u->fcr = v;
}

static void uart_model_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	struct uart_model *u = ctx;

	if (u->absent >= 0)
		return;
	switch (at) {
	case 0:
		if (u->lcr & LCR_DLAB)
			u->divisor[0] = (uint8_t)v;
		else
			transmit(u, (uint8_t)v);
		break;
	case 1:
		if (u->lcr & LCR_DLAB)
			u->divisor[1] = (uint8_t)v;
		else
			u->ier = (uint8_t)v;
		break;
	case 2:
		set_fifo(u, (uint8_t)v);
		break;
	case 3:
		u->lcr = (uint8_t)v;
		break;
	case 4:
		u->mcr = (uint8_t)v;
		break;
	case 7:
		u->scratch = (uint8_t)v;
		break;
	default:
		break;
	}
}

void uart_model_init(struct uart_model *u, uint16_t base)
{
	memset(u, 0, sizeof *u);
	u->absent = -1;
	u->ier = 0x0f; /* firmware may have used interrupts */
	model_add_ports(base, 8, uart_model_read, uart_model_write, u);
}

void uart_model_receive(struct uart_model *u, uint8_t c)
{
	if (u->rx_n < sizeof u->rx)
		u->rx[u->rx_n++] = c;
}
