/* Entry of the kernel proper, once the platform stands. */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

/*
 * Boots the router and runs the control core's loop for ever. The platform has
 * set up memory, the console, the clock and the cores. Does not return.
 */
void kernel_main(void) __attribute__((noreturn));

#endif
