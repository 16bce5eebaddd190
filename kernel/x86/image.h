/* Where the image lies; defined by linker.ld. */
#ifndef KERNEL_X86_IMAGE_H
#define KERNEL_X86_IMAGE_H

#include <stdint.h>

extern const uint8_t image_start[], image_end[];
extern const uint8_t text_start[], text_end[];
extern const uint8_t rodata_start[], rodata_end[];
extern const uint8_t supervisor_start[], supervisor_end[]; /* cpu.h: SUPERVISOR */

#endif
