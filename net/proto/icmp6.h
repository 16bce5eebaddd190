/*
 * ICMPv6 (RFC 4443): echo replies and errors.
 *
 * No error is sent in answer to an ICMPv6 error or redirect, a packet to a group
 * or by link-layer multicast (but packet too big, and the parameter problem of an
 * unknown option), or a source that names no single node (RFC 4443 2.4 (e)).
 * Errors are limited by token buckets (2.4 (f)), of the sizes of icmp.h's.
 */
#ifndef NET_PROTO_ICMP6_H
#define NET_PROTO_ICMP6_H

#include <stdbool.h>
#include <stdint.h>

struct stack;

#define ICMP6_HEADER 8u
#define ICMP6_QUOTE  (1280u - 40u - ICMP6_HEADER) /* as much as fits 1280, RFC 4443 2.4 (c) */

enum icmp6_type {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER = 4,
	ICMP6_INFO = 128, /* this and above are no errors */
	ICMP6_ECHO_REQUEST = 128,
	ICMP6_ECHO_REPLY = 129,
};

enum icmp6_unreachable_code {
	ICMP6_NO_ROUTE = 0,
	ICMP6_ADMIN_PROHIBITED = 1,
	ICMP6_BEYOND_SCOPE = 2,
	ICMP6_ADDRESS_UNREACHABLE = 3,
	ICMP6_PORT_UNREACHABLE = 4,
};

enum icmp6_parameter_code {
	ICMP6_ERRONEOUS_FIELD = 0,
	ICMP6_UNKNOWN_NEXT = 1,
	ICMP6_UNKNOWN_OPTION = 2,
	ICMP6_INCOMPLETE_CHAIN = 3, /* of headers in a first fragment, RFC 7112 */
};

/*
 * An ICMPv6 message to the router at offset `at` of the frame (IPv6 header
 * validated, no fragment). Takes the word.
 */
void icmp6_input(struct stack *s, uint64_t word, uint32_t at);

/*
 * Answers the packet in `word` with an error, if the rules above allow it. info:
 * the MTU of packet too big, the offset in the packet of parameter problem, else
 * 0. Does not take the word.
 */
void icmp6_send_error(struct stack *s, uint64_t word, uint8_t type, uint8_t code, uint32_t info);

#endif
