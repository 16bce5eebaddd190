/* The form of a compiled access list: what acl_build.c writes and acl_vec.c reads. */
#ifndef NET_TABLE_ACL_TABLE_H
#define NET_TABLE_ACL_TABLE_H

#include <stdint.h>

#include "net/table/acl.h"

#define ACL_SUMMARIES  4u /* of 64 words each, at most; while it is compiled */
#define ACL_WORDS_MAX  (ACL_SUMMARIES * 64)
#define ACL_RULES_MAX  (ACL_WORDS_MAX * 64)
#define ACL_PAGE_SHIFT 6u /* log2 of the ports of one page */
#define ACL_PAGE       (1u << ACL_PAGE_SHIFT)
#define ACL_PAGES      (65536u / ACL_PAGE)
#define ACL_NEAR       16u /* ranges that are looked at together */
#define ACL_ROOT_BITS  14u /* of an IPv4 address, at most, that the search begins with */

/*
 * In the order in which lists use them: few ask for source ports. The first that a rule does not
 * leave open leads to it: a packet's vector of that field says where its bit is to be looked for,
 * so that few words are looked at. Rules that no field leads to ask for the kind only.
 */
enum acl_field { ACL_SRC, ACL_DST, ACL_DPORT, ACL_SPORT, ACL_FIELDS };

_Static_assert(ACL_RULES_MAX < ACL_NONE, "a rule's number has 16 bits");

/*
 * Addresses: range i begins at first[i], an uint32_t or a struct ip6, and has its vector at
 * row[i]; the ranges of the IPv4 addresses whose top bits are t lie in root[t] to root[t + 1].
 * Ports: page[port / ACL_PAGE] says where the vectors of ACL_PAGE ports are. Offsets are in bytes
 * from the list's beginning; those of vectors in words of 8 bytes from `rows`.
 */
struct acl_index {
	uint32_t any;       /* uint64_t[words]: the rules that are in all vectors of the field */
	uint32_t leads;     /* it leads to some rules */
	uint32_t summaries; /* words of them in each vector */
	uint32_t ranges;
	uint32_t shift; /* the top bits begin there */
	uint32_t steps; /* of the search among the ranges of a part, until ACL_NEAR are left */
	uint32_t root;  /* uint16_t[2^bits + 1] */
	uint32_t first; /* IPv4: and ACL_NEAR more, that no address reaches */
	uint32_t row;   /* uint32_t[ranges] */
	uint32_t page;  /* uint32_t[ACL_PAGES]: how far before it there is an uint32_t[ACL_PAGE] */
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
 * Bits are grouped by the field that leads to their rule, in the order of fields; a group begins
 * with a word. Within it rules with the same addresses are close to each other; within a word they
 * are in the order of the list, and bits that are nobody's are at its end.
 *
 * A vector of a field has no words but those that are not zero:
 * - a summary word for each 32 words of the groups before the field's own: a bit for each that is
 *   there, and in the upper half where the first of these stands in the vector;
 * - the words of the field's own group: how many (ACL_OWN_MASK), and behind ACL_OWN_SHIFT where
 * they stand; then, an octet each, which they are; then they themselves;
 * - the words of the groups before.
 * Two more may be read.
 */
#define ACL_OWN_MASK  0x1ffu
#define ACL_OWN_SHIFT 32u

struct acl {
	struct acl_index index[ACL_FIELDS];
	uint32_t bytes;
	uint32_t fields; /* all, or all but source ports */
	uint32_t words;  /* of vectors, with those that are zero; a multiple of 8 */
	uint32_t kind;  /* uint32_t[ACL_KINDS]: which of `kinds`; << 16 the first rule that asks for
			   nothing else, or ACL_NONE */
	uint32_t kinds; /* uint64_t[words]; that of class c is c * words before it */
	uint32_t number; /* uint16_t[words * 64]: by bit, the rule's number in the list of both
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
