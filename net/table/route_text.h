/*
 * Routes as text: `PREFIX via ADDRESS [dev INTERFACE] [weight N]`, one a line.
 *
 * Both families. Lines of one prefix are equal-cost paths with their weights.
 * What follows # is a comment; empty lines do not matter. The text need not be
 * terminated, and is not changed: a million lines are read in less than a second.
 */
#ifndef NET_TABLE_ROUTE_TEXT_H
#define NET_TABLE_ROUTE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"
#include "net/table/ip6.h"

struct route_text {
	const char *at, *end;
	uint32_t line;     /* of the route read last, from 1 */
	const char *error; /* what is wrong with it, or NULL */
};

struct route_line {
	struct ip6 prefix, gateway; /* of IPv4 the top 32 bits */
	uint8_t family;             /* 4 or 6, of both */
	uint8_t length;
	uint8_t weight;           /* 1-255; 1 if not given */
	char dev[IFACE_NAME_MAX]; /* terminated; empty if not given */
};

/*
 * Reads the next route. false: there is none, the text is at its end (error is
 * NULL) or the line is not a route (error says why); reading may go on with the
 * line after it.
 */
bool route_text_next(struct route_text *text, struct route_line *route);

/*
 * A prefix at the beginning of [*at, end), which moves behind it. An error, or
 * NULL: then family, prefix and length are those of the prefix.
 */
const char *route_text_prefix(const char **at, const char *end, struct route_line *route);

#endif
