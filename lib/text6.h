/*
 * Parsing and printing of IPv6 addresses, without the C library.
 *
 * Addresses are two words in host order: hi has the first eight bytes. Read are
 * all forms of RFC 4291 2.2 but zones; printed is the one of RFC 5952.
 */
#ifndef LIB_TEXT6_H
#define LIB_TEXT6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_IPV6_MAX        40 /* 39 characters */
#define TEXT_IPV6_PREFIX_MAX 44 /* and /128 */

/* An address at the beginning of [*at, end): *at moves behind it. */
bool text_take_ipv6(const char **at, const char *end, uint64_t *hi, uint64_t *lo);

/* The whole of a terminated string. */
bool text_parse_ipv6(const char *s, uint64_t *hi, uint64_t *lo);

/* X:X::/len, len 0-128; host bits are kept as given. */
bool text_parse_ipv6_prefix(const char *s, uint64_t *hi, uint64_t *lo, unsigned *length);

/* Write a terminated string and return its length. */
size_t text_print_ipv6(char *out, uint64_t hi, uint64_t lo);
size_t text_print_ipv6_prefix(char *out, uint64_t hi, uint64_t lo, unsigned length);

#endif
