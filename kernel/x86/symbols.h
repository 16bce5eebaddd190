/* Names for addresses in the image's text. */
#ifndef KERNEL_X86_SYMBOLS_H
#define KERNEL_X86_SYMBOLS_H

#include <stdint.h>

/* The function that holds the address, and how far into it; "?" if there is none. Any core. */
const char *symbols_find(uint64_t address, uint64_t *offset);

#endif
