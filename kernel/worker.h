/* The poll loop of a forwarding core. */
#ifndef KERNEL_WORKER_H
#define KERNEL_WORKER_H

#include <stdbool.h>

#include "kernel/router.h"

/* One turn over the worker's queues; true if any packet moved. Its own core only. */
bool worker_turn(struct router *r, struct worker *w);

/* A turn, the quiescent point behind it, and standing still if an audit asks for that. As
 * worker_turn; its own core only. */
bool worker_step(struct router *r, struct worker *w);

/* Turns for ever. Entry point of a worker core; arg is its struct worker. */
void worker_main(void *arg);

#endif
