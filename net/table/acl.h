/*
 * An access list, compiled: which of its rules is the first that matches a packet.
 *
 * A rule is a range in each of four fields (source, destination, source port, destination port)
 * and a set of kinds (protocol, fragment, established). The bounds of all rules cut a field into
 * ranges, and with each goes the set of rules that it is inside of, as a bit vector. A look-up
 * locates the packet's range in each field and takes the lowest bit that all its vectors
 * have: Lakshman and Stiliadis, SIGCOMM 1998. So that it need not read all of them, words that
 * are zero are not stored, and bits are ordered by address: aggregated bit vectors, Baboescu and
 * Varghese, SIGCOMM 2001. Further, a rule's bit is among those of the first field that it does not
 * leave open, and it is only the vector of that field which says what words are to be looked at:
 * for most packets one or two of sources, one or two of destinations. Rules that leave a field open
 * are in no vector of it, but in one word list that is added to all; rules that ask for nothing but
 * a kind have no bit: which of them comes first is known of each kind.
 *
 * That form was chosen because its cost hardly depends on what the rules look like: a decision tree
 * or a set of tuples is faster for some lists, and blows up for others; and because it is compiled
 * in milliseconds.
 *
 * A compiled list is one piece of memory that does not change and refers to itself by
 * offsets. IPv4 and IPv6 are lists of their own, made from the same rules.
 */
#ifndef NET_TABLE_ACL_H
#define NET_TABLE_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/ip6.h"

#define ACL_NONE 0xffffu /* no rule matches */

/* Of both families; an IPv4 address is the last 32 bits. */
struct acl_rule {
	struct ip6 from, to;            /* prefixes, bits beyond their length ignored */
	uint8_t from_length, to_length; /* 0 to 32 or to 128 */
	uint8_t family;                 /* 4 or 6; 0: packets of both, and both lengths are 0 */
	bool any_protocol;
	uint8_t protocol;
	bool established; /* only packets of a connection that was seen before */
	bool ports; /* the two ranges count, and no packet without ports matches; !any_protocol */
	/* Lowest and highest, host byte order. Of ICMP from_port is type * 256 + code. */
	uint16_t from_port[2], to_port[2];
};

/* What a packet is, beside its addresses and ports. */
static inline uint16_t acl_kind(uint8_t protocol, bool without_ports, bool established)
{
	return (uint16_t)(established << 9 | protocol << 1 | without_ports);
}

static inline uint32_t acl_ports(uint16_t from, uint16_t to)
{
	return (uint32_t)from << 16 | to;
}

struct acl;

/*
 * The number of the first rule that matches each of n packets, or ACL_NONE. Addresses in host byte
 * order; ports: acl_ports; kind: acl_kind. Of packets without ports, ports is anything. Any core,
 * inside an RCU section.
 */
void acl_lookup4(const struct acl *acl, const uint32_t *src, const uint32_t *dst,
	const uint32_t *ports, const uint16_t *kind, uint16_t *rule, unsigned n);
void acl_lookup6(const struct acl *acl, const struct ip6 *src, const struct ip6 *dst,
	const uint32_t *ports, const uint16_t *kind, uint16_t *rule, unsigned n);

/* Chooses the compiled form by the name that platform_isa has for it. Before workers start. */
void acl_select(const char *isa);

/* Bytes that the compiled list takes. */
size_t acl_bytes(const struct acl *acl);

/*
 * Compiling, in slices, on the control core. The rules stay as they are until it has ended.
 *
 * acl_build_begin: n rules, the first one first, for packets of a family (4, 6), into `bytes` of
 * mem, with scratch memory of acl_scratch_bytes(n), both 64-byte aligned.
 * acl_build_step: goes on through `steps` steps of a microsecond each, 50 at most; *done says
 * whether it has ended. ERR_FULL: mem is too small; that build has ended without a list.
 * acl_build_end: the list, at mem; what mem has beyond acl_bytes is not used.
 */
struct acl_build;
size_t acl_scratch_bytes(unsigned n);
struct acl_build *acl_build_begin(void *scratch, void *mem, size_t bytes,
	const struct acl_rule *rule, unsigned n, unsigned family);
MUST_CHECK enum err acl_build_step(struct acl_build *b, unsigned steps, bool *done);
const struct acl *acl_build_end(const struct acl_build *b);

#endif
