/*
 * One line of a routes file, as data.
 *
 *     PREFIX via ADDRESS [dev IF] [weight N]
 *     PREFIX blackhole | unreachable | prohibit
 *
 * Both families; words are separated by blanks, '#' begins a comment. Lines of
 * one prefix that follow one another are equal-cost paths.
 */
#ifndef NET_TABLE_ROUTELINE_H
#define NET_TABLE_ROUTELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/table/ip6.h"
#include "net/table/nexthop.h"

struct routeline {
	struct ip6 prefix;  /* host bits zero; an IPv4 prefix is the top 32 bits */
	struct ip6 gateway; /* of NEXTHOP_RESOLVE; an IPv4 address is the top 32 bits */
	uint16_t action;    /* NEXTHOP_RESOLVE (via), _BLACKHOLE, _UNREACHABLE, _PROHIBIT */
	uint8_t length;
	uint8_t weight; /* 1-255 */
	bool ipv6;
	bool blank;               /* nothing but blanks and a comment; all else is not set */
	char dev[IFACE_NAME_MAX]; /* "" unless given */
};

/*
 * Reads the n bytes of a line, without its end. NULL: *out is right; else what
 * is wrong, a few words. Any core.
 */
const char *routeline_parse(struct routeline *out, const char *line, size_t n);

#endif
