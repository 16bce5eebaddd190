/* The configuration of the running router, and its candidate. */
#ifndef KERNEL_SHELL_STORE_H
#define KERNEL_SHELL_STORE_H

#include <stdbool.h>

#include "kernel/shell/lines.h"
#include "kernel/shell/shell.h"

/* Both become empty. */
void store_init(const struct shell_env *env);
const struct shell_env *store_env(void);

/* Host name in force; "" sets the one of a router without. */
const char *store_hostname(void);
void store_set_hostname(const char *name);

/* Whether the candidate differs from what is in force. */
bool store_changed(void);

struct lines *store_candidate(void);

/* Makes one set equal to another. false: no memory, it is as before. */
bool store_replace(struct lines *to, const struct lines *from);

/* Calls warn once for each interface that is configured and not present, the first ones. */
void store_warn_absent(void (*warn)(const char *what));

/* Description in force of an interface, or NULL. */
const char *store_description(const char *iface);

#endif
