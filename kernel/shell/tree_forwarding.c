/* The grammar of what is forwarded, and of the flow cache: `set forwarding`, `show flows`. */
#include "kernel/shell/commands.h"
#include "kernel/shell/nodes.h"
#include "net/path/police.h"

/* From the leaves to the root, as in tree.c. */

static const struct node martian_permit[] = {
	WORD("permit", "they are forwarded as any others", .flags = NODE_END),
	LAST,
};
static const struct node martian_prefix[] = {
	ARG(PREFIX, "0.0.0.0/8, 127.0.0.0/8 or 240.0.0.0/4", .next = martian_permit),
	LAST,
};
static const struct node control_rate_value[] = {
	ARG(NUMBER, "packets a second", .min = 1, .max = POLICE_RATE_MAX, .flags = NODE_END),
	LAST,
};
static const struct node control_rate[] = {
	WORD("rate", "how many each lane hands up", .next = control_rate_value,
		.flags = NODE_SINGLE),
	LAST,
};
static const struct node control_classes[] = {
	WORD("arp", "ARP", .next = control_rate),
	WORD("echo", "echo requests to the router", .next = control_rate),
	WORD("error", "what is refused with an ICMP error", .next = control_rate),
	WORD("lldp", "LLDP", .next = control_rate),
	WORD("local", "all else to the router", .next = control_rate),
	WORD("nd", "neighbour discovery", .next = control_rate),
	WORD("resolve", "to neighbours that are not known", .next = control_rate),
	WORD("transit", "options, fragmentation", .next = control_rate),
	LAST,
};
static const struct node counters_what[] = {
	WORD("next-hop", "packets led to each next hop", .flags = NODE_END),
	LAST,
};
static const struct node flow_shadow_value[] = {
	ARG(NUMBER, "one of so many hits", .min = 1, .max = 1000000, .flags = NODE_END),
	LAST,
};
static const struct node flow_shadow[] = {
	WORD("shadow", "hits are decided again, and compared", .next = flow_shadow_value),
	LAST,
};
static const struct node flow_modes[] = {
	WORD("auto", "as the access lists in force make it worth while, the default",
		.next = flow_shadow, .flags = NODE_END),
	WORD("off", "each packet is looked up", .next = flow_shadow, .flags = NODE_END),
	WORD("on", "the next packets of a flow go as the first did", .next = flow_shadow,
		.flags = NODE_END),
	LAST,
};
const struct node set_forwarding[] = {
	WORD("control-plane", "what the control core gets, by class", .next = control_classes),
	WORD("counters", "what is counted, besides interfaces and drops", .next = counters_what),
	WORD("flow-table", "whether decisions are kept by flow", .next = flow_modes,
		.flags = NODE_SINGLE),
	WORD("martians", "addresses that no host has, dropped by default", .next = martian_prefix),
	WORD("sessions", "connections that are tracked", .next = set_sessions),
	LAST,
};

/* The options of show flows may follow one another in any order. */
static const struct node flows_port[] = {
	ARG(NUMBER, "port, of either end", .min = 0, .max = 65535, .next = show_flows_options,
		.flags = NODE_END),
	LAST,
};
static const struct node flows_count[] = {
	ARG(NUMBER, "flows at most", .min = 1, .max = 1000000, .next = show_flows_options,
		.flags = NODE_END),
	LAST,
};
static const struct node flows_protocol[] = {
	WORD("icmp", "ICMP", .next = show_flows_options, .flags = NODE_END),
	WORD("icmp6", "ICMPv6", .next = show_flows_options, .flags = NODE_END),
	WORD("tcp", "TCP", .next = show_flows_options, .flags = NODE_END),
	WORD("udp", "UDP", .next = show_flows_options, .flags = NODE_END),
	ARG(NUMBER, "IP protocol", .min = 0, .max = 255, .next = show_flows_options,
		.flags = NODE_END),
	LAST,
};
static const struct node flows_prefix[] = {
	ARG(PREFIX, "addresses", .next = show_flows_options, .flags = NODE_END),
	LAST,
};
const struct node show_flows_options[] = {
	WORD("count", "how many are shown, 20 unless given", .next = flows_count),
	WORD("from", "of these sources", .next = flows_prefix),
	WORD("port", "from or to this port", .next = flows_port),
	WORD("proto", "of this protocol", .next = flows_protocol),
	WORD("to", "to these destinations", .next = flows_prefix),
	LAST,
};
