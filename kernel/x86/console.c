/* The console: COM1 at 115200 baud. Output waits in a queue, so that a slow line holds nobody up.
 */
#include "kernel/x86/console.h"

#include <stdint.h>

#include "drivers/uart16550.h"
#include "kernel/platform.h"
#include "kernel/x86/portset.h"

#define CONSOLE_PORT  0x3f8u /* COM1 since the IBM PC */
#define CONSOLE_PORTS 8u
#define CONSOLE_BAUD  115200u
#define QUEUE_BYTES   65536u /* a power of two; 6 s of the line */

_Static_assert(QUEUE_BYTES >= PLATFORM_CONSOLE_ROOM, "what the kernel counts on");

static struct uart16550 uart;

/* The control core's, but for a fault elsewhere, which may repeat or lose some of it. */
static struct {
	uint32_t head, tail; /* free-running */
	char byte[QUEUE_BYTES];
} queue;

void console_init(void)
{
	portset_allow(CONSOLE_PORT, CONSOLE_PORTS);
	uart16550_init(&uart, CONSOLE_PORT, CONSOLE_BAUD);
}

int platform_console_getc(void)
{
	return uart16550_getc(&uart);
}

size_t platform_console_room(void)
{
	return QUEUE_BYTES - (queue.tail - queue.head);
}

/* The bytes that lie in one piece at the head of the queue. */
static size_t queue_piece(const char **s)
{
	uint32_t at = queue.head % QUEUE_BYTES, n = queue.tail - queue.head;

	*s = &queue.byte[at];
	return n < QUEUE_BYTES - at ? n : QUEUE_BYTES - at;
}

void platform_console_poll(void)
{
	const char *s;
	size_t n = queue_piece(&s);

	if (n)
		queue.head += (uint32_t)uart16550_send(&uart, s, n);
}

void platform_console_flush(void)
{
	const char *s;
	size_t n;

	while ((n = queue_piece(&s)) > 0) {
		uart16550_write(&uart, s, n);
		queue.head += (uint32_t)n;
	}
}

void platform_console_write(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (platform_console_room() == 0)
			platform_console_flush();
		queue.byte[queue.tail++ % QUEUE_BYTES] = s[i];
	}
	platform_console_poll();
}
