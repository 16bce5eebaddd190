/*
 * ICMP for IPv4 (RFC 792, RFC 1122 3.2.2, RFC 1812 4.3): echo replies and errors.
 *
 * No error is sent in answer to an ICMP error, a non-first fragment, a packet
 * to a broadcast or multicast address (IP or link layer), or a source that
 * names no single host (RFC 1812 4.3.2.7). Errors are limited by token
 * buckets, one for each destination and one for all (RFC 1812 4.3.2.8), so that
 * who is flooded does not silence them for others. TCP resets share them.
 */
#ifndef NET_PROTO_ICMP_H
#define NET_PROTO_ICMP_H

#include <stdbool.h>
#include <stdint.h>

struct stack;

#define ICMP_ERROR_RATE        1000u /* errors a second to one destination */
#define ICMP_ERROR_BURST       50u
#define ICMP_ERROR_TOTAL_RATE  4000u /* to all of them, of one family */
#define ICMP_ERROR_TOTAL_BURST 200u
#define ICMP_ERROR_SLOTS       256u /* destinations told apart, a power of two */
#define ICMP_ERROR_QUOTE                                                                           \
	548u /* bytes of the offending packet: the error fits 576, RFC 1812 4.3.2.3 */

enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_ECHO_REQUEST = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
};

enum icmp_unreachable_code {
	ICMP_NET_UNREACHABLE = 0,
	ICMP_HOST_UNREACHABLE = 1,
	ICMP_PROTOCOL_UNREACHABLE = 2,
	ICMP_PORT_UNREACHABLE = 3,
	ICMP_FRAGMENTATION_NEEDED = 4,
	ICMP_ADMIN_PROHIBITED = 13,
};

struct icmp_bucket {
	uint64_t last_ms;
	uint32_t tokens_milli; /* thousandths of an error */
};

struct icmp_limit {
	struct icmp_bucket total;
	struct icmp_bucket to[ICMP_ERROR_SLOTS]; /* by a hash of the destination */
	uint64_t sent, echo_replies;
	uint64_t suppressed;             /* errors not sent, */
	uint64_t suppressed_destination; /* of these for their destination's rate */
};

/* An ICMP message to the router (IPv4 header validated, not a fragment). Takes the word. */
void icmp_input(struct stack *s, uint64_t word);

/*
 * Answers the packet in `word` with an error, if the rules above allow it. info:
 * the second word of the header, that is the next-hop MTU for ICMP_FRAGMENTATION_NEEDED (RFC 1191
 * 4), the pointer << 24 for ICMP_PARAMETER_PROBLEM (RFC 792), else 0. A packet that was
 * translated is put back to what it was (stack_ops.restore). Does not take the word.
 */
void icmp_send_error(struct stack *s, uint64_t word, uint8_t type, uint8_t code, uint32_t info);

#endif
