/* From configuration lines to struct config, with every check that needs more than one word. */
#ifndef KERNEL_SHELL_CONFIG_H
#define KERNEL_SHELL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/config.h"
#include "kernel/shell/lines.h"

/* What is wrong with a configuration. */
struct config_fault {
	const struct line *line; /* NULL: no memory */
	char text[120];
};

/* The interface that an `interfaces` line is about: "eth0", or "eth0.100" of its VLAN. */
const char *config_iface_name(const struct line *line, char name[IFACE_NAME_MAX]);

/* Builds *out. false: *fault says why, and *out is empty. */
bool config_build(const struct lines *set, struct config *out, struct config_fault *fault);

/*
 * Reads one `set` or `delete` line into the set; blank lines and comments do
 * nothing. number: kept in the line. false: error is one line of text.
 */
bool config_read_line(struct lines *set, const char *text, size_t n, unsigned number, char *error,
	size_t error_size);

/* Reads a whole text. false: error is "line N: ...". */
bool config_read_text(
	struct lines *set, const char *text, size_t n, char *error, size_t error_size);

#endif
