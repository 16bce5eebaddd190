/* 16550 UART: probe, set-up, and polled input and output (PC16550D data sheet, section 8). */
#include "drivers/uart16550.h"

#include "drivers/io.h"

#define UART_DATA    0u /* read: receiver, write: transmitter; divisor low while DLAB */
#define UART_IER     1u /* interrupts enabled; divisor high while DLAB */
#define UART_FCR     2u /* write only */
#define FCR_ENABLE   0x01u
#define UART_IIR     2u    /* read only */
#define IIR_FIFO     0xc0u /* both bits: the FIFOs work (16550A) */
#define UART_LCR     3u
#define LCR_8N1      0x03u
#define LCR_DLAB     0x80u
#define UART_MCR     4u
#define MCR_DTR_RTS  0x03u /* OUT2 stays off: it would let interrupts through */
#define UART_LSR     5u
#define LSR_READY    0x01u /* a byte has been received */
#define LSR_BAD      0x1cu /* parity, framing, break: that byte is noise */
#define LSR_EMPTY    0x20u /* THRE: the transmitter takes a whole burst */
#define LSR_DEAD     0xffu /* bit 7 and no break etc. at once: nothing answers */
#define UART_SCRATCH 7u

#define CLOCK_BAUD 115200u /* the rate of divisor 1 */
/* A poll takes 0.1 to 1 us; a burst at 9600 baud 17 ms, and a busy host makes it longer. */
#define POLLS_MAX 2000000u

static volatile void *in_memory(const struct uart16550 *u, unsigned reg)
{
	return (volatile uint8_t *)u->registers + reg * u->stride;
}

static uint8_t uart_read(const struct uart16550 *u, unsigned reg)
{
	if (!u->registers)
		return pio_read8((uint16_t)(u->base + reg));
	return u->stride == 4 ? (uint8_t)mmio_read32(in_memory(u, reg))
			      : mmio_read8(in_memory(u, reg));
}

static void uart_write_reg(const struct uart16550 *u, unsigned reg, unsigned v)
{
	if (!u->registers)
		pio_write8((uint16_t)(u->base + reg), (uint8_t)v);
	else if (u->stride == 4)
		mmio_write32(in_memory(u, reg), v & 0xff);
	else
		mmio_write8(in_memory(u, reg), (uint8_t)v);
}

/* An absent port reads 0xff or 0x00, whatever was written. */
static bool scratch_keeps(const struct uart16550 *u, uint8_t v)
{
	uart_write_reg(u, UART_SCRATCH, v);
	return uart_read(u, UART_SCRATCH) == v;
}

static void set_baud(const struct uart16550 *u, unsigned baud)
{
	unsigned divisor;

	if (!baud) {
		uart_write_reg(u, UART_LCR, LCR_8N1);
		return;
	}
	divisor = CLOCK_BAUD / baud;
	if (divisor == 0)
		divisor = 1;
	if (divisor > UINT16_MAX)
		divisor = UINT16_MAX;
	uart_write_reg(u, UART_LCR, LCR_DLAB | LCR_8N1);
	uart_write_reg(u, UART_DATA, divisor & 0xff);
	uart_write_reg(u, UART_IER, divisor >> 8);
	uart_write_reg(u, UART_LCR, LCR_8N1);
}

/* The next byte from the receiver, or -1. What was received wrongly is read and dropped. */
static int receive(const struct uart16550 *u)
{
	uint8_t status = uart_read(u, UART_LSR), c;

	if (!(status & LSR_READY))
		return -1;
	c = uart_read(u, UART_DATA);
	return status & LSR_BAD ? -1 : c; /* LSR_DEAD too is bad */
}

/*
 * Switching the FIFOs on empties them, and what was typed before boot waits
 * there (through a pipe: the first byte of the first command). Take it first.
 */
static void enable_fifo(struct uart16550 *u)
{
	while (u->early_n < UART_FIFO_BYTES) {
		int c = receive(u);

		if (c < 0)
			break;
		u->early[u->early_n++] = (uint8_t)c;
	}
	uart_write_reg(u, UART_FCR, FCR_ENABLE);
	if ((uart_read(u, UART_IIR) & IIR_FIFO) == IIR_FIFO)
		u->burst = UART_FIFO_BYTES;
}

static bool set_up(struct uart16550 *u, unsigned baud)
{
	if (!scratch_keeps(u, 0x5a) || !scratch_keeps(u, 0xa5))
		return false;
	u->burst = 1;
	set_baud(u, baud);
	uart_write_reg(u, UART_IER, 0);
	uart_write_reg(u, UART_MCR, MCR_DTR_RTS);
	enable_fifo(u);
	return true;
}

bool uart16550_init(struct uart16550 *u, uint16_t base, unsigned baud)
{
	*u = (struct uart16550){.base = base};
	return set_up(u, baud);
}

bool uart16550_init_memory(
	struct uart16550 *u, volatile void *registers, unsigned stride, unsigned baud)
{
	*u = (struct uart16550){.registers = registers, .stride = (uint8_t)stride};
	return set_up(u, baud);
}

int uart16550_getc(struct uart16550 *u)
{
	if (u->early_at < u->early_n)
		return u->early[u->early_at++];
	return u->burst ? receive(u) : -1;
}

size_t uart16550_send(struct uart16550 *u, const char *s, size_t n)
{
	uint8_t status;

	if (!u->burst || !n)
		return 0;
	status = uart_read(u, UART_LSR);
	if (status == LSR_DEAD || !(status & LSR_EMPTY))
		return 0;
	if (n > u->burst)
		n = u->burst;
	for (size_t i = 0; i < n; i++)
		uart_write_reg(u, UART_DATA, (uint8_t)s[i]);
	return n;
}

void uart16550_write(struct uart16550 *u, const char *s, size_t n)
{
	unsigned polls = 0;

	/* Once stuck it gets one poll a call, so that a dead port does not slow the caller down. */
	while (n && polls <= (u->stuck ? 0 : POLLS_MAX)) {
		size_t sent = uart16550_send(u, s, n);

		if (!sent) {
			polls++;
			continue;
		}
		u->stuck = false;
		polls = 0;
		s += sent;
		n -= sent;
	}
	if (n) {
		u->stuck = true;
		u->lost += n;
	}
}
