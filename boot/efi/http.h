/* The command line that an image gets which the firmware loaded by HTTP. */
#ifndef BOOT_EFI_HTTP_H
#define BOOT_EFI_HTTP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes to `words` what stands in the query of the URL in a device path of `bytes` bytes: words
 * between '&', characters as %XX where need be. If one of them is config=, the lease that the
 * firmware had goes before them, as ip=, gw= and if=. Cut if longer than `room` bytes, 1 at least,
 * with the 0 at its end; "" if there is no URL, or no query in it. Pure.
 */
void http_words(const uint8_t *path, size_t bytes, char *words, size_t room);

#endif
