/*
 * A port as the router's neighbour: it answers for its hosts, and asks for the router.
 *
 * ARP (RFC 826) and neighbour discovery (RFC 4861), as little of them as a router
 * needs to forward to addresses that are not there.
 */
#ifndef PKTGEN_NEIGHBOR_H
#define PKTGEN_NEIGHBOR_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/pktgen/scenario.h"

#define OUTBOX_FRAMES 64u
#define OUTBOX_BYTES  86u /* a neighbour advertisement */

struct outbox_frame {
	uint8_t byte[OUTBOX_BYTES];
	uint32_t bytes;
};

struct neighbor {
	const struct scenario *scenario;
	unsigned port;
	uint8_t router[6]; /* MAC */
	bool silent[2];    /* its IPv4 or IPv6 address has not answered yet */
	bool known;        /* it has a MAC, and all its addresses have answered */
	struct outbox_frame outbox[OUTBOX_FRAMES];
	unsigned first, count; /* waiting in it */
	uint64_t answers;
};

void neighbor_init(struct neighbor *n, const struct scenario *s, unsigned port);

/* A frame from the router; what there is to say goes into the outbox (or nowhere, if it is full).
 */
void neighbor_take(struct neighbor *n, const uint8_t *frame, uint32_t bytes);

/* Asks for the router's MAC, if it has addresses here and the port has one to ask from. */
void neighbor_ask(struct neighbor *n);

#endif
