/* The console: COM1 at 115200 baud, through the polled 16550 driver. */
#include "kernel/x86/console.h"

#include "drivers/uart16550.h"
#include "kernel/platform.h"

#define CONSOLE_PORT 0x3f8u /* COM1 since the IBM PC */
#define CONSOLE_BAUD 115200u

static struct uart16550 uart;

void console_init(void)
{
	uart16550_init(&uart, CONSOLE_PORT, CONSOLE_BAUD);
}

int platform_console_getc(void)
{
	return uart16550_getc(&uart);
}

void platform_console_write(const char *s, size_t n)
{
	uart16550_write(&uart, s, n);
}
