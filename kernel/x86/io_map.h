/* Device memory. */
#ifndef KERNEL_X86_IO_MAP_H
#define KERNEL_X86_IO_MAP_H

#include <stdint.h>

/*
 * Maps device memory uncached at its own address. NULL if it touches RAM or the
 * image, wraps, or lies beyond what can be mapped. Boot core, at boot.
 */
volatile void *io_map(uint64_t address, uint64_t bytes);

#endif
