/*
 * A network device that exists in memory only, for the hosted process, unit
 * tests and benches: the test puts frames in and takes frames out.
 *
 * It has rings as a NIC has them, so the router above behaves as with
 * hardware. Each ring has two sides, the router's (struct netdev_ops) and the
 * wire's (the functions below); each side is one thread, the two may differ.
 */
#ifndef DRIVERS_MEMDEV_H
#define DRIVERS_MEMDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/io.h"
#include "drivers/netdev.h"

#define MEMDEV_QUEUES_MAX 16u

/*
 * Makes port `number` with as many RX and TX queues as `queues` says, from 1 to
 * MEMDEV_QUEUES_MAX, each with a ring of `slots` (a power of two, RING_SLOTS_MIN to
 * RING_SLOTS_MAX). It is called "mem:NUMBER", has MAC 02:6d:65:6d:00:NUMBER,
 * the link is up. NULL when env->alloc has no more memory or slots is no such
 * number.
 */
struct netdev *memdev_create(
	const struct io_env *env, unsigned number, unsigned queues, unsigned slots);

/*
 * Receives a frame on RX queue q: copies it into the next buffer of its ring.
 * false: no buffer, link down, or longer than a buffer; then it counts in
 * memdev_missed. q: below dev->rx_queues.
 */
bool memdev_inject(struct netdev *dev, unsigned q, const void *frame, size_t len_bytes);
uint64_t memdev_missed(const struct netdev *dev); /* of all queues: a snapshot */

/*
 * Takes the oldest transmitted frame of TX queue q: copies at most `room` bytes to
 * out and returns the frame's whole length, 0 when there is none. Its buffer is
 * then ready for tx_done.
 */
size_t memdev_collect(struct netdev *dev, unsigned q, void *out, size_t room);

/* Takes effect at the next poll. While the link is down injected frames are missed. */
void memdev_set_link(struct netdev *dev, bool up);

#endif
