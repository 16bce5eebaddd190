/* The grammar of packet capture. */
#include "kernel/shell/nodes.h"
#include "net/path/capture.h"

#define PORT_LAST 65535u

/* The options may follow one another in any order. */
#define OPTIONS 15u
static const struct node options[OPTIONS + 1], sink_value[2];

static const struct node count_value[] = {
	ARG(NUMBER, "frames", .min = 1, .max = 1000000000, .next = options, .flags = NODE_END),
	LAST,
};
static const struct node seconds_value[] = {
	ARG(NUMBER, "seconds", .min = 1, .max = 86400, .next = options, .flags = NODE_END),
	LAST,
};
static const struct node snap_value[] = {
	ARG(NUMBER, "bytes of each frame", .min = 14, .max = CAPTURE_SNAP_MAX, .next = options,
		.flags = NODE_END),
	LAST,
};
static const struct node prefix_value[] = {
	ARG(ROUTE, "one address, or all of a prefix", .next = options, .flags = NODE_END),
	LAST,
};
static const struct node host_value[] = {
	ARG(ADDRESS, "source or destination", .next = options, .flags = NODE_END),
	LAST,
};
static const struct node proto_value[] = {
	WORD("icmp", "IPv4's, 1", .next = options, .flags = NODE_END),
	WORD("icmp6", "IPv6's, 58", .next = options, .flags = NODE_END),
	WORD("tcp", "6", .next = options, .flags = NODE_END),
	WORD("udp", "17", .next = options, .flags = NODE_END),
	ARG(NUMBER, "any other", .min = 0, .max = 255, .next = options, .flags = NODE_END),
	LAST,
};
static const struct node port_value[] = {
	ARG(RANGE, "port, or first-last", .min = 0, .max = PORT_LAST, .next = options,
		.flags = NODE_END),
	LAST,
};
static const struct node sink_port_value[] = {
	ARG(NUMBER, "port", .min = 1, .max = PORT_LAST, .next = options, .flags = NODE_END),
	LAST,
};

/* In the order of the alphabet; `port` behind a collector's address is the collector's. */
#define UP_TO_HOST                                                                                 \
	WORD("all", "received, sent and dropped; the default", .next = options,                    \
		.flags = NODE_END),                                                                \
		WORD("collector", "to whom they go, by UDP; else to the console",                  \
			.next = sink_value),                                                       \
		WORD("count", "so many frames", .next = count_value),                              \
		WORD("drop", "as dropped, and why", .next = options, .flags = NODE_END),           \
		WORD("from", "sources", .next = prefix_value),                                     \
		WORD("from-port", "source port", .next = port_value),                              \
		WORD("host", "source or destination", .next = host_value)
#define FROM_PROTO                                                                                 \
	WORD("proto", "protocol", .next = proto_value),                                            \
		WORD("rx", "as received", .next = options, .flags = NODE_END),                     \
		WORD("seconds", "so long", .next = seconds_value),                                 \
		WORD("snap", "so much of each frame", .next = snap_value),                         \
		WORD("to", "destinations", .next = prefix_value),                                  \
		WORD("to-port", "destination port", .next = port_value),                           \
		WORD("tx", "as sent", .next = options, .flags = NODE_END), LAST

static const struct node sink_options[] = {
	UP_TO_HOST,
	WORD("port", "the collector's; 4799, unless given", .next = sink_port_value),
	FROM_PROTO,
};
static const struct node sink_value[2] = {
	ARG(ADDRESS, "collector", .next = sink_options, .flags = NODE_END),
	LAST,
};
static const struct node options[OPTIONS + 1] = {
	UP_TO_HOST,
	WORD("port", "source or destination port", .next = port_value),
	FROM_PROTO,
};

const struct node capture_what[] = {
	ARG(SUBIFACE, "of which interface", .next = options, .flags = NODE_END),
	LAST,
};
