/*
 * Tables of routes given at boot: text (net/table/route_text.h) into the RIBs.
 *
 * These routes stand beside the configuration: `set routes` for the same prefix
 * is preferred, and a commit never removes them. What the lines mean is told in
 * net/table/route_load.h. Control core, at boot.
 */
#ifndef KERNEL_ROUTEFILE_H
#define KERNEL_ROUTEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct router;

struct routefile_result {
	uint32_t routes4, routes6; /* added */
	uint32_t wrong;            /* lines left out */
};

/*
 * Whether a text is a table of routes: its name ends in ".routes", or the first
 * line that is not blank is a route.
 */
bool routefile_is(const char *name, const char *text, size_t n);

/*
 * Puts all routes of the text into the RIBs. A wrong line is left out and named
 * in the log by its number, the first few of them. The FIBs follow by
 * publish_turn.
 */
struct routefile_result routefile_load(
	struct router *r, const char *name, const char *text, size_t n);

/*
 * Says in the log which routes cannot be used as the router is configured: by a
 * IPv4 gateway with `dev` that is on no network of that interface.
 */
void routefile_report(const struct router *r);

#endif
