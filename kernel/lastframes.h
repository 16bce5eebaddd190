/* For the report of a panic: the heads of the frames that each worker had, and had last. */
#ifndef KERNEL_LASTFRAMES_H
#define KERNEL_LASTFRAMES_H

#include "kernel/router.h"

/*
 * Calls fn with lines of text, some for each receive queue; nothing is kept for it
 * while packets are forwarded. The cores that use the queues have stopped, wherever they were.
 */
void lastframes_walk(const struct router *r, void (*fn)(void *ctx, const char *line), void *ctx);

#endif
