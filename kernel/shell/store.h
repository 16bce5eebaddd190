/* The two configurations of the running router: in force, and the candidate. */
#ifndef KERNEL_SHELL_STORE_H
#define KERNEL_SHELL_STORE_H

#include <stdbool.h>

#include "kernel/shell/shell.h"

/* Both become empty. */
void store_init(const struct shell_env *env);

/* Host name in force. */
const char *store_hostname(void);

/* Whether the candidate differs from what is in force. */
bool store_changed(void);

/* Description in force of an interface, or NULL. */
const char *store_description(const char *iface);

#endif
