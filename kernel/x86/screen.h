/*
 * The screen for boot messages: the frame buffer that a loader has named, else VGA text
 * where a BIOS has left it, else none. Writing to none does nothing.
 */
#ifndef KERNEL_X86_SCREEN_H
#define KERNEL_X86_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "boot/bootinfo.h"

/* First of all, on the boot map. A frame buffer that this map lacks is used from screen_map on. */
void screen_init(const struct bootinfo *b);

/* As soon as the machine has its own address space, which at first lacks the screen. Boot core. */
void screen_map(void);

bool screen_is_there(void);

/* Its kind, for a person; "none", and why. Once screen_map is done. */
const char *screen_name(void);

void screen_write(const char *s, size_t n);

#endif
