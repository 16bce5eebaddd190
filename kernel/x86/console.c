/* The console: a UART, whose output waits in a queue, so that a slow line holds nobody up; boot
 * messages on a screen. */
#include "kernel/x86/console.h"

#include <string.h>

#include "drivers/uart16550.h"
#include "kernel/hardware.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/x86/cmdline.h"
#include "kernel/x86/io_map.h"
#include "kernel/x86/portset.h"
#include "kernel/x86/screen.h"

#define UART_PORTS  8u
#define QUEUE_BYTES 65536u /* a power of two; 6 s of the line */

_Static_assert(QUEUE_BYTES >= PLATFORM_CONSOLE_ROOM, "what the kernel counts on");

static struct uart16550 uart;
static struct uart_place place;
static const char *chosen_by = "default";
static bool answers, wrong_option;
static bool on_screen;

/* The control core's, but for a fault elsewhere, which may repeat or lose some of it. */
static struct {
	uint32_t head, tail; /* free-running */
	char byte[QUEUE_BYTES];
} queue;

static void open_uart(void)
{
	volatile void *registers;

	answers = false;
	uart = (struct uart16550){0};
	if (place.kind == UART_PORT) {
		portset_allow((uint16_t)place.address, UART_PORTS);
		answers = uart16550_init(&uart, (uint16_t)place.address, place.baud);
	} else if (place.kind == UART_MEMORY) {
		registers = io_map(place.address, UART_PORTS * place.stride);
		answers = registers &&
			  uart16550_init_memory(&uart, registers, place.stride, place.baud);
	}
}

void console_init(const struct bootinfo *b)
{
	char option[UART_PLACE_TEXT];

	screen_init(b);
	on_screen = true;
	place = uart_place_default;
	if (cmdline_value(b->cmdline, "console", option, sizeof option)) {
		wrong_option = !uart_place_parse(option, &place);
		if (!wrong_option)
			chosen_by = "command line";
	}
	open_uart();
}

void console_settle(const struct uart_place *spcr)
{
	char where[UART_PLACE_TEXT];

	if (spcr->kind != UART_NONE && strcmp(chosen_by, "default") == 0) {
		place = *spcr;
		chosen_by = "SPCR";
		platform_console_flush();
		open_uart();
	}
	uart_place_print(&place, where);
	if (wrong_option)
		log_text("console: the command line's option is not understood");
	if (place.kind != UART_NONE && !answers)
		log_text("console: no UART answers at %s: output is dropped", where);
	hardware_fact("console", "%s by %s%s", where, chosen_by,
		answers || place.kind == UART_NONE ? "" : ", does not answer");
	hardware_fact("screen", "%s%s", screen_name(), screen_is_there() ? ", boot messages" : "");
}

void console_on_screen(void)
{
	on_screen = true;
}

void platform_console_booted(void)
{
	char where[UART_PLACE_TEXT];

	uart_place_print(&place, where);
	if (screen_is_there() && answers)
		log_text("console: %s", where);
	else if (screen_is_there())
		log_text("console: none was found (%s): the router runs, but hears nobody", where);
	on_screen = false;
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
	if (on_screen)
		screen_write(s, n);
	if (!answers) {
		uart.lost += n;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (platform_console_room() == 0)
			platform_console_flush();
		queue.byte[queue.tail++ % QUEUE_BYTES] = s[i];
	}
	platform_console_poll();
}
