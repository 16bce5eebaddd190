/* Words of the command line. Pure. */
#ifndef KERNEL_X86_CMDLINE_H
#define KERNEL_X86_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* Is this word on the line, between blanks or ends? */
bool cmdline_has(const char *line, const char *word);

/* What stands behind the last NAME= at the beginning of a word. false: nothing, or more than fits.
 */
bool cmdline_value(const char *line, const char *name, char *out, size_t size);

#endif
