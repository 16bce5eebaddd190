/*
 * What was linked into the image by `make FIB=... CONFIG=...`: a forwarding table
 * ready for use (net/table/fibimage.h), a configuration. Boot modules of the same
 * kind are used in their place. Control core.
 */
#ifndef KERNEL_COMPILED_H
#define KERNEL_COMPILED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/platform.h"

struct router;

/* As if it were a boot module; false: there is none. */
bool compiled_config(struct platform_module *module);
bool compiled_table(struct platform_module *module);

/*
 * Puts a table in force: the FIBs, its next hops. Its routes come into the RIBs by
 * compiled_fill. Everything is logged; a table that cannot be used is left out.
 * At boot, before anything else makes a route or a next hop.
 */
void compiled_begin(struct router *r, const struct platform_module *table);

/* Adds some routes of the table to the RIBs. true: there are more. */
bool compiled_fill(void);

/* How many routes are still to come. */
uint32_t compiled_left(void);

/* Log lines about routes that cannot be used as the router is configured. */
void compiled_report(const struct router *r);

#endif
