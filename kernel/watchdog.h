/*
 * The watchdog: fed by the control core as long as it comes round and every worker's
 * turns go on. What stands still for the time configured ends in a reset.
 */
#ifndef KERNEL_WATCHDOG_H
#define KERNEL_WATCHDOG_H

#include "kernel/router.h"

/* What is configured; 0: off. In force at the next turn. Control core. */
void watchdog_set(unsigned seconds);

/* Control core, at each of its turns and while a long task yields; from the first turn on it
 * can run: boot takes its time. */
void watchdog_turn(const struct router *r);

#endif
