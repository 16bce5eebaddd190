/* The console of the machine: COM1. */
#ifndef KERNEL_X86_CONSOLE_H
#define KERNEL_X86_CONSOLE_H

/* Finds the UART. Without one, writing does nothing and no byte ever comes. */
void console_init(void);

#endif
