/*
 * A network device that exists in memory only, for the hosted process, unit
 * tests and benches: the test puts frames in and takes frames out.
 *
 * It has rings as a NIC has them, so the router above behaves as with
 * hardware. All calls on one device come from one thread.
 */
#ifndef DRIVERS_MEMDEV_H
#define DRIVERS_MEMDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/io.h"
#include "drivers/netdev.h"

/*
 * Makes port `number` with rings of `slots` (a power of two, RING_SLOTS_MIN to
 * RING_SLOTS_MAX). It is called "mem:NUMBER", has MAC 02:6d:65:6d:00:NUMBER,
 * the link is up. NULL when env->alloc has no more memory or slots is no such number.
 */
struct netdev *memdev_create(const struct io_env *env, unsigned number, unsigned slots);

/*
 * Receives a frame: copies it into the next buffer of the RX ring. false: no
 * buffer, link down, or longer than a buffer; then it counts in memdev_missed.
 */
bool memdev_inject(struct netdev *dev, const void *frame, size_t len_bytes);
uint64_t memdev_missed(const struct netdev *dev);

/*
 * Takes the oldest transmitted frame: copies at most `room` bytes to out and
 * returns the frame's whole length, 0 when there is none. Its buffer is then
 * ready for tx_done.
 */
size_t memdev_collect(struct netdev *dev, void *out, size_t room);

/* Takes effect at the next poll. While the link is down injected frames are missed. */
void memdev_set_link(struct netdev *dev, bool up);

#endif
