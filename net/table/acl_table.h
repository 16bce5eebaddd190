/* The form of a compiled access list: what acl_build.c writes and acl_vec.c reads. */
#ifndef NET_TABLE_ACL_TABLE_H
#define NET_TABLE_ACL_TABLE_H

#include <stdint.h>

#include "net/table/acl.h"

#define ACL_FIELDS     5u
#define ACL_SUMMARIES  4u /* words of a summary at most */
#define ACL_RULES_MAX  (ACL_SUMMARIES * 64 * 64)
#define ACL_PAGE_SHIFT 6u /* log2 of the values of one page of a small field */
#define ACL_PAGE       (1u << ACL_PAGE_SHIFT)
#define ACL_PAGES      (65536u / ACL_PAGE)
#define ACL_ROOT_BITS  14u /* of an IPv4 address, at most, that the search begins with */

enum acl_field { ACL_SRC, ACL_DST, ACL_SPORT, ACL_DPORT, ACL_KIND };

_Static_assert(ACL_RULES_MAX < ACL_NONE, "a rule's number has 16 bits");

/*
 * Addresses: range i begins at first[i], an uint32_t or a struct ip6, and has its vector at
 * row[i]; the ranges of the addresses whose top bits are t lie in root[t] to root[t + 1], of
 * IPv4. Small fields: page[value / ACL_PAGE] says where the vectors of ACL_PAGE values are.
 * Offsets are in bytes from the list's beginning; those of vectors in words of 8 bytes from `rows`.
 */
struct acl_index {
	uint32_t ranges;
	uint32_t shift; /* the top bits begin there */
	uint32_t root;  /* uint32_t[2^bits + 1] */
	uint32_t first;
	uint32_t row;  /* uint32_t[ranges] */
	uint32_t page; /* uint32_t[ACL_PAGES]: how far before it there is an uint32_t[ACL_PAGE] */
};

/* A vector: `summaries` words, then its words that are not zero, in order. */
struct acl {
	struct acl_index index[ACL_FIELDS];
	uint32_t bytes;
	uint32_t summaries; /* 1 to ACL_SUMMARIES */
	uint32_t number;    /* uint16_t[]: by bit, the rule's number in the list of both families */
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
