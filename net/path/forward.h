/* The parts of the third stage: what is the same in all forms, and what is compiled for each. */
#ifndef NET_PATH_FORWARD_H
#define NET_PATH_FORWARD_H

#include <stdint.h>

#include "net/path/lane.h"
#include "net/path/parse.h"

/*
 * Rewrites and queues, without publishing it, what of a batch's plain packets can be sent as it
 * is: a mask. `limit`: how many packets a VOQ may hold. Sets the TX queues' bits in *touched.
 */
typedef uint64_t forward_plain_fn(
	struct lane *lane, struct batch *b, uint32_t limit, uint64_t *touched);
forward_plain_fn forward_plain_plain, forward_plain_v3, forward_plain_v4;

/* Puts the member that each packet of a mask goes by in the place of its group. */
void forward_members(const struct lane *lane, struct batch *b, uint64_t mask);

/* Puts packets of a mask into their VOQs, one by one. The TX queues as bits. */
uint64_t forward_put_each(struct lane *lane, const struct batch *b, uint64_t mask, uint32_t limit);

/* A VOQ refused this packet: it is dropped. */
void forward_refused(struct lane *lane, uint64_t word);

#endif
