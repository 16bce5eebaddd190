/* The grammar of access lists. */
#include "kernel/shell/nodes.h"
#include "lib/limits.h"

#define RULE_MAX 999999u

/* From the leaves to the root, as in tree.c; each option leads to those behind it. */

static const struct node log_option[] = {
	WORD("log", "what matches is written to the log, ten lines a second at most",
		.flags = NODE_END),
	LAST,
};
/* Of a packet of a session that is known, in either direction. */
#define ESTABLISHED                                                                                \
	WORD("established", "of a connection that was seen before", .next = log_option,            \
		.flags = NODE_END)
static const struct node last_options[] = {
	ESTABLISHED,
	WORD("log", "what matches is written to the log, ten lines a second at most",
		.flags = NODE_END),
	LAST,
};
static const struct node to_port_value[] = {
	ARG(RANGE, "port, or first-last", .min = 0, .max = 65535, .next = last_options,
		.flags = NODE_END),
	LAST,
};
static const struct node behind_from_port[] = {
	ESTABLISHED,
	WORD("log", "what matches is written to the log, ten lines a second at most",
		.flags = NODE_END),
	WORD("to-port", "destination port, of TCP and UDP", .next = to_port_value),
	LAST,
};
static const struct node from_port_value[] = {
	ARG(RANGE, "port, or first-last", .min = 0, .max = 65535, .next = behind_from_port,
		.flags = NODE_END),
	LAST,
};
static const struct node icmp_type_value[] = {
	ARG(ICMP, "type, or type/code", .next = last_options, .flags = NODE_END),
	LAST,
};

/* The options behind the destination; and, with more before them, behind what comes earlier. */
#define BEHIND_TO                                                                                  \
	ESTABLISHED, WORD("from-port", "source port, of TCP and UDP", .next = from_port_value),    \
		WORD("icmp-type", "of ICMP and ICMPv6", .next = icmp_type_value),                  \
		WORD("log", "what matches is written to the log, ten lines a second at most",      \
			.flags = NODE_END),                                                        \
		WORD("to-port", "destination port, of TCP and UDP", .next = to_port_value), LAST

static const struct node behind_to[] = {BEHIND_TO};
static const struct node to_value[] = {
	ARG(PREFIX, "destinations", .next = behind_to, .flags = NODE_END),
	LAST,
};
#define BEHIND_FROM WORD("to", "where it goes", .next = to_value), BEHIND_TO
static const struct node behind_from[] = {BEHIND_FROM};
static const struct node from_value[] = {
	ARG(PREFIX, "sources", .next = behind_from, .flags = NODE_END),
	LAST,
};
#define BEHIND_PROTO WORD("from", "where it comes from", .next = from_value), BEHIND_FROM
static const struct node behind_proto[] = {BEHIND_PROTO};
static const struct node proto_value[] = {
	WORD("icmp", "IPv4's, 1", .next = behind_proto, .flags = NODE_END),
	WORD("icmp6", "IPv6's, 58", .next = behind_proto, .flags = NODE_END),
	WORD("tcp", "6", .next = behind_proto, .flags = NODE_END),
	WORD("udp", "17", .next = behind_proto, .flags = NODE_END),
	ARG(NUMBER, "any other", .min = 0, .max = 255, .next = behind_proto, .flags = NODE_END),
	LAST,
};
static const struct node rule_options[] = {
	WORD("proto", "protocol", .next = proto_value),
	BEHIND_PROTO,
};
static const struct node rule_action[] = {
	WORD("deny", "dropped, in silence", .next = rule_options, .flags = NODE_END),
	WORD("permit", "goes on", .next = rule_options, .flags = NODE_END),
	LAST,
};
static const struct node rule_value[] = {
	ARG(NUMBER, "its place: rules are asked in order", .min = 1, .max = RULE_MAX,
		.next = rule_action, .flags = NODE_SINGLE),
	LAST,
};
static const struct node list_rule[] = {
	WORD("rule", "the first that matches decides; if none does, it is denied",
		.next = rule_value),
	LAST,
};
const struct node set_acl[] = {
	ARG(NAME, "access list", .next = list_rule),
	LAST,
};

static const struct node bound_list[] = {
	ARG(NAME, "access list", .flags = NODE_END),
	LAST,
};
const struct node interface_acl[] = {
	WORD("in", "decides about what comes in", .next = bound_list, .flags = NODE_SINGLE),
	WORD("out", "decides about what goes out in transit", .next = bound_list,
		.flags = NODE_SINGLE),
	LAST,
};

const struct node show_acl_options[] = {
	ARG(NAME, "only this one", .flags = NODE_END),
	LAST,
};
