/* Base64 (RFC 4648 4): bytes as printable text. */
#ifndef LIB_BASE64_H
#define LIB_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters that n bytes become, padding included. */
#define BASE64_LENGTH(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_LENGTH(n) characters and a zero. Any core. */
void base64_encode(char *out, const uint8_t *data, size_t n);

#endif
