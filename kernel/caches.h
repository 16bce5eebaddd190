/* Direct cache access: devices write towards the cache of the core that will read it. */
#ifndef KERNEL_CACHES_H
#define KERNEL_CACHES_H

#include "kernel/router.h"

/* Boot core, once queues have their workers. */
void caches_bind(const struct router *r);

#endif
