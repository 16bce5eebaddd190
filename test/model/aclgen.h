/*
 * Access lists like those that are in use, made from a seed.
 *
 * What ClassBench (Taylor and Turner, INFOCOM 2005) found in real lists, in three kinds: the
 * addresses of a list come from few networks and nest; sources and destinations belong together;
 * a destination port is most often one well-known number, a source port any; firewalls have
 * many rules that leave an address open, and ranges of ports.
 */
#ifndef TEST_MODEL_ACLGEN_H
#define TEST_MODEL_ACLGEN_H

#include <stdint.h>

#include "net/table/acl.h"

enum aclgen_kind { ACLGEN_ACCESS, ACLGEN_FIREWALL, ACLGEN_CHAINS };
#define ACLGEN_KINDS 3u

struct aclgen_packet {
	struct ip6 src, dst; /* IPv4: the last 32 bits */
	uint32_t ports;      /* acl_ports */
	uint16_t kind;       /* acl_kind */
};

/* Fills rule[0..n) for a family, 4 or 6; no two are the same. */
void aclgen_rules(
	struct acl_rule *rule, unsigned n, enum aclgen_kind kind, unsigned family, uint64_t seed);

/*
 * Packets for a list: three of four are inside a rule drawn from all, the others hit parts of
 * several rules or nothing.
 */
void aclgen_packets(struct aclgen_packet *packet, unsigned n, const struct acl_rule *rule,
	unsigned rules, unsigned family, uint64_t seed);

/* Whether a rule matches a packet: written out field by field, for comparison. */
bool aclgen_matches(const struct acl_rule *r, const struct aclgen_packet *p, unsigned family);

#endif
