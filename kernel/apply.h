/* An apply under way: what its parts share. Control core only. */
#ifndef KERNEL_APPLY_H
#define KERNEL_APPLY_H

#include <stdbool.h>

#include "kernel/config.h"
#include "kernel/router.h"

struct apply {
	struct router *r;
	const struct config *config;
	char *error;
	unsigned error_size;
	struct config_match match;
};

/* Says why it cannot be; returns false. */
bool apply_fail(struct apply *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The number of the interface of this name, or -1. */
int port_by_name(const struct router *r, const char *name);

/* The same if it will be there: it is not a subinterface that is about to go. */
int wanted_by_name(const struct apply *a, const char *name);

/* ---- apply_check.c ---- */

/* There is room for all of it. false: there is not, told. */
bool apply_check_sizes(struct apply *a);

/* A route's 'dev', if present, is where its gateway is; networks do not overlap. false: it is not,
 * told. */
bool apply_check_routes(struct apply *a);

/* ---- apply_routes.c: the static routes of both families; sets are sorted, vectors malloc'd ----
 */

struct route_set {
	struct static_route *route;
	unsigned n;
};

struct route_sets {
	struct route_set four, six;
};

/* What the configuration wants; what is in force. false: no memory, told; nothing is to be freed.
 */
bool routes_want(struct apply *a, struct route_sets *s);
bool routes_save(struct apply *a, struct route_sets *s);
void routes_free(struct route_sets *s);

/* Those in force that are not wanted go; then `want` are the router's, those that stay installed.
 */
void routes_replace(struct apply *a, const struct route_sets *want);

/* Installs what can be used. false: it does not fit, told. */
bool routes_install(struct apply *a);

/* ---- apply_neighbors.c: the static neighbours of both families; the vector is malloc'd ---- */

struct static_neighbors {
	struct config_neighbor *list;
	unsigned n;
};

/* What the configuration wants. false: no memory, told. */
bool neighbors_want(struct apply *a, struct static_neighbors *copy);

/*
 * Puts them in place of those in force, and takes the vector. They fit: half of
 * the table is theirs, the rest makes room. `fresh`: there are interfaces that have
 * none yet.
 */
void neighbors_replace(struct router *r, struct static_neighbors *want, bool fresh);

#endif
