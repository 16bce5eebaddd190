/*
 * Parsing and printing of addresses, without the C library.
 *
 * Parsers take the whole string or fail: no leading or trailing space, no
 * octal, no shortened forms. Printers write a terminated string and return its
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

/* IPv4 dotted quad -> host byte order. */
bool text_parse_ipv4(const char *s, uint32_t *address);
/* A.B.C.D/len, len 0-32; host bits are kept as given. */
bool text_parse_ipv4_prefix(const char *s, uint32_t *address, unsigned *length);
/* Six hex pairs with colons, either case. */
bool text_parse_mac(const char *s, uint8_t mac[6]);
/* Decimal, min <= value <= max, no sign. */
bool text_parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *value);

size_t text_print_ipv4(char *out, uint32_t address);
size_t text_print_ipv4_prefix(char *out, uint32_t address, unsigned length);
size_t text_print_mac(char *out, const uint8_t mac[6]);

#endif
