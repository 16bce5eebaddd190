/*
 * A file of routes as test data: where a destination must go.
 *
 * The look-up is the generator's own (prefixes in order, each knowing the one
 * around it), so that it has nothing in common with the router that is measured.
 */
#ifndef PKTGEN_ROUTES_H
#define PKTGEN_ROUTES_H

#include "lib/err.h"
#include "tools/pktgen/scenario.h"

struct routes_entry {
	struct ip6 prefix, gateway; /* of IPv4 the top 32 bits */
	uint32_t parent;            /* the longest prefix around this one, or ROUTES_NONE */
	uint8_t length;
	bool several; /* the prefix has several gateways: nothing is sent there */
};

#define ROUTES_NONE 0xffffffffu

struct routes {
	struct routes_entry *entry; /* in order of prefix, shorter ones first */
	uint32_t count;
};

/*
 * Reads the routes of one family from a text: `PREFIX via GATEWAY ...`, as the router
 * takes it, or `PREFIX INDEX`, where the gateway is `base` + INDEX. NULL, or what
 * is wrong; *line: where. n bytes, not terminated.
 */
MUST_CHECK const char *routes_read(struct routes *r, const char *text, size_t n, uint8_t family,
	const struct address *base, uint32_t *line);

/* A file, unpacked by gzip if its name ends in .gz. false: `error` (`room` bytes) says why. */
MUST_CHECK bool routes_file(struct routes *r, const char *name, uint8_t family,
	const struct address *base, char *error, size_t room);

/* The longest prefix that holds the address, or ROUTES_NONE. */
uint32_t routes_match(const struct routes *r, struct ip6 address);

void routes_free(struct routes *r);

#endif
