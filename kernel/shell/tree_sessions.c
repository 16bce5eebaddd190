/* The grammar of sessions: time-outs, limits, what is shown and cleared. */
#include "kernel/sessions.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/nodes.h"

static const struct node timeout_value[] = {
	ARG(NUMBER, "seconds", .min = 1, .max = SESSION_TIMEOUT_MAX, .flags = NODE_END),
	LAST,
};
static const struct node timeouts[] = {
	WORD("icmp", "queries", .next = timeout_value, .flags = NODE_SINGLE),
	WORD("other", "other protocols, without an answer", .next = timeout_value,
		.flags = NODE_SINGLE),
	WORD("other-replied", "other protocols, answered", .next = timeout_value,
		.flags = NODE_SINGLE),
	WORD("tcp-closing", "TCP that has ended, or ends", .next = timeout_value,
		.flags = NODE_SINGLE),
	WORD("tcp-established", "TCP", .next = timeout_value, .flags = NODE_SINGLE),
	WORD("tcp-opening", "TCP until it is established", .next = timeout_value,
		.flags = NODE_SINGLE),
	WORD("udp", "UDP without an answer", .next = timeout_value, .flags = NODE_SINGLE),
	WORD("udp-replied", "UDP, answered", .next = timeout_value, .flags = NODE_SINGLE),
	LAST,
};
static const struct node limit_value[] = {
	ARG(NUMBER, "sessions", .min = 1, .max = 1000000, .flags = NODE_END),
	LAST,
};
const struct node set_sessions[] = {
	WORD("limit-per-source", "how many one address may begin", .next = limit_value,
		.flags = NODE_SINGLE),
	WORD("timeout", "when they end if nothing comes", .next = timeouts),
	LAST,
};

/* Filters may follow one another in any order. */
#define VALUES(which, filters)                                                                     \
	static const struct node which##_prefix[] = {                                              \
		ARG(PREFIX, "addresses", .next = (filters), .flags = NODE_END), LAST};             \
	static const struct node which##_protocol[] = {                                            \
		WORD("icmp", "IPv4's, 1", .next = (filters), .flags = NODE_END),                   \
		WORD("icmp6", "IPv6's, 58", .next = (filters), .flags = NODE_END),                 \
		WORD("tcp", "6", .next = (filters), .flags = NODE_END),                            \
		WORD("udp", "17", .next = (filters), .flags = NODE_END),                           \
		ARG(NUMBER, "any other", .min = 1, .max = 255, .next = (filters),                  \
			.flags = NODE_END),                                                        \
		LAST};                                                                             \
	static const struct node which##_port[] = {                                                \
		ARG(NUMBER, "of either side", .min = 1, .max = 65535, .next = (filters),           \
			.flags = NODE_END),                                                        \
		LAST}

VALUES(show, show_sessions_options);
VALUES(clear, clear_sessions_options);
static const struct node show_most[] = {
	ARG(NUMBER, "sessions", .min = 1, .max = 1000000, .next = show_sessions_options,
		.flags = NODE_END),
	LAST,
};
const struct node show_sessions_options[] = {
	WORD("count", "so many at most", .next = show_most),
	WORD("from", "who began them", .next = show_prefix),
	WORD("port", "of TCP, UDP", .next = show_port),
	WORD("proto", "protocol", .next = show_protocol),
	WORD("to", "with whom", .next = show_prefix),
	LAST,
};
const struct node clear_sessions_options[] = {
	WORD("from", "who began them", .next = clear_prefix),
	WORD("port", "of TCP, UDP", .next = clear_port),
	WORD("proto", "protocol", .next = clear_protocol),
	WORD("to", "with whom", .next = clear_prefix),
	LAST,
};
