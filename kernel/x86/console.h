/*
 * The console of the machine: a UART, and the boot messages on a screen as well.
 *
 * Which UART: that of the command line (console=com2,9600), else that of the
 * firmware's SPCR, else COM1 at 115200 baud. A UART that does not answer, or
 * console=none: what is written is dropped and counted, and no byte ever comes.
 */
#ifndef KERNEL_X86_CONSOLE_H
#define KERNEL_X86_CONSOLE_H

#include <stdbool.h>

#include "boot/bootinfo.h"
#include "kernel/x86/uart_place.h"

/* First of all, on the boot map: so that a fault is reported. */
void console_init(const struct bootinfo *b);

/* Once tables have been read; spcr: as struct acpi has it. Boot core. */
void console_settle(const struct uart_place *spcr);

/* From here on, what is written goes to the screen again: for a panic's report. */
void console_on_screen(void);

#endif
