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
};

/* Says why it cannot be; returns false. */
bool apply_fail(struct apply *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- apply_routes.c: the static routes of both families; sets are sorted, vectors malloc'd ----
 */

struct statics {
	struct static4 *four;
	struct static6 *six;
	unsigned fours, sixes;
};

/* What the configuration wants; what is in force. false: no memory, told; nothing is to be freed.
 */
bool statics_want(struct apply *a, struct statics *s);
bool statics_save(struct apply *a, struct statics *s);
void statics_free(struct statics *s);

/* Those in force that are not wanted go; then `want` are the router's, those that stay installed.
 */
void statics_replace(struct apply *a, const struct statics *want);

/* Installs what can be used. false: it does not fit, told. */
bool statics_install(struct apply *a);

#endif
