/*
 * What bench-flow forwards: flows for an access list, and the list as configuration text.
 *
 * Two routes, NETWORK_A by port 0 and NETWORK_B by port 1; a flow goes by one of them and its
 * addresses are none that a router may refuse.
 */
#ifndef TEST_BENCH_FLOW_FLOWS_H
#define TEST_BENCH_FLOW_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "test/model/aclgen.h"

#define FLOWS_PORTS 2u

struct flow {
	uint32_t src, dst, ports; /* host byte order; acl_ports */
	uint8_t protocol;
};

/* Rules as DPDK's classifier can have them as well: 5-tuples, nothing about connections. */
void flows_rules(struct acl_rule *rule, unsigned n, enum aclgen_kind kind, uint64_t seed);

/* "access", "firewall" or "chains". false: none of them. */
bool flows_kind(const char *word, enum aclgen_kind *kind);
extern const char *const flows_kind_name[ACLGEN_KINDS];

/*
 * n different flows, most of them inside a rule drawn from all. sessions: all UDP from network A to
 * network B, and no two have the same ports and destination with the source left out.
 */
void flows_make(struct flow *flow, uint32_t n, const struct acl_rule *rule, unsigned rules,
	bool sessions, uint64_t seed);

/* By which port a flow leaves. */
unsigned flows_port(const struct flow *flow);

/* The rules as lines of configuration, all of them `permit`, and one that permits the rest; the
 * caller frees it. */
char *flows_list_text(const char *name, const struct acl_rule *rule, unsigned n);

/* n numbers below `of`, in the order in which flows send: each in turn, in no order; or by Zipf's
 * law with s = 1, the most frequent ones anywhere. */
void flows_order(uint32_t *order, uint32_t n, uint32_t of, bool zipf, uint64_t seed);

#endif
