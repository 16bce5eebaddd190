/* The console's share of the control loop: what is typed goes to the shell. */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include <stdbool.h>

/*
 * One turn: sends what waits and, if the output of one more command or slice
 * has room, lets the shell go on, or reads up to the end of a line. Switches
 * off when the input has ended and all that was typed has run. true: something
 * was typed, a command runs, or the output queue takes no more. Control core.
 */
bool console_turn(void);

/* While a command keeps the control core: sends what waits, keeps what is typed. Control core. */
void console_listen(void);

#endif
