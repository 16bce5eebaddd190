/*
 * Parsing and printing of addresses, without the C library.
 *
 * Parsers take the whole string or fail: no leading or trailing space, no
 * octal, of IPv4 no shortened forms. Printers write a terminated string and return its
 * length; the buffers named below are always enough.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_IPV4_MAX   16 /* 255.255.255.255 */
#define TEXT_PREFIX_MAX 19 /* and /32 */
#define TEXT_MAC_MAX    18

#define TEXT_IPV6_MAX        40 /* eight groups of four digits */
#define TEXT_IPV6_PREFIX_MAX 44 /* and /128 */

/* IPv4 dotted quad -> host byte order. */
bool text_parse_ipv4(const char *s, uint32_t *address);
/* A.B.C.D/len, len 0-32; host bits are kept as given. */
bool text_parse_ipv4_prefix(const char *s, uint32_t *address, unsigned *length);
/* All forms of RFC 4291 2.2 -> two words in host byte order, the first bytes on the wire in hi. */
bool text_parse_ipv6(const char *s, uint64_t *hi, uint64_t *lo);
/* ADDRESS/len, len 0-128; host bits are kept as given. */
bool text_parse_ipv6_prefix(const char *s, uint64_t *hi, uint64_t *lo, unsigned *length);
/* Six hex pairs with colons, either case. */
bool text_parse_mac(const char *s, uint8_t mac[6]);
/* Decimal, min <= value <= max, no sign. */
bool text_parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *value);

size_t text_print_ipv4(char *out, uint32_t address);
size_t text_print_ipv4_prefix(char *out, uint32_t address, unsigned length);
/* The canonical form (RFC 5952). */
size_t text_print_ipv6(char *out, uint64_t hi, uint64_t lo);
size_t text_print_ipv6_prefix(char *out, uint64_t hi, uint64_t lo, unsigned length);
size_t text_print_mac(char *out, const uint8_t mac[6]);

#endif
