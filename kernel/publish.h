/*
 * Publication of tables to the workers: builds a FIB from the RIB, swaps one
 * pointer, and waits out grace periods without blocking. Control core only.
 */
#ifndef KERNEL_PUBLISH_H
#define KERNEL_PUBLISH_H

#include <stdbool.h>

#include "kernel/router.h"

/* Allocates two FIBs' memory and publishes the first. Boot only. false: no memory. */
bool publish_init(struct router *r);

/* The RIB changed: the next publish_turn that can will build a FIB. */
void publish_request(void);

/* One step: finishes a grace period, builds and publishes, begins the next. Never blocks. */
void publish_turn(struct router *r);

/* Nothing is waiting to be built, published or freed. */
bool publish_settled(const struct router *r);

#endif
