/* The console's turn: no more is read or run than the output queue has room for. */
#include "kernel/console.h"

#include <stdint.h>

#include "kernel/platform.h"
#include "kernel/shell/shell.h"

#define CONSOLE_US    100u             /* between looks: a port access can cost an exit */
#define CONSOLE_BURST 64u              /* bytes taken at a time */
#define CONSOLE_ROOM  SHELL_OUTPUT_MAX /* free output queue before the shell is called */

_Static_assert(CONSOLE_ROOM <= PLATFORM_CONSOLE_ROOM, "the shell would never be called");

/* true: something was typed. */
static bool read_line(void)
{
	unsigned typed = 0;
	int c = 0;

	while (typed < CONSOLE_BURST && c != '\r' && c != '\n') {
		if (platform_console_room() < CONSOLE_ROOM)
			break; /* the echo of one key can be that long */
		c = platform_console_getc();
		if (c == PLATFORM_CONSOLE_END && shell_idle())
			platform_poweroff();
		if (c == PLATFORM_CONSOLE_GONE)
			shell_gone();
		if (c < 0)
			break;
		shell_input((uint8_t)c);
		typed++;
	}
	return typed != 0;
}

/* true: something was typed. */
static bool listen(void)
{
	static uint64_t last_us;
	uint64_t now = platform_now_us();

	if (now - last_us < CONSOLE_US)
		return false;
	last_us = now;
	return read_line();
}

bool console_turn(void)
{
	platform_console_poll();
	if (platform_console_room() < CONSOLE_ROOM)
		return true;
	shell_poll();
	return listen() | !shell_idle();
}

void console_listen(void)
{
	platform_console_poll();
	(void)listen();
}
