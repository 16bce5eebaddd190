/* The grammar of NAT. */
#include "kernel/shell/commands.h"
#include "kernel/shell/nodes.h"
#include "lib/limits.h"

#define RULE_MAX 999999u

/* From the leaves to the root, as in tree.c. */

#define PROTOCOLS(behind)                                                                          \
	WORD("icmp", "1", .next = (behind)), WORD("tcp", "6", .next = (behind)),                   \
		WORD("udp", "17", .next = (behind)),                                               \
		ARG(NUMBER, "any other", .min = 0, .max = 255, .next = (behind)), LAST

/* ---- source ---- */

static const struct node ports_value[] = {
	ARG(RANGE, "first-last", .min = 1, .max = 65535, .flags = NODE_END),
	LAST,
};
static const struct node ports_option[] = {
	WORD("ports", "which it gives out; else as RFC 4787 has it", .next = ports_value),
	LAST,
};
static const struct node pool_value[] = {
	ARG(POOL, "what sources become; of several, a host keeps one", .next = ports_option,
		.flags = NODE_END),
	LAST,
};
#define ACTIONS                                                                                    \
	WORD("exempt", "sources stay as they are", .flags = NODE_END),                             \
		WORD("masquerade", "sources become the interface's first address",                 \
			.next = ports_option, .flags = NODE_END),                                  \
		WORD("to-address", "sources become this", .next = pool_value)

static const struct node actions[] = {ACTIONS, LAST};
static const struct node source_protocol[] = {PROTOCOLS(actions)};
#define BEHIND_TO ACTIONS, WORD("proto", "protocol", .next = source_protocol)
static const struct node behind_to[] = {BEHIND_TO, LAST};
static const struct node to_value[] = {
	ARG(PREFIX, "destinations", .next = behind_to),
	LAST,
};
static const struct node behind_from[] = {
	BEHIND_TO,
	WORD("to", "where it goes", .next = to_value),
	LAST,
};
static const struct node from_value[] = {
	ARG(PREFIX, "inside hosts", .next = behind_from),
	LAST,
};
static const struct node out_from[] = {
	WORD("from", "where it comes from", .next = from_value),
	LAST,
};
static const struct node out_value[] = {
	ARG(SUBIFACE, "interface it leaves by", .next = out_from),
	LAST,
};
static const struct node source_out[] = {
	WORD("out", "of what leaves by an interface", .next = out_value),
	LAST,
};

/* ---- destination ---- */

static const struct node to_port_value[] = {
	ARG(NUMBER, "what the first of the ports becomes", .min = 1, .max = 65535,
		.flags = NODE_END),
	LAST,
};
static const struct node to_port[] = {
	WORD("to-port", "another port there", .next = to_port_value),
	LAST,
};
static const struct node to_address_value[] = {
	ARG(IPV4, "inside host", .next = to_port, .flags = NODE_END),
	LAST,
};
static const struct node to_address[] = {
	WORD("to-address", "where it is sent instead", .next = to_address_value),
	LAST,
};
static const struct node port_value[] = {
	ARG(RANGE, "port, or first-last", .min = 1, .max = 65535, .next = to_address),
	LAST,
};
static const struct node behind_address[] = {
	WORD("port", "destination port, of TCP and UDP", .next = port_value),
	WORD("to-address", "where it is sent instead", .next = to_address_value),
	LAST,
};
static const struct node address_value[] = {
	ARG(IPV4, "destination", .next = behind_address),
	LAST,
};
static const struct node in_to[] = {
	WORD("to", "where it goes", .next = address_value),
	LAST,
};
static const struct node destination_protocol[] = {PROTOCOLS(in_to)};
static const struct node in_options[] = {
	WORD("proto", "protocol", .next = destination_protocol),
	WORD("to", "where it goes", .next = address_value),
	LAST,
};
static const struct node in_value[] = {
	ARG(SUBIFACE, "interface it comes in by", .next = in_options),
	LAST,
};
static const struct node destination_in[] = {
	WORD("in", "of what comes in by an interface", .next = in_value),
	LAST,
};

/* ---- rules ---- */

static const struct node source_number[] = {
	ARG(NUMBER, "its place: rules are asked in order", .min = 1, .max = RULE_MAX,
		.next = source_out, .flags = NODE_SINGLE),
	LAST,
};
static const struct node destination_number[] = {
	ARG(NUMBER, "its place: rules are asked in order", .min = 1, .max = RULE_MAX,
		.next = destination_in, .flags = NODE_SINGLE),
	LAST,
};
static const struct node source_rule[] = {
	WORD("rule", "the first that matches decides", .next = source_number),
	LAST,
};
static const struct node destination_rule[] = {
	WORD("rule", "the first that matches decides", .next = destination_number),
	LAST,
};
const struct node set_nat[] = {
	WORD("destination", "of what is sent to us, for hosts inside", .next = destination_rule),
	WORD("source", "of what hosts inside send", .next = source_rule),
	LAST,
};

/* ---- show ---- */

static const struct node mapping_address[] = {
	ARG(IPV4, "only of this address, inside or outside", .flags = NODE_END),
	LAST,
};
const struct node show_nat_options[] = {
	WORD("mappings", "what inside addresses and ports became", .run = show_nat_mappings,
		.next = mapping_address, .flags = NODE_END),
	WORD("ports", "what is given out of each address", .run = show_nat_ports,
		.flags = NODE_END),
	WORD("rules", "rules, and sessions that each began", .run = show_nat_rules,
		.flags = NODE_END),
	LAST,
};
