/* The form of a compiled access list: what acl_build.c writes and acl_vec.c reads. */
#ifndef NET_TABLE_ACL_TABLE_H
#define NET_TABLE_ACL_TABLE_H

#include <stdint.h>

#include "net/table/acl.h"

#define ACL_SUMMARIES  4u /* words of a summary at most */
#define ACL_WORDS_MAX  (ACL_SUMMARIES * 64)
#define ACL_RULES_MAX  (ACL_WORDS_MAX * 64)
#define ACL_PAGE_SHIFT 6u /* log2 of the ports of one page */
#define ACL_PAGE       (1u << ACL_PAGE_SHIFT)
#define ACL_PAGES      (65536u / ACL_PAGE)
#define ACL_ROOT_BITS  14u /* of an IPv4 address, at most, that the search begins with */

/* In the order in which lists use them: few ask for source ports. */
enum acl_field { ACL_SRC, ACL_DST, ACL_DPORT, ACL_SPORT, ACL_FIELDS };

_Static_assert(ACL_RULES_MAX < ACL_NONE, "a rule's number has 16 bits");

/*
 * Addresses: range i begins at first[i], an uint32_t or a struct ip6, and has its vector at
 * row[i]; the ranges of the IPv4 addresses whose top bits are t lie in root[t] to root[t + 1].
 * Ports: page[port / ACL_PAGE] says where the vectors of ACL_PAGE ports are. Offsets are in bytes
 * from the list's beginning; those of vectors in words of 8 bytes from `rows`.
 */
struct acl_index {
	uint64_t any_summary[ACL_SUMMARIES];
	uint32_t any; /* uint64_t[words]: the rules that are in all vectors of the field */
	uint32_t ranges;
	uint32_t shift; /* the top bits begin there */
	uint32_t steps; /* of the search among the ranges of a part */
	uint32_t root;  /* uint32_t[2^bits + 1] */
	uint32_t first;
	uint32_t row;  /* uint32_t[ranges] */
	uint32_t page; /* uint32_t[ACL_PAGES]: how far before it there is an uint32_t[ACL_PAGE] */
};

/* The kind of a packet, and whether its ports are those of clients, RFC 6335 6. */
#define ACL_KINDS       4096u
#define ACL_FROM_CLIENT 0x400u
#define ACL_TO_CLIENT   0x800u
#define ACL_CLIENT_PORT 1024u

static inline uint16_t acl_wide_kind(uint16_t kind, uint32_t ports)
{
	uint32_t from = ports >> 16 >= ACL_CLIENT_PORT, to = (ports & 0xffff) >= ACL_CLIENT_PORT;

	return (uint16_t)(kind | from * ACL_FROM_CLIENT | to * ACL_TO_CLIENT);
}

/*
 * A vector: where the words of each summary begin in it, 16 bits each; the summaries; the words
 * that are not zero, in order; and one more that may be read. Which bit is which rule's is chosen
 * such that rules with the same addresses are close to each other; within a word they are in order.
 */
struct acl {
	struct acl_index index[ACL_FIELDS];
	uint32_t bytes;
	uint32_t fields;     /* all, or all but source ports */
	uint32_t words;      /* of vectors, with those that are zero; a multiple of 8 */
	uint32_t kind_class; /* uint16_t[ACL_KINDS]: which of `kinds` */
	uint32_t kinds;      /* uint64_t[words]; that of class c is c * words before it */
	uint32_t number;     /* uint16_t[words * 64]: by bit, the rule's number in the list of both
				families */
	uint32_t rows;
};

static inline const void *acl_at(const struct acl *acl, uint32_t offset)
{
	return (const char *)acl + offset;
}

/* The forms of the look-up (lib/vec.h). */
typedef void acl_lookup4_fn(const struct acl *acl, const uint32_t *src, const uint32_t *dst,
	const uint32_t *ports, const uint16_t *kind, uint16_t *rule, unsigned n);
typedef void acl_lookup6_fn(const struct acl *acl, const struct ip6 *src, const struct ip6 *dst,
	const uint32_t *ports, const uint16_t *kind, uint16_t *rule, unsigned n);
acl_lookup4_fn acl_lookup4_plain, acl_lookup4_v3, acl_lookup4_v4;
acl_lookup6_fn acl_lookup6_plain, acl_lookup6_v3, acl_lookup6_v4;

#endif
