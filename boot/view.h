/*
 * A bounded window on physical memory, through which the parsers of loader
 * data read: every access is checked, nothing is believed about alignment.
 */
#ifndef BOOT_VIEW_H
#define BOOT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct boot_view {
	uint64_t first, end; /* physical addresses [first, end) can be read */
	uintptr_t bias;      /* pointer = physical address + bias (modulo 2^64): 0 on the target */
};

/* Copies bytes at physical `address` to out; false, and out untouched, if they are not all in the
 * view. */
bool boot_view_read(const struct boot_view *v, uint64_t address, void *out, size_t bytes);

/*
 * Copies the string at physical `address`, cut to size - 1 characters or at
 * the end of the view. Control characters become spaces. Address 0 is "".
 */
void boot_view_string(const struct boot_view *v, uint64_t address, char *out, size_t size);

#endif
