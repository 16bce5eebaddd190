/* What the rest of kernel/x86 may ask about how the machine was started. */
#ifndef KERNEL_X86_START_H
#define KERNEL_X86_START_H

#include <stdbool.h>

/* Is this word on the command line? Any core. */
bool start_has_option(const char *word);

#endif
