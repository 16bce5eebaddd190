/*
 * Gateways that share flows with others (equal-cost paths): whether they are there.
 *
 * Workers cannot tell which gateway was used, and one that has lost its flows to
 * the others gets no packet that would ask for it. So those in groups are asked
 * without need: at first, again and again while they are silent, and by unicast
 * when nothing was heard for a while. One that does not answer its three
 * questions loses its part of the flows (nexthop_silence), until it answers.
 *
 * What others send does not move flows: a scan can push an entry out of the table
 * of neighbours, but a gateway that was silent stays so until it answers, and one that
 * was there is asked thrice before it counts as silent, whatever else is asked for.
 */
#ifndef NET_PROTO_GATEWAYS_H
#define NET_PROTO_GATEWAYS_H

#include <stdint.h>

#include "net/proto/nd.h"

struct stack;

#define GATEWAY_ROUND_MS   1000u  /* between two looks at one gateway */
#define GATEWAY_BURST      10u    /* begun to be asked for in a tenth of a second */
#define GATEWAY_CONFIRM_MS 15000u /* nothing heard for so long: it is asked */

struct gateways {
	uint32_t at;       /* the next place in the groups to be looked at */
	uint64_t round_ms; /* when this round began */
	struct pace begun;
};

/* Looks at some gateways; a part of stack_tick. */
void gateways_tick(struct stack *s);

#endif
